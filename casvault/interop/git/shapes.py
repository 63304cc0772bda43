"""The shapes of trees: modes and names in their order, which nearly all versions of a directory have in common.

What follows from them alone is found out once: whether a tree of casvault can have them, how they stand in its
encoding, and in which order. And a tree is understood as a change of the last one of its shape, so that it costs what
is new in it.
"""

from __future__ import annotations

from itertools import compress, count
from operator import itemgetter, ne
from typing import TYPE_CHECKING, Any

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

REMEMBERED = 1 << 17
"""Entries in the shapes that are remembered before they are forgotten all at once."""


class Shape:
    """A shape that casvault can say, with the tree that was written in it last: its entries, their sizes and ids."""

    def __init__(self, names: Sequence[bytes], modes: Sequence[int]) -> None:
        order = sorted(range(len(names)), key=names.__getitem__)
        self._names = [names[at] for at in order]
        self._modes = [modes[at] for at in order]
        self._joined_names = b"/".join(self._names)
        self._packed_modes = pack_modes(self._modes)
        # Git sorts directories as if a slash followed, which most often makes no difference.
        self._sort: Callable[[Any], Any] | None = itemgetter(*order) if order != list(range(len(order))) else None
        self._entries = [b""] * len(names)
        self._sizes = [0] * len(names)
        self._ids: list[bytes] = [b""] * len(names)

    def changes(self, entries: Sequence[bytes]) -> list[int]:
        """The positions at which a tree of this shape differs from the last one."""
        return list(compress(count(), map(ne, entries, self._entries)))

    def change(self, entries: list[bytes], states: dict[int, tuple[int, Oid]]) -> None:
        """Go on to a tree with these entries, from their changes: sizes and ids by position."""
        self._entries = entries
        for at, (size, oid) in states.items():
            self._sizes[at] = size
            self._ids[at] = oid

    @property
    def size(self) -> int:
        return sum(self._sizes)

    def encoded(self) -> bytes | None:
        """The tree as casvault stores it; None if it is not one node."""
        if len(self._sizes) > WHOLE_ENTRIES or self.size > MAX_SIZE:
            return None
        sizes, ids = self._sorted()
        return join_columns(self._joined_names, self._packed_modes, sizes, b"".join(ids))

    def entries(self) -> list[Entry]:
        sizes, ids = self._sorted()
        return list(map(Entry, self._names, self._modes, sizes, trusted_oids(ids)))

    def _sorted(self) -> tuple[Sequence[int], Sequence[bytes]]:
        """Sizes and ids in casvault's order."""
        return (self._sizes, self._ids) if self._sort is None else (self._sort(self._sizes), self._sort(self._ids))


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
