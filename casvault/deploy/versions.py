"""Commands that make a new version of an artifact out of older ones, in the collection and in its directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import merge_contents
from casvault.artifacts.collection import content_of, plan_directory
from casvault.artifacts.names import show
from casvault.artifacts.recording import NewVersion, record_changes
from casvault.artifacts.snapshot import find_version
from casvault.artifacts.version import Origin
from casvault.deploy.snapshots import bring_up_to_date
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.merge.trees import show_conflicts
from casvault.trees import EMPTY_ID
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.deploy.snapshots import Line
    from casvault.objects import Root
    from casvault.oid import Oid


class Remade(NamedTuple):
    """The newest version of an artifact, with its content before and after."""

    version: Oid
    old: Root
    new: Root


def plan_restore_version(draft: Draft, line: Line, path: bytes, version: Oid) -> Remade:
    """Plan that an artifact gets the content of one of its versions again, as a new version on the newest one."""
    return _Remaking(draft, line, path).become(content_of(draft, version), Origin.RESTORE)


def plan_revert(draft: Draft, line: Line, path: bytes, version: Oid) -> Remade:
    """Plan to take out of an artifact what one of its versions changed against its first parent; what came later stays.

    A three-way merge: the base is that version, ours the newest one, theirs the parent. ConflictError, with nothing
    changed, where something later stands against it.
    """
    commit = draft.graph.commit(version)
    if not commit.parents:
        raise RefusedError(
            f"{version.short} is where the artifact begins, so there is nothing before it to go back to",
            place=show(path),
            remedy=f"`casvault rm {show(path)}` removes it",
        )
    remaking = _Remaking(draft, line, path)
    theirs = content_of(draft, commit.parents[0])
    merged = merge_contents(draft, commit.root, remaking.content, theirs, path=path, collection=line.name)
    if not merged.is_clean or merged.state is None:
        raise ConflictError(
            f"what version {version.short} changed was changed again since; nothing was reverted",
            conflicts=show_conflicts(merged.conflicts),
            place=show(path),
            remedy="revert what came later first, or edit these paths by hand",
        )
    if merged.state.id == EMPTY_ID:
        remedy = f"`casvault rm {show(path)}` removes it"
        raise RefusedError("nothing would be left of the artifact", place=show(path), remedy=remedy)
    return remaking.become(merged.state, Origin.REVERT)


class _Remaking:
    """An artifact in a collection whose directory was recorded."""

    def __init__(self, draft: Draft, line: Line, path: bytes) -> None:
        self._draft, self._line, self._path = draft, line, path
        self._snapshot = bring_up_to_date(draft, line)
        version = find_version(draft.stage, self._snapshot, path)
        if version is None:
            raise NotFoundError(
                f"it is not in collection {show(line.name)} any more",
                place=show(path),
                remedy=f"`casvault restore @~1 {show(path)}` brings back what a snapshot had",
            )
        self._version = version
        self.content = content_of(draft, version)

    def become(self, content: Root, origin: Origin) -> Remade:
        if same_state(content, self.content):
            return Remade(self._version, self.content, self.content)
        changes = {self._path: NewVersion(content, origin)}
        after = record_changes(self._draft, self._line.name, self._snapshot, changes)
        self._draft.set_ref(self._line.ref, after.id)
        if self._line.scan is not None:
            plan_directory(self._draft, self._line.ref, self._snapshot, after)
        made = find_version(self._draft.stage, after, self._path)
        assert made is not None
        return Remade(made, self.content, content)
