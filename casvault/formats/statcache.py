"""The layout of a stat cache: what a scan found in each directory; all numbers are little-endian.

    header     magic "CASVSTAT" | version u16 | zero u16 | directories u32 | owner 32 bytes
    directory  path length u32 | names length u32 | subdirectories length u32 | files u32 | flags u32
               | tree size u64 | tree id 32 bytes
               | path | names | subdirectories | files × stat | files × id 32 bytes | files × held u8
    trailer    BLAKE3 of all before it, 32 bytes

Names and subdirectories are sorted and joined by NUL. A stat is mode u32, size u64, mtime i64, ctime i64 (nanoseconds
since 1970), inode u64. Directory flags: 1, the tree is known (else its size and id are zero); 2, the tree was in the
vault (only with 1); 4, no name there is one that some built-in rule concerns. The columns of a directory are compared
whole with what the file system says now, so that an unchanged directory costs two comparisons, however many files it
has.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.objects import TREE, Root
from casvault.oid import ID_SIZE, trusted_oid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = 1
MAGIC = b"CASVSTAT"
OWNER_SIZE = 32
SUM_SIZE = 32
HEADER = struct.Struct("<8sHHI32s")
DIRECTORY = struct.Struct("<IIIIIQ32s")
STAT = struct.Struct("<IQqqQ")
"""Mode, size, mtime and ctime in nanoseconds, inode."""
UNTRUSTED = bytes(STAT.size)
"""The stat of an entry that must be read again: no file has the mode 0."""

_TREE_KNOWN = 1
_TREE_HELD = 2
_ORDINARY = 4


class Directory(NamedTuple):
    """What a scan found in one directory, in columns: the i-th name has the i-th stat, id and held flag."""

    names: bytes
    """Of everything that is not a directory; sorted, joined by NUL."""
    directories: bytes
    """Of the subdirectories; sorted, joined by NUL."""
    stats: bytes
    ids: bytes
    held: bytes
    """1 for a file whose blob was in the vault, else 0."""
    tree: Root | None = None
    """The whole directory as a tree, if a scan made one."""
    tree_held: bool = False
    """The tree, with everything below it, was in the vault."""
    ordinary: bool = False
    """None of the names found there, taken or not, is one that some built-in rule concerns."""


def encode_cache(owner: bytes, directories: Mapping[bytes, Directory]) -> Iterator[bytes]:
    """The bytes of a cache, in pieces; `directories` is keyed by path, `owner` has 32 bytes."""
    hasher = blake3()
    header = HEADER.pack(MAGIC, VERSION, 0, len(directories), owner)
    hasher.update(header)
    yield header
    for path, directory in directories.items():
        piece = _encode_directory(path, directory)
        hasher.update(piece)
        yield piece
    yield hasher.digest()


def _encode_directory(path: bytes, directory: Directory) -> bytes:
    names, subdirectories, stats, ids, held, tree, tree_held, ordinary = directory
    flags = (0 if tree is None else _TREE_KNOWN) | (_TREE_HELD if tree_held else 0) | (_ORDINARY if ordinary else 0)
    size, oid = (0, bytes(ID_SIZE)) if tree is None else tree[1:]
    head = DIRECTORY.pack(len(path), len(names), len(subdirectories), len(held), flags, size, oid)
    return b"".join((head, path, names, subdirectories, stats, ids, held))


def decode_cache(data: bytes, owner: bytes) -> dict[bytes, Directory]:
    """The directories of a cache by path.

    MalformedError where the bytes are no cache of this owner, UnsupportedError for a later version. A cache can be made
    again, so its readers start with an empty one then.
    """
    count = _check_header(data, owner)
    end = len(data) - SUM_SIZE
    offset = HEADER.size
    directories: dict[bytes, Directory] = {}
    for _ in range(count):
        path, directory, offset = _decode_directory(data, offset, end)
        directories[path] = directory
    if offset != end:
        raise MalformedError(f"stat cache: {end - offset} bytes behind the last directory")
    if len(directories) != count:
        raise MalformedError("stat cache: a directory stands twice")
    return directories


def _check_header(data: bytes, owner: bytes) -> int:
    """The number of directories."""
    if len(data) < HEADER.size + SUM_SIZE:
        raise MalformedError(f"stat cache: {len(data)} bytes are too few")
    magic, version, zero, count, found = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise MalformedError("stat cache: the magic number is wrong")
    if version != VERSION:
        raise UnsupportedError(f"stat cache: version {version}", remedy="use a later version of casvault")
    if blake3(memoryview(data)[:-SUM_SIZE]).digest() != data[-SUM_SIZE:]:
        raise MalformedError("stat cache: the checksum is wrong")
    if zero:
        raise MalformedError("stat cache: the reserved bytes are not zero")
    if found != owner:
        raise MalformedError("stat cache: it belongs to another vault or epoch")
    return int(count)


def _decode_directory(data: bytes, offset: int, end: int) -> tuple[bytes, Directory, int]:
    if offset + DIRECTORY.size > end:
        raise MalformedError(f"stat cache: truncated at byte {end}")
    *lengths, count, flags, size, raw = DIRECTORY.unpack_from(data, offset)
    if flags > _ORDINARY + _TREE_HELD + _TREE_KNOWN or flags & (_TREE_KNOWN | _TREE_HELD) == _TREE_HELD:
        raise MalformedError(f"stat cache: unknown flags {flags:#x} at byte {offset}")
    columns = []
    start = offset + DIRECTORY.size
    for length in (*lengths, STAT.size * count, ID_SIZE * count, count):
        columns.append(data[start : start + length])
        start += length
    if start > end:
        raise MalformedError(f"stat cache: truncated at byte {end}")
    path, names, subdirectories, stats, ids, held = columns
    if names.count(b"\0") != max(count - 1, 0) or (names and not count):
        raise MalformedError(f"stat cache: {count} files have other names at byte {offset}")
    tree = Root(TREE, size, trusted_oid(raw)) if flags & _TREE_KNOWN else None
    directory = Directory(
        names, subdirectories, stats, ids, held, tree, bool(flags & _TREE_HELD), bool(flags & _ORDINARY)
    )
    return path, directory, start
