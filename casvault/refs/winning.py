"""The rule by which one of many writers wins a number, as steps that a driver carries out one by one.

Each function is a generator: it yields what it wants to know or do and is sent the answer. `run` drives it against a
real log; the model checker in the tests drives the same code through every interleaving of writers, lost, late and
doubled creations, sleepers and the dropper.

The rule. The tip is the record with the highest number. A writer builds operation N on the tip N-1 and creates record
N, if absent. It has won if the operation numbered N, in the chain that the highest record leads to, carries its
transaction id; otherwise, and as soon as the highest record is N or higher, it has lost for ever, and plans again on
the new tip with a new transaction id. A loser deletes nothing.

Why it holds. The dropper never drops the highest record, so the highest number never falls, and each number is the
highest once at most: when it is created for the first time. Nobody builds on a record that was not the highest when it
was read, so the records that were highest, one after the other, are one chain. Whatever is created later at a number
that was used and dropped before, by a sleeper or by a request that was late or sent twice, stands below the highest
record, where nobody looks, until the next dropper takes it away. Therefore:

- A record counts as the tip only if its number is still the highest after it was read. Without this second look, it
  could be dropped and another one created in its place between the listing and the reading.
- A successful creation says nothing by itself, nor does the record before it; the number being the highest afterwards
  does, and otherwise the chain.
- As long as the highest record is below N, an unclear creation may still land. The writer does not plan anew, it
  creates the same record again until number N is decided.
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
    highest = max((yield ListNumbers()), default=0)
    while highest:
        record: Record | None = yield Find(highest)
        now = max((yield ListNumbers()), default=0)
        if record is not None and now == highest:
            return record
        # A newer one has come: this one may have been dropped, and another created in its place, before it was read.
        highest = now
    return None


def commit(plan: Callable[[Record | None], Record | None]) -> Steps:
    """Create the record that `plan` builds on the tip, however often others are faster; the record that won.

    `plan` is given the tip and returns a record numbered one higher with a transaction id that was never used before.
    It is called again, on the new tip, when the attempt before has lost for ever. It may return None, to give up.
    """
    tip = yield from find_tip()
    while (record := plan(tip)) is not None:
        while True:
            created = yield Create(record)
            if created and max((yield ListNumbers()), default=0) == record.number:
                return record
            tip = yield from find_tip()
            if tip is not None and tip.number >= record.number:
                break
        if (yield from _stands(record, tip)):
            return record
    return None


def _stands(record: Record, tip: Record) -> Generator[Request, Any, bool]:
    """Whether the record is that of an operation in the chain."""
    operation: Oid | None = tip.operation
    while operation is not None:
        link: ChainLink = yield ReadLink(operation)
        if link.number <= record.number:
            return link.transaction == record.transaction
        operation = link.parent
    return False


def drop_old(keep: int) -> Steps:
    """Drop all but the newest `keep` records, at least one; the chain itself lives in the packs."""
    numbers = yield ListNumbers()
    for number in sorted(numbers):
        if number <= max(numbers) - max(keep, 1):
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
