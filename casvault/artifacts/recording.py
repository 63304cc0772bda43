"""Recording changes of a collection: a version for each changed artifact, and one snapshot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.snapshot import Listing, Snapshot, find_former, write_snapshot
from casvault.artifacts.version import Origin, write_version
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
    old = _old_versions(draft, parent, changes)
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
        if not same_state(listing.contents.get(path), content):
            changes[path] = NewVersion(content)
    changes |= {path: state for path, state in plain.items() if listing.plain.get(path) != state}
    return dict(sorted(changes.items()))
