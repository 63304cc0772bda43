"""The operation record: the small file whose creation is the commit point of a transaction.

    magic "CASVOPER" | version u16 | zero u16 | zero u32 | number u64 | transaction id 16 bytes | operation id 32 bytes
    | check 16 bytes

Numbers are little-endian; the check is the first 16 bytes of BLAKE3 over what precedes it. The file's name is the
number as 20 decimal digits.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.oid import Oid

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC = b"CASVOPER"
VERSION = 1
TRANSACTION_ID_SIZE = 16
NAME_DIGITS = 20
CHECK_SIZE = 16
_BODY = struct.Struct("<8sHHIQ16s32s")


class Record(NamedTuple):
    number: int
    transaction: bytes
    """Unique to one attempt at one transaction: 16 random bytes."""
    operation: Oid


def record_name(number: int) -> str:
    return f"{number:0{NAME_DIGITS}d}"


def parse_record_names(names: Iterable[str]) -> list[int]:
    """The numbers that file names state; names that are not those of records are passed over."""
    return [int(name) for name in names if len(name) == NAME_DIGITS and name.isascii() and name.isdigit()]


def encode_record(record: Record) -> bytes:
    body = _BODY.pack(MAGIC, VERSION, 0, 0, record.number, record.transaction, record.operation)
    return body + blake3(body).digest(CHECK_SIZE)


def decode_record(data: bytes, number: int) -> Record:
    """The record with this number; MalformedError where the bytes are not that."""
    place = f"operation record {number}"
    if len(data) != _BODY.size + CHECK_SIZE:
        raise MalformedError(f"{len(data)} bytes instead of {_BODY.size + CHECK_SIZE}", place=place)
    magic, version, zero, zeros, stated, transaction, operation = _BODY.unpack_from(data)
    if magic != MAGIC:
        raise MalformedError("the magic number is wrong", place=place)
    if version != VERSION:
        raise UnsupportedError(f"version {version}", place=place, remedy="use a later version of casvault")
    if blake3(data[: _BODY.size]).digest(CHECK_SIZE) != data[_BODY.size :]:
        raise MalformedError("the checksum is wrong", place=place)
    if zero or zeros:
        raise MalformedError("the reserved bytes are not zero", place=place)
    if stated != number:
        raise MalformedError(f"it says that it is number {stated}", place=place)
    return Record(number, transaction, Oid(operation))
