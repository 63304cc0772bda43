"""Recording changes of a collection: a version for each changed artifact, and one snapshot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.moves import find_last_versions
from casvault.artifacts.names import show
from casvault.artifacts.snapshot import Listing, Snapshot, write_snapshot
from casvault.artifacts.tagmoves import carry_tags, make_way
from casvault.artifacts.version import COLLECTION, PATH, Origin, write_version
from casvault.artifacts.withheld import check_not_withheld
from casvault.errors import RefusedError
from casvault.objects import LINK, TREE, Root
from casvault.objects.names import escape
from casvault.trees import edit_paths, find_path, walk
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.draft import Draft
    from casvault.oid import Oid


class NewVersion(NamedTuple):
    """An artifact's new content. What is None follows from the collection's history."""

    content: Root
    origin: Origin | None = None
    parents: tuple[Oid, ...] | None = None


class MovedTo(NamedTuple):
    """An artifact goes, and lives on in another collection as this version, a rename with the old one as parent."""

    version: Oid


Change = NewVersion | MovedTo | Root | None
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
    with the same content vanished while exactly one appeared. Tags go with what moves.
    """
    stage = draft.stage
    old = _old_versions(draft, parent, changes)
    last = find_last_versions(stage, parent, collection, (path for path in changes if old[path] is None))
    edits, moved = _write_versions(draft, collection, changes, old, last)
    content = edit_paths(stage, parent.content, edits)
    if parent.id is not None and content == parent.content:
        return parent
    former = edit_paths(stage, parent.former, _former_edits(draft, changes, old, last, edits, moved))
    _move_tags(draft, collection, changes, old, last, edits, moved)
    parents = () if parent.id is None else (parent.id,)
    oid = write_snapshot(stage, draft.draftsman, content, former, parents, collection, message)
    return Snapshot(oid, content, former)


def _write_versions(
    draft: Draft,
    collection: bytes,
    changes: Mapping[bytes, Change],
    old: Mapping[bytes, Oid | None],
    last: Mapping[bytes, Oid],
) -> tuple[dict[bytes, Root | None], dict[Oid, Oid]]:
    """What the changed paths become, and which versions moved, each with the one that it became elsewhere."""
    renamed = _find_renames(draft, changes, old)
    edits: dict[bytes, Root | None] = {}
    moved: dict[Oid, Oid] = {}
    for path, change in changes.items():
        if isinstance(change, NewVersion):
            origin, parents = _descent(path, change, old[path], renamed, last)
            version = write_version(
                draft.stage,
                draft.draftsman,
                change.content,
                parents,
                collection=collection,
                path=path,
                origin=origin,
            )
            edits[path] = Root(LINK, change.content.size, version)
            if origin is Origin.RENAME and parents:
                moved[parents[0]] = version
        elif isinstance(change, MovedTo):
            edits[path] = None
        else:
            check_not_withheld(draft.stage, change, path)
            edits[path] = change
    return edits, moved


def _former_edits(
    draft: Draft,
    changes: Mapping[bytes, Change],
    old: Mapping[bytes, Oid | None],
    last: Mapping[bytes, Oid],
    edits: Mapping[bytes, Root | None],
    moved: Mapping[Oid, Oid],
) -> dict[bytes, Root | None]:
    """Where artifacts went, a link to the last version or to the one that it moved to; and none where one is again."""
    former: dict[bytes, Root | None] = {}
    for path, state in edits.items():
        before, change = old[path], changes[path]
        if state is not None and state.mode == LINK:
            if path in last:
                former[escape(path)] = None
        elif before is not None:
            there = change.version if isinstance(change, MovedTo) else moved.get(before, before)
            former[escape(path)] = link_to(draft, there)
    return former


def _move_tags(
    draft: Draft,
    collection: bytes,
    changes: Mapping[bytes, Change],
    old: Mapping[bytes, Oid | None],
    last: Mapping[bytes, Oid],
    edits: Mapping[bytes, Root | None],
    moved: Mapping[Oid, Oid],
) -> None:
    arrivals = {
        path: state.id
        for path, state in edits.items()
        if state is not None and state.mode == LINK and old[path] is None
    }
    make_way(draft, collection, arrivals, last)
    moves = []
    for path, before in old.items():
        change = changes[path]
        there = change.version if isinstance(change, MovedTo) else None if before is None else moved.get(before)
        if there is not None and edits[path] is None:
            commit = draft.graph.commit(there)
            address = (commit.field(COLLECTION) or b"", commit.field(PATH) or b"")
            moves.append(((collection, path), address))
    carry_tags(draft, moves)


def _old_versions(draft: Draft, parent: Snapshot, changes: Mapping[bytes, Change]) -> dict[bytes, Oid | None]:
    """The versions that the changed paths have; RefusedError where artifacts would go that no change names."""
    old: dict[bytes, Oid | None] = {}
    for path, change in changes.items():
        state = find_path(draft.stage, parent.content, path)
        old[path] = state.id if state is not None and state.mode == LINK else None
        if state is not None and state.mode == TREE and change is not None:
            for below, entry in walk(draft.stage, state.id, path + b"/"):
                if entry.mode == LINK and below not in changes:
                    raise RefusedError(
                        f"there are artifacts below this path, such as {show(below)}",
                        place=show(path),
                        remedy="remove them first, or choose another path",
                    )
    return old


def _descent(
    path: bytes, change: NewVersion, before: Oid | None, renamed: Mapping[bytes, Oid], last: Mapping[bytes, Oid]
) -> tuple[Origin, tuple[Oid, ...]]:
    """Origin and parents of a new version. A rename is one whatever command brought it about: others go by the word."""
    parents: tuple[Oid, ...] = ()
    if before is not None:
        origin, parents = Origin.EDIT, (before,)
    elif path in renamed:
        return Origin.RENAME, (renamed[path],)
    elif path in last:
        origin, parents = Origin.RECREATE, (last[path],)
    else:
        origin = Origin.IMPORT
    return change.origin or origin, parents if change.parents is None else change.parents


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
        if not same_state(listing.contents.get(path), content):
            changes[path] = NewVersion(content)
    changes |= {path: state for path, state in plain.items() if listing.plain.get(path) != state}
    return dict(sorted(changes.items()))
