"""The rule by which one of many writers wins a number, as steps that a driver carries out one by one.

Each function is a generator: it yields what it wants to know or do and is sent the answer. `run` drives it against a
real log; the model checker in the tests drives the same code through every interleaving of writers, lost answers,
sleepers and the dropper.

The rule. The tip is the record with the highest number. A writer builds operation N on the tip N-1 and creates record
N, if absent. It has won if its creation succeeded and the record N-1 on which it built still stands: records are
dropped in ascending order, so number N cannot have been used and dropped before. In every other case the chain decides,
that is the operations that the highest record leads to: the writer has won if the operation numbered N there carries
its transaction id. Otherwise it plans again on the new tip, with a new transaction id, and remembers the old one for as
long as it runs, for a creation whose answer was lost may still turn up. A loser deletes nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from casvault.errors import DamageError
from casvault.refs.records import UnclearError

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.formats.record import Record
    from casvault.oid import Oid
    from casvault.refs.records import RecordLog


class ListNumbers(NamedTuple):
    """Answered with the numbers that stand."""


class Find(NamedTuple):
    """Answered with the record at the number, or None."""

    number: int


class Create(NamedTuple):
    """Answered with True (created), False (taken) or None (unclear)."""

    record: Record


class Drop(NamedTuple):
    number: int


class ReadLink(NamedTuple):
    """Answered with the ChainLink of an operation commit; these are in the packs and never change."""

    operation: Oid


class ChainLink(NamedTuple):
    """What the rule needs to know of an operation: its number, its transaction id, the one before it."""

    number: int
    transaction: bytes
    parent: Oid | None


Request = ListNumbers | Find | Create | Drop | ReadLink
Steps = Generator[Request, Any, "Record | None"]


def find_tip() -> Steps:
    """The record with the highest number; None in an empty log."""
    while True:
        numbers = yield ListNumbers()
        if not numbers:
            return None
        record = yield Find(max(numbers))
        if record is not None:
            found: Record = record
            return found
        # Dropped between the two answers: then there are newer ones.


def commit(plan: Callable[[Record | None], Record | None]) -> Steps:
    """Create the record that `plan` builds on the tip, however often others are faster; the record that won.

    `plan` is given the tip, returns a record numbered one higher with a transaction id that was never used before, and
    is called again for each new attempt. It may return None, to give up, as long as no attempt may still have won.
    """
    attempts: dict[bytes, Record] = {}
    while True:
        tip = yield from find_tip()
        if attempts and tip is not None:
            won = yield from _find_in_chain(tip, attempts)
            if won is not None:
                return won
        record = plan(tip)
        if record is None:
            return None
        created = yield Create(record)
        if created and tip is not None and (yield Find(tip.number)) == tip:
            return record
        attempts[record.transaction] = record


def _find_in_chain(tip: Record, attempts: dict[bytes, Record]) -> Steps:
    """The attempt that became part of the chain, if one did."""
    lowest = min(record.number for record in attempts.values())
    operation: Oid | None = tip.operation
    while operation is not None:
        link: ChainLink = yield ReadLink(operation)
        if link.transaction in attempts:
            return attempts[link.transaction]
        if link.number <= lowest:
            return None
        operation = link.parent
    return None


def drop_old(keep: int) -> Steps:
    """Drop all but the newest `keep` records, in ascending order; the chain itself lives in the packs."""
    numbers = yield ListNumbers()
    for number in sorted(numbers):
        if number <= max(numbers) - keep:
            yield Drop(number)
    return None


def run(steps: Steps, log: RecordLog, read_link: Callable[[Oid], ChainLink]) -> Record | None:
    """Carry out the steps against a log and return their result."""
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as stop:
            result: Record | None = stop.value
            return result
        answer = _answer(request, log, read_link)


def _answer(request: Request, log: RecordLog, read_link: Callable[[Oid], ChainLink]) -> Any:
    match request:
        case ListNumbers():
            return log.list_numbers()
        case Find(number):
            return log.find(number)
        case Create(record):
            try:
                return log.create(record)
            except UnclearError:
                return None
        case Drop(number):
            return log.drop(number)
        case ReadLink(operation):
            link = read_link(operation)
            if link.parent is None and link.number != 1:
                raise DamageError("the operation chain ends before its first operation", place=str(operation))
            return link
