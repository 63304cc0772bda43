"""The layout of a pack file; all numbers are little-endian.

    header    magic "CASVPACK" | version u16 | zero u16 | features u32
    entries   kind u8 | encoding u8 | zero u16 | stored size u64 | raw size u64 | stored bytes …
    index     fanout 256 × u32 | ids n × 32 bytes, sorted | offsets n × u64
    trailer   index offset u64 | n u64 | BLAKE3 of [0, index offset) | BLAKE3 of the index | check 16 bytes | "CASVPEND"

The check is the first 16 bytes of BLAKE3 over the trailer up to it. Pure functions over bytes-like buffers; nothing
here opens a file.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from enum import IntEnum
from itertools import accumulate, pairwise
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.objects import Kind
from casvault.oid import ID_SIZE, Oid, trusted_oid

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator, Sequence

    Buffer = bytes | memoryview | mmap.mmap

VERSION = 1
HEADER = struct.Struct("<8sHHI")
ENTRY = struct.Struct("<BBHQQ")
TRAILER = struct.Struct("<QQ32s32s16s8s")
FANOUT = struct.Struct("<256I")
OFFSET = struct.Struct("<Q")
MAGIC = b"CASVPACK"
END_MAGIC = b"CASVPEND"
CHECK_SIZE = 16
_CHECKED = TRAILER.size - CHECK_SIZE - len(END_MAGIC)


class Encoding(IntEnum):
    """How the stored bytes give the object's bytes."""

    RAW = 0
    ZSTD = 1
    """One zstd frame."""
    ZSTD_DICT = 2
    """The id of a blob in this pack, then a zstd frame with that blob as dictionary."""
    PATCH = 3
    """The id of an object in this pack, then a zstd frame with that object's bytes as raw-content dictionary."""
    CHUNKS = 4
    """n × (id of a blob, size u64): the blob is their concatenation; they may lie in any pack."""


# Plain dicts: calling an enum costs more than all the rest of reading a header.
_KINDS = {int(kind): kind for kind in Kind}
_ENCODINGS = {int(encoding): encoding for encoding in Encoding}


class EntryHeader(NamedTuple):
    kind: Kind
    encoding: Encoding
    stored: int
    raw: int


class Trailer(NamedTuple):
    index_offset: int
    objects: int
    entries_sum: bytes
    index_sum: bytes


def encode_header() -> bytes:
    return HEADER.pack(MAGIC, VERSION, 0, 0)


def check_header(data: Buffer, name: str) -> None:
    """Raise MalformedError unless a pack begins here, UnsupportedError if a later version wrote it."""
    if len(data) < HEADER.size + FANOUT.size + TRAILER.size:
        raise MalformedError(f"a pack of {len(data)} bytes is truncated", place=name)
    magic, version, zero, features = HEADER.unpack_from(data, 0)
    if magic != MAGIC:
        raise MalformedError("not a pack: the magic number is wrong", place=name)
    if version != VERSION or features:
        raise UnsupportedError(
            f"pack version {version}, features {features:#x}", place=name, remedy="use a later version of casvault"
        )
    if zero:
        raise MalformedError("the reserved bytes of the header are not zero", place=name)


def encode_entry_header(kind: Kind, encoding: Encoding, stored: int, raw: int) -> bytes:
    return ENTRY.pack(kind, encoding, 0, stored, raw)


def decode_entry_header(data: Buffer, offset: int, end: int, name: str) -> EntryHeader:
    """The header of the entry at `offset`, whose stored bytes must end before `end`."""
    if not HEADER.size <= offset <= end - ENTRY.size:
        raise MalformedError(f"no entry can begin at byte {offset}", place=name)
    number, code, zero, stored, raw = ENTRY.unpack_from(data, offset)
    kind, encoding = _KINDS.get(number), _ENCODINGS.get(code)
    if kind is None:
        raise MalformedError(f"unknown kind {number} of the entry at byte {offset}", place=name)
    if encoding is None:
        raise MalformedError(f"unknown encoding {code} of the entry at byte {offset}", place=name)
    if zero:
        raise MalformedError(f"the reserved bytes of the entry at byte {offset} are not zero", place=name)
    if stored > end - offset - ENTRY.size:
        raise MalformedError(f"the entry at byte {offset} runs over the end of the entries", place=name)
    if encoding is Encoding.RAW and stored != raw:
        raise MalformedError(f"the raw entry at byte {offset} has two sizes", place=name)
    return EntryHeader(kind, encoding, stored, raw)


def iter_entries(data: Buffer, end: int, name: str) -> Iterator[tuple[int, EntryHeader]]:
    """Offset and header of each entry, by forward scan: what a lost index is rebuilt from."""
    offset = HEADER.size
    while offset < end:
        header = decode_entry_header(data, offset, end, name)
        yield offset, header
        offset += ENTRY.size + header.stored


