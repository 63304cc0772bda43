"""The operation log: the tip, the chain, and commits that move all refs from one view to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, NotFoundError
from casvault.formats.record import Record
from casvault.limits import KEEP_RECORDS
from casvault.objects import read_commit, write_commit
from casvault.refs import winning
from casvault.refs.horizon import HORIZON_REF, Horizon, read_horizon
from casvault.refs.operation import Operation, chain_link, operation_commit, parse_operation
from casvault.refs.tombstones import read_purged
from casvault.refs.view import View
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from casvault.objects import Field, ObjectPublisher, ObjectReader, Signature
    from casvault.oid import Oid
    from casvault.refs.records import RecordLog
    from casvault.refs.view import RefEdit


class Tip(NamedTuple):
    """The newest operation and the view after it."""

    record: Record
    operation: Operation
    view: View


class Plan(NamedTuple):
    """What a transaction wants, decided on one view: data, used once."""

    edits: Sequence[RefEdit]
    kind: str
    arguments: Sequence[bytes] = ()
    message: bytes = b""
    fields: Sequence[Field] = ()
    always: bool = False
    """Make an operation even if no ref changes."""


class Context(NamedTuple):
    """What must never be ambient: who does it and when, and where transaction ids come from."""

    who: Signature
    new_transaction_id: Callable[[], bytes]
    """16 bytes, never the same twice."""


class OperationLog:
    """The operations of one vault, over an object reader and a record log."""

    def __init__(self, reader: ObjectReader, records: RecordLog, keep: int = KEEP_RECORDS) -> None:
        self._reader = reader
        self._records = records
        self._keep = keep
        self._horizon: tuple[Oid | None, Horizon | None] = (None, None)
        """The commit of the newest horizon that was met, and what it says. Replaced as a whole."""

    @property
    def horizon(self) -> Horizon | None:
        """Where the past ends, as of the newest operation that was looked at."""
        return self._horizon[1]

    def tip(self) -> Tip | None:
        """The newest operation; None in a log without any."""
        record = self._run(winning.find_tip())
        return None if record is None else self._tip(record)

    def read_operation(self, oid: Oid) -> Operation:
        return parse_operation(read_commit(self._reader, oid))

    def iter_chain(self, start: Oid | None = None) -> Iterator[tuple[Oid, Operation]]:
        """The operations from `start`, or from the newest, back to the first, or to the oldest that was kept."""
        oid = start
        if oid is None and (tip := self.tip()) is not None:
            oid = tip.record.operation
        floor = None if self.horizon is None or self.horizon.floor is None else self.horizon.floor
        above: int | None = None
        while oid is not None and (floor is None or oid != floor.id):
            operation = self.read_operation(oid)
            if above is not None and operation.number != above - 1:
                raise DamageError(f"operation {operation.number} stands below number {above}", place=str(oid))
            yield oid, operation
            above, oid = operation.number, operation.parent

    def find_in_chain(self, number: int, transaction: bytes) -> Operation | None:
        """The operation of this number in the chain if it carries this transaction id.

        NotFoundError for a number so low that nobody knows any more what it was.
        """
        for _, operation in self.iter_chain():
            if operation.number <= number:
                found = operation.number == number and operation.transaction == transaction
                return operation if found else None
        if self.horizon is not None and self.horizon.floor is not None:
            raise NotFoundError(
                f"it is not known any more whether this was operation {number}: {self.horizon.describe()}",
                place=f"operation {number}",
                remedy="bring the files into order by hand, then remove the journal of the directory",
            )
        return None

    def iter_pairs(self) -> Iterator[tuple[Oid, Operation, Operation | None]]:
        """The operations, the newest first, each with the one that it was made on; None below the first.

        The oldest that was kept has one too, which is no operation of the chain any more.
        """
        later: tuple[Oid, Operation] | None = None
        for oid, operation in self.iter_chain():
            if later is not None:
                yield *later, operation
            later = oid, operation
        if later is not None:
            parent = later[1].parent
            yield *later, None if parent is None else self.read_operation(parent)

    def commit(
        self,
        stage: ObjectPublisher,
        context: Context,
        plan: Callable[[View], Plan | None],
        prepare: Callable[[Record], None] = lambda record: None,
    ) -> Tip | None:
        """Make the operation that `plan` decides on the newest view; None if it decides on nothing or changes nothing.

        `plan` may write objects to the stage; it is called again, with the newer view, each time another writer was
        faster. `prepare` is called with the record that is about to be created, when everything is durable but the
        record: journals are written there.
        """

        def attempt(tip: Record | None) -> Record | None:
            # Before an attempt, for a command that has won must not fail any more.
            if tip is not None and tip.number % self._keep == 0:
                self._run(winning.drop_old(self._keep))
            record = self._prepare_attempt(tip, stage, context, plan)
            if record is not None:
                stage.publish()
                prepare(record)
            return record

        won = self._run(winning.commit(attempt))
        return None if won is None else self._tip(won)

    def _prepare_attempt(
        self, tip: Record | None, stage: ObjectPublisher, context: Context, plan: Callable[[View], Plan | None]
    ) -> Record | None:
        """The record of one attempt, its operation written to the stage."""
        view = View(stage, empty_root() if tip is None else self.read_operation(tip.operation).view)
        # A purge may have been recorded since this transaction began, and what it took must not come back.
        stage.withhold(read_purged(view))
        planned = plan(view)
        if planned is None:
            return None
        root = view.edited(stage, planned.edits)
        if root == view.root and tip is not None and not planned.always:
            return None
        number = 1 if tip is None else tip.number + 1
        operation = Operation(
            number,
            context.new_transaction_id(),
            None if tip is None else tip.operation,
            root,
            context.who,
            planned.kind,
            tuple(planned.arguments),
            planned.message,
            tuple(planned.fields),
        )
        return Record(number, operation.transaction, write_commit(stage, operation_commit(operation)))

    def _tip(self, record: Record) -> Tip:
        operation = self.read_operation(record.operation)
        if (operation.number, operation.transaction) != (record.number, record.transaction):
            raise DamageError("the record does not belong to its operation", place=f"operation record {record.number}")
        view = View(self._reader, operation.view)
        self._look_at_horizon(view)
        return Tip(record, operation, view)

    def _look_at_horizon(self, view: View) -> None:
        """No walk must follow what is gone, so the boundary is known before anything behind a tip is read."""
        target = view.find(HORIZON_REF)
        if target is not None and target != self._horizon[0]:
            found = read_horizon(view)
            known = self.horizon
            if found is not None and (known is None or found.serial > known.serial):
                self._reader.boundary.move(found.serial, found.boundary, found.since)
                self._horizon = (target, found)

    def _run(self, steps: winning.Steps) -> Record | None:
        return winning.run(steps, self._records, lambda oid: chain_link(self.read_operation(oid)))
