"""The façade's part for retention: the policy, what it would let go, and letting it go."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import typed
from casvault.artifacts.snapshot import is_snapshot
from casvault.artifacts.version import TYPE, VERSION
from casvault.deploy.comparison import PROJECT
from casvault.deploy.marker import marker_snapshot
from casvault.deploy.run import Command, Outcome, run, written_files
from casvault.deploy.state import PROJECT_STATE
from casvault.deploy.times import times_before
from casvault.deploy.undoing import LET_GO
from casvault.errors import StaleError
from casvault.maintenance.reachable import link_to, reach
from casvault.objects import Kind, Root, read_commit
from casvault.refs import (
    HORIZON_REF,
    RETENTION_REF,
    Floor,
    Policy,
    read_horizon,
    read_policy,
    write_horizon,
    write_policy,
)
from casvault.store import PackDatabase
from casvault.trees import EMPTY_ID
from casvault.vault.results.retention import Kept, RetentionPlan, RetentionResult, RetentionRow
from casvault.vault.statelines import StateLines
from casvault.vault.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.oid import Oid
    from casvault.refs import Operation

_OTHERS = {Kind.TREE: Kept.TREE, Kind.BLOB: Kept.BLOB, Kind.TAG: Kept.TAG}
_Chain = list[tuple["Oid", "Operation"]]


class Retaining(Upkeep):
    def retention(self) -> Policy:
        """How many operations and project states are to be kept; no limits unless some were set."""
        return read_policy(self._view())

    def set_retention(self, policy: Policy, *, message: str = "") -> Outcome:
        """Record another policy. Nothing is let go by this."""
        session = self._session(message, {})
        with self._stage() as stage:

            def draw(draft: Draft) -> None:
                if read_policy(draft.view) != policy:
                    written = write_policy(draft.stage, draft.draftsman.who, typed(message), policy)
                    draft.set_ref(RETENTION_REF, written)

            return run(session, stage, Command("retention"), draw)

    def plan_retention(self, policy: Policy | None = None) -> RetentionPlan:
        """What the policy, or another one, would let go, and what keeps the rest. Nothing is changed.

        Operations and the states of projects are lines that are cut at one place, behind the last one to be kept. With
        them goes what nothing else leads to: old views, edits that were only seen, what was taken back by an undo.
        """
        policy = self.retention() if policy is None else policy
        tip = self._repository.log.tip()
        if tip is None:
            return RetentionPlan(policy, (), None, 0)
        cut = self._decide(policy)
        everything = reach(self.reader, _starts(cut.operations, cut.floor))
        by_refs = reach(self.reader, [tip.view.root], cut.asked_states)
        staying = reach(self.reader, cut.starts(), cut.boundary)
        chain = {oid for oid, _ in cut.operations} | ({cut.floor.id} if cut.floor is not None else set())
        beyond = {Kept.OPERATION: cut.beyond_operations, Kept.STATE: cut.beyond_states}
        rows = self._rows(everything, by_refs, staying, chain, beyond)
        return RetentionPlan(policy, rows, cut.kept[-1][1].number, cut.always)

    def apply_retention(self, *, message: str = "") -> RetentionResult:
        """Let go what `plan_retention` says, and whatever else nothing reaches; the policy is the one that is set.

        Transactions under way are waited for, and others wait until it is done. Where the past ends is recorded first,
        by an operation that no undo takes back; a later call ends one that was cut off. Nothing is recorded where
        nothing would go. InterruptedTargetError while a command is cut off in a directory at hand.
        """
        self._check_not_interrupted()
        session = self._session(message, {})
        with self._repository.alone() as stage:
            view, policy = self._view(), self.retention()
            before = self._repository.stored_bytes()
            if self._repository.log.tip() is None:
                return RetentionResult(policy, 0, before, before, None, Outcome(None))
            cut = self._decide(policy)
            staying = reach(self.reader, [*cut.starts(), *self._held_on_disk()], cut.boundary)
            going = self._repository.ids() - staying.keys() - {EMPTY_ID}
            if not going:
                return RetentionResult(policy, 0, before, before, cut.first_kept, Outcome(None))

            def draw(draft: Draft) -> None:
                if draft.view.root != view.root:
                    raise StaleError("somebody who heeds no lock has written meanwhile", place="retention apply")
                horizon = read_horizon(draft.view)
                serial = 1 if horizon is None else horizon.serial + 1
                who, reason = draft.draftsman.who, typed(message)
                since = {oid: times for oid in cut.states if (times := times_before(self.reader, oid))}
                written = write_horizon(draft.stage, who, reason, serial, policy, cut.floor, cut.states, since)
                draft.set_ref(HORIZON_REF, written)

            outcome = run(session, stage, Command(LET_GO), draw)
            self._repository.log.tip()
            # What was written just now can be what was to go: a part of the new view, say.
            written = reach(self.reader, [link_to(self._newest())], cut.boundary, staying.keys())
            going -= written.keys()
            self._repository.let_go(going)
            after = self._repository.stored_bytes()
            return RetentionResult(policy, len(going), before, after, cut.first_kept, outcome)

    def _newest(self) -> Oid:
        tip = self._repository.log.tip()
        assert tip is not None
        return tip.record.operation

    def _held_on_disk(self) -> Iterator[Root]:
        """The snapshots that directories at hand are at: an undo may have taken them back, and a merge needs them."""
        for directory in self._known_directories():
            snapshot = marker_snapshot(directory)
            if snapshot is not None and self.reader.find_infos([snapshot])[0] is not None:
                yield link_to(snapshot)

    def _decide(self, policy: Policy) -> _Cut:
        """Where the lines would be cut now."""
        log, now = self._repository.log, self._signature().seconds
        operations: _Chain = list(log.iter_chain())
        horizon = log.horizon
        # What lets go does not count, or each time would make room for one more.
        counted = [place for place, (_, operation) in enumerate(operations) if operation.kind != LET_GO]
        times = [operations[place][1].who.seconds for place in counted]
        asked, always = policy.operations.cut(times, now), min(self._repository.config.keep_records, len(counted))
        count = _behind(counted, asked, len(operations))
        kept = operations[: _behind(counted, max(asked, always), len(operations))]
        floor = None if horizon is None else horizon.floor
        if len(kept) < len(operations) and operations[len(kept)][1].parent is not None:
            floor = Floor(operations[len(kept)][1].number, operations[len(kept)][0])
        elif floor is None:
            # Behind the first operation there is nothing to let go.
            kept = operations
        line = StateLines(self.reader, policy.states, now)
        below = None if floor is None else log.read_operation(floor.id)
        views = [operation.view for _, operation in kept] + ([] if below is None else [below.view])
        line.cut(views)
        return _Cut(operations, kept, floor, line.boundary, line.asked, len(operations) - count, line.beyond, always)

    def _rows(
        self,
        everything: Mapping[Oid, Kind],
        by_refs: Mapping[Oid, Kind],
        staying: Mapping[Oid, Kind],
        operations: set[Oid],
        beyond: Mapping[Kept, int],
    ) -> tuple[RetentionRow, ...]:
        rows = {what: RetentionRow(what, 0, beyond.get(what, 0), 0, 0, 0, 0) for what in Kept}
        for oid, kind in everything.items():
            what = Kept.OPERATION if oid in operations else self._what(oid, kind)
            row = rows[what]._replace(total=rows[what].total + 1)
            if oid in by_refs:
                row = row._replace(kept_by_refs=row.kept_by_refs + 1)
            elif oid in staying:
                row = row._replace(kept_by_operations=row.kept_by_operations + 1)
            else:
                row = row._replace(going=row.going + 1, bytes_going=row.bytes_going + self._stored(oid))
            rows[what] = row
        return tuple(row for row in rows.values() if row.total)

    def _what(self, oid: Oid, kind: Kind) -> Kept:
        if kind is not Kind.COMMIT:
            return _OTHERS[kind]
        commit = read_commit(self.reader, oid)
        if is_snapshot(commit):
            return Kept.SNAPSHOT
        if commit.field(TYPE) == PROJECT_STATE:
            return Kept.STATE
        if commit.field(TYPE) == VERSION:
            return Kept.VERSION if commit.field(PROJECT) is None else Kept.OBSERVATION
        return Kept.COMMIT

    def _stored(self, oid: Oid) -> int:
        """The bytes that an object takes; none for what was purged."""
        objects = self._repository.objects
        if isinstance(objects, PackDatabase):
            found = objects.find(oid)
            return 0 if found is None else len(found[0].entry(found[1]))
        (info,) = objects.find_infos([oid])
        return 0 if info is None else info.size


class _Cut(NamedTuple):
    """Where the lines are cut."""

    operations: _Chain
    kept: _Chain
    floor: Floor | None
    states: frozenset[Oid]
    """Those that are kept, whose parents go or are gone."""
    asked_states: frozenset[Oid]
    """Where the policy alone would cut."""
    beyond_operations: int
    beyond_states: int
    always: int

    @property
    def boundary(self) -> frozenset[Oid]:
        return self.states if self.floor is None else self.states | {self.floor.id}

    @property
    def first_kept(self) -> int:
        return self.kept[-1][1].number

    def starts(self) -> Iterable[Root]:
        return _starts(self.kept, self.floor)


def _behind(counted: list[int], asked: int, total: int) -> int:
    """How many of all operations are kept with so many of those that count."""
    return total if asked >= len(counted) else counted[asked - 1] + 1 if asked else 0


def _starts(operations: Iterable[tuple[Oid, Operation]], floor: Floor | None) -> Iterable[Root]:
    """What a line of operations leads to: their views, and the files that they wrote."""
    if floor is not None:
        yield link_to(floor.id)
    for oid, operation in operations:
        yield link_to(oid)
        for write in chain.from_iterable(written_files(operation).values()):
            yield from (state for state in write[1:] if state is not None)
