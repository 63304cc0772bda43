"""Trees: sorted entries, stored as one leaf or as a tree of nodes that split by a rule on the names alone.

    leaf = [0, names, modes, sizes, ids]
    fork = [level, last names, lengths, sizes, ids]        level >= 1; each child is a node of level - 1

Entries are stored in columns, each one string of bytes: the names joined by slashes, the modes as u16, lengths and
sizes as u64, big-endian, and the ids one behind the other. So a column is taken apart by one call in C, and has one
encoding by its nature; and most of a tree is compared and passed over without a value being made of every entry.

A tree of at most `WHOLE_ENTRIES` entries is one leaf. A larger one is cut behind every name for which
`is_boundary(name, 0)` holds; the nodes of level n are listed in forks that are cut behind every node whose last name
satisfies `is_boundary(name, n + 1)`, until one node is left. So the id follows from the entries, whatever the order of
edits that led there, and one change rewrites one node per level.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import compress, count, islice, pairwise, repeat
from operator import lt, not_
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from casvault.errors import MalformedError
from casvault.limits import MAX_NAME, MAX_SIZE
from casvault.objects import canonical
from casvault.objects.modes import ALL_MODES, FOREIGN
from casvault.oid import ID_SIZE, Oid, trusted_oid, trusted_oids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WHOLE_ENTRIES = 64
"""A tree of up to this many entries is one leaf: small directories cost one object."""

LEVEL_BITS = 5
"""2^5 = 32 entries a node, on average."""

MAX_LEVEL = 6
"""CRC-32 has bits for the cuts of six levels; 32^6 entries fit below a fork of the highest."""


class Entry(NamedTuple):
    """One name in a directory.

    `size` is the length of a blob in bytes, the sum over a tree, the size of the root that a link's commit has, and 0
    for a foreign link and a link to a tag. It is a claim: whoever reads the child checks it.
    """

    name: bytes
    mode: int
    size: int
    id: Oid


class Child(NamedTuple):
    """One node below a fork: the last name in it, how many entries, their total size, its id."""

    last: bytes
    length: int
    size: int
    id: Oid


class Leaf(NamedTuple):
    """Entries as columns of equal length; `Leaf.of` makes them from entries."""

    names: tuple[bytes, ...]
    modes: tuple[int, ...]
    sizes: tuple[int, ...]
    joined_ids: bytes

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Leaf:
        if not entries:
            return EMPTY_TREE
        names, modes, sizes, ids = zip(*entries, strict=True)
        return cls(names, modes, sizes, b"".join(ids))

    @property
    def level(self) -> int:
        return 0

    @property
    def ids(self) -> tuple[bytes, ...]:
        """As plain bytes, which equal the `Oid`s that they are."""
        return split_ids(self.joined_ids)

    @property
    def entries(self) -> list[Entry]:
        ids = trusted_oids(self.ids)
        return list(map(_NEW, repeat(Entry), zip(self.names, self.modes, self.sizes, ids, strict=True)))

    def find(self, name: bytes) -> int | None:
        """The position of the entry of this name."""
        position = bisect_left(self.names, name)
        return position if position < len(self.names) and self.names[position] == name else None

    def entry(self, position: int) -> Entry:
        start = position * ID_SIZE
        oid = trusted_oid(self.joined_ids[start : start + ID_SIZE])
        return Entry(self.names[position], self.modes[position], self.sizes[position], oid)

    @property
    def length(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def last(self) -> bytes:
        """The last name; empty only in the empty tree."""
        return self.names[-1] if self.names else b""


class Fork(NamedTuple):
    """Children as columns of equal length; `Fork.of` makes them from children."""

    level: int
    lasts: tuple[bytes, ...]
    """The last name in each child."""
    lengths: tuple[int, ...]
    sizes: tuple[int, ...]
    joined_ids: bytes

    @classmethod
    def of(cls, level: int, children: Sequence[Child]) -> Fork:
        if not children:
            return cls(level, (), (), (), b"")
        lasts, lengths, sizes, ids = zip(*children, strict=True)
        return cls(level, lasts, lengths, sizes, b"".join(ids))

    @property
    def ids(self) -> tuple[bytes, ...]:
        """As plain bytes, which equal the `Oid`s that they are."""
        return split_ids(self.joined_ids)

    @property
    def children(self) -> list[Child]:
        ids = trusted_oids(self.ids)
        return list(map(_NEW, repeat(Child), zip(self.lasts, self.lengths, self.sizes, ids, strict=True)))

    def find(self, name: bytes) -> int | None:
        """The position of the child that has this name, if any has it."""
        position = bisect_left(self.lasts, name)
        return position if position < len(self.lasts) else None

    def child(self, position: int) -> Child:
        start = position * ID_SIZE
        oid = trusted_oid(self.joined_ids[start : start + ID_SIZE])
        return Child(self.lasts[position], self.lengths[position], self.sizes[position], oid)

    @property
    def length(self) -> int:
        return sum(self.lengths)

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def last(self) -> bytes:
        return self.lasts[-1]


Node = Leaf | Fork
EMPTY_TREE = Leaf((), (), (), b"")

_SPECIAL = frozenset({b"", b".", b".."})
_TYPES = [int, bytes, bytes, bytes, bytes]
_NEW = tuple.__new__


# Layouts are kept: to make one takes longer than to use it. That of ids grows with its length, so large ones are not.
_MANY = 1024


@lru_cache(1024)
def _modes(length: int) -> Struct:
    return Struct(f">{length}H")


@lru_cache(1024)
def _numbers(length: int) -> Struct:
    return Struct(f">{length}Q")


@lru_cache(1024)
def _ids(length: int) -> Struct:
    return Struct(f"{ID_SIZE}s" * length)


def split_ids(joined: bytes) -> tuple[bytes, ...]:
    """The ids that stand one behind the other."""
    length = len(joined) // ID_SIZE
    if length > _MANY:
        return tuple(joined[start : start + ID_SIZE] for start in range(0, len(joined), ID_SIZE))
    return _ids(length).unpack(joined)


def is_boundary(name: bytes, level: int) -> bool:
    """Whether a node of this level is cut behind this name: the low 5 * (level + 1) bits of its CRC-32 are zero."""
    return crc32(name) & _mask(level) == 0


def _mask(level: int) -> int:
    """The bits of a CRC-32 that are zero where a node of this level is cut."""
    return (1 << (LEVEL_BITS * (level + 1))) - 1


def find_boundaries(names: Sequence[bytes], level: int) -> list[int]:
    """The positions of the names for which `is_boundary` holds; the same, for many names at once."""
    low_bits = list(map(_mask(level).__and__, map(crc32, names)))
    return list(compress(count(), map(not_, low_bits))) if 0 in low_bits else []


def check_name(name: bytes) -> str | None:
    """What is wrong with the name of an entry; None if nothing is."""
    if not name:
        return "an empty name"
    if name in (b".", b".."):
        return f"the name {name.decode()!r}"
    if b"/" in name:
        return f"a slash in the name {name!r}"
    if b"\0" in name:
        return f"a NUL in the name {name!r}"
    if len(name) > MAX_NAME:
        return f"a name of {len(name)} bytes, more than {MAX_NAME}"
    return None


def encode_leaf(entries: Sequence[Entry]) -> bytes:
    """The encoding of a leaf; MalformedError where the entries could not be read back."""
    return _encode_leaf(Leaf.of(entries))


def _encode_leaf(leaf: Leaf) -> bytes:
    joined = b"/".join(leaf.names)
    _check_leaf(leaf, joined)
    return join_columns(joined, pack_modes(leaf.modes), leaf.sizes, leaf.joined_ids)


def pack_modes(modes: Sequence[int]) -> bytes:
    """Modes as they stand in the encoding of a leaf."""
    return _modes(len(modes)).pack(*modes)


def join_columns(names: bytes, modes: bytes, sizes: Sequence[int], ids: bytes) -> bytes:
    """The encoding of a leaf with these columns: names joined by slashes, modes packed, ids one behind the other.

    Nothing is checked here: they keep all rules.
    """
    return canonical.encode((0, names, modes, _numbers(len(sizes)).pack(*sizes), ids))


def encode_fork(level: int, children: Sequence[Child]) -> bytes:
    return _encode_fork(Fork.of(level, children))


def _encode_fork(fork: Fork) -> bytes:
    joined = b"/".join(fork.lasts)
    _check_fork(fork, joined)
    numbers = _numbers(len(fork.lasts))
    return canonical.encode(
        (fork.level, joined, numbers.pack(*fork.lengths), numbers.pack(*fork.sizes), fork.joined_ids)
    )


def encode_node(node: Node) -> bytes:
    return _encode_leaf(node) if isinstance(node, Leaf) else _encode_fork(node)


def decode_node(data: bytes) -> Node:
    """The node that these bytes encode; MalformedError with its own message for each rule that is broken."""
    value = canonical.decode(data, "tree")
    if list(map(type, value)) != _TYPES:
        canonical.refuse(data, "tree", "not [level, names, numbers, sizes, ids]")
    level, joined, numbers, sizes, ids = value
    if not 0 <= level <= MAX_LEVEL:
        raise MalformedError(f"tree: level {level} is not between 0 and {MAX_LEVEL}")
    length, rest = divmod(len(ids), ID_SIZE)
    if rest:
        raise MalformedError(f"tree: {len(ids)} bytes of ids, no multiple of {ID_SIZE}")
    names = _split_names(joined) if joined or length else ()
    if len(names) != length:
        raise MalformedError(f"tree: {len(names)} names and {length} ids")
    if level == 0:
        leaf = Leaf(names, _unpack(_modes, numbers, length, "modes"), _unpack(_numbers, sizes, length, "sizes"), ids)
        _check_leaf(leaf, joined)
        return leaf
    lengths, totals = _unpack(_numbers, numbers, length, "lengths"), _unpack(_numbers, sizes, length, "sizes")
    fork = Fork(level, names, lengths, totals, ids)
    _check_fork(fork, joined)
    return fork


def _unpack(layout: Callable[[int], Struct], column: bytes, length: int, what: str) -> tuple[int, ...]:
    struct = layout(length)
    if len(column) != struct.size:
        raise MalformedError(f"tree: {len(column)} bytes of {what} for {length} entries, not {struct.size}")
    return struct.unpack(column)


def _check_leaf(leaf: Leaf, joined: bytes) -> None:
    """Raise MalformedError for the first rule that a leaf breaks; `joined` are its names, joined by slashes."""
    names, modes, sizes, _ = leaf
    if not names:
        return
    _check_names(names, joined)
    _check_sizes(names, sizes)
    if not ALL_MODES.issuperset(modes):
        name, mode = next(pair for pair in zip(names, modes, strict=True) if pair[1] not in ALL_MODES)
        raise MalformedError(f"tree: {name!r} has the unknown mode {mode:o}")
    for name, mode, size in zip(names, modes, sizes, strict=True) if FOREIGN in modes else ():
        if mode == FOREIGN and size:
            raise MalformedError(f"tree: the foreign link {name!r} has a size")
    if len(names) > WHOLE_ENTRIES:
        _check_cuts(names, 0)


def _check_fork(fork: Fork, joined: bytes) -> None:
    """Raise MalformedError for the first rule that a fork breaks; `joined` are its names, joined by slashes."""
    level, names, lengths, sizes, _ = fork
    if not 1 <= level <= MAX_LEVEL:
        raise MalformedError(f"tree: a fork of level {level}")
    if not names:
        raise MalformedError("tree: a fork without children")
    _check_names(names, joined)
    _check_sizes(names, sizes)
    if min(lengths) < 1:
        raise MalformedError("tree: a child without entries")
    if sum(lengths) > MAX_SIZE:
        raise MalformedError("tree: the numbers of entries add up to more than 2^63 - 1")
    _check_cuts(names, level)


# A node that is one edit away from another one has its names as a rule. What follows from names alone is found out
# once; a rule that is broken is never remembered.


@lru_cache(1024)
def _split_names(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined.split(b"/"))


@lru_cache(1024)
def _check_names(names: tuple[bytes, ...], joined: bytes) -> None:
    # One look at all names together is enough for those that are well-formed, which is nearly always all of them.
    if joined.count(b"/") >= len(names) or b"\0" in joined or not _SPECIAL.isdisjoint(names) or len(joined) > MAX_NAME:
        for name in names:
            if wrong := check_name(name):
                raise MalformedError(f"tree: {wrong}")
    if not all(map(lt, names, islice(names, 1, None))):
        for before, after in pairwise(names):
            if before >= after:
                problem = "the name stands twice" if before == after else f"out of order, behind {before!r}"
                raise MalformedError(f"tree: {after!r}: {problem}")


@lru_cache(1024)
def _check_cuts(names: tuple[bytes, ...], level: int) -> None:
    """Raise MalformedError unless a node of this level with these names ends where it is cut, and nothing before."""
    sums = list(map(crc32, names[:-1]))
    if level and any(map(_mask(level - 1).__and__, sums)):
        name = next(name for name in names if not is_boundary(name, level - 1))
        raise MalformedError(f"tree: a node of level {level - 1} ends at {name!r}, which is no boundary")
    # The highest level is never cut: there is nothing above it to list the pieces.
    if level < MAX_LEVEL and not all(map(_mask(level).__and__, sums)):
        name = next(name for name in names if is_boundary(name, level))
        raise MalformedError(f"tree: a node of level {level} goes on behind the boundary {name!r}")


def _check_sizes(names: Sequence[bytes], sizes: Sequence[int]) -> None:
    if min(sizes) >= 0 and sum(sizes) <= MAX_SIZE:
        return
    for name, size in zip(names, sizes, strict=True):
        if not 0 <= size <= MAX_SIZE:
            raise MalformedError(f"tree: the size {size} of {name!r} is out of range")
    raise MalformedError("tree: the sizes add up to more than 2^63 - 1")


def check_child(child: Child, level: int, node: Node, *, is_uncut: bool = False) -> None:
    """Raise MalformedError unless `node` is what a fork of `level` claims of this child.

    `is_uncut`: it is known already that no name in the leaf but the last is a boundary, which follows from it alone.
    """
    if node.level != level - 1:
        raise MalformedError(f"tree: a node of level {node.level} below one of level {level}", place=str(child.id))
    found = (node.last, node.length, node.size)
    if found != child[:3]:
        for what, claim, fact in zip(("last name", "number of entries", "size"), child, found, strict=False):
            if claim != fact:
                raise MalformedError(f"tree: the {what} is {fact!r}, its fork says {claim!r}", place=str(child.id))
    if isinstance(node, Leaf) and not is_uncut:
        _check_cuts(node.names, 0)


def check_root(node: Node) -> None:
    """Raise MalformedError for a fork that cannot be a root: too few entries, or a single child."""
    if isinstance(node, Fork) and (node.length <= WHOLE_ENTRIES or len(node.lasts) == 1):
        raise MalformedError(f"tree: a root of {node.length} entries in {len(node.lasts)} nodes should be smaller")
