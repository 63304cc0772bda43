"""The façade's part for retention: the policy, and what it would let go."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from casvault.artifacts.names import PROJECTS, typed
from casvault.artifacts.snapshot import is_snapshot
from casvault.artifacts.version import TYPE, VERSION
from casvault.deploy.comparison import PROJECT
from casvault.deploy.run import Command, Outcome, run, written_files
from casvault.deploy.state import PROJECT_STATE
from casvault.maintenance.reachable import link_to, reach
from casvault.objects import Kind, Root, read_commit
from casvault.refs import RETENTION_REF, Policy, read_policy, write_policy
from casvault.store import PackDatabase
from casvault.vault.results.retention import Kept, RetentionPlan, RetentionRow
from casvault.vault.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
        now = self._signature().seconds
        operations: _Chain = list(self._repository.log.iter_chain())
        always = min(self._repository.config.keep_records, len(operations))
        asked = policy.operations.cut([operation.who.seconds for _, operation in operations], now)
        kept = operations[: max(asked, always)]
        states, cuts = self._cut_states(policy, now)
        everything = reach(self.reader, _starts(operations))
        by_refs = reach(self.reader, [tip.view.root], cuts)
        staying = reach(self.reader, _starts(kept), cuts | {kept[-1][0]})
        beyond = {Kept.OPERATION: len(operations) - asked, Kept.STATE: states}
        rows = self._rows(everything, by_refs, staying, {oid for oid, _ in operations}, beyond)
        return RetentionPlan(policy, rows, kept[-1][1].number, always)

    def _cut_states(self, policy: Policy, now: int) -> tuple[int, set[Oid]]:
        """How many states are beyond the policy, and the commits behind which the lines of states are cut."""
        beyond, cuts = 0, set()
        for _, start in self._view().iter_refs(PROJECTS.rstrip(b"/")):
            line = list(self._repository.graph().iter_first_parents(start))
            kept = max(policy.states.cut([commit.committer.seconds for _, commit in line], now), 1)
            if kept < len(line):
                beyond += len(line) - kept
                cuts.add(line[kept - 1][0])
        return beyond, cuts

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


def _starts(operations: Iterable[tuple[Oid, Operation]]) -> Iterable[Root]:
    """What a line of operations leads to: their views, and the files that they wrote."""
    for oid, operation in operations:
        yield link_to(oid)
        for write in chain.from_iterable(written_files(operation).values()):
            yield from (state for state in write[1:] if state is not None)
