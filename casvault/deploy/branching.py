"""Branches: lines of commits whose roots are plain directories, merged into each other over their own merge bases."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import find_base, merge_contents
from casvault.artifacts.names import show, typed
from casvault.artifacts.snapshot import is_snapshot
from casvault.artifacts.withheld import check_not_withheld
from casvault.deploy.concluding import conclude, keep_in_operation
from casvault.deploy.subject import BRANCHES, Branching, subject_fields
from casvault.deploy.waiting import new_merge, write_waiting
from casvault.errors import NotFoundError, RefusedError, UsageError
from casvault.objects import TREE
from casvault.pending import handle_of, result_of
from casvault.refs import check_ref_name
from casvault.trees import empty_root

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.merge.trees import TreeConflict
    from casvault.objects import Root
    from casvault.oid import Oid
    from casvault.pending import PendingMerge

NOT_LINKED = "it is the history of a collection, whose artifacts are merged by pull and deploy"


class Merging(Enum):
    """What a merge of branches came to."""

    UP_TO_DATE = "up to date"
    FAST_FORWARD = "fast-forward"
    MERGED = "merged"
    PENDING = "pending"
    """It met conflicts, and waits."""


class Merged(NamedTuple):
    action: Merging
    tip: Oid
    """Where the branch stands now."""
    conflicts: tuple[TreeConflict, ...] = ()
    merge: str | None = None
    """The handle by which the merge waits."""


def branch_ref(name: str) -> bytes:
    """The ref of a branch; UsageError for a name that none can have. It may be typed with `branches/`, too."""
    raw = typed(name).removeprefix(BRANCHES)
    if not raw or raw.startswith((b"-", b"@")) or raw != raw.strip() or b":" in raw:
        raise UsageError("no branch can have this name", place=name)
    check_ref_name(BRANCHES + raw)
    return BRANCHES + raw


def read_tip(draft: Draft, ref: bytes) -> Oid:
    tip = draft.ref(ref)
    if tip is None:
        name = show(ref.removeprefix(BRANCHES))
        raise NotFoundError("no such branch", place=name, remedy="see `casvault branch`")
    return tip


def plan_snapshot(draft: Draft, ref: bytes, state: Root) -> Oid:
    """A commit of a directory's content on top of a branch, which begins with it if need be; none if it is there."""
    tip = draft.ref(ref)
    if tip is not None and draft.graph.commit(tip).root == state:
        return tip
    check_not_withheld(draft.stage, state, b"")
    new = draft.draftsman.write(draft.stage, state, () if tip is None else (tip,), ())
    draft.set_ref(ref, new)
    return new


def plan_merge(draft: Draft, subject: Branching, theirs: Oid, *, unrelated: bool = False) -> Merged:
    """Plan to merge a commit into a branch; conflicts wait, and the branch stays where it is."""
    ref = BRANCHES + subject.into
    ours = read_tip(draft, ref)
    _check_directories(draft, ours, theirs)
    if draft.graph.is_ancestor(theirs, ours):
        return Merged(Merging.UP_TO_DATE, ours)
    if draft.graph.is_ancestor(ours, theirs):
        _move(draft, subject, theirs)
        return Merged(Merging.FAST_FORWARD, theirs)
    if not unrelated and not draft.graph.merge_bases(ours, theirs):
        raise RefusedError(
            "the two have no commit in common, so there is no base to merge them over",
            place=f"{show(subject.into)}, {show(subject.source)}",
            remedy="with --unrelated, what is in both and not equal is a conflict",
        )
    return _unite(draft, subject, ours, theirs)


def plan_continue(draft: Draft, subject: Branching, merge: PendingMerge) -> Merged:
    """Plan to bring a resolved merge to its end; ConflictError that names what is still open.

    Where the branch has moved on, it is merged with the result; what clashes then waits in its turn.
    """
    content = result_of(draft.stage, merge)
    current = read_tip(draft, BRANCHES + subject.into)
    # In the operation, for the commit has no fields of its own.
    keep_in_operation(draft, b"", subject.into, conclude(draft, merge, subject))
    resolved = _commit(draft, subject, content, (merge.ours, merge.theirs))
    if not draft.graph.is_ancestor(current, resolved):
        return _unite(draft, subject, current, resolved)
    _move(draft, subject, resolved)
    return Merged(Merging.MERGED, resolved)


def _unite(draft: Draft, subject: Branching, ours: Oid, theirs: Oid) -> Merged:
    base = find_base(draft, ours, theirs)
    states = (draft.graph.commit(each).root for each in (ours, theirs))
    merged = merge_contents(draft, base, *states)
    if merged.conflicts:
        merge = new_merge(draft, b"", base, (ours, theirs), merged, subject_fields(subject))
        write_waiting(draft, subject.ref, merge)
        return Merged(Merging.PENDING, ours, merged.conflicts, handle_of(subject.ref))
    new = _commit(draft, subject, merged.state, (ours, theirs))
    _move(draft, subject, new)
    return Merged(Merging.MERGED, new)


def _move(draft: Draft, subject: Branching, tip: Oid) -> None:
    """Let the branch stand at what a merge came to; one of the same two that waited is over."""
    draft.set_ref(BRANCHES + subject.into, tip)
    if draft.ref(subject.ref) is not None:
        draft.set_ref(subject.ref, None)


def _commit(draft: Draft, subject: Branching, content: Root | None, parents: tuple[Oid, ...]) -> Oid:
    """A commit without fields of its own, so that git can have it, too."""
    message = draft.draftsman.message or f"Merge {show(subject.source)} into {show(subject.into)}"
    return draft.draftsman.write(draft.stage, content or empty_root(), parents, (), message)


def _check_directories(draft: Draft, *commits: Oid) -> None:
    for oid in commits:
        commit = draft.graph.commit(oid)
        if is_snapshot(commit):
            raise UsageError(NOT_LINKED, place=oid.short, remedy="name branches of plain directories")
        if commit.root.mode != TREE:
            raise UsageError("a single file, not a directory", place=oid.short, remedy="name branches of directories")
