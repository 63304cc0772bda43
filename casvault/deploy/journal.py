"""The journal: what is about to be written into a directory, durable before the operation record is created.

A journal whose transaction is not in the operation chain describes nothing that happened, and is deleted. One whose
transaction is there must be finished or taken back before anything else is done with the directory.

    journal = [1, transaction id, number, ref, marker, [[path, old, new], …], previous, follow]
    old, new = [mode, size, id] or nil
    marker = the id that the directory's marker takes, or nil
    previous = the journal that this one replaces, whole, or nil; it stands again if this one describes nothing
    follow = 1 if the paths themselves may be symlinks and are written through, else 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from casvault.artifacts.draft import FileWrite
from casvault.errors import MalformedError, UnsupportedError
from casvault.files import find_file, remove_file, write_file
from casvault.formats.record import TRANSACTION_ID_SIZE
from casvault.objects import ROOT_MODES, Root
from casvault.objects.canonical import decode, encode
from casvault.oid import Oid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from casvault.refs import OperationLog

JOURNAL = ".casvault-journal"
VERSION = 1


class Journal(NamedTuple):
    transaction: bytes
    number: int
    """Of the operation that the writes belong to."""
    ref: bytes
    marker: Oid | None
    writes: tuple[FileWrite, ...]
    previous: bytes | None = None
    follow: bool = False


def encode_writes(writes: Iterable[FileWrite]) -> list[Any]:
    return [[write.path, write.old, write.new] for write in writes]


def decode_writes(value: object) -> tuple[FileWrite, ...]:
    """ValueError or TypeError for what is not a list of writes."""
    if not isinstance(value, list):
        raise TypeError("the writes are not a list")
    if not all(isinstance(path, bytes) for path, _, _ in value):
        raise TypeError("a path is not a binary string")
    return tuple(FileWrite(path, _decode_state(old), _decode_state(new)) for path, old, new in value)


def _decode_state(value: list[Any] | None) -> Root | None:
    if value is None:
        return None
    mode, size, raw = value
    if mode not in ROOT_MODES or type(size) is not int:
        raise ValueError("a wrong mode or size")
    return Root(mode, size, Oid(raw))


def write_journal(directory: Path, journal: Journal) -> None:
    value = [
        VERSION,
        journal.transaction,
        journal.number,
        journal.ref,
        journal.marker,
        encode_writes(journal.writes),
        journal.previous,
        int(journal.follow),
    ]
    write_file(directory / JOURNAL, encode(value))


def read_journal(directory: Path) -> Journal | None:
    """The journal that stands in a directory; None where nothing was cut off."""
    path = directory / JOURNAL
    data = find_file(path)
    if data is None:
        return None
    value = decode(data, str(path))
    if value and value[0] != VERSION:
        raise UnsupportedError(f"journal version {value[0]}", place=str(path), remedy="use a later casvault")
    try:
        _, transaction, number, ref, marker, writes, previous, follow = value
        if [type(part) for part in value[1:4]] != [bytes, int, bytes] or len(transaction) != TRANSACTION_ID_SIZE:
            raise ValueError("a wrong transaction id, number or ref")
        if type(follow) is not int or follow not in (0, 1):
            raise ValueError("follow is neither 0 nor 1")
        taken = None if marker is None else Oid(marker)
        journal = Journal(transaction, number, ref, taken, decode_writes(writes), previous, bool(follow))
    except (ValueError, TypeError) as error:
        raise MalformedError(
            f"not a journal: {error}", place=str(path), remedy="move it aside; `casvault status` shows what differs"
        ) from error
    return journal


def is_interrupted(log: OperationLog, directory: Path) -> bool:
    """Whether a recorded operation is cut off here, asked without the lock and without changing anything.

    A journal that replaced another one, whatever has become of it, says that something was cut off before.
    """
    journal = read_journal(directory)
    if journal is None:
        return False
    if log.find_in_chain(journal.number, journal.transaction) is None:
        return journal.previous is not None
    return bool(journal.writes)


def forget_journal(directory: Path) -> None:
    """Take away a journal of something that never happened; the one that it replaced stands again."""
    journal = read_journal(directory)
    if journal is not None and journal.previous is not None:
        write_file(directory / JOURNAL, journal.previous)
    else:
        remove_journal(directory)


def remove_journal(directory: Path) -> None:
    remove_file(directory / JOURNAL)
