"""Trees: sorted entries, stored as one leaf or as a tree of nodes that split by a rule on the names alone.

    leaf = [0, [[name, mode, size, id], …]]
    fork = [level, [[last name, count, size, id], …]]      level >= 1; each child is a node of level - 1

A tree of at most `WHOLE_ENTRIES` entries is one leaf. A larger one is cut behind every name for which
`is_boundary(name, 0)` holds; the nodes of level n are listed in forks that are cut behind every node whose last name
satisfies `is_boundary(name, n + 1)`, until one node is left. So the id follows from the entries, whatever the order of
edits that led there, and one change rewrites one node per level.
"""

from __future__ import annotations

from itertools import pairwise, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from casvault.errors import MalformedError
from casvault.limits import MAX_NAME, MAX_SIZE
from casvault.objects import canonical
from casvault.objects.modes import ALL_MODES, FOREIGN
from casvault.oid import ID_SIZE, Oid, trusted_oids

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    entries: tuple[Entry, ...]

    @property
    def level(self) -> int:
        return 0

    @property
    def length(self) -> int:
        return len(self.entries)

    @property
    def size(self) -> int:
        return sum(map(_SIZE_OF, self.entries))

    @property
    def last(self) -> bytes:
        """The last name; empty only in the empty tree."""
        return self.entries[-1].name if self.entries else b""


class Fork(NamedTuple):
    level: int
    children: tuple[Child, ...]

    @property
    def length(self) -> int:
        return sum(map(_LENGTH_OF, self.children))

    @property
    def size(self) -> int:
        return sum(map(_SIZE_OF, self.children))

    @property
    def last(self) -> bytes:
        return self.children[-1].last


Node = Leaf | Fork

_LENGTH_OF = itemgetter(1)
_SIZE_OF = itemgetter(2)
_SPECIAL = frozenset({b"", b".", b".."})
# Trees are what is decoded most: what can be is done by C for all items at once.
_NEW = tuple.__new__
_LISTS, _BYTES, _INTEGERS, _FOUR, _ID_SIZES = {list}, {bytes}, {int}, {4}, {ID_SIZE}


def is_boundary(name: bytes, level: int) -> bool:
    """Whether a node of this level is cut behind this name: the low 5 * (level + 1) bits of its CRC-32 are zero."""
    return crc32(name) & ((1 << (LEVEL_BITS * (level + 1))) - 1) == 0


def find_boundary(names: Sequence[bytes], level: int) -> int | None:
    """The position of the first name for which `is_boundary` holds; the same, for many names at once."""
    mask = (1 << (LEVEL_BITS * (level + 1))) - 1
    return next((position for position, value in enumerate(map(crc32, names)) if not value & mask), None)


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
    check_entries(entries)
    return canonical.encode([0, entries])


def pack_entry(entry: Entry) -> bytes:
    """The part of a leaf's encoding that is this entry; MalformedError if no leaf can have it."""
    check_entries((entry,))
    return canonical.encode(entry)


def join_entries(packed: Sequence[bytes]) -> bytes:
    """The encoding of a whole tree of at most `WHOLE_ENTRIES` entries that were packed one by one.

    Nothing is checked here: their names are ascending, and their sizes do not add up to too much.
    """
    count = len(packed)
    header = b"\x92\x00%c" % (0x90 | count) if count < 16 else b"\x92\x00\xdc" + count.to_bytes(2)
    return header + b"".join(packed)


def encode_fork(level: int, children: Sequence[Child]) -> bytes:
    check_children(level, children)
    return canonical.encode([level, children])


def encode_node(node: Node) -> bytes:
    return encode_leaf(node.entries) if isinstance(node, Leaf) else encode_fork(node.level, node.children)


def decode_node(data: bytes) -> Node:
    """The node that these bytes encode; MalformedError with its own message for each rule that is broken."""
    value = canonical.decode(data, "tree")
    if len(value) != 2 or type(value[0]) is not int or type(value[1]) is not list:
        canonical.refuse(data, "tree", "not [level, items]")
    level, items = value
    if not 0 <= level <= MAX_LEVEL:
        raise MalformedError(f"tree: level {level} is not between 0 and {MAX_LEVEL}")
    columns = _columns(data, items)
    if level == 0:
        _check_entry_columns(*columns[:3])
        return Leaf(tuple(map(_NEW, repeat(Entry), zip(*columns, strict=True))))
    fork = Fork(level, tuple(map(_NEW, repeat(Child), zip(*columns, strict=True))))
    check_children(level, fork.children)
    return fork


def _columns(data: bytes, items: list[Any]) -> tuple[Sequence[bytes], Sequence[int], Sequence[int], Sequence[Oid]]:
    """The four columns of the items, with the types that they must have."""
    if not items:
        return (), (), (), ()
    if set(map(type, items)) != _LISTS or set(map(len, items)) != _FOUR:
        canonical.refuse(data, "tree", "an item is not [name, integer, size, id]")
    names, numbers, sizes, ids = zip(*items, strict=True)
    if {*map(type, names), *map(type, ids)} != _BYTES or {*map(type, numbers), *map(type, sizes)} != _INTEGERS:
        canonical.refuse(data, "tree", "an item is not [name, integer, size, id]")
    if set(map(len, ids)) != _ID_SIZES:
        name, raw = next((name, raw) for name, raw in zip(names, ids, strict=True) if len(raw) != ID_SIZE)
        raise MalformedError(f"tree: the id of {name!r} has {len(raw)} bytes, not {ID_SIZE}")
    return names, numbers, sizes, trusted_oids(ids)


