"""The envelope of a change index: a checksum around a database, which says which commits changed which paths.

header     magic "CASVCHNG" | version u16 | zero u16 | commits u32 | owner 32 bytes
image      an SQLite database, as `sqlite3_serialize` gives it
trailer    BLAKE3 of all before it, 32 bytes
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

VERSION = 1
MAGIC = b"CASVCHNG"
HEADER = struct.Struct("<8sHHI32s")
SUM_SIZE = 32


class Image(NamedTuple):
    commits: int
    """How many the database has."""
    database: memoryview


def encode_image(database: bytes, commits: int, owner: bytes) -> Iterator[bytes]:
    """The bytes of a file that holds the database, in pieces; `owner` has 32 bytes."""
    header = HEADER.pack(MAGIC, VERSION, 0, commits, owner)
    yield header
    yield database
    yield blake3(header).update(database).digest()


def decode_image(data: bytes | mmap.mmap, owner: bytes) -> Image:
    """The database in these bytes, which are not copied.

    MalformedError where they are no index of this owner, UnsupportedError for a later version. It can be made again,
    so its readers do without it then.
    """
    if len(data) < HEADER.size + SUM_SIZE:
        raise MalformedError(f"change index: {len(data)} bytes are too few")
    magic, version, zero, commits, found = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise MalformedError("change index: the magic number is wrong")
    if version != VERSION:
        raise UnsupportedError(f"change index: version {version}", remedy="use a later version of casvault")
    view = memoryview(data)
    if blake3(view[:-SUM_SIZE]).digest() != view[-SUM_SIZE:]:
        raise MalformedError("change index: the checksum is wrong")
    if zero:
        raise MalformedError("change index: the reserved bytes are not zero")
    if found != owner:
        raise MalformedError("change index: it belongs to another vault")
    return Image(commits, view[HEADER.size : -SUM_SIZE])
