"""Collections: recording changes of artifacts as versions and a snapshot, and merging snapshots."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import escape
from casvault.artifacts.snapshot import (
    Listing,
    Snapshot,
    find_former,
    find_version,
    open_snapshot,
    read_listing,
    write_snapshot,
)
from casvault.artifacts.version import Origin, write_version
from casvault.errors import ConflictError
from casvault.merge.trees import ConflictKind, LinkMerge, TreeConflict, TreeMerge, merge_states, show_conflicts
from casvault.objects import LINK, Root, read_commit
from casvault.trees import diff_paths, edit_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.draft import Draft
    from casvault.oid import Oid


class NewVersion(NamedTuple):
    """An artifact's new content. What is None follows from the collection's history."""

    content: Root
    origin: Origin | None = None
    parents: tuple[Oid, ...] | None = None


Change = NewVersion | Root | None
"""What a path becomes: an artifact with a new version, a state as it is (a plain file, or a LINK to a version), or
nothing."""


def link_to(draft: Draft, version: Oid) -> Root:
    """The state of a path that holds this version."""
    return Root(LINK, draft.graph.commit(version).root.size, version)


def record_changes(
    draft: Draft, collection: bytes, parent: Snapshot, changes: Mapping[bytes, Change], message: str | None = None
) -> Snapshot:
    """Make versions of what changed and a snapshot on `parent`; `parent` itself where nothing changes.

    A new artifact continues the last version at its path, if there was one; or is a rename, if exactly one artifact
    with the same content vanished while exactly one appeared.
    """
    stage = draft.stage
    old = {path: find_version(stage, parent, path) for path in changes}
    former = find_former(stage, parent, (path for path in changes if old[path] is None))
    renamed = _find_renames(draft, changes, old)
    edits: dict[bytes, Root | None] = {}
    former_edits: dict[bytes, Root | None] = {}
    for path, change in changes.items():
        before = old[path]
        if isinstance(change, NewVersion):
            origin, parents = _descent(path, before, renamed, former)
            version = write_version(
                stage,
                draft.draftsman,
                change.content,
                parents if change.parents is None else change.parents,
                collection=collection,
                path=path,
                origin=change.origin or origin,
            )
            edits[path] = Root(LINK, change.content.size, version)
        else:
            edits[path] = change
        if before is not None and (edits[path] is None or edits[path].mode != LINK):  # type: ignore[union-attr]
            former_edits[escape(path)] = link_to(draft, before)
        elif path in former and edits[path] is not None:
            former_edits[escape(path)] = None
    content = edit_paths(stage, parent.content, edits)
    if parent.id is not None and content == parent.content:
        return parent
    gone = edit_paths(stage, parent.former, former_edits)
    parents = () if parent.id is None else (parent.id,)
    oid = write_snapshot(stage, draft.draftsman, content, gone, parents, collection, message)
    return Snapshot(oid, content, gone)


def _descent(
    path: bytes, before: Oid | None, renamed: Mapping[bytes, Oid], former: Mapping[bytes, Oid]
) -> tuple[Origin, tuple[Oid, ...]]:
    if before is not None:
        return Origin.EDIT, (before,)
    if path in renamed:
        return Origin.RENAME, (renamed[path],)
    if path in former:
        return Origin.RECREATE, (former[path],)
    return Origin.IMPORT, ()


def _find_renames(draft: Draft, changes: Mapping[bytes, Change], old: Mapping[bytes, Oid | None]) -> dict[bytes, Oid]:
    """New paths, each with the version that moved there."""
    vanished = {path: old[path] for path, change in changes.items() if change is None and old[path] is not None}
    appeared = {
        path: change.content
        for path, change in changes.items()
        if isinstance(change, NewVersion) and old[path] is None and change.parents is None
    }
    if not vanished or not appeared:
        return {}
    sources: dict[tuple[int, Oid], list[Oid]] = {}
    for version in vanished.values():
        if version is not None:
            content = draft.graph.commit(version).root
            sources.setdefault((content.mode, content.id), []).append(version)
    arrivals = Counter((content.mode, content.id) for content in appeared.values())
    return {
        path: sources[key][0]
        for path, content in appeared.items()
        if len(sources.get(key := (content.mode, content.id), ())) == 1 and arrivals[key] == 1
    }


def compare_listing(listing: Listing, units: Mapping[bytes, Root], plain: Mapping[bytes, Root]) -> dict[bytes, Change]:
    """What a directory, as it was scanned, changes in a snapshot."""
    changes: dict[bytes, Change] = {}
    for path in listing.versions.keys() - units.keys():
        changes[path] = None
    for path in listing.plain.keys() - plain.keys():
        changes.setdefault(path, None)
    for path, content in units.items():
        held = listing.contents.get(path)
        if held is None or (held.mode, held.id) != (content.mode, content.id):
            changes[path] = NewVersion(content)
    changes |= {path: state for path, state in plain.items() if listing.plain.get(path) != state}
    return _without_covered(changes)


def _without_covered(changes: dict[bytes, Change]) -> dict[bytes, Change]:
    """Drop removals of what lies below, or above, a path that is set: setting that replaces it."""
    present = {path for path, change in changes.items() if change is not None}
    above = {path[:end] for path in present for end in _slashes(path)}
    return {
        path: change
        for path, change in sorted(changes.items())
        if change is not None or not (path in above or any(path[:end] in present for end in _slashes(path)))
    }


def _slashes(path: bytes) -> list[int]:
    return [position for position, sign in enumerate(path) if sign == 0x2F]


def merge_snapshots(draft: Draft, collection: bytes, base: Snapshot, ours: Snapshot, theirs: Snapshot) -> Snapshot:
    """The snapshot that unites two; one of them, where it already holds the other. ConflictError changes nothing."""
    if theirs.id in (base.id, ours.id) or ours.id is None:
        return ours if theirs.id in (base.id, ours.id) else theirs
    if ours.id == base.id or (theirs.id is not None and draft.graph.is_ancestor(ours.id, theirs.id)):
        return theirs
    merge_link = version_merge(draft, collection)
    content = merge_states(draft.stage, base.content, ours.content, theirs.content, merge_link=merge_link)
    if not content.is_clean or content.state is None:
        raise ConflictError(
            "the collection has another snapshot by now, and both sides changed the same",
            conflicts=show_conflicts(content.conflicts),
            place=collection.decode(errors="replace"),
            remedy="take one side's change back, or restore the newer snapshot's version of these paths, and try again",
        )
    former = merge_states(draft.stage, base.former, ours.former, theirs.former, merge_link=_keep_ours)
    if content.state == ours.content:
        return ours
    oid = write_snapshot(
        draft.stage,
        draft.draftsman,
        content.state,
        former.state or ours.former,
        [oid for oid in (ours.id, theirs.id) if oid is not None],
        collection,
    )
    return Snapshot(oid, content.state, former.state or ours.former)


def _keep_ours(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
    return TreeMerge(ours, ())


def version_merge(draft: Draft, collection: bytes) -> LinkMerge:
    """Merges links to versions by the versions' own merge base."""

    def merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        merged = merge_versions(draft, collection, path, ours.id, theirs.id)
        if isinstance(merged, TreeMerge):
            return merged
        return TreeMerge(link_to(draft, merged), ())

    return merge


