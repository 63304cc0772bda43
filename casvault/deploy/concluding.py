"""Conflict records: what is kept of a conflict when it ends, whichever way.

In the version that it ends in, where there is one; else in the operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casvault.artifacts.drivers import drivers_of
from casvault.artifacts.version import COLLECTION, PATH
from casvault.deploy.drift import Status
from casvault.deploy.subject import Direction, Subject
from casvault.deploy.waiting import waiting_ref
from casvault.errors import MalformedError
from casvault.merge.trees import merge_states
from casvault.objects import Overlay, canonical
from casvault.pending import (
    CONTINUE,
    WRITTEN,
    How,
    Moment,
    Record,
    Resolved,
    Settled,
    Sides,
    Strategy,
    find_record,
    read_pending,
    record_fields,
)
from casvault.pending.marking import count_hunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.artifacts.draft import Draft
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Drift
    from casvault.deploy.subject import AnySubject
    from casvault.oid import Oid
    from casvault.pending import PendingMerge
    from casvault.refs import Operation

CONFLICT: Final = b"conflict"
"""The field of an operation for the record of a conflict that ended in no version."""
ENDING: Final = frozenset({"pull", "deploy", CONTINUE})
"""The kinds of operations in which conflicts come to their end; no other one writes a record."""
_BY_HAND: Final = WRITTEN - {How.HUNKS}
_CLASHING: Final = frozenset({Status.CONFLICT, Status.DELETION_CONFLICT, Status.DIFFERS})


def conclude(draft: Draft, merge: PendingMerge, subject: AnySubject) -> Record:
    """The record of a merge that waited, and of which every conflict is settled."""
    settled = merge.settled
    is_manual = any(settled[conflict.path].how in _BY_HAND for conflict in merge.conflicts)
    about = (subject.project, subject.root) if isinstance(subject, Subject) else (subject.source, b"")
    sides = Sides(subject.direction.value.encode(), *about, merge.base, merge.ours, merge.theirs)
    resolved = tuple(
        Resolved(conflict, settled[conflict.path], count_hunks(draft.stage, conflict)) for conflict in merge.conflicts
    )
    return Record(Strategy.MANUAL if is_manual else Strategy.MERGE, merge.detected, sides, resolved)


def find_passed_over(
    comparison: Comparison, drift: Drift, direction: Direction, strategy: Strategy, ours: Oid | None, theirs: Oid | None
) -> Record | None:
    """The record of the conflict that a merge would have met, where theirs is taken as a whole; None if there was none.

    The merge is only tried: nothing of it reaches a pack.
    """
    if drift.status not in _CLASHING:
        return None
    draft, place = comparison.draft, drift.place
    pair = (drift.collection, drift.project) if direction is Direction.PULL else (drift.project, drift.collection)
    overlay = Overlay(draft.scratch)
    merged = merge_states(
        overlay, drift.base, *pair, path=drift.source.path, drivers=drivers_of(draft, drift.source.collection)
    )
    if merged.is_clean:
        return None
    who = draft.draftsman.who
    resolved = tuple(
        Resolved(conflict, Settled(How.THEIRS, conflict.theirs, who), count_hunks(overlay, conflict))
        for conflict in merged.conflicts
    )
    sides = Sides(direction.value.encode(), comparison.project.name, place.root, drift.base, ours, theirs)
    return Record(strategy, _detected(comparison, drift), sides, resolved)


def _detected(comparison: Comparison, drift: Drift) -> Moment:
    """When the conflict was met: now, unless a merge waits because of it."""
    draft = comparison.draft
    waiting = draft.ref(waiting_ref(comparison.project.name, drift.place))
    if waiting is not None:
        return read_pending(draft.stage, waiting).detected
    return Moment(draft.draftsman.who.seconds, draft.draftsman.who.zone)


def keep_in_operation(draft: Draft, collection: bytes, path: bytes, record: Record | None) -> None:
    """Let the operation say what became of a conflict, as no version does."""
    if record is not None:
        fields = ((COLLECTION, collection), (PATH, path), *record_fields(record))
        draft.fields.append((CONFLICT, canonical.encode([list(field) for field in fields])))


def iter_kept(operation: Operation) -> Iterator[tuple[bytes, bytes, Record]]:
    """Collection, path and record of each conflict that an operation says how it ended."""
    for key, value in operation.fields:
        if key != CONFLICT:
            continue
        parts = canonical.decode(value, _WHAT)
        if not all(isinstance(part, list) and [type(each) for each in part] == [bytes, bytes] for part in parts):
            canonical.refuse(value, _WHAT, "not a list of [key, value]")
        fields = [(part[0], part[1]) for part in parts]
        record, found = find_record(fields), dict(fields)
        if record is None or not {COLLECTION, PATH} <= found.keys():
            raise MalformedError(f"{_WHAT}: it does not say what clashed where")
        yield found[COLLECTION], found[PATH], record


_WHAT = "conflict of an operation"
