"""An audit costs what was changed, not what there is besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from casvault import Oid, Vault
from casvault.objects import Boundary, Kind, Memo, ObjectInfo, ObjectReader
from casvault.reports.audit import AuditFilter, iter_audit
from casvault.reports.changes import Kind as ChangeKind

ARTIFACTS = 3000


class Counting:
    """A reader that counts what is read through it."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self.memo = Memo()
        self.boundary = Boundary()
        self.count = 0

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        for found in self._reader.read_many(ids):
            self.count += 1
            yield found

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        return self._reader.find_infos(ids)

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        return self._reader.iter_blob(oid)


def large_vault(operations: int) -> Vault:
    vault = Vault.in_memory()
    with vault.transaction() as transaction:
        collection = transaction.collection("lib")
        for number in range(ARTIFACTS):
            collection.put(f"skills/{number:05}", b"%d" % number)
    for number in range(operations):
        with vault.transaction() as transaction:
            transaction.collection("lib").put(f"skills/{7 * number:05}", b"new")
    return vault


def test_an_operation_costs_a_path_of_nodes_and_no_whole_snapshot() -> None:
    vault = large_vault(20)
    reader = Counting(vault.reader)
    found = list(iter_audit(vault._repository.log, reader, limit=40))
    assert [entry.kind for entry in found] == [ChangeKind.SNAPSHOT, ChangeKind.VERSION] * 20
    assert reader.count < 20 * 12


def test_what_is_not_asked_for_is_not_compared() -> None:
    vault = large_vault(20)
    reader = Counting(vault.reader)
    wanted = AuditFilter(frozenset({ChangeKind.SNAPSHOT}))
    assert len(list(iter_audit(vault._repository.log, reader, wanted, limit=20))) == 20
    assert reader.count <= 20 * 4


def test_entries_come_as_they_are_asked_for() -> None:
    vault = large_vault(20)
    reader = Counting(vault.reader)
    next(iter_audit(vault._repository.log, reader))
    assert reader.count < 12
