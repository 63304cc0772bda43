"""Rules that look right and are not: the model checker must find a schedule against each of them."""

from __future__ import annotations

from casvault.formats.record import Record
from casvault.oid import Oid
from casvault.refs.winning import Create, Drop, Find, ListNumbers, ReadLink
from tests.model.world import Plan, Steps


def trusting_find_tip() -> Steps:
    """Does not look whether the number was still the highest when its record was read."""
    while numbers := (yield ListNumbers()):
        record = yield Find(max(numbers))
        if record is not None:
            return record
    return None


def checked_find_tip() -> Steps:
    highest = max((yield ListNumbers()), default=0)
    while highest:
        record = yield Find(highest)
        now = max((yield ListNumbers()), default=0)
        if record is not None and now == highest:
            return record
        highest = now
    return None


def highest_wins(plan: Plan) -> Steps:
    """Won means that N is the highest number afterwards; otherwise the writer plans again."""
    while True:
        record = plan((yield from checked_find_tip()))
        if record is None:
            return None
        created = yield Create(record)
        if created and max((yield ListNumbers())) == record.number:
            return record


def loser_removes(plan: Plan) -> Steps:
    """Won means that the record before still stands; otherwise the writer removes its record and plans again."""
    while True:
        tip = yield from checked_find_tip()
        record = plan(tip)
        if record is None:
            return None
        if (yield Create(record)):
            won = max((yield ListNumbers())) == 1 if tip is None else (yield Find(tip.number)) == tip
            if won:
                return record
            yield Drop(record.number)


def created_wins(plan: Plan) -> Steps:
    """Won means that the creation succeeded; otherwise the chain decides."""
    while True:
        record = plan((yield from checked_find_tip()))
        if record is None:
            return None
        if (yield Create(record)) or (yield from _stands(record, (yield from checked_find_tip()))):
            return record


def predecessor_wins(plan: Plan) -> Steps:
    """Won means that the creation succeeded and the record before still stands; otherwise the chain decides.

    A record that was dropped can come back, when a request that was sent twice is late.
    """
    attempts: list[Record] = []
    while True:
        tip = yield from checked_find_tip()
        for attempt in attempts:
            if (yield from _stands(attempt, tip)):
                return attempt
        record = plan(tip)
        if record is None:
            return None
        if (yield Create(record)) and tip is not None and (yield Find(tip.number)) == tip:
            return record
        attempts.append(record)


def unclear_is_lost(plan: Plan) -> Steps:
    """Right, but for taking a lost answer as lost work."""
    while True:
        record = plan((yield from checked_find_tip()))
        if record is None:
            return None
        created = yield Create(record)
        if created is not None and (yield from _stands(record, (yield from checked_find_tip()))):
            return record


def replans_while_undecided(plan: Plan) -> Steps:
    """Right, but for planning anew as soon as the chain does not show the attempt, which may still be on its way."""
    while True:
        record = plan((yield from checked_find_tip()))
        if record is None:
            return None
        yield Create(record)
        if (yield from _stands(record, (yield from checked_find_tip()))):
            return record


def waits_for_ever(plan: Plan) -> Steps:
    """Waits until a number stands that nobody will create."""
    record = plan(None)
    while record is not None and (yield Find(record.number)) is None:
        pass
    return record


def greedy_drop_old(keep: int) -> Steps:
    """Drops every record that it listed."""
    for number in sorted((yield ListNumbers())):
        yield Drop(number)


def _stands(record: Record, tip: Record | None) -> Steps:
    operation: Oid | None = None if tip is None else tip.operation
    while operation is not None:
        link = yield ReadLink(operation)
        if link.number == record.number:
            return link.transaction == record.transaction
        operation = link.parent
    return False
