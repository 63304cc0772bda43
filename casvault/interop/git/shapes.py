"""The shapes of trees: modes and names in their order, which nearly all versions of a directory have in common.

What follows from them alone is found out once: whether a tree of casvault can have them, how they stand in its
encoding, and in which order. And a tree is understood as a change of one before it, so that it costs what is new in
it.
"""

from __future__ import annotations

from itertools import compress, count
from operator import itemgetter, ne
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from casvault.interop.git.trees import MODES, sort_key, split_entry
from casvault.limits import MAX_SIZE
from casvault.objects import Entry, check_name, join_columns, pack_modes
from casvault.objects.tree import WHOLE_ENTRIES
from casvault.oid import trusted_oids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from casvault.interop.git.ids import GitFormat
    from casvault.interop.git.trees import ParsedTree
    from casvault.oid import Oid

T = TypeVar("T")

REMEMBERED = 1 << 17
"""Entries in what is remembered before it is forgotten all at once."""


class Version(NamedTuple):
    """A tree of git that casvault can say: its entries, and the size and id here of what each names."""

    entries: list[bytes]
    sizes: list[int]
    ids: list[bytes]

    def changes(self, entries: Sequence[bytes]) -> list[int]:
        """The positions at which a tree of the same shape differs from this one."""
        return list(compress(count(), map(ne, entries, self.entries)))

    def changed(self, entries: list[bytes], states: dict[int, tuple[int, Oid]]) -> Version:
        """The tree with these entries, from its changes: sizes and ids by position."""
        sizes, ids = self.sizes.copy(), self.ids.copy()
        for at, (size, oid) in states.items():
            sizes[at] = size
            ids[at] = oid
        return Version(entries, sizes, ids)


class Shape:
    """A shape that casvault can say."""

    def __init__(self, names: Sequence[bytes], modes: Sequence[int]) -> None:
        order = sorted(range(len(names)), key=names.__getitem__)
        self._names = [names[at] for at in order]
        self._modes = [modes[at] for at in order]
        self._joined_names = b"/".join(self._names)
        self._packed_modes = pack_modes(self._modes)
        # Git sorts directories as if a slash followed, which most often makes no difference.
        self._sort: Callable[[Any], Any] | None = itemgetter(*order) if order != list(range(len(order))) else None
        self.blank = Version([b""] * len(names), [0] * len(names), [b""] * len(names))
        """A tree that differs from all others everywhere."""

    def encode(self, version: Version) -> bytes | None:
        """The tree as casvault stores it; None if it is not one node."""
        sizes, ids = self._sorted(version)
        if len(sizes) > WHOLE_ENTRIES or sum(sizes) > MAX_SIZE:
            return None
        return join_columns(self._joined_names, self._packed_modes, sizes, b"".join(ids))

    def entries(self, version: Version) -> list[Entry]:
        sizes, ids = self._sorted(version)
        return list(map(Entry, self._names, self._modes, sizes, trusted_oids(ids)))

    def _sorted(self, version: Version) -> tuple[Sequence[int], Sequence[bytes]]:
        """Sizes and ids in casvault's order."""
        if self._sort is None:
            return version.sizes, version.ids
        return self._sort(version.sizes), self._sort(version.ids)


class Recent(Generic[T]):
    """What was last made of trees, to be found again for the next versions of the same directories.

    Which directory a tree belongs to is not known here; two versions of one most often begin or end alike.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[Shape, bytes], T] = {}
        self._remembered = 0

    def find(self, shape: Shape, entries: Sequence[bytes]) -> T | None:
        if not entries:
            return None
        return self._found.get((shape, entries[0])) or self._found.get((shape, entries[-1]))

    def put(self, shape: Shape, entries: Sequence[bytes], value: T) -> None:
        self._remembered += len(entries)
        if self._remembered > REMEMBERED:
            self.clear()
        for entry in (*entries[:1], *entries[-1:]):
            self._found[shape, entry] = value

    def clear(self) -> None:
        self._found, self._remembered = {}, 0


class Shapes:
    """The shapes of one import."""

    def __init__(self, form: GitFormat) -> None:
        self._form = form
        self._known: dict[bytes, Shape | None] = {}
        self._remembered = 0

    def find(self, parsed: ParsedTree) -> Shape | None:
        """The shape of a tree; None if no tree of casvault can have it."""
        if parsed.rest:
            return None
        end = -self._form.size
        key = b"".join([entry[:end] for entry in parsed.entries])
        if key not in self._known:
            self._remembered += len(parsed.entries) + 1
            if self._remembered > REMEMBERED:
                self._known, self._remembered = {}, 0
            self._known[key] = _read_shape(parsed, self._form)
        return self._known[key]


def _read_shape(parsed: ParsedTree, form: GitFormat) -> Shape | None:
    """It can be said if each mode and name can, the entries are in git's order, and no name stands twice."""
    names: list[bytes] = []
    modes: list[int] = []
    for text, name, _ in (split_entry(entry, form) for entry in parsed.entries):
        mode = MODES.get(text)
        if mode is None or check_name(name) is not None:
            return None
        names.append(name)
        modes.append(mode)
    keys = list(map(sort_key, names, modes))
    if keys != sorted(set(keys)) or len(set(names)) != len(names):
        return None
    return Shape(names, modes)
