"""Merges of artifacts that wait for decisions: what a pull or a deploy could not unite, kept in the vault.

One for each artifact in each project. `ours` is the side that will receive the result: the collection of a pull, the
project of a deploy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import keep_base
from casvault.deploy.state import Place
from casvault.deploy.subject import Direction, Subject, read_subject, subject_fields
from casvault.errors import MalformedError
from casvault.pending import Moment, PendingMerge, carry_over, handle_of, read_pending, write_pending

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Drift
    from casvault.merge.trees import TreeMerge
    from casvault.objects import Field, Root
    from casvault.oid import Oid

STRATEGY = b"merge"


class Waiting(NamedTuple):
    """A pending merge with what it is about."""

    ref: bytes
    subject: Subject
    merge: PendingMerge

    @property
    def handle(self) -> str:
        return handle_of(self.ref)

    @property
    def place(self) -> Place:
        return Place(self.subject.root, self.subject.collection, self.subject.path)


def waiting_ref(project: bytes, place: Place) -> bytes:
    return _subject(Direction.PULL, project, place).ref


def wait_for_decision(
    comparison: Comparison, drift: Drift, direction: Direction, ours: Oid, theirs: Oid, merged: TreeMerge, path: bytes
) -> str:
    """Keep a merge that has conflicts, whose paths begin with `path`; the handle by which it is named.

    Where one waits already, what was decided there about the same conflicts is kept.
    """
    draft = comparison.draft
    subject = _subject(direction, comparison.project.name, drift.place)
    merge = new_merge(draft, path, drift.base, (ours, theirs), merged, subject_fields(subject))
    write_waiting(draft, subject.ref, merge)
    return handle_of(subject.ref)


def new_merge(
    draft: Draft, path: bytes, base: Root | None, sides: tuple[Oid, Oid], merged: TreeMerge, fields: tuple[Field, ...]
) -> PendingMerge:
    keep_base(draft, base)
    now = draft.draftsman.who
    moment = Moment(now.seconds, now.zone)
    return PendingMerge(path, *sides, base, merged.state, merged.conflicts, {}, fields, moment)


def write_waiting(draft: Draft, ref: bytes, merge: PendingMerge) -> None:
    known = draft.ref(ref)
    if known is not None:
        old = read_pending(draft.stage, known)
        merge = carry_over(old, merge._replace(detected=old.detected))
        if merge == old:
            return
    draft.set_ref(ref, write_pending(draft.stage, draft.draftsman, merge))


def forget_waiting(comparison: Comparison, place: Place) -> None:
    """Drop the merge of an artifact that came together, or was removed, in another way."""
    ref = waiting_ref(comparison.project.name, place)
    if comparison.draft.ref(ref) is not None:
        comparison.draft.set_ref(ref, None)


def read_waiting(draft: Draft, ref: bytes, oid: Oid) -> Waiting:
    merge = read_pending(draft.stage, oid)
    subject = read_subject(merge, str(oid))
    if not isinstance(subject, Subject):
        raise MalformedError(
            "merge in progress: the ref is that of a deployment, the merge of something else", place=str(oid)
        )
    return Waiting(ref, subject, merge)


def _subject(direction: Direction, project: bytes, place: Place) -> Subject:
    return Subject(direction, project, *place, STRATEGY)
