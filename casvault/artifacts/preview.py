"""What a merge of two revisions would give, without making versions of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import typed
from casvault.artifacts.revision import find_state, resolve_commitish, resolve_path, split_path
from casvault.errors import NotFoundError, RefusedError, UsageError
from casvault.history import CommitGraph
from casvault.merge.bases import Bases
from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import TreeMerge, merge_states
from casvault.objects import Kind, Overlay, Root
from casvault.text.markers import Labels
from casvault.trees import EMPTY_ID, build_tree, copy_added, empty_root

if TYPE_CHECKING:
    from casvault.artifacts.revision import Names
    from casvault.merge.drivers.registry import Drivers
    from casvault.merge.trees import LinkMerge, SkippedRenames, TreeConflict
    from casvault.objects import ObjectStage
    from casvault.oid import Oid


MAX_NESTED = 20
"""Versions hold no versions; a vault in which they do, that far, was made to do harm."""


class Preview(NamedTuple):
    """The merged content, with conflicted files marked up."""

    state: Root
    conflicts: tuple[TreeConflict, ...]
    skipped: tuple[SkippedRenames, ...]


def preview_merge(stage: ObjectStage, names: Names, ours: str, theirs: str, base: str | None = None) -> Preview:
    """Merge what two revisions hold, over their merge bases or over what a third one holds; write the result.

    Links to versions that both sides changed are merged in turn, by the versions' own bases: the result has their
    content. NotFoundError where the two have no common ancestor, and none is named.
    """
    overlay = Overlay(stage)
    graph = CommitGraph(overlay)
    drivers = names.rules.drivers
    merge_link = link_preview(overlay, graph, drivers)
    states = [resolve_path(names, revision) for revision in (ours, theirs)]
    found = _find_base(names, overlay, graph, merge_link, ours, theirs) if base is None else resolve_path(names, base)
    merged = merge_states(overlay, found, *states, merge_link=merge_link, drivers=drivers)
    state = mark_up_tree(overlay, merged, Labels(b"base", _label(ours), _label(theirs))) or empty_root()
    copy_added(overlay, state, stage)
    if state.id == EMPTY_ID:
        build_tree(stage, ())
    return Preview(state, merged.conflicts, merged.skipped)


def link_preview(overlay: Overlay, graph: CommitGraph, drivers: Drivers, depth: int = 0) -> LinkMerge:
    """Merges links to versions to what a version with both as parents would hold; to a link where one has it all."""
    if depth > MAX_NESTED:
        raise RefusedError(f"more than {MAX_NESTED} versions that hold one another")

    def content_of(version: Oid) -> Root:
        return graph.commit(version).root

    def merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        deeper = link_preview(overlay, graph, drivers, depth + 1)
        bases = Bases(overlay, graph.parents, content_of, deeper, path=path, drivers=drivers)
        found = bases.merge_bases(ours.id, theirs.id)
        if found == [ours.id]:
            return TreeMerge(theirs, ())
        if found == [theirs.id]:
            return TreeMerge(ours, ())
        states = (bases.unite(found), content_of(ours.id), content_of(theirs.id))
        return merge_states(overlay, *states, path=path, merge_link=deeper, drivers=drivers)

    return merge


def _find_base(
    names: Names, overlay: Overlay, graph: CommitGraph, merge_link: LinkMerge, ours: str, theirs: str
) -> Root | None:
    commits = [_find_commit(names, revision) for revision in (ours, theirs)]
    if commits[0] is None or commits[1] is None:
        missing = ours if commits[0] is None else theirs
        raise UsageError("no commit, so it has no merge base", place=missing, remedy="name one with --base REV")
    bases = Bases(overlay, graph.parents, lambda oid: _content(overlay, oid), merge_link, drivers=names.rules.drivers)
    found = bases.merge_bases(commits[0], commits[1])
    if not found:
        raise NotFoundError(
            "the two have no common ancestor", place=f"{ours}, {theirs}", remedy="name a base with --base REV"
        )
    return bases.unite(found)


def _find_commit(names: Names, revision: str) -> Oid | None:
    if split_path(names, revision)[1] is not None:
        return None
    oid = resolve_commitish(names, revision)
    info = names.reader.find_infos([oid])[0]
    return oid if info is not None and info.kind is Kind.COMMIT else None


def _content(overlay: Overlay, oid: Oid) -> Root:
    """What a commit stands for."""
    state = find_state(overlay, oid)
    assert state is not None  # the empty path is the root, which is always there
    return state


def _label(revision: str) -> bytes:
    return typed(revision).replace(b"\n", b"?").replace(b"\r", b"?")
