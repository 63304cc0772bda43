"""A whole history in columns: a saved commit graph, if there is one, and the commits that it does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from casvault.formats.commitgraph import Columns
from casvault.graph import DominatorTree, GenerationOf, ParentsOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from casvault.formats.commitgraph import Graph
    from casvault.objects import Commit
    from casvault.oid import Oid


class GraphCache(Protocol):
    """Where a history is kept between commands. Whatever happens to it, answers stay the same. Thread-safe."""

    def load(self) -> Graph | None:
        """What was saved last; None if there is nothing, or nothing that can be trusted."""

    def save(self, columns: Columns) -> None:
        """Keep it, if that is possible. Processes replace each other's whole graph, and the last one wins."""


class CommitTable:
    """Commits by position, parents before children. With every commit its whole history is there.

    A commit never changes, so it does not matter who saved the graph, or when. It may hold commits that were never
    published or are gone; whether one is in the vault is for the vault to say.
    """

    def __init__(self, saved: Graph | None = None) -> None:
        self.columns = Columns.empty() if saved is None else saved.columns
        self._lookup = None if saved is None else saved.lookup
        self._added: dict[Oid, int] = {}

    def __len__(self) -> int:
        return self.columns.commits

    @property
    def added(self) -> int:
        """The number of commits that the saved graph does not have."""
        return len(self._added)

    @property
    def parents_of(self) -> ParentsOf[int]:
        return self.columns.parents_of

    @property
    def generation_of(self) -> GenerationOf[int]:
        return self.columns.generation.__getitem__

    @property
    def id_of(self) -> Callable[[int], Oid]:
        return self.columns.id_of

    @property
    def tree(self) -> DominatorTree:
        return DominatorTree(self.columns.dominator, self.columns.depth, self.columns.jump)

    def find(self, oid: Oid) -> int:
        """The position of a commit; 0 if it is not there."""
        found = self._added.get(oid)
        if found is None:
            found = 0 if self._lookup is None else self._lookup.find(oid)
        return found

    def positions(self, ids: Iterable[Oid], read: Callable[[Oid], Commit]) -> list[int]:
        """The positions of these commits; those that are not there, and what they come from, are read and added."""
        wanted = list(ids)
        stack = [oid for oid in reversed(wanted) if not self.find(oid)]
        facts: dict[Oid, tuple[Sequence[Oid], int]] = {}
        while stack:
            oid = stack[-1]
            if self.find(oid):
                stack.pop()
                continue
            if oid not in facts:
                commit = read(oid)
                facts[oid] = commit.parents, commit.committer.seconds
            parents, seconds = facts[oid]
            positions = [self.find(parent) for parent in parents]
            if all(positions):
                self._add(oid, positions, seconds)
                del facts[oid]
            else:
                stack += [parent for parent, position in zip(parents, positions, strict=True) if not position]
        return [self.find(oid) for oid in wanted]

    def _add(self, oid: Oid, parents: Sequence[int], seconds: int) -> None:
        if not self._added and self._lookup is not None:
            # What was saved lies in a file that others read too.
            self.columns = self.columns.copy()
        generation = 1 + max(map(self.columns.generation.__getitem__, parents), default=0)
        self.columns.append(oid, seconds, parents, generation, *self.tree.row(parents))
        self._added[oid] = self.columns.commits
