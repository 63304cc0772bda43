"""Best common ancestors, all of them (`git merge-base --all`)."""

from heapq import heappop, heappush

from casvault.graph.ancestry import independent
from casvault.graph.node import GenerationOf, N, ParentsOf
from casvault.graph.paint import COMMON, LEFT, RIGHT, STALE, Painter


def merge_bases(parents_of: ParentsOf[N], a: N, b: N, *, generation_of: GenerationOf[N] | None = None) -> list[N]:
    """The common ancestors of `a` and `b` that are not ancestors of another common ancestor, sorted.

    Empty for unrelated histories, several for a criss-cross; a node is an ancestor of itself. Exact with and without
    generation numbers. With them the walk ends at the generation of the bases; without them it ends where the paths of
    both sides have met, and several candidates cost one walk more to tell the best.
    """
    if a == b:
        return [a]
    if generation_of is not None:
        return _by_generation(parents_of, a, b, generation_of)
    painter = Painter(parents_of, a, b)
    while painter.has_frontier(LEFT) or painter.has_frontier(RIGHT):
        for side in (a, b):
            if painter.is_common(side):
                return [side]
        painter.step()
    candidates = painter.candidates()
    return candidates if len(candidates) < 2 else independent(parents_of, candidates)


def _by_generation(parents_of: ParentsOf[N], a: N, b: N, generation_of: GenerationOf[N]) -> list[N]:
    """Walk down by generation.

    A node is taken only after all its descendants, so its colours are final then: common without stale is a base. What
    stands in the heap is painted; once all of it is stale, so is all below.
    """
    colours = {a: LEFT, b: RIGHT}
    heap = [(-generation_of(node), node) for node in sorted(colours)]
    heap.sort()
    unsettled = len(heap)  # nodes in the heap that are not stale
    bases = []
    while unsettled:
        node = heappop(heap)[1]
        paint = colours[node]
        unsettled -= not paint & STALE
        if paint == COMMON:
            bases.append(node)
            paint |= STALE
        for parent in parents_of(node):
            before = colours.get(parent)
            after = colours[parent] = (before or 0) | paint
            if before is None:
                heappush(heap, (-generation_of(parent), parent))
                unsettled += not after & STALE
            elif after & STALE and not before & STALE:
                unsettled -= 1
    return sorted(bases)