def encode_index(entries: Sequence[tuple[Oid, int]]) -> bytes:
    """The index of entries sorted by id, each with its offset."""
    counts = [0] * 256
    for oid, _ in entries:
        counts[oid[0]] += 1
    ids = b"".join(oid for oid, _ in entries)
    return FANOUT.pack(*accumulate(counts)) + ids + struct.pack(f"<{len(entries)}Q", *(offset for _, offset in entries))


def encode_trailer(trailer: Trailer) -> bytes:
    packed = TRAILER.pack(*trailer, b"", END_MAGIC)[:_CHECKED]
    return packed + blake3(packed).digest(CHECK_SIZE) + END_MAGIC


def decode_trailer(data: Buffer, name: str) -> Trailer:
    """The trailer at the end of the pack; MalformedError where it is not what it must be."""
    start = len(data) - TRAILER.size
    *fields, check, magic = TRAILER.unpack_from(data, start)
    if magic != END_MAGIC:
        raise MalformedError("the pack has no trailer: it is truncated", place=name)
    if blake3(bytes(data[start : start + _CHECKED])).digest(CHECK_SIZE) != check:
        raise MalformedError("the trailer's checksum is wrong", place=name)
    trailer = Trailer(*fields)
    if (
        trailer.index_offset < HEADER.size
        or trailer.index_offset + FANOUT.size + trailer.objects * (ID_SIZE + OFFSET.size) != start
    ):
        raise MalformedError("the trailer does not match the pack's size", place=name)
    return trailer


class Index:
    """The index of a pack, looked up where it lies: nothing is copied out of the buffer until it is asked for."""

    def __init__(self, data: Buffer, trailer: Trailer, name: str) -> None:
        self._data = data
        self._name = name
        self.count = trailer.objects
        self._fanout = FANOUT.unpack_from(data, trailer.index_offset)
        self._ids = trailer.index_offset + FANOUT.size
        self._offsets = self._ids + ID_SIZE * trailer.objects
        # Two standard deviations of where an id is among those that begin alike; a few more, for those that begin so.
        self._spread = isqrt(trailer.objects >> 8) + 4
        if self._fanout[-1] != trailer.objects or list(self._fanout) != sorted(self._fanout):
            raise MalformedError("the fanout does not match the index", place=name)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, position: int) -> bytes:
        start = self._ids + ID_SIZE * position
        return bytes(self._data[start : start + ID_SIZE])

    def find(self, oid: Oid) -> int | None:
        """The offset of the object's entry."""
        first = oid[0]
        low = self._fanout[first - 1] if first else 0
        high = self._fanout[first]
        # Ids are evenly spread: the next bytes say about where, and a short search in C is all that it takes, nearly
        # always. An id that is not there, or not near, is looked for step by step.
        guess = low + ((high - low) * int.from_bytes(oid[1:5]) >> 32)
        near, far = max(low, guess - self._spread), min(high, guess + self._spread)
        found = bytes(self._data[self._ids + ID_SIZE * near : self._ids + ID_SIZE * far]).find(oid)
        if found >= 0 and not found % ID_SIZE:
            return self.offset(near + found // ID_SIZE)
        position = bisect_left(self, oid, low, high)
        if position == high or self[position] != oid:
            return None
        return self.offset(position)

    def iter_prefix(self, prefix: str) -> Iterator[Oid]:
        """The ids that begin with these hex digits, sorted."""
        low = bytes.fromhex(prefix.ljust(2 * ID_SIZE, "0"))
        for position in range(bisect_left(self, low), self.count):
            oid = trusted_oid(self[position])
            if not oid.hex().startswith(prefix):
                return
            yield oid

    def offset(self, position: int) -> int:
        found: int = OFFSET.unpack_from(self._data, self._offsets + OFFSET.size * position)[0]
        return found

    def check_order(self) -> None:
        """Raise MalformedError unless the ids ascend and the fanout counts them: a lookup would miss some."""
        ids = [oid for oid, _ in self.items()]
        counts = [0] * 256
        for oid in ids:
            counts[oid[0]] += 1
        if any(before >= after for before, after in pairwise(ids)):
            raise MalformedError("the ids of the index are not in order", place=self._name)
        if list(accumulate(counts)) != list(self._fanout):
            raise MalformedError("the fanout does not match the index", place=self._name)

    def iter_ids(self) -> Iterator[Oid]:
        """All ids, sorted."""
        return (oid for oid, _ in self.items())

    def items(self) -> list[tuple[Oid, int]]:
        """Ids, sorted, with their offsets."""
        raw = bytes(self._data[self._ids : self._offsets])
        offsets = struct.unpack_from(f"<{self.count}Q", self._data, self._offsets)
        ids = [trusted_oid(raw[start : start + ID_SIZE]) for start in range(0, len(raw), ID_SIZE)]
        return list(zip(ids, offsets, strict=True))
