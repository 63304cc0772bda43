"""Small histories written as text, and random ones."""

import random
from collections.abc import Callable, Sequence

Parents = dict[str, tuple[str, ...]]


class Dag:
    """`Dag("b:a c:a d:bc")`: b and c have the parent a, d has the parents b and c; nodes are letters."""

    def __init__(self, edges: str) -> None:
        self.parents: Parents = {}
        for edge in edges.split():
            node, _, parents = edge.partition(":")
            self.parents[node] = tuple(parents)
        for parent in {name for names in self.parents.values() for name in names}:
            self.parents.setdefault(parent, ())
        self.asked: list[str] = []

    def __call__(self, node: str) -> Sequence[str]:
        """`parents_of`; `asked` records the calls."""
        self.asked.append(node)
        return self.parents[node]


def random_parents(rng: random.Random, size: int) -> list[list[int]]:
    """Parents by number, each smaller than its child: chains, forks, merges, now and then an octopus or a root."""
    reach = rng.choice((3, 6, 12, 60))
    parents: list[list[int]] = []
    for node in range(size):
        wanted = rng.choices((0, 1, 2, 3), (1, 20, 30, 2))[0]
        candidates = range(max(0, node - reach), node)
        parents.append(sorted(rng.sample(candidates, min(wanted, len(candidates)))))
    return parents


def ancestors(parents_of: Callable[[int], Sequence[int]], start: int) -> set[int]:
    """`start` and all below it, the naive way."""
    found = {start}
    stack = [start]
    while stack:
        new = set(parents_of(stack.pop())) - found
        found |= new
        stack += new
    return found
