"""Dominators: the nodes that every way down to a root leads through, and the walks that they spare.

Nodes are *positions* here: 1, 2, 3 … in an order in which parents come before their children. Position 0 is a floor
below all roots, so that every node has a dominator. The nearest dominators make a tree. In a history most nodes have
their only parent for nearest dominator, and a merge has the place where its branches parted; two nodes far apart meet
in this tree after few steps, however many nodes lie between.

Let n be the nearest common dominator of two nodes, p the last one on the way down to n that dominates the first of
them, q the same for the second. Whatever a node reaches is dominated by its p (or q) or reached by it too. So if a
common ancestor is dominated by p, then q reaches it, and p below it; the same with the sides swapped. Both at once
would be a cycle: where common ancestors are looked for, at least one of the two nodes can be replaced by its p or q.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from casvault.graph.ancestry import is_ancestor
from casvault.graph.merge_base import merge_bases
from casvault.graph.node import GenerationOf, ParentsOf

FLOOR = 0


class Row(NamedTuple):
    """The place of one node in the tree."""

    nearest: int
    """The dominator next below; FLOOR for a root, and where the ways to several roots part."""
    depth: int
    """Dominators below the node, the floor among them."""
    jump: int
    """One of the dominators further below, so chosen that any other is reached in steps logarithmic in the depth."""


class DominatorTree(NamedTuple):
    """The rows of all nodes in columns, by position. Row 0, the floor's, is all zeros."""

    nearest: Sequence[int]
    depth: Sequence[int]
    jump: Sequence[int]

    def row(self, parents: Sequence[int]) -> Row:
        """The place of another node, whose parents are in the tree."""
        nearest = reduce(self.meet, parents) if parents else FLOOR
        depth, jump = self.depth, self.jump
        far = jump[nearest]
        # Two jumps of one length become one of both and a step: the lengths depend on the depth alone.
        is_even = depth[nearest] - depth[far] == depth[far] - depth[jump[far]]
        return Row(nearest, depth[nearest] + 1, jump[far] if is_even else nearest)

    def meet(self, one: int, other: int) -> int:
        """The nearest node, or the floor, that dominates both; a node dominates itself."""
        one, other = self.part(one, other)
        return one if one == other else self.nearest[one]

    def part(self, one: int, other: int) -> tuple[int, int]:
        """The last dominators of each that are not common; if one of the nodes dominates the other, that one twice."""
        nearest, depth, jump = self
        one, other = self._lower(one, depth[other]), self._lower(other, depth[one])
        while one != other and nearest[one] != nearest[other]:
            # At equal depth jumps are equally long: if they end in one node, it may lie below the one that is sought.
            step = nearest if jump[one] == jump[other] else jump
            one, other = step[one], step[other]
        return one, other

    def _lower(self, node: int, depth: int) -> int:
        """The dominator at this depth, the node itself if it is not deeper."""
        while self.depth[node] > depth:
            far = self.jump[node]
            node = far if self.depth[far] >= depth else self.nearest[node]
        return node


def is_ancestor_across(
    tree: DominatorTree, parents_of: ParentsOf[int], ancestor: int, descendant: int, generation_of: GenerationOf[int]
) -> bool:
    """`is_ancestor`, without walking what dominators answer for."""
    mine, its = tree.part(ancestor, descendant)
    if mine == its:
        return mine == ancestor
    # What dominates the ancestor would be reached too, and so would be below the end of the other side.
    return generation_of(mine) < generation_of(its) and _reaches(parents_of, its, ancestor, generation_of)


def merge_bases_across(
    tree: DominatorTree, parents_of: ParentsOf[int], one: int, other: int, generation_of: GenerationOf[int]
) -> list[int]:
    """`merge_bases`, without walking what dominators answer for."""
    low, high = tree.part(one, other)
    if low == high:
        return [low]
    if generation_of(low) > generation_of(high):
        one, other, low, high = other, one, high, low
    # `high` is no ancestor of `low`, so it can stand for its side; the other side needs to be looked at.
    if one != low and not _reaches(parents_of, high, low, generation_of):
        one = low
    return merge_bases(parents_of, one, high, generation_of=generation_of)


def _reaches(parents_of: ParentsOf[int], high: int, low: int, generation_of: GenerationOf[int]) -> bool:
    return generation_of(low) < generation_of(high) and is_ancestor(parents_of, low, high, generation_of=generation_of)
