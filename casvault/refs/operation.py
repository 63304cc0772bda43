"""Operations: the commits that record each change of the view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError
from casvault.formats.record import TRANSACTION_ID_SIZE
from casvault.objects import Commit
from casvault.refs.winning import ChainLink

if TYPE_CHECKING:
    from casvault.objects import Field, Root, Signature
    from casvault.oid import Oid

NUMBER = b"number"
TRANSACTION = b"transaction"
KIND = b"kind"
ARGUMENT = b"argument"
_NUMBER = re.compile(rb"[1-9][0-9]{0,18}\Z")
_OWN = frozenset({NUMBER, TRANSACTION, KIND, ARGUMENT})


class Operation(NamedTuple):
    """Who changed the view, when, by what; `view` is the tree of all refs afterwards."""

    number: int
    transaction: bytes
    parent: Oid | None
    view: Root
    who: Signature
    kind: str
    """The command: "snapshot", "deploy", …"""
    arguments: tuple[bytes, ...]
    message: bytes
    fields: tuple[Field, ...] = ()
    """What the layers above need to know of it: what it undoes, which files it wrote."""

    def field(self, key: bytes) -> bytes | None:
        return next((value for found, value in self.fields if found == key), None)


def operation_commit(operation: Operation) -> Commit:
    """The commit that stores the operation."""
    own = (
        (NUMBER, b"%d" % operation.number),
        (TRANSACTION, operation.transaction),
        (KIND, operation.kind.encode()),
        *((ARGUMENT, argument) for argument in operation.arguments),
    )
    parents = () if operation.parent is None else (operation.parent,)
    return Commit(
        operation.view, parents, operation.who, operation.who, operation.message, fields=own + operation.fields
    )


def parse_operation(commit: Commit) -> Operation:
    """The operation that a commit stores; MalformedError if it is not one."""
    number, transaction, kind = (_single(commit, key) for key in (NUMBER, TRANSACTION, KIND))
    if number is None or not _NUMBER.match(number):
        raise MalformedError("operation: it has no number")
    if transaction is None or len(transaction) != TRANSACTION_ID_SIZE:
        raise MalformedError(f"operation {int(number)}: it has no transaction id of {TRANSACTION_ID_SIZE} bytes")
    if kind is None or len(commit.parents) > 1 or bool(commit.parents) != (int(number) > 1):
        raise MalformedError(f"operation {int(number)}: no kind, or a wrong number of parents")
    return Operation(
        int(number),
        transaction,
        commit.parents[0] if commit.parents else None,
        commit.root,
        commit.committer,
        _text(kind, int(number)),
        tuple(commit.fields_of(ARGUMENT)),
        commit.message,
        tuple(field for field in commit.fields if field[0] not in _OWN),
    )


def _single(commit: Commit, key: bytes) -> bytes | None:
    values = commit.fields_of(key)
    if len(values) > 1:
        raise MalformedError(f"operation: the field {key.decode()} stands more than once")
    return values[0] if values else None


def _text(kind: bytes, number: int) -> str:
    try:
        return kind.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"operation {number}: the kind is not UTF-8") from error


def chain_link(operation: Operation) -> ChainLink:
    return ChainLink(operation.number, operation.transaction, operation.parent)
