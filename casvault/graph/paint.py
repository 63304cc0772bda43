"""Painting the ancestors of two nodes, the machine below ancestry and merge bases. Without dates, in fair turns.

Colours only ever grow. A node *expanded* has handed its colours to its parents; paint that reaches an expanded node
goes on to its parents at once. So at any time, with F the painted nodes that are not yet expanded:

- each ancestor of a start is painted with that start's colour, or lies below a node in F that is painted with it;
- a node is `COMMON` only if it is an ancestor of both, `STALE` only if it lies below a common node;
- when F holds common nodes only, all that is unpainted lies below a common node, and so does every node whose paint
  is incomplete. The best common ancestors are then among the nodes that are common and not stale.
"""

from collections import deque
from typing import Final, Generic

from casvault.graph.node import N, ParentsOf

LEFT: Final = 1
RIGHT: Final = 2
COMMON: Final = LEFT | RIGHT
STALE: Final = 4


class Painter(Generic[N]):
    """Paints what is above and below two nodes, a step at a time."""

    def __init__(self, parents_of: ParentsOf[N], left: N, right: N) -> None:
        self._parents_of = parents_of
        self._parents: dict[N, tuple[N, ...]] = {}
        self._colours: dict[N, int] = {}
        self._frontiers: dict[int, deque[N]] = {LEFT: deque(), RIGHT: deque(), COMMON: deque()}
        self._paint(left, LEFT)
        self._paint(right, RIGHT)

    def is_common(self, node: N) -> bool:
        """Whether the node is known to be an ancestor of both."""
        return self._colours.get(node, 0) & COMMON == COMMON

    def has_frontier(self, colour: int) -> bool:
        """Whether any unexpanded node has exactly this colour."""
        frontier = self._frontiers[colour]
        while frontier and not self._stands_in(frontier[0], colour):
            frontier.popleft()
        return bool(frontier)

    def step(self) -> None:
        """Expand a node of each colour.

        In turns, since none may run ahead: left or right alone would follow a side branch to the root where the common
        front, level with them, stops them at the fork.
        """
        for colour in (LEFT, RIGHT, COMMON):
            if self.has_frontier(colour):
                self._expand(self._frontiers[colour].popleft())

    def candidates(self) -> list[N]:
        """The common nodes that are not known to lie below another one."""
        return [node for node, colours in self._colours.items() if colours == COMMON]

    def _stands_in(self, node: N, colour: int) -> bool:
        return node not in self._parents and self._colours[node] & COMMON == colour

    def _expand(self, node: N) -> None:
        parents = self._parents[node] = tuple(self._parents_of(node))
        for parent in parents:
            self._paint(parent, _handed_down(self._colours[node]))

    def _paint(self, node: N, paint: int) -> None:
        """Add paint to a node, and to all below it that were reached through it before."""
        stack = [(node, paint)]
        while stack:
            node, paint = stack.pop()
            before = self._colours.get(node, 0)
            after = self._colours[node] = before | paint
            if after & COMMON == before & COMMON:
                continue  # staleness needs no handing on: below a common node all is stale already
            if node in self._parents:
                stack += [(parent, _handed_down(after)) for parent in self._parents[node]]
            else:
                self._frontiers[after & COMMON].append(node)


def _handed_down(colours: int) -> int:
    return COMMON | STALE if colours & COMMON == COMMON else colours
