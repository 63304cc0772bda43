"""What a scan knows of one directory while it is under way: columns as in the stat cache, filled in as
files are read.
"""

from __future__ import annotations

import struct
from enum import Enum, auto
from typing import TYPE_CHECKING

from casvault.formats.statcache import STAT, Directory
from casvault.objects import Entry
from casvault.oid import ID_SIZE, trusted_oid
from casvault.worktree.cache import distrust_racy
from casvault.worktree.reading import mode_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.objects import Root
    from casvault.oid import Oid
    from casvault.worktree.ignore import Level
    from casvault.worktree.reading import Stat


_ID = struct.Struct(f"{ID_SIZE}s")


class Role(Enum):
    """What a path is to the caller of a scan."""

    UNIT = auto()
    """One unit, with everything in it."""
    DESCEND = auto()
    """A directory in which units may lie; a file is then PLAIN."""
    PLAIN = auto()
    """No unit, and nothing in it is one; taken all the same."""
    SKIP = auto()
    """Not looked at, and not reported."""


class Node:
    """One directory, or one file or symlink that is scanned on its own (`single`: one nameless entry)."""

    __slots__ = (
        "children",
        "depth",
        "directories",
        "held",
        "ids",
        "level",
        "names",
        "old",
        "ordinary",
        "path",
        "pending",
        "place",
        "reused",
        "role",
        "root",
        "single",
        "skipped",
        "stats",
        "top",
        "tree_held",
        "tree_reused",
        "unit_names",
    )

    def __init__(self, path: bytes, place: bytes, role: Role, level: Level, depth: int) -> None:
        self.path = path
        self.place = place
        """Where the operating system finds it; elsewhere than below the scan's root if a symlink was followed."""
        self.role = role
        self.level = level
        self.depth = depth
        self.top = False
        """It is a unit, and not within one."""
        self.single = False
        self.skipped = False
        self.ordinary = False
        """No name in it can be a control name, an ignore file or ignored by default."""
        self.children: list[Node] = []
        self.names = b""
        self.directories = b""
        self.stats = b""
        self.ids: bytes | bytearray = b""
        self.held: bytes | bytearray = b""
        self.pending: Sequence[int] = ()
        """The entries that must be read."""
        self.old: Directory | None = None
        self.reused = False
        """The columns are those of the cache."""
        self.root: Root | None = None
        self.tree_held = False
        """The vault has the tree, and with it everything that is in it."""
        self.tree_reused = False
        self.unit_names: frozenset[bytes] = frozenset()
        """Those of the names that are units of their own, in a directory that is none."""

    def match(self, old: Directory | None, *, storing: bool) -> None:
        """Compare what was found with the cache, and decide what to read.

        A scan that stores trusts only entries whose blobs the vault held; one that only hashes trusts the others too.
        """
        count = len(self.stats) // STAT.size
        self.old = old
        if (
            old is not None
            and old.stats == self.stats
            and old.names == self.names
            and len(old.held) == count
            and not (storing and b"\0" in old.held)
        ):
            self.stats, self.ids, self.held, self.reused = old.stats, old.ids, old.held, True
            return
        self.ids, self.held, self.pending = bytearray(ID_SIZE * count), bytearray(count), range(count)
        if old is not None and old.held:
            self.pending = self._match_each(old, storing=storing)

    def take(self, old: Directory) -> None:
        """Everything is as the cache has it."""
        self.old = old
        self.names, self.directories, self.stats, self.ids, self.held, *_, self.ordinary = old
        self.reused = True

    def _match_each(self, old: Directory, *, storing: bool) -> list[int]:
        ids, held = bytearray(self.ids), bytearray(self.held)
        where = {name: index for index, name in enumerate(old.names.split(b"\0"))}
        pending = []
        for index, name in enumerate(self.names.split(b"\0") if self.held else []):
            before = where.get(name)
            if before is not None:
                ids[ID_SIZE * index : ID_SIZE * (index + 1)] = old.ids[ID_SIZE * before : ID_SIZE * (before + 1)]
                held[index] = old.held[before]
            same = before is not None and self._stat_bytes(index) == old.stats[STAT.size * before :][: STAT.size]
            if not same or (storing and not held[index]):
                pending.append(index)
        self.ids, self.held = ids, held
        return pending

    def _stat_bytes(self, index: int) -> bytes:
        return self.stats[STAT.size * index : STAT.size * (index + 1)]

    def iter_pending(self) -> Iterator[tuple[int, bytes, Stat]]:
        """Index, place and stat of each entry that must be read."""
        if not self.pending:
            return
        names = [b""] if self.single else [b"/" + name for name in self.names.split(b"\0")]
        found: list[Stat] = list(STAT.iter_unpack(self.stats))
        for index in self.pending:
            yield index, self.place + names[index], found[index]

    def id_of(self, index: int) -> Oid:
        return trusted_oid(bytes(self.ids[ID_SIZE * index : ID_SIZE * (index + 1)]))

    def settle(self, index: int, oid: Oid, *, storing: bool) -> None:
        """Note the id of an entry that was read."""
        span = slice(ID_SIZE * index, ID_SIZE * (index + 1))
        known = self.held[index] and self.ids[span] == oid
        assert isinstance(self.ids, bytearray)
        assert isinstance(self.held, bytearray)
        self.ids[span] = oid
        self.held[index] = 1 if storing or known else 0

    def doubt(self, indexes: Sequence[int]) -> None:
        """Read these entries again, whatever the cache says of them."""
        if indexes:
            self.ids, self.held = bytearray(self.ids), bytearray(self.held)
            for index in indexes:
                self.held[index] = 0
            self.pending = sorted({*self.pending, *indexes})
            self.reused = False

    def correct(self, index: int, found: Stat) -> None:
        """Note that an entry was another one by the time it was read."""
        start = STAT.size * index
        self.stats = self.stats[:start] + STAT.pack(*found) + self.stats[start + STAT.size :]

    def entries(self) -> list[Entry]:
        """Everything that is not a directory, as tree entries in the order of the names."""
        if not self.held:
            return []
        st_modes, sizes, *_ = zip(*STAT.iter_unpack(self.stats), strict=True)
        modes = {st_mode: mode_of(st_mode, self.place) for st_mode in set(st_modes)}
        ids = [trusted_oid(raw) for (raw,) in _ID.iter_unpack(self.ids)]
        return list(map(Entry, self.names.split(b"\0"), map(modes.__getitem__, st_modes), sizes, ids))

    def remembered(self, began: int, *, storing: bool) -> Directory:
        """What the cache keeps, for a scan that began at this time."""
        old, tree = self.old, None if self.single else self.root
        if old is not None and self.tree_reused:
            return old
        known = self.tree_held or (old is not None and old.tree_held and old.tree == tree)
        tree_held = tree is not None and (storing or known)
        found = Directory(
            self.names,
            self.directories,
            self.stats if self.reused else distrust_racy(self.stats, began),
            bytes(self.ids),
            b"\1" * len(self.held) if self.tree_held else bytes(self.held),
            tree,
            tree_held,
            self.ordinary,
        )
        return old if old is not None and old == found else found
