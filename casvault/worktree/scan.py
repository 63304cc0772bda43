"""Scanning a directory into units: what is on disk now, as modes, sizes and ids."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import NotFoundError
from casvault.objects import Root
from casvault.progress import silent
from casvault.trees import build_tree
from casvault.worktree.cache import StatCache
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.ignore import FROM_DISK, IgnoreRules
from casvault.worktree.ingest import doubt_cache, doubt_purged, ingest, make_trees, recognise_trees
from casvault.worktree.names import join
from casvault.worktree.node import Role
from casvault.worktree.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from casvault.objects import ObjectStage
    from casvault.progress import Progress


class Scan(NamedTuple):
    """What a scan found, by path relative to its root and sorted; paths are bytes with `/` between the components."""

    units: dict[bytes, Root]
    plain: dict[bytes, Root]
    """Files and symlinks outside units; and directories there in which nothing is, as the empty tree."""
    ignored: list[bytes]
    """What the ignore rules left out; a directory stands for everything in it."""
    notes: list[str]
    """What the user should know, one line each: symlinks that were followed, control directories passed over."""


def nothing_held(path: bytes) -> bool:
    """The `held` of a scan without a parent version."""
    return False


def scan_units(
    root: Path,
    stage: ObjectStage,
    *,
    classify: Callable[[bytes, bool], Role],
    ignore: IgnoreRules = FROM_DISK,
    cache: StatCache | None = None,
    held: Callable[[bytes], bool] = nothing_held,
    storing: bool = True,
    keep_links: frozenset[bytes] = frozenset(),
    progress: Progress = silent,
) -> Scan:
    """Scan everything below `root` into the stage.

    `classify(path, is_directory)` says what a path is; it is asked for each path in a directory that is DESCEND, and
    the root is. A symlink counts as what it leads to. `held(path)` says whether the parent version holds the path or
    something below it, which no ignore rule leaves out. `storing` is False where the stage keeps no blobs, and then
    entries of the cache are trusted whose blobs the vault never got. The cache is brought up to date, not saved. A unit
    that is a symlink is followed unless it is one of `keep_links`.

    NotFoundError if the root is not a directory. FailureError for what cannot be read, vanishes or goes on changing,
    and for FIFOs, sockets and devices; RefusedError for symlink loops and more than MAX_DEPTH directories. What was
    written to the stage before an error is complete and may stay there.
    """
    return _scan(root, stage, None, classify, ignore, cache, held, storing, keep_links, progress)


def scan_paths(
    root: Path,
    paths: Iterable[bytes],
    stage: ObjectStage,
    *,
    ignore: IgnoreRules = FROM_DISK,
    cache: StatCache | None = None,
    held: Callable[[bytes], bool] = nothing_held,
    storing: bool = True,
    keep_links: frozenset[bytes] = frozenset(),
    progress: Progress = silent,
) -> Scan:
    """Scan some units below `root`: files, symlinks or directories; one that is absent has no entry in the result.

    The ignore files of the directories above a unit apply to what is in it, but not to itself. Everything else is as in
    `scan_units`; the rest of the root is not looked at.
    """
    return _scan(root, stage, sorted(set(paths)), _no_role, ignore, cache, held, storing, keep_links, progress)


def scan_path(
    path: Path,
    stage: ObjectStage,
    *,
    ignore: IgnoreRules = FROM_DISK,
    cache: StatCache | None = None,
    held: Callable[[bytes], bool] = nothing_held,
    storing: bool = True,
    follow: bool = True,
    progress: Progress = silent,
) -> Root | None:
    """The state of one file, symlink or directory, written to the stage; None if it is absent.

    Ignore rules, cache and `held` see paths relative to the directory that it lies in.
    """
    place = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(place)):
        return None
    name = os.fsencode(os.path.basename(place))
    scan = scan_paths(
        path.parent,
        [name],
        stage,
        ignore=ignore,
        cache=cache,
        held=held,
        storing=storing,
        keep_links=frozenset() if follow else frozenset({name}),
        progress=progress,
    )
    return scan.units.get(name)


def _no_role(path: bytes, is_directory: bool) -> Role:
    return Role.PLAIN


def _scan(
    root: Path,
    stage: ObjectStage,
    paths: list[bytes] | None,
    classify: Callable[[bytes, bool], Role],
    ignore: IgnoreRules,
    cache: StatCache | None,
    held: Callable[[bytes], bool],
    storing: bool,
    keep_links: frozenset[bytes],
    progress: Progress,
) -> Scan:
    place = os.fsencode(os.path.abspath(root))
    if not os.path.isdir(place):
        what = "not a directory" if os.path.lexists(place) else "no such directory"
        raise NotFoundError(what, place=os.fspath(root), remedy="check the path; is a disk not mounted?")
    cache = StatCache() if cache is None else cache
    began = cache.read_clock()
    walk = Walk(
        place,
        classify=classify,
        ignore=ignore,
        cache=cache,
        held=held,
        storing=storing,
        keep_links=keep_links,
        progress=progress,
    )
    starts = [walk.top()] if paths is None else [node for path in paths if (node := walk.start_at(path)) is not None]
    walk.run(starts)
    if storing:
        doubt_cache(walk.nodes, stage)
    if stage.doubted:
        doubt_purged(walk.nodes, stage.doubted)
    ingest(walk.nodes, stage, storing=storing, progress=progress)
    make_trees(walk.nodes, stage)
    if isinstance(stage, HashOnly):
        recognise_trees(walk.nodes, stage)
    found = {node.path: node.remembered(began, storing=storing) for node in walk.nodes}
    if paths is None:
        cache.replace(found)
    else:
        for path in set(paths).difference(node.path for node in starts):
            cache.forget(path)
        cache.update(found)
    return _result(walk, stage)


def _result(walk: Walk, stage: ObjectStage) -> Scan:
    units: dict[bytes, Root] = {}
    plain: dict[bytes, Root] = {}
    for node in walk.nodes:
        if node.top and node.root is not None:
            units[node.path] = node.root
        if node.role is Role.UNIT:
            continue
        for name, mode, size, oid in node.entries():
            (units if name in node.unit_names else plain)[join(node.path, name)] = Root(mode, size, oid)
        if node.path and not (node.held or node.children or node.skipped):
            plain[node.path] = build_tree(stage, ())
    return Scan(dict(sorted(units.items())), dict(sorted(plain.items())), sorted(walk.ignored), walk.notes)
