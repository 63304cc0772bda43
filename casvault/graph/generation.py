"""Generation numbers: the length of the longest path down to a root."""

from collections.abc import Iterable, Mapping

from casvault.graph.node import N, ParentsOf


def generations(parents_of: ParentsOf[N], starts: Iterable[N], *, known: Mapping[N, int] | None = None) -> dict[N, int]:
    """The generation number of every node that `starts` reach: 1 for a root, else one more than the greatest parent's.

    Nodes in `known` are taken from there: they are neither walked nor in the result. Without recursion, for histories
    are deeper than Python's stack.
    """
    known = known or {}
    found: dict[N, int] = {}
    for start in starts:
        stack = [start]
        while stack:
            node = stack[-1]
            if node in found or node in known:
                stack.pop()
                continue
            parents = parents_of(node)
            missing = [parent for parent in parents if parent not in found and parent not in known]
            if missing:
                stack += missing
                continue
            found[node] = 1 + max((found.get(parent) or known[parent] for parent in parents), default=0)
            stack.pop()
    return found
