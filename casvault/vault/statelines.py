"""Where the lines of project states can be cut, so that no view that is kept misses what lies between its states."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from casvault.artifacts.names import PROJECTS
from casvault.objects import LINK, read_commit, read_parents
from casvault.trees import diff_paths, find_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid
    from casvault.refs import Limit

_SPACE = PROJECTS.rstrip(b"/")


class StateLines:
    """States are kept from the newest down to the last one that the policy or a view asks for, without a gap.

    A view that has a state needs no older ones; but what led from one view to the next must be there, for there can be
    several states on the way. A project that is gone, or a state that an undo left, has a line of its own.
    """

    def __init__(self, reader: ObjectReader, limit: Limit, now: int) -> None:
        self._reader = reader
        self._limit = limit
        self._now = now
        self._kept: set[Oid] = set()
        self.beyond = 0
        """How many states are beyond the policy."""
        self.asked: frozenset[Oid] = frozenset()
        """The states behind which the policy alone would cut."""
        self.boundary: frozenset[Oid] = frozenset()
        """The states that are kept and whose parents are not."""

    def cut(self, views: Sequence[Root]) -> None:
        """Cut for these views, the newest first."""
        current, named = self._named(views)
        asked = set()
        for line in [self._line(start) for start in current]:
            count = max(self._limit.cut([self._time(oid) for oid in line], self._now), 1)
            if count < len(line):
                self.beyond += len(line) - count
                asked.add(line[count - 1])
            self._keep(line, count, named)
        for start in sorted(named - self._kept):
            line = self._line(start)
            self._keep(line, len(line) if line[-1] in self._kept else 1, named)
        self.asked = frozenset(asked)
        self.boundary = frozenset(
            oid for oid in self._kept if not self._kept.issuperset(read_commit(self._reader, oid).parents)
        )

    def _keep(self, line: list[Oid], count: int, named: set[Oid]) -> None:
        last = max((place + 1 for place, oid in enumerate(line) if oid in named), default=0)
        self._kept.update(line[: max(count, last)])

    def _named(self, views: Sequence[Root]) -> tuple[list[Oid], set[Oid]]:
        """The states of today, and all that a view has. Views are compared, so that each costs what it changed."""
        spaces = [find_path(self._reader, view, _SPACE) for view in views]
        current = [state.id for _, _, state in self._differing(None, spaces[0])]
        named = set(current)
        for newer, older in pairwise(spaces):
            named.update(state.id for _, _, state in self._differing(newer, older))
        return current, named

    def _differing(self, before: Root | None, after: Root | None) -> list[tuple[bytes, Root | None, Root]]:
        changes = diff_paths(self._reader, before, after)
        return [(path, old, new) for path, old, new in changes if new is not None and new.mode == LINK]

    def _line(self, start: Oid) -> list[Oid]:
        """A state and those before it, down to one that is kept already."""
        line = [start]
        while line[-1] not in self._kept and (parents := read_parents(self._reader, line[-1])):
            line.append(parents[0])
        return line

    def _time(self, oid: Oid) -> int:
        return read_commit(self._reader, oid).committer.seconds
