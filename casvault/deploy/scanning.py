"""Looking at directories: what a collection's directory and a project hold now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.artifacts.rules import RULES_FILE, Rules, parse_rules
from casvault.artifacts.snapshot import find_content, open_snapshot
from casvault.deploy.marker import COLLECTION_MARKER, read_marker
from casvault.errors import FailureError, NotFoundError, RefusedError
from casvault.files import find_file
from casvault.objects import TREE
from casvault.progress import silent
from casvault.trees import EMPTY_ID, find_path
from casvault.worktree.cache import StatCache
from casvault.worktree.ignore import FROM_DISK, IgnoreRules, is_ignored_by_default
from casvault.worktree.names import is_control_name
from casvault.worktree.node import Role
from casvault.worktree.scan import scan_paths, scan_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from casvault.objects import ObjectReader, ObjectStage, Root
    from casvault.oid import Oid
    from casvault.progress import Progress
    from casvault.repository import Repository


class CollectionScan(NamedTuple):
    """What a collection's directory holds."""

    base: Oid | None
    """The snapshot that it was last at, as its marker says."""
    units: dict[bytes, Root]
    plain: dict[bytes, Root]
    rules: Rules
    ignored: list[bytes]
    notes: list[str]
    cache: StatCache


class ProjectScan(NamedTuple):
    """What a project holds."""

    states: dict[bytes, Root]
    cache: StatCache
    notes: list[str]


def scan_collection(
    repository: Repository,
    stage: ObjectStage,
    directory: Path,
    *,
    storing: bool,
    may_be_empty: bool = False,
    progress: Progress = silent,
) -> CollectionScan:
    """Scan a collection's directory into the stage.

    RefusedError if nothing is left in it of a snapshot that had something: that is a disk that is not mounted, or a
    mistake, and never taken as the removal of everything.
    """
    if not directory.is_dir():
        raise NotFoundError(
            "the collection's directory is not there",
            place=str(directory),
            remedy="mount or restore it, or tell where it is now: `casvault collection add DIR --name NAME`",
        )
    marker = read_marker(directory, COLLECTION_MARKER)
    if marker is None:
        raise RefusedError(
            "its marker is gone, so it is not known which snapshot this directory holds",
            place=str(directory),
            remedy="mount or restore it; or lay the collection out anew: `casvault restore --to DIR`",
        )
    base = marker.snapshot
    horizon = repository.log.horizon
    if base is not None and horizon is not None and stage.find_infos([base]) == [None]:
        raise RefusedError(
            f"it is at snapshot {base.short}, which no collection had any more when the past was let go",
            place=str(directory),
            remedy="lay the collection out anew, `casvault restore --to DIR`, and bring over what is missing there",
        )
    snapshot = open_snapshot(stage, base)
    rules = read_rules(directory)
    cache = load_cache(repository, directory)
    scan = scan_units(
        directory,
        stage,
        classify=rules.classify,
        cache=cache,
        held=lambda path: find_content(stage, snapshot, path) is not None,
        storing=storing,
        progress=progress,
    )
    for path in [path for path, state in scan.units.items() if state.id == EMPTY_ID]:
        # What a removed artifact left behind is no new one.
        if find_path(stage, snapshot.content, path) is None and _has_below(scan.ignored, path + b"/"):
            del scan.units[path]
    is_empty = not scan.units and all(state.mode == TREE for state in scan.plain.values())
    if is_empty and not may_be_empty and snapshot.content.id != EMPTY_ID:
        raise RefusedError(
            f"the directory is empty, but snapshot {show_id(base)} has content",
            place=str(directory),
            remedy="if a disk is not mounted, mount it; `casvault restore` brings everything back",
        )
    return CollectionScan(base, scan.units, scan.plain, rules, scan.ignored, scan.notes, cache)


def _has_below(paths: Iterable[bytes], prefix: bytes) -> bool:
    return any(path.startswith(prefix) for path in paths)


def read_rules(directory: Path) -> Rules:
    path = directory / os.fsdecode(RULES_FILE)
    text = find_file(path)
    return Rules() if text is None else parse_rules(text, str(path))


def scan_project(
    repository: Repository,
    stage: ObjectStage,
    directory: Path,
    paths: Iterable[bytes],
    held: Iterable[tuple[bytes, Root]],
    ignores: Mapping[bytes, IgnoreRules],
    *,
    storing: bool,
    reader: ObjectReader | None = None,
) -> ProjectScan:
    """The states of these paths of a project; `held` are paths with states that no ignore rule may hide, `ignores` has
    the rules for those paths that need more than what is on disk, and `reader` has these states if the stage does not.
    """
    states: dict[bytes, list[Root]] = {}
    above: set[bytes] = set()
    for prefix, root in held:
        states.setdefault(prefix, []).append(root)
        above.update(prefix[:end] for end, sign in enumerate(prefix) if sign == 0x2F)

    def is_held(path: bytes) -> bool:
        if path in states or path in above:
            return True
        ends = [end for end, sign in enumerate(path) if sign == 0x2F]
        return any(
            find_path(reader or stage, root, path[end + 1 :]) is not None
            for end in ends
            for root in states.get(path[:end], ())
        )

    if not directory.is_dir():
        raise NotFoundError("the project's directory is not there", place=str(directory))
    cache = load_cache(repository, directory)
    groups: dict[int, tuple[IgnoreRules, list[bytes]]] = {}
    for path in paths:
        rules = ignores.get(path, FROM_DISK)
        groups.setdefault(id(rules), (rules, []))[1].append(path)
    found = ProjectScan({}, cache, [])
    for rules, group in groups.values():
        scan = scan_paths(directory, group, stage, ignore=rules, cache=cache, held=is_held, storing=storing)
        found.states.update(scan.units)
        found.notes.extend(scan.notes)
    return found


def iter_untracked(root: Path, rules: Rules) -> Iterator[bytes]:
    """The artifacts below a root of a project, deployed or not. Only what a rule names counts there."""
    start = os.fsencode(root)
    pending = [home for home in sorted(rules.homes) if os.path.isdir(os.path.join(start, home))]
    while pending:
        directory = pending.pop()
        for name in sorted(os.listdir(os.path.join(start, directory))):
            path = directory + b"/" + name
            is_directory = os.path.isdir(os.path.join(start, path))
            if is_ignored_by_default(name, is_directory=is_directory) or is_control_name(name):
                continue
            role = rules.classify(path, is_directory)
            if role is Role.UNIT:
                yield path
            elif role is Role.DESCEND:
                pending.append(path)


def load_cache(repository: Repository, directory: Path) -> StatCache:
    """The stat cache of a directory; it is named after the directory and owned by the vault."""
    place = blake3(os.fsencode(os.path.abspath(directory))).hexdigest()[:32]
    path = repository.cache_path(f"{place}.stat")
    if path is None or not path.parent.is_dir():
        return StatCache()
    return StatCache.load(path, repository.cache_owner)


def save_cache(cache: StatCache) -> None:
    """Save what a scan learned; a cache that cannot be written is only slower."""
    try:
        cache.save()
    except (OSError, FailureError):
        return


def show_id(oid: Oid | None) -> str:
    return "none" if oid is None else oid.short
