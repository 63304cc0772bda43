"""The layout of a commit graph: what walks ask of many commits, in columns; all numbers are little-endian.

    header     magic "CASVGRPH" | version u16 | zero u16 | commits n u32 | numbers of further parents m u32 | zero u32
               | owner 32 bytes
    fanout     256 × u32
    columns    date i64 × (n + 1), then u32 × (n + 1) each: first parent | second parent | generation
               | nearest dominator | depth | jump
    order      n × u32: positions by ascending id
    further    m × u32: for a commit of three and more parents their number without the first, then these
    ids        n × 32 bytes, by position
    trailer    BLAKE3 of all before it, 32 bytes

Commits have positions from 1, parents before their children. 0 stands for none, and row 0 of each column is zero. A
second parent of 2^31 and more says where in the further parents the commit's list begins.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.oid import ID_SIZE, Oid, trusted_oid

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator, Sequence

    Column: TypeAlias = "memoryview[int] | array[int]"

VERSION = 1
MAGIC = b"CASVGRPH"
HEADER = struct.Struct("<8sHHIII32s")
FANOUT = struct.Struct("<256I")
SUM_SIZE = 32
MANY = 1 << 31
"""A second parent that is so large is an offset, with this added."""


class Columns(NamedTuple):
    """What a graph says of its commits. A commit is a position; the i-th item of a column belongs to position i."""

    dates: Column
    """Of the committers, in seconds since 1970."""
    first: Column
    second: Column
    generation: Column
    dominator: Column
    """The nearest, see `casvault.graph.dominance`; so are depth and jump."""
    depth: Column
    jump: Column
    further: Column
    ids: bytes | bytearray | memoryview
    """32 bytes for each commit, from position 1."""

    @classmethod
    def empty(cls) -> Columns:
        """Columns of no commits, to be added to."""
        return cls._make((array("q", [0]), *(array("I", [0]) for _ in range(6)), array("I"), bytearray()))

    def copy(self) -> Columns:
        """The same, to be added to."""
        dates, *columns, ids = self
        copied = (array("I", bytes(column)) for column in columns)
        return Columns._make((array("q", bytes(dates)), *copied, bytearray(ids)))

    @property
    def commits(self) -> int:
        """How many there are."""
        return len(self.generation) - 1

    def append(
        self, oid: Oid, seconds: int, parents: Sequence[int], generation: int, dominator: int, depth: int, jump: int
    ) -> None:
        """Add a commit at the next position; only to columns that `empty` or `copy` made."""
        first, second = (*parents, 0, 0)[:2]
        further = self.further
        if len(parents) > 2:
            second = MANY + len(further)
            assert isinstance(further, array)
            further.extend((len(parents) - 1, *parents[1:]))
        for column, number in zip(self, (seconds, first, second, generation, dominator, depth, jump), strict=False):
            assert isinstance(column, array)
            column.append(number)
        assert isinstance(self.ids, bytearray)
        self.ids.extend(oid)

    def id_of(self, position: int) -> Oid:
        return trusted_oid(bytes(self.ids[ID_SIZE * position - ID_SIZE : ID_SIZE * position]))

    def parents_of(self, position: int) -> Sequence[int]:
        first, second = self.first[position], self.second[position]
        if not second:
            return (first,) if first else ()
        if second < MANY:
            return (first, second)
        start = second - MANY + 1
        return (first, *self.further[start : start + self.further[start - 1]])


class Lookup:
    """Positions by id, found where they lie."""

    def __init__(self, columns: Columns, fanout: Sequence[int], order: Column) -> None:
        self._id_of = columns.id_of
        self._fanout = fanout
        self._order = order

    def find(self, oid: Oid) -> int:
        """The position; 0 if the commit is not there."""
        first = oid[0]
        low = self._fanout[first - 1] if first else 0
        high = self._fanout[first]
        found = bisect_left(self._order, oid, low, high, key=self._id_of)
        if found < high and self._id_of(self._order[found]) == oid:
            return self._order[found]
        return 0


class Graph(NamedTuple):
    columns: Columns
    lookup: Lookup


def encode_graph(columns: Columns, owner: bytes) -> Iterator[bytes]:
    """The bytes of a graph, in pieces; `owner` has 32 bytes."""
    hasher = blake3()
    for piece in _pieces(columns, owner):
        hasher.update(piece)
        yield piece
    yield hasher.digest()


def _pieces(columns: Columns, owner: bytes) -> Iterator[bytes]:
    dates, *numbers, further, ids = columns
    yield HEADER.pack(MAGIC, VERSION, 0, columns.commits, len(further), 0, owner)
    counts = [0] * 256
    for byte in bytes(ids[::ID_SIZE]):
        counts[byte] += 1
    yield FANOUT.pack(*accumulate(counts))
    for column in (dates, *numbers):
        yield _swapped(array(column.typecode if isinstance(column, array) else column.format, bytes(column)))
    yield _swapped(array("I", sorted(range(1, columns.commits + 1), key=columns.id_of)))
    yield _swapped(array("I", bytes(further)))
    yield bytes(ids)


def decode_graph(data: bytes | mmap.mmap, owner: bytes) -> Graph:
    """The graph in these bytes, which are not copied.

    MalformedError where they are no graph of this owner, UnsupportedError for a later version. A graph can be made
    again, so its readers do without it then.
    """
    commits, further = _check_header(data, owner)
    view = memoryview(data)
    fanout = FANOUT.unpack_from(data, HEADER.size)
    start = HEADER.size + FANOUT.size
    columns = []
    for kind, count in (("q", commits + 1), *[("I", commits + 1)] * 6, ("I", commits), ("I", further)):
        size = array(kind).itemsize * count
        columns.append(_column(view[start : start + size], kind))
        start += size
    *rows, order, more = columns
    if fanout[-1] != commits or list(fanout) != sorted(fanout):
        raise MalformedError("commit graph: the fanout does not match the ids")
    if any(column[0] for column in rows):
        raise MalformedError("commit graph: row 0 is not zero")
    found = Columns._make((*rows, more, view[start : start + ID_SIZE * commits]))
    return Graph(found, Lookup(found, fanout, order))


def _check_header(data: bytes | mmap.mmap, owner: bytes) -> tuple[int, int]:
    """The numbers of commits and of further parents."""
    if len(data) < HEADER.size + SUM_SIZE:
        raise MalformedError(f"commit graph: {len(data)} bytes are too few")
    magic, version, zero, commits, further, reserved, found = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise MalformedError("commit graph: the magic number is wrong")
    if version != VERSION:
        raise UnsupportedError(f"commit graph: version {version}", remedy="use a later version of casvault")
    if blake3(memoryview(data)[:-SUM_SIZE]).digest() != data[-SUM_SIZE:]:
        raise MalformedError("commit graph: the checksum is wrong")
    if zero or reserved:
        raise MalformedError("commit graph: the reserved bytes are not zero")
    if found != owner:
        raise MalformedError("commit graph: it belongs to another vault")
    size = HEADER.size + FANOUT.size + 32 * (commits + 1) + (4 + ID_SIZE) * commits + 4 * further + SUM_SIZE
    if len(data) != size:
        raise MalformedError(f"commit graph: {len(data)} bytes, where {commits} commits take {size}")
    return commits, further


def _column(view: memoryview, kind: str) -> Column:
    """A column where it lies; copied on a machine whose numbers are the other way round."""
    if sys.byteorder == "little":
        return view.cast(kind)  # type: ignore[call-overload, no-any-return]
    column = array(kind, bytes(view))
    column.byteswap()
    return column


def _swapped(column: array[int]) -> bytes:
    """The bytes of a column that nobody needs any more."""
    if sys.byteorder != "little":
        column.byteswap()
    return column.tobytes()
