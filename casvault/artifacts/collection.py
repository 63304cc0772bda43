"""Collections: uniting snapshots and versions, and bringing a directory and its collection together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.bases import find_base, merge_contents
from casvault.artifacts.changes import mode_of
from casvault.artifacts.drivers import recorded_drivers
from casvault.artifacts.moves import is_move
from casvault.artifacts.recording import compare_listing, link_to, record_changes
from casvault.artifacts.snapshot import Snapshot, open_snapshot, read_listing, write_snapshot
from casvault.artifacts.version import Origin, write_version
from casvault.errors import ConflictError
from casvault.merge.trees import LinkMerge, TreeMerge, merge_states, show_conflicts
from casvault.objects import LINK, Root, read_commit
from casvault.objects.names import escape, unescape
from casvault.trees import diff_entries, diff_paths, edit_paths, empty_root, find_entries, find_path, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.draft import Draft
    from casvault.oid import Oid


def merge_snapshots(draft: Draft, collection: bytes, base: Snapshot, ours: Snapshot, theirs: Snapshot) -> Snapshot:
    """The snapshot that unites two; one of them, where it already holds the other. ConflictError changes nothing."""
    if ours.id is None:
        return theirs
    if theirs.id in (base.id, ours.id):
        return ours
    if ours.id == base.id:
        return theirs
    merge_link = version_merge(draft, collection)
    content = merge_states(
        draft.stage,
        base.content,
        ours.content,
        theirs.content,
        merge_link=merge_link,
        drivers=recorded_drivers(draft.stage, ours.content, collection),
    )
    if not content.is_clean or content.state is None:
        raise ConflictError(
            "the collection has another snapshot by now, and both sides changed the same",
            conflicts=show_conflicts(content.conflicts),
            place=collection.decode(errors="replace"),
            remedy="take one side's change back, or restore the newer snapshot's version of these paths, and try again",
        )
    if content.state == ours.content:
        return ours
    former = merge_former(draft, collection, content.state, base, ours, theirs)
    oid = write_snapshot(
        draft.stage,
        draft.draftsman,
        content.state,
        former,
        [oid for oid in (ours.id, theirs.id) if oid is not None],
        collection,
    )
    return Snapshot(oid, content.state, former)


def merge_former(
    draft: Draft, collection: bytes, content: Root, base: Snapshot, ours: Snapshot, theirs: Snapshot
) -> Root:
    """Where artifacts went from `content`, the merged directory, as both sides know it.

    A side that knows of a move goes before one that knows of none.
    """

    def merge_link(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        knows = [is_move(draft.stage, collection, unescape(path), link.id) for link in (ours, theirs)]
        return TreeMerge(theirs if knows == [False, True] else ours, ())

    merged = merge_states(draft.stage, base.former, ours.former, theirs.former, merge_link=merge_link)
    state = merged.state or empty_root()
    # One side may have an artifact where the other had one too and removed it again.
    links = {conflict.path: conflict.ours or conflict.theirs for conflict in merged.conflicts}
    for name, _, link in diff_entries(draft.stage, ours.former.id, state.id):
        links.setdefault(name, state_of(link))
    for path, before, after in diff_paths(draft.stage, ours.content, content):
        if LINK in (mode_of(before), mode_of(after)):
            links[escape(path)] = before if mode_of(before) == LINK else None
    known = {name: Root(*entry[1:]) for name, entry in find_entries(draft.stage, state.id, links).items()}
    edits = {
        name: None if mode_of(find_path(draft.stage, content, unescape(name))) == LINK else known.get(name, last)
        for name, last in links.items()
    }
    return edit_paths(draft.stage, state, edits)


def version_merge(draft: Draft, collection: bytes) -> LinkMerge:
    """Merges links to versions by their contents.

    The base is what the recorded snapshot had, for ours may have gone back behind it since, by an undo; where it had
    nothing, the versions' own merge base.
    """

    def merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        if base is not None:
            found: Root | None = draft.graph.commit(base.id).root
        else:
            found = find_base(draft, ours.id, theirs.id, path, collection=collection)
        merged = _merge_versions(draft, collection, path, found, ours.id, theirs.id)
        return merged if isinstance(merged, TreeMerge) else TreeMerge(link_to(draft, merged), ())

    return merge


def _merge_versions(
    draft: Draft, collection: bytes, path: bytes, base: Root | None, ours: Oid, theirs: Oid
) -> Oid | TreeMerge:
    """The version that unites two: one of them if it holds all there is, else a new one with both as parents.

    A TreeMerge with its conflicts where they cannot be united.
    """
    mine, other = draft.graph.commit(ours).root, draft.graph.commit(theirs).root
    merged = merge_contents(draft, base, mine, other, path=path, collection=collection)
    if not merged.is_clean or merged.state is None:
        return merged
    if merged.state == mine:
        return ours
    if merged.state == other and draft.graph.is_ancestor(ours, theirs):
        return theirs
    return write_version(
        draft.stage,
        draft.draftsman,
        merged.state,
        (ours, theirs),
        collection=collection,
        path=path,
        origin=Origin.MERGE,
    )


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
    plan_emptied(draft, ref, new)


def plan_emptied(draft: Draft, ref: bytes, new: Snapshot) -> None:
    """Plan that directories go which the planned removals leave empty, where the new snapshot has none of them.

    They would be found by the next scan, as something that was added.
    """
    gone: set[bytes] = set()
    for path, _, after in draft.files.get(ref, ()):
        above = path.rpartition(b"/")[0] if after is None else b""
        while above and above not in gone and find_path(draft.stage, new.content, above) is None:
            gone.add(above)
            above = above.rpartition(b"/")[0]
    for path in sorted(gone):
        draft.write_file(ref, path, empty_root(), None)


def _on_disk(draft: Draft, state: Root | None) -> Root | None:
    return draft.graph.commit(state.id).root if state is not None and state.mode == LINK else state
