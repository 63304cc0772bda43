"""The commit graph of a reader, seen through the algorithms of `graph`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.graph import (
    count_ahead_behind,
    independent,
    is_ancestor,
    iter_by_rank,
    iter_first_parents,
    iter_topological,
    merge_bases,
)
from casvault.objects import read_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid


class CommitGraph:
    """Commits by id, and the questions that are asked of their parents.

    Every commit is read once and remembered for as long as the graph lives: make one for a question or a command, not
    one for a vault.
    """

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._commits: dict[Oid, Commit] = {}

    def commit(self, oid: Oid) -> Commit:
        found = self._commits.get(oid)
        if found is None:
            found = self._commits[oid] = read_commit(self._reader, oid)
        return found

    def parents(self, oid: Oid) -> Sequence[Oid]:
        return self.commit(oid).parents

    def merge_bases(self, a: Oid, b: Oid) -> list[Oid]:
        """All best common ancestors, sorted; none where the histories do not meet."""
        return merge_bases(self.parents, a, b)

    def is_ancestor(self, ancestor: Oid, descendant: Oid) -> bool:
        """Whether `descendant` is, or comes from, `ancestor`."""
        return is_ancestor(self.parents, ancestor, descendant)

    def independent(self, commits: Iterable[Oid]) -> list[Oid]:
        """The commits that none of the others reach."""
        return independent(self.parents, list(commits))

    def count_ahead_behind(self, one: Oid, other: Oid) -> tuple[int, int]:
        """How many commits `one` reaches and `other` does not, and the other way."""
        return count_ahead_behind(self.parents, one, other)

    def iter_newest_first(self, starts: Iterable[Oid]) -> Iterator[tuple[Oid, Commit]]:
        """Every commit reachable from `starts` once, the newest first."""
        for oid in iter_by_rank(self.parents, starts, self._time):
            yield oid, self.commit(oid)

    def iter_children_first(self, starts: Iterable[Oid]) -> Iterator[tuple[Oid, Commit]]:
        """Every commit once, none before one of its children; among those the newest first."""
        for oid in iter_topological(self.parents, starts, self._time):
            yield oid, self.commit(oid)

    def iter_first_parents(self, start: Oid) -> Iterator[tuple[Oid, Commit]]:
        for oid in iter_first_parents(self.parents, start):
            yield oid, self.commit(oid)

    def _time(self, oid: Oid) -> int:
        return self.commit(oid).committer.seconds
