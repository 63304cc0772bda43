"""The operation log over objects and records in memory."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from casvault.errors import DamageError, MissingObjectError, StaleError
from casvault.formats.record import Record
from casvault.objects import FILE, Commit, MemoryObjects, MemoryPublisher, Root, Signature, write_blob, write_commit
from casvault.oid import Oid
from casvault.refs import (
    Context,
    MemoryRecords,
    OperationLog,
    Plan,
    RefEdit,
    Tip,
    UnclearError,
    View,
    operation_commit,
)

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0000")


class Vault:
    """An operation log, and transactions that set one ref."""

    def __init__(self, records: MemoryRecords | None = None, keep: int = 64) -> None:
        self.objects = MemoryObjects()
        self.records = MemoryRecords() if records is None else records
        self.log = OperationLog(self.objects, self.records, keep)
        self.transactions = 0
        self.context = Context(WHO, self.new_transaction_id)

    def new_transaction_id(self) -> bytes:
        self.transactions += 1
        return self.transactions.to_bytes(16, "big")

    def target(self, name: bytes) -> Oid:
        root = Root(FILE, len(name), write_blob(self.objects, name))
        return write_commit(self.objects, Commit(root, (), WHO, WHO, name))

    def set(self, name: bytes, value: bytes, kind: str = "set") -> Tip | None:
        new = self.target(value)

        def plan(view: View) -> Plan:
            return Plan([RefEdit(name, view.find(name), new)], kind, (name, value))

        return self.log.commit(MemoryPublisher(self.objects), self.context, plan)

    def refs(self) -> dict[bytes, Oid]:
        tip = self.log.tip()
        return {} if tip is None else dict(tip.view.iter_refs())

    def numbers(self) -> list[int]:
        return [operation.number for _, operation in self.log.iter_chain()]


@pytest.fixture
def vault() -> Vault:
    return Vault()


def test_a_log_without_operations(vault: Vault) -> None:
    assert (vault.log.tip(), list(vault.log.iter_chain()), vault.log.find_in_chain(1, b"x" * 16)) == (None, [], None)


def test_a_commit_is_the_new_tip(vault: Vault) -> None:
    tip = vault.set(b"a", b"1")
    assert tip is not None
    assert tip.operation[:3] == (1, (1).to_bytes(16, "big"), None)
    assert (tip.operation.kind, tip.operation.arguments, tip.operation.who) == ("set", (b"a", b"1"), WHO)
    found = vault.log.tip()
    assert found is not None
    assert (found.record, found.operation, found.view.root) == (tip.record, tip.operation, tip.view.root)
    assert vault.refs() == {b"a": vault.target(b"1")}


def test_the_chain_leads_from_the_newest_to_the_first(vault: Vault) -> None:
    tips = [vault.set(b"a", b"%d" % number) for number in range(3)]
    assert vault.numbers() == [3, 2, 1]
    second = tips[1]
    assert second is not None
    assert [operation.number for _, operation in vault.log.iter_chain(second.record.operation)] == [2, 1]


def test_an_operation_is_found_by_number_and_transaction(vault: Vault) -> None:
    for number in range(5):
        vault.set(b"a", b"%d" % number)
    found = vault.log.find_in_chain(3, (3).to_bytes(16, "big"))
    assert found is not None
    assert found.arguments == (b"a", b"2")
    assert vault.log.find_in_chain(3, (4).to_bytes(16, "big")) is None
    assert vault.log.find_in_chain(6, (3).to_bytes(16, "big")) is None


def test_a_plan_for_nothing_makes_no_operation(vault: Vault) -> None:
    assert vault.log.commit(MemoryPublisher(vault.objects), vault.context, lambda view: None) is None
    assert vault.log.tip() is None


def test_a_plan_that_changes_nothing_makes_no_operation(vault: Vault) -> None:
    vault.set(b"a", b"1")
    assert vault.set(b"a", b"1") is None
    assert vault.numbers() == [1]


def test_the_first_operation_may_be_empty(vault: Vault) -> None:
    """A new vault records that it was made."""
    tip = vault.log.commit(MemoryPublisher(vault.objects), vault.context, lambda view: Plan([], "init"))
    assert tip is not None
    assert (tip.operation.number, list(tip.view.iter_refs())) == (1, [])


def test_an_error_in_the_plan_leaves_no_trace(vault: Vault) -> None:
    vault.set(b"a", b"1")
    wrong = RefEdit(b"a", None, vault.target(b"2"))
    with pytest.raises(StaleError):
        vault.log.commit(MemoryPublisher(vault.objects), vault.context, lambda view: Plan([wrong], "set"))
    assert vault.numbers() == [1]
    assert vault.records.list_numbers() == [1]


def test_the_record_is_prepared_when_all_is_published_but_not_yet_created(vault: Vault) -> None:
    prepared: list[Record] = []

    def prepare(record: Record) -> None:
        assert record.operation in vault.objects
        assert vault.records.list_numbers() == []
        prepared.append(record)

    plan = Plan([RefEdit(b"a", None, vault.target(b"1"))], "set")
    tip = vault.log.commit(MemoryPublisher(vault.objects), vault.context, lambda view: plan, prepare)
    assert tip is not None
    assert prepared == [tip.record]


def test_a_loser_plans_again_on_the_view_of_the_winner(vault: Vault) -> None:
    views: list[dict[bytes, Oid]] = []
    prepared: list[Record] = []

    def plan(view: View) -> Plan:
        views.append(dict(view.iter_refs()))
        if len(views) == 1:
            vault.set(b"other", b"1")
        return Plan([RefEdit(b"mine", None, vault.target(b"2"))], "set")

    tip = vault.log.commit(MemoryPublisher(vault.objects), vault.context, plan, prepared.append)
    assert tip is not None
    assert views == [{}, {b"other": vault.target(b"1")}]
    assert [record.number for record in prepared] == [1, 2]
    assert prepared[0].transaction != prepared[1].transaction
    assert tip.record == prepared[1]
    assert sorted(vault.refs()) == [b"mine", b"other"]
    assert vault.numbers() == [2, 1]


def test_a_loser_whose_change_is_already_there_makes_no_operation(vault: Vault) -> None:
    views: list[View] = []

    def plan(view: View) -> Plan:
        views.append(view)
        if len(views) == 1:
            vault.set(b"a", b"1")
        return Plan([RefEdit(b"a", view.find(b"a"), vault.target(b"1"))], "set")

    assert vault.log.commit(MemoryPublisher(vault.objects), vault.context, plan) is None
    assert vault.numbers() == [1]


def test_a_loser_whose_ref_has_moved_is_stale(vault: Vault) -> None:
    edit = RefEdit(b"a", None, vault.target(b"2"))
    called: list[View] = []

    def plan(view: View) -> Plan:
        if not called:
            vault.set(b"a", b"1")
        called.append(view)
        return Plan([edit], "set")

    with pytest.raises(StaleError):
        vault.log.commit(MemoryPublisher(vault.objects), vault.context, plan)
    assert (vault.numbers(), vault.refs()) == ([1], {b"a": vault.target(b"1")})


class UnclearRecords(MemoryRecords):
    """Loses answers: of a creation that was applied ("reply") or was not ("request")."""

    def __init__(self, lost: Iterable[str]) -> None:
        super().__init__()
        self.lost = list(lost)

    def create(self, record: Record) -> bool:
        lost = self.lost.pop(0) if self.lost else ""
        created = lost != "request" and super().create(record)
        if lost:
            raise UnclearError
        return created


@pytest.mark.parametrize("lost", [["reply"], ["request"], ["request", "reply"], ["request"] * 3 + ["reply"]])
def test_an_unclear_answer_is_looked_up(lost: list[str]) -> None:
    vault = Vault(UnclearRecords(lost))
    first, second = vault.set(b"a", b"1"), vault.set(b"b", b"2")
    assert first is not None
    assert second is not None
    assert (first.record.number, second.record.number) == (1, 2)
    assert vault.numbers() == [2, 1]


def test_an_undecided_attempt_is_not_planned_again() -> None:
    """Its creation may still land, and whoever was prepared for it must not have been told of another one since."""
    vault = Vault(UnclearRecords(["request", "request"]))
    prepared: list[Record] = []
    plan = Plan([RefEdit(b"a", None, vault.target(b"1"))], "set")
    tip = vault.log.commit(MemoryPublisher(vault.objects), vault.context, lambda view: plan, prepared.append)
    assert tip is not None
    assert prepared == [tip.record]


def test_old_records_are_dropped_and_the_chain_stays() -> None:
    vault = Vault(keep=4)
    for number in range(10):
        vault.set(b"a", b"%d" % number)
    standing = vault.records.list_numbers()
    assert set(range(7, 11)) <= set(standing)
    assert len(standing) < 8
    assert vault.numbers() == list(range(10, 0, -1))
    assert vault.log.find_in_chain(1, (1).to_bytes(16, "big")) is not None


def test_a_record_that_does_not_belong_to_its_operation_is_damage(vault: Vault) -> None:
    tip = vault.set(b"a", b"1")
    assert tip is not None
    vault.records.drop(1)
    vault.records.create(tip.record._replace(transaction=b"x" * 16))
    with pytest.raises(DamageError, match="operation record 1: the record does not belong to its operation"):
        vault.log.tip()


def test_a_record_whose_operation_is_missing_is_an_error(vault: Vault) -> None:
    vault.records.create(Record(1, b"x" * 16, Oid(b"?" * 32)))
    with pytest.raises(MissingObjectError):
        vault.log.tip()


def test_a_chain_that_leaves_out_a_number_is_damage(vault: Vault) -> None:
    """Whoever walks the chain would count an operation as lost that was there."""
    first = vault.set(b"a", b"1")
    assert first is not None
    gap = first.operation._replace(number=3, transaction=b"x" * 16, parent=first.record.operation)
    vault.records.create(Record(3, b"x" * 16, write_commit(vault.objects, operation_commit(gap))))
    with pytest.raises(DamageError):
        vault.numbers()
