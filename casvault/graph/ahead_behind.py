"""How far two nodes have gone apart (`git rev-list --count --left-right A...B`)."""

from heapq import heapify, heappop, heappush

from casvault.graph.generation import generations
from casvault.graph.node import GenerationOf, N, ParentsOf
from casvault.graph.paint import COMMON, LEFT, RIGHT


def count_ahead_behind(
    parents_of: ParentsOf[N], one: N, other: N, *, generation_of: GenerationOf[N] | None = None
) -> tuple[int, int]:
    """How many nodes `one` reaches and `other` does not, and the other way; each node reaches itself.

    With generation numbers the walk ends where all that is left is common. Without them it must be the whole history:
    a path of any length may lead from a common node to one that only one side seemed to reach.
    """
    if one == other:
        return 0, 0
    level = generation_of or generations(parents_of, [one, other]).__getitem__
    colours = {one: LEFT, other: RIGHT}
    heap = [(-level(node), node) for node in colours]
    heapify(heap)
    counts = {LEFT: 0, RIGHT: 0, COMMON: 0}
    one_sided = len(heap)  # nodes in the heap that are not common
    while one_sided:
        # All that reaches this node has been taken before it, so its colours are final.
        node = heappop(heap)[1]
        paint = colours[node]
        counts[paint] += 1
        one_sided -= paint != COMMON
        for parent in parents_of(node):
            before = colours.get(parent)
            after = colours[parent] = (before or 0) | paint
            if before is None:
                heappush(heap, (-level(parent), parent))
                one_sided += after != COMMON
            elif after == COMMON != before:
                one_sided -= 1
    return counts[LEFT], counts[RIGHT]
