"""The commit graph of a reader, seen through the algorithms of `graph`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casvault.graph import (
    count_ahead_behind,
    independent,
    is_ancestor,
    is_ancestor_across,
    iter_by_rank,
    iter_first_parents,
    iter_topological,
    merge_bases,
    merge_bases_across,
)
from casvault.history.table import CommitTable
from casvault.objects import read_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.history.table import GraphCache
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid

MANY_COMMITS: Final = 1024
"""So many commits are worth writing to a cache, instead of reading them again in the next command."""


class CommitGraph:
    """Commits by id, and the questions that are asked of their parents.

    Every commit is read once and remembered for as long as the graph lives: make one for a question or a command, not
    one for a vault. Commits that the cache knows are not read at all, but for those that are asked about: these must
    be in the vault. Questions that concern a whole history, and all questions once many commits were met, are answered
    from a table of that history, which is then saved in the cache.
    """

    def __init__(self, reader: ObjectReader, cache: GraphCache | None = None) -> None:
        self._reader = reader
        self._cache = cache
        self._commits: dict[Oid, Commit] = {}
        self._table: CommitTable | None = None
        self._save_at = MANY_COMMITS

    def commit(self, oid: Oid) -> Commit:
        found = self._commits.get(oid)
        if found is None:
            found = self._commits[oid] = read_commit(self._reader, oid)
        return found

    def parents(self, oid: Oid) -> Sequence[Oid]:
        return () if oid in self._reader.boundary else self.commit(oid).parents

    def merge_bases(self, a: Oid, b: Oid) -> list[Oid]:
        """All best common ancestors, sorted; none where the histories do not meet."""
        if not self._has_table():
            bases = merge_bases(self.parents, a, b)
            self._learn(a, b)
            return bases
        table, (one, other) = self._positions(a, b)
        found = merge_bases_across(table.tree, table.parents_of, one, other, table.generation_of)
        return sorted(map(table.id_of, found))

    def merge_bases_with_any(self, one: Oid, others: Sequence[Oid]) -> list[Oid]:
        """All best common ancestors of a commit and of what would come of merging the others, sorted."""
        if len(others) == 1:
            return self.merge_bases(one, others[0])
        return self.independent({base for other in others for base in self.merge_bases(one, other)})

    def is_ancestor(self, ancestor: Oid, descendant: Oid) -> bool:
        """Whether `descendant` is, or comes from, `ancestor`."""
        if not self._has_table():
            answer = is_ancestor(self.parents, ancestor, descendant)
            self._learn(ancestor, descendant)
            return answer
        table, (one, other) = self._positions(ancestor, descendant)
        return is_ancestor_across(table.tree, table.parents_of, one, other, table.generation_of)

    def independent(self, commits: Iterable[Oid]) -> list[Oid]:
        """The commits that none of the others reach, sorted."""
        table, positions = self._positions(*commits)
        found = independent(table.parents_of, positions, generation_of=table.generation_of)
        return sorted(map(table.id_of, found))

    def count_ahead_behind(self, one: Oid, other: Oid) -> tuple[int, int]:
        """How many commits `one` reaches and `other` does not, and the other way."""
        table, positions = self._positions(one, other)
        return count_ahead_behind(table.parents_of, *positions, generation_of=table.generation_of)

    def iter_newest_first(self, starts: Iterable[Oid]) -> Iterator[tuple[Oid, Commit]]:
        """Every commit reachable from `starts` once, the newest first."""
        for oid in iter_by_rank(self.parents, starts, self._time):
            yield oid, self.commit(oid)

    def iter_children_first(self, starts: Iterable[Oid]) -> Iterator[tuple[Oid, Commit]]:
        """Every commit once, none before one of its children; among those the newest first."""
        table, positions = self._positions(*starts)
        found = iter_topological(
            table.parents_of, positions, table.columns.dates.__getitem__, generation_of=table.generation_of
        )
        for oid in map(table.id_of, found):
            yield oid, self.commit(oid)

    def iter_first_parents(self, start: Oid) -> Iterator[tuple[Oid, Commit]]:
        for oid in iter_first_parents(self.parents, start):
            yield oid, self.commit(oid)

    def _time(self, oid: Oid) -> int:
        return self.commit(oid).committer.seconds

    def _has_table(self) -> bool:
        """Whether the history is long, or was long when somebody looked: else a walk reads less than a table needs."""
        if self._table is None and self._cache is not None and (saved := self._cache.load()) is not None:
            self._table = CommitTable(saved)
        return self._table is not None

    def _learn(self, *ids: Oid) -> None:
        """Make the table that would have spared reading many commits."""
        if self._cache is not None and len(self._commits) >= MANY_COMMITS:
            self._positions(*ids)

    def _positions(self, *ids: Oid) -> tuple[CommitTable, list[int]]:
        """The table, with the histories of these commits in it, and where they are."""
        for oid in ids:
            self.commit(oid)
        if not self._has_table():
            self._table = CommitTable()
        table = self._table
        assert table is not None
        positions = table.positions(ids, self._read)
        if self._cache is not None and table.added >= self._save_at:
            self._cache.save(table.columns)
            # A command that goes on and on must not write a graph for every few commits.
            self._save_at = table.added + len(table)
        return table, positions

    def _read(self, oid: Oid) -> Commit:
        """A commit for the table, which remembers what matters of it; one at the boundary has no parents there."""
        found = self._commits.get(oid) or read_commit(self._reader, oid)
        return found._replace(parents=()) if oid in self._reader.boundary else found
