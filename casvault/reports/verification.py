"""Going over the chain of operations again: whether it is whole, and the first place where it is not.

The records, from the newest down, must be those of the chain; each operation must have its id, the number below that of
its child, a transaction id of its own, and a view whose refs lead where refs of their names may. Contents are left to
`fsck`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS, PROJECTS
from casvault.artifacts.snapshot import SNAPSHOT
from casvault.artifacts.tags import VERSION_TAGS
from casvault.artifacts.version import TYPE
from casvault.deploy.state import PROJECT_STATE
from casvault.deploy.undoing import LET_GO, REDO, UNDO
from casvault.errors import DamageError, UnsupportedError
from casvault.objects import Kind, read_commit
from casvault.pending import MERGES, read_pending
from casvault.progress import silent
from casvault.refs import HORIZON_REF, PURGED, View, parse_operation
from casvault.refs.operation import TRANSACTION
from casvault.reports.changes import Step, iter_ref_changes
from casvault.store import PackDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.formats.record import Record
    from casvault.objects import ObjectInfo, ObjectReader
    from casvault.oid import Oid
    from casvault.progress import Progress
    from casvault.refs import Horizon, Operation
    from casvault.repository import Repository

_BATCH = 1000
NEVER_DROPPED = 4
"""Records, the newest, that every dropper leaves."""
_GONE = "the record is gone"
_LINES = {COLLECTIONS: SNAPSHOT, PROJECTS: PROJECT_STATE}


class Break(NamedTuple):
    """Where the chain is not what it must be."""

    operation: int | None
    """The number of the operation; None if it is not one of them that is wrong."""
    place: str
    message: str


class Verification(NamedTuple):
    operations: int
    """How many were found right, from the newest down."""
    records: int
    changes: int
    """Changes of refs that were looked at."""
    aside: tuple[int, ...]
    """The numbers of operations in the packs that are in no chain: of writers that lost a race, were refused at the
    last moment or cut off. One above the newest may also be one whose record was removed.
    """
    first_break: Break | None
    let_go: int | None
    """The number up to which operations were let go by retention; None if the chain goes down to the first."""


class _BrokenError(Exception):
    """Carries the first break out of the walk."""

    def __init__(self, found: Break) -> None:
        super().__init__(found.message)
        self.found = found


class Directory(NamedTuple):
    """What a directory says of itself."""

    place: str
    ref: bytes
    """Of the collection that it holds."""
    snapshot: Oid
    """The one that it is at."""


def verify(repository: Repository, directories: Sequence[Directory] = (), progress: Progress = silent) -> Verification:
    walk = _Walk(repository, directories, progress)
    try:
        walk.run()
    except _BrokenError as broken:
        return walk.result(broken.found)
    return walk.result(None)


class _Walk:
    def __init__(self, repository: Repository, directories: Sequence[Directory], progress: Progress) -> None:
        self._repository = repository
        self._directories = directories
        self._tips: dict[bytes, set[Oid]] = {}
        """Every snapshot that a collection was at after an operation, by ref."""
        self._reader: ObjectReader = repository.objects
        self._graph = repository.graph()
        self._progress = progress
        self._records: dict[int, Record] = {}
        self._chain: set[Oid] = set()
        self._transactions: dict[bytes, int] = {}
        self._gap: int | None = None
        """The highest number below the newest at which no record stands."""
        self._operations = 0
        self._changes = 0
        self._aside: list[int] = []
        self._horizon: Horizon | None = None

    def result(self, found: Break | None) -> Verification:
        floor = None if self._horizon is None else self._horizon.floor
        aside = tuple(sorted(self._aside))
        let_go = None if floor is None else floor.number
        return Verification(self._operations, len(self._records), self._changes, aside, found, let_go)

    def run(self) -> None:
        self._check_packs()
        highest = self._read_records()
        if highest is None:
            if next(self._repository.objects.iter_ids(), None) is not None:
                raise _broken(None, "ops/", "the operation records are gone")
            return
        self._read_horizon()
        for step in self._iter_checked(self._records[highest]):
            self._check_changes(step)
            self._operations += 1
            self._progress("verify", self._operations, highest)
        for directory in self._directories:
            self._check_directory(directory, highest)
        self._look_aside()

    def _check_packs(self) -> None:
        objects = self._repository.objects
        if not isinstance(objects, PackDatabase):
            return
        objects.refresh()
        for name, error in objects.damaged.items():
            raise _broken(None, name, error.message)
        for pack in objects.packs:
            try:
                pack.check_sums()
            except DamageError as error:
                raise _broken(None, error.place or pack.name, error.message) from error

    def _read_records(self) -> int | None:
        """Read all records that stand; the highest number. The newest are never dropped."""
        numbers = set(self._repository.records.list_numbers())
        if not numbers:
            return None
        highest = max(numbers)
        for number in sorted(numbers | set(range(max(1, highest - NEVER_DROPPED + 1), highest)), reverse=True):
            try:
                record = self._repository.records.find(number)
            except (DamageError, UnsupportedError) as error:
                raise _broken(number, error.place or _record(number), error.message) from error
            if record is not None:
                self._records[number] = record
            elif number > highest - NEVER_DROPPED:
                raise _broken(number, _record(number), _GONE)
        return highest

    def _iter_checked(self, record: Record) -> Iterator[Step]:
        """The chain from a record down, each operation held against what must follow from the one above it."""
        oid, number = record.operation, record.number
        operation = self._read(oid, number)
        while True:
            self._check_against_record(oid, operation)
            parent = operation.parent
            below = None if parent is None else self._read(parent, number - 1)
            yield Step(oid, operation, None if below is None else below.view)
            if parent is None or below is None or self._ends_at(parent, below):
                return
            oid, operation, number = parent, below, number - 1

    def _read_horizon(self) -> None:
        # Where it cannot be read, the walk meets what is wrong, at its place.
        with suppress(DamageError, UnsupportedError):
            self._repository.log.tip()
        self._horizon = self._repository.log.horizon

    def _ends_at(self, oid: Oid, operation: Operation) -> bool:
        """Whether what lies behind this operation was let go: then it must be the one that the horizon names."""
        floor = None if self._horizon is None else self._horizon.floor
        if floor is None or operation.number > floor.number:
            return False
        if (operation.number, oid) != floor:
            message = f"the operations were let go up to {floor.id.short}, and another one stands there"
            raise _broken(operation.number, str(oid), message)
        for ref, tip in View(self._reader, operation.view).iter_refs(COLLECTIONS.rstrip(b"/")):
            self._tips.setdefault(ref, set()).add(tip)
        return True

    def _read(self, oid: Oid, number: int) -> Operation:
        try:
            operation = parse_operation(read_commit(self._reader, oid))
        except (DamageError, UnsupportedError) as error:
            raise _broken(number, error.place or str(oid), error.message) from error
        if operation.number != number:
            raise _broken(number, str(oid), f"operation {operation.number} stands where number {number} must be")
        known = self._transactions.setdefault(operation.transaction, number)
        if known != number:
            raise _broken(number, str(oid), f"its transaction id is that of operation {known}")
        self._chain.add(oid)
        return operation

    def _check_against_record(self, oid: Oid, operation: Operation) -> None:
        """Records are dropped from the lowest on, so none is missing between two that stand.

        One that is not in the chain, below a gap, is what a sleeper left there; nobody reads it.
        """
        number = operation.number
        record = self._records.get(number)
        if record is None:
            self._gap = self._gap or number
        elif (record.operation, record.transaction) == (oid, operation.transaction):
            if self._gap is not None:
                raise _broken(self._gap, _record(self._gap), _GONE)
        elif self._gap is None:
            raise _broken(number, _record(number), f"the record names another operation: {record.operation.short}")

    def _check_changes(self, step: Step) -> None:
        number = step.operation.number
        try:
            for ref, before, after in iter_ref_changes(self._reader, step):
                self._changes += 1
                if after is not None and ref.startswith(COLLECTIONS):
                    self._tips.setdefault(ref, set()).add(after)
                if after is not None:
                    wrong = self._find_wrong(ref, before, after, step.operation.kind)
                else:
                    lasting = {PURGED: "a tombstone was removed", HORIZON_REF: "the horizon was removed"}
                    wrong = next((what for name, what in lasting.items() if ref.startswith(name)), None)
                if wrong is not None:
                    raise _broken(number, ref.decode(errors="replace"), wrong)
        except (DamageError, UnsupportedError) as error:
            raise _broken(number, error.place or str(step.id), error.message) from error

    def _find_wrong(self, ref: bytes, before: Oid | None, after: Oid, command: str) -> str | None:
        """Why a ref of this name cannot have come to point there; None if it can."""
        (info,) = self._reader.find_infos([after])
        if info is None:
            return f"it points to {after.short}, which no pack holds"
        if ref == HORIZON_REF and command != LET_GO:
            return f"{command} cannot have let anything go"
        space = ref[: ref.find(b"/") + 1]
        if space == VERSION_TAGS:
            return None if info.kind in (Kind.TAG, Kind.COMMIT) else f"it points to a {info.kind}"
        if space == MERGES:
            read_pending(self._reader, after)
        if space not in _LINES:
            return None if info.kind in (Kind.COMMIT, Kind.TAG) else f"it points to a {info.kind}"
        commit = read_commit(self._reader, after)
        if commit.field(TYPE) != _LINES[space]:
            return f"it points to {after.short}, which is no {_LINES[space].decode()}"
        if (
            before is None
            or command in (UNDO, REDO)
            or before in commit.parents
            or self._graph.is_ancestor(before, after)
        ):
            return None
        return f"{command} moved it from {before.short} to {after.short}, which does not come from there"

    def _check_directory(self, directory: Directory, highest: int) -> None:
        """A directory is at a snapshot that some operation led to: else the newest operations are gone.

        What the record of a snapshot is removed with is the chain's end, and the rest looks whole.
        """
        tips = self._tips.get(directory.ref, set())
        known = directory.snapshot in tips
        if not known and self._reader.find_infos([directory.snapshot])[0] is not None:
            known = any(self._graph.is_ancestor(directory.snapshot, tip) for tip in tips)
        if not known:
            message = f"it is at snapshot {directory.snapshot.short}, to which no operation up to {highest} led"
            raise _broken(None, directory.place, message)

    def _look_aside(self) -> None:
        """What the packs hold of operations besides the chain.

        It is there where a writer lost a race, was refused at the last moment or was cut off; or where the newest
        records were removed, which can be told from the others by what else depends on them only.
        """
        for oid in self._iter_commits():
            commit = read_commit(self._reader, oid)
            if oid not in self._chain and commit.field(TRANSACTION) is not None:
                number = parse_operation(commit).number
                if self._horizon is None or self._horizon.floor is None or number > self._horizon.floor.number:
                    self._aside.append(number)

    def _iter_commits(self) -> Iterator[Oid]:
        ids = list(self._repository.objects.iter_ids())
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            infos: list[ObjectInfo | None] = self._reader.find_infos(batch)
            yield from (
                oid for oid, info in zip(batch, infos, strict=True) if info is not None and info.kind is Kind.COMMIT
            )


def _record(number: int) -> str:
    return f"operation record {number}"


def _broken(number: int | None, place: str, message: str) -> _BrokenError:
    return _BrokenError(Break(number, place, message))
