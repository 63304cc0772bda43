"""Operations as commits: a round trip, and one case for each rule of the reader."""

from __future__ import annotations

import pytest

from casvault.errors import MalformedError
from casvault.objects import TREE, Commit, Field, Root, Signature
from casvault.oid import Oid
from casvault.refs import Operation, operation_commit, parse_operation
from casvault.refs.operation import chain_link
from casvault.refs.winning import ChainLink

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0130")
VIEW = Root(TREE, 0, Oid(b"v" * 32))
PARENT = Oid(b"p" * 32)
TRANSACTION = b"0123456789abcdef"
FIRST = Operation(1, TRANSACTION, None, VIEW, WHO, "init", (), b"")
FIELDS = ((b"undoes", b"7"), (b"undoes", b""))
SECOND = Operation(2, TRANSACTION, PARENT, VIEW, WHO, "move", (b"a \xff", b"", b"a \xff"), b"why\n", FIELDS)


@pytest.mark.parametrize("operation", [FIRST, SECOND, SECOND._replace(number=10**15, kind="ümläut")])
def test_an_operation_comes_back_from_its_commit(operation: Operation) -> None:
    assert parse_operation(operation_commit(operation)) == operation


def test_an_operation_is_an_ordinary_commit() -> None:
    commit = operation_commit(SECOND)
    assert (commit.root, commit.parents, commit.author, commit.committer) == (VIEW, (PARENT,), WHO, WHO)
    assert commit.field(b"number") == b"2"


def test_a_field_is_found_by_its_first_value() -> None:
    assert (SECOND.field(b"undoes"), SECOND.field(b"other")) == (b"7", None)


def test_the_chain_link_of_an_operation() -> None:
    assert chain_link(SECOND) == ChainLink(2, TRANSACTION, PARENT)


def changed(key: bytes, value: bytes | None) -> Commit:
    """The commit of the second operation with one field changed or left out."""
    commit = operation_commit(SECOND)
    fields: list[Field] = [field for field in commit.fields if field[0] != key]
    return commit._replace(fields=tuple(fields if value is None else [(key, value), *fields]))


@pytest.mark.parametrize("number", [None, b"", b"-2", b"+2", b"02", b" 2", b"2x", "٢".encode()])
def test_a_number_that_is_none_is_refused(number: bytes | None) -> None:
    with pytest.raises(MalformedError, match="operation: it has no number"):
        parse_operation(changed(b"number", number))


@pytest.mark.parametrize("transaction", [None, b"", TRANSACTION[:-1], TRANSACTION + b"g"])
def test_a_wrong_transaction_id_is_refused(transaction: bytes | None) -> None:
    with pytest.raises(MalformedError, match="operation 2: it has no transaction id of 16 bytes"):
        parse_operation(changed(b"transaction", transaction))


def test_an_operation_without_kind_is_refused() -> None:
    with pytest.raises(MalformedError, match="operation 2: no kind"):
        parse_operation(changed(b"kind", None))


@pytest.mark.parametrize("parents", [(), (PARENT, PARENT)])
def test_a_later_operation_has_one_parent(parents: tuple[Oid, ...]) -> None:
    with pytest.raises(MalformedError, match=r"operation 2: .*wrong number of parents"):
        parse_operation(operation_commit(SECOND)._replace(parents=parents))


def test_the_first_operation_has_no_parent() -> None:
    with pytest.raises(MalformedError, match=r"operation 1: .*wrong number of parents"):
        parse_operation(changed(b"number", b"1"))


def test_there_is_no_operation_zero() -> None:
    commit = operation_commit(FIRST)
    fields = ((b"number", b"0"), *commit.fields[1:])
    with pytest.raises(MalformedError):
        parse_operation(commit._replace(fields=fields))


@pytest.mark.parametrize(("key", "value"), [(b"number", b"2"), (b"transaction", TRANSACTION), (b"kind", b"move")])
def test_a_field_that_stands_twice_is_refused(key: bytes, value: bytes) -> None:
    """Two readers could each believe another one of them."""
    commit = operation_commit(SECOND)
    with pytest.raises(MalformedError):
        parse_operation(commit._replace(fields=(*commit.fields, (key, value))))


def test_a_kind_that_is_not_text_is_refused() -> None:
    """It would not come back as it was, so the operation would get another id."""
    with pytest.raises(MalformedError):
        parse_operation(changed(b"kind", b"\xff"))
