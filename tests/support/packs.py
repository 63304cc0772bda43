"""Packs put together by hand, so that they can be wrong in any way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import zstandard
from blake3 import blake3

from casvault.formats import pack as layout
from casvault.formats.pack import Encoding
from casvault.objects import Kind, object_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from casvault.oid import Oid


class Forged(NamedTuple):
    """One entry, with whatever sizes it claims."""

    oid: Oid
    encoding: Encoding
    stored: bytes
    raw: int
    kind: Kind = Kind.BLOB


def raw_entry(content: bytes, kind: Kind = Kind.BLOB) -> Forged:
    return Forged(object_id(kind, content), Encoding.RAW, content, len(content), kind)


def zstd_entry(content: bytes, kind: Kind = Kind.BLOB) -> Forged:
    frame = zstandard.ZstdCompressor().compress(content)
    return Forged(object_id(kind, content), Encoding.ZSTD, frame, len(content), kind)


def sizeless_frame(content: bytes) -> bytes:
    """A frame that does not declare the size of its content, as a stream has it."""
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(content) + stream.flush()


def pack_bytes(entries: Sequence[Forged], index: bytes | None = None) -> bytes:
    """A pack of these entries whose checksums are right; `index` replaces the index that belongs to it."""
    data = bytearray(layout.encode_header())
    offsets: list[tuple[Oid, int]] = []
    for entry in entries:
        offsets.append((entry.oid, len(data)))
        data += layout.encode_entry_header(entry.kind, entry.encoding, len(entry.stored), entry.raw)
        data += entry.stored
    if index is None:
        index = layout.encode_index(sorted(offsets))
    objects = (len(index) - layout.FANOUT.size) // 40
    trailer = layout.Trailer(len(data), objects, blake3(data).digest(), blake3(index).digest())
    return bytes(data) + index + layout.encode_trailer(trailer)


def write_pack(directory: Path, entries: Sequence[Forged], name: str = "00.pack") -> Path:
    path = directory / name
    path.write_bytes(pack_bytes(entries))
    return path
