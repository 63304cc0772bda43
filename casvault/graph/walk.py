"""Walks over a history, newest first. All are lazy."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic

from casvault.graph.node import GenerationOf, N, ParentsOf

RankOf = Callable[[N], float]
"""What a listing goes by, greater first: a date as a rule."""


class _Heap(Generic[N]):
    """Nodes by rank, the greatest first; among equal ranks the one pushed first."""

    def __init__(self, rank: RankOf[N]) -> None:
        self._rank = rank
        self._order = count()
        self._entries: list[tuple[float, int, N]] = []

    def push(self, node: N) -> None:
        heappush(self._entries, (-self._rank(node), next(self._order), node))

    def pop(self) -> N:
        return heappop(self._entries)[2]

    def top_rank(self) -> float:
        return -self._entries[0][0]

    def __bool__(self) -> bool:
        return bool(self._entries)


def iter_by_rank(parents_of: ParentsOf[N], starts: Iterable[N], rank: RankOf[N]) -> Iterator[N]:
    """Plain date order: of the nodes seen so far the one of greatest rank, each node once.

    Asks for the parents of a node only when the node after it is wanted, so a short listing of a long history is
    cheap. A parent of greater rank than its child comes after that child and possibly before another.
    """
    seen: set[N] = set()
    heap: _Heap[N] = _Heap(rank)
    frontier: Iterable[N] = starts
    while True:
        for node in frontier:
            if node not in seen:
                seen.add(node)
                heap.push(node)
        if not heap:
            return
        node = heap.pop()
        yield node
        frontier = parents_of(node)


def iter_topological(
    parents_of: ParentsOf[N],
    starts: Iterable[N],
    rank: RankOf[N],
    *,
    generation_of: GenerationOf[N] | None = None,
) -> Iterator[N]:
    """Children before parents, whatever the ranks say; among the nodes that are ready the one of greatest rank.

    This is the order of `git log --date-order`. How many children a node has is known only after they were walked:
    without `generation_of` the first answer costs the whole walk, with it only what stands above the answer.
    """
    starts = list(dict.fromkeys(starts))
    children = _Children(parents_of, starts, generation_of)
    children.count_above(min(map(children.level, starts), default=0))
    ready: _Heap[N] = _Heap(rank)
    for node in starts:
        if not children.waiting[node]:
            ready.push(node)
    while ready:
        node = ready.pop()
        yield node
        for parent in parents_of(node):
            children.count_above(children.level(parent))
            children.waiting[parent] -= 1
            if not children.waiting[parent]:
                ready.push(parent)


class _Children(Generic[N]):
    """How many children of each node are still to come. Complete for every node at or above the level counted to.

    Without generation numbers every node is at level 0, so that the first count walks everything.
    """

    def __init__(self, parents_of: ParentsOf[N], starts: Iterable[N], generation_of: GenerationOf[N] | None) -> None:
        self._parents_of = parents_of
        self.level: GenerationOf[N] = generation_of or _no_level
        self.waiting: Counter[N] = Counter()
        self._seen = set(starts)
        self._heap: _Heap[N] = _Heap(self.level)
        for node in self._seen:
            self._heap.push(node)

    def count_above(self, level: int) -> None:
        """Count the children that stand at `level` or higher."""
        while self._heap and self._heap.top_rank() >= level:
            for parent in self._parents_of(self._heap.pop()):
                self.waiting[parent] += 1
                if parent not in self._seen:
                    self._seen.add(parent)
                    self._heap.push(parent)


def _no_level(node: object) -> int:
    return 0


def iter_first_parents(parents_of: ParentsOf[N], start: N) -> Iterator[N]:
    """`start`, its first parent, that one's first parent, down to a root."""
    yield start
    while parents := parents_of(start):
        start = parents[0]
        yield start
