"""Commands that make a new version of an artifact out of older ones, in the collection and in its directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import merge_contents
from casvault.artifacts.collection import content_of, plan_directory
from casvault.artifacts.names import show
from casvault.artifacts.recording import NewVersion, link_to, record_changes
from casvault.artifacts.snapshot import find_version
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.concluding import conclude
from casvault.deploy.snapshots import bring_up_to_date
from casvault.deploy.subject import Direction, Reverting, subject_fields
from casvault.deploy.waiting import STRATEGY, new_merge, write_waiting
from casvault.errors import NotFoundError, RefusedError
from casvault.pending import handle_of, record_fields, result_of
from casvault.trees import EMPTY_ID
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.artifacts.recording import Change
    from casvault.deploy.snapshots import Line
    from casvault.merge.trees import TreeConflict
    from casvault.objects import Field, Root
    from casvault.oid import Oid
    from casvault.pending import PendingMerge


class Remade(NamedTuple):
    """The newest version of an artifact, with its content before and after."""

    version: Oid
    old: Root
    new: Root
    conflicts: tuple[TreeConflict, ...] = ()
    merge: str | None = None
    """The handle of the merge that waits for them to be settled."""


def plan_restore_version(draft: Draft, line: Line, path: bytes, version: Oid) -> Remade:
    """Plan that an artifact gets the content of one of its versions again, as a new version on the newest one."""
    return _Remaking(draft, line, path).become(content_of(draft, version), Origin.RESTORE)


def plan_revert(draft: Draft, line: Line, path: bytes, version: Oid) -> Remade:
    """Plan to take out of an artifact what one of its versions changed against its first parent; what came later stays.

    A three-way merge: the base is that version, ours the newest one, theirs the parent. Where something later stands
    against it, the artifact stays as it is, and the merge waits.
    """
    commit = draft.graph.commit(version)
    if not commit.parents:
        raise RefusedError(
            f"{version.short} is where the artifact begins, so there is nothing before it to go back to",
            place=show(path),
            remedy=f"`casvault rm {show(path)}` removes it",
        )
    subject = Reverting(Direction.REVERT, line.name, path, version.hex().encode(), STRATEGY)
    remaking = _Remaking(draft, line, path)
    return _revert(remaking, subject, commit.root, commit.parents[0], draft.graph.commit(commit.parents[0]).root)


def plan_continue_revert(draft: Draft, line: Line, subject: Reverting, merge: PendingMerge) -> Remade:
    """Plan to bring a revert to its end whose conflicts are settled; ConflictError that names what is still open.

    Where the artifact has moved on, the result is merged with what it has become; what clashes then waits in its turn.
    """
    remaking = _Remaking(draft, line, subject.path)
    content = result_of(draft.stage, merge)
    facts = record_fields(conclude(draft, merge, subject))
    # Theirs is older than ours, but for a result that met another conflict when it was to be brought in.
    is_older = draft.graph.is_ancestor(merge.theirs, merge.ours)
    parents = (merge.ours,) if is_older else (merge.ours, merge.theirs)
    result = remaking.write(_something(content, subject.path), parents, facts)
    if remaking.version == merge.ours:
        draft.set_ref(subject.ref, None)
        return remaking.take(result)
    return _revert(remaking, subject, draft.graph.commit(merge.ours).root, result, draft.graph.commit(result).root)


def _revert(remaking: _Remaking, subject: Reverting, base: Root, theirs: Oid, content: Root) -> Remade:
    """Merge what is to come instead with what the artifact is."""
    draft = remaking.draft
    merged = merge_contents(draft, base, remaking.content, content, path=subject.path, collection=subject.collection)
    if merged.conflicts:
        sides = (remaking.version, theirs)
        write_waiting(draft, subject.ref, new_merge(draft, subject.path, base, sides, merged, subject_fields(subject)))
        now = remaking.content
        return Remade(remaking.version, now, now, merged.conflicts, handle_of(subject.ref))
    if draft.ref(subject.ref) is not None:
        draft.set_ref(subject.ref, None)
    if draft.graph.is_ancestor(theirs, remaking.version):
        return remaking.become(_something(merged.state, subject.path), Origin.REVERT)
    return remaking.take(remaking.write(_something(merged.state, subject.path), (remaking.version, theirs), ()))


def _something(content: Root | None, path: bytes) -> Root:
    if content is None or content.id == EMPTY_ID:
        remedy = f"`casvault rm {show(path)}` removes it"
        raise RefusedError("nothing would be left of the artifact", place=show(path), remedy=remedy)
    return content


class _Remaking:
    """An artifact in a collection whose directory was recorded."""

    def __init__(self, draft: Draft, line: Line, path: bytes) -> None:
        self.draft, self._line, self._path = draft, line, path
        self._snapshot = bring_up_to_date(draft, line)
        version = find_version(draft.stage, self._snapshot, path)
        if version is None:
            raise NotFoundError(
                f"it is not in collection {show(line.name)} any more",
                place=show(path),
                remedy=f"`casvault restore @~1 {show(path)}` brings back what a snapshot had",
            )
        self.version = version
        self.content = content_of(draft, version)

    def become(self, content: Root, origin: Origin) -> Remade:
        """A new version of this content; none if the artifact has it."""
        if same_state(content, self.content):
            return Remade(self.version, self.content, self.content)
        return self._record(NewVersion(content, origin), content)

    def write(self, content: Root, parents: tuple[Oid, ...], fields: tuple[Field, ...]) -> Oid:
        """A version that reverts something, and stands nowhere yet."""
        return write_version(
            self.draft.stage,
            self.draft.draftsman,
            content,
            parents,
            collection=self._line.name,
            path=self._path,
            origin=Origin.REVERT,
            fields=fields,
        )

    def take(self, version: Oid) -> Remade:
        """Let the artifact be at a version that comes from its newest one."""
        return self._record(link_to(self.draft, version), content_of(self.draft, version))

    def _record(self, change: Change, content: Root) -> Remade:
        after = record_changes(self.draft, self._line.name, self._snapshot, {self._path: change})
        self.draft.set_ref(self._line.ref, after.id)
        if self._line.scan is not None:
            plan_directory(self.draft, self._line.ref, self._snapshot, after)
        made = find_version(self.draft.stage, after, self._path)
        assert made is not None
        return Remade(made, self.content, content)