def merge_versions(draft: Draft, collection: bytes, path: bytes, ours: Oid, theirs: Oid) -> Oid | TreeMerge:
    """The version that unites two: one of them if it holds the other, else a new one with both as parents.

    A TreeMerge with its conflicts where they cannot be united.
    """
    graph = draft.graph
    if graph.is_ancestor(theirs, ours):
        return ours
    if graph.is_ancestor(ours, theirs):
        return theirs
    mine, other = graph.commit(ours).root, graph.commit(theirs).root
    bases = graph.merge_bases(ours, theirs)
    base = find_base_content(draft, bases)
    if isinstance(base, Ambiguous):
        return TreeMerge(mine, (TreeConflict(path, ConflictKind.LINK, None, mine, other),))
    merged = merge_states(draft.stage, base, mine, other, path=path)
    if not merged.is_clean or merged.state is None:
        return merged
    return write_version(
        draft.stage,
        draft.draftsman,
        merged.state,
        (ours, theirs),
        collection=collection,
        path=path,
        origin=Origin.MERGE,
    )


class Ambiguous(NamedTuple):
    """Several merge bases with different contents: there is no one base."""

    bases: tuple[Oid, ...]


def find_base_content(draft: Draft, bases: list[Oid]) -> Root | Ambiguous | None:
    """The content that all merge bases share; None if there are none."""
    contents = {draft.graph.commit(base).root for base in bases}
    if len(contents) > 1:
        return Ambiguous(tuple(bases))
    return next(iter(contents), None)


def tip_snapshot(draft: Draft, ref: bytes) -> Snapshot:
    return open_snapshot(draft.stage, draft.ref(ref))


def content_of(draft: Draft, version: Oid) -> Root:
    return read_commit(draft.stage, version).root


def plan_snapshot(
    draft: Draft,
    ref: bytes,
    collection: bytes,
    base: Oid | None,
    units: Mapping[bytes, Root],
    plain: Mapping[bytes, Root],
) -> Snapshot:
    """Record what a directory holds that was last at snapshot `base`, and unite it with the collection's tip.

    Returns the new tip and sets the collection's ref to it. Where the tip had moved, the directory's paths that differ
    from the result are planned to be written.
    """
    start = open_snapshot(draft.stage, base)
    changes = compare_listing(read_listing(draft.stage, start), units, plain)
    recorded = record_changes(draft, collection, start, changes)
    tip = tip_snapshot(draft, ref)
    united = merge_snapshots(draft, collection, start, tip, recorded)
    draft.set_ref(ref, united.id)
    plan_directory(draft, ref, recorded, united)
    return united


def plan_directory(draft: Draft, ref: bytes, old: Snapshot, new: Snapshot) -> None:
    """Plan to write what differs between two snapshots into the collection's directory."""
    if old.content == new.content:
        return
    for path, before, after in diff_paths(draft.stage, old.content, new.content):
        before, after = (_on_disk(draft, state) for state in (before, after))
        if before != after:
            draft.write_file(ref, path, before, after)


def _on_disk(draft: Draft, state: Root | None) -> Root | None:
    return draft.graph.commit(state.id).root if state is not None and state.mode == LINK else state