def check_entries(entries: Sequence[Entry]) -> None:
    """Raise MalformedError for the first rule that the entries of a leaf break."""
    if not entries:
        return
    names, modes, sizes, _ = zip(*entries, strict=True)
    _check_entry_columns(names, modes, sizes)


def _check_entry_columns(names: Sequence[bytes], modes: Sequence[int], sizes: Sequence[int]) -> None:
    if not names:
        return
    _check_names(names)
    _check_sizes(names, sizes)
    if not ALL_MODES.issuperset(modes):
        name, mode = next(pair for pair in zip(names, modes, strict=True) if pair[1] not in ALL_MODES)
        raise MalformedError(f"tree: {name!r} has the unknown mode {mode:o}")
    for name, mode, size in zip(names, modes, sizes, strict=True) if FOREIGN in modes else ():
        if mode == FOREIGN and size:
            raise MalformedError(f"tree: the foreign link {name!r} has a size")
    if len(names) > WHOLE_ENTRIES:
        _check_uncut(names[:-1], 0)


def check_children(level: int, children: Sequence[Child]) -> None:
    """Raise MalformedError for the first rule that the children of a fork break."""
    if not 1 <= level <= MAX_LEVEL:
        raise MalformedError(f"tree: a fork of level {level}")
    if not children:
        raise MalformedError("tree: a fork without children")
    names, counts, sizes, _ = zip(*children, strict=True)
    _check_names(names)
    _check_sizes(names, sizes)
    if min(counts) < 1:
        raise MalformedError("tree: a child without entries")
    if sum(counts) > MAX_SIZE:
        raise MalformedError("tree: the numbers of entries add up to more than 2^63 - 1")
    for name in names[:-1]:
        if not is_boundary(name, level - 1):
            raise MalformedError(f"tree: a node of level {level - 1} ends at {name!r}, which is no boundary")
    _check_uncut(names[:-1], level)


def _check_names(names: Sequence[bytes]) -> None:
    # One look at all names together is enough for those that are well-formed, which is nearly always all of them.
    joined = b"/".join(names)
    if joined.count(b"/") >= len(names) or b"\0" in joined or not _SPECIAL.isdisjoint(names) or len(joined) > MAX_NAME:
        for name in names:
            if wrong := check_name(name):
                raise MalformedError(f"tree: {wrong}")
    if sorted(set(names)) != list(names):
        for before, after in pairwise(names):
            if before >= after:
                problem = "the name stands twice" if before == after else f"out of order, behind {before!r}"
                raise MalformedError(f"tree: {after!r}: {problem}")


def _check_sizes(names: Sequence[bytes], sizes: Sequence[int]) -> None:
    if min(sizes) < 0 or max(sizes) > MAX_SIZE:
        name, size = next(pair for pair in zip(names, sizes, strict=True) if not 0 <= pair[1] <= MAX_SIZE)
        raise MalformedError(f"tree: the size {size} of {name!r} is out of range")
    if sum(sizes) > MAX_SIZE:
        raise MalformedError("tree: the sizes add up to more than 2^63 - 1")


def _check_uncut(names: Sequence[bytes], level: int) -> None:
    # The highest level is never cut: there is nothing above it to list the pieces.
    if level >= MAX_LEVEL:
        return
    found = find_boundary(names, level)
    if found is not None:
        raise MalformedError(f"tree: a node of level {level} goes on behind the boundary {names[found]!r}")


def check_child(child: Child, level: int, node: Node, *, is_uncut: bool = False) -> None:
    """Raise MalformedError unless `node` is what a fork of `level` claims of this child.

    `is_uncut`: it is known already that no name in the leaf but the last is a boundary, which follows from it alone.
    """
    if node.level != level - 1:
        raise MalformedError(f"tree: a node of level {node.level} below one of level {level}", place=str(child.id))
    for what, claimed, found in (
        ("last name", child.last, node.last),
        ("number of entries", child.length, node.length),
        ("size", child.size, node.size),
    ):
        if claimed != found:
            raise MalformedError(f"tree: the {what} is {found!r}, its fork says {claimed!r}", place=str(child.id))
    if isinstance(node, Leaf) and not is_uncut:
        _check_uncut([entry[0] for entry in node.entries[:-1]], 0)


def check_root(node: Node) -> None:
    """Raise MalformedError for a fork that cannot be a root: too few entries, or a single child."""
    if isinstance(node, Fork) and (node.length <= WHOLE_ENTRIES or len(node.children) == 1):
        raise MalformedError(f"tree: a root of {node.length} entries in {len(node.children)} nodes should be smaller")


EMPTY_TREE = Leaf(())
