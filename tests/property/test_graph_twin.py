"""Graph algorithms against naive twins that walk everything."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.graph import (
    DominatorTree,
    count_ahead_behind,
    generations,
    independent,
    is_ancestor,
    is_ancestor_across,
    iter_by_rank,
    iter_topological,
    merge_bases,
    merge_bases_across,
)
from tests.support.graphs import ancestors, random_parents

seeds = st.integers(0, 2**32)
sizes = st.integers(1, 30)


def naive_bases(parents: list[list[int]], a: int, b: int) -> list[int]:
    common = ancestors(parents.__getitem__, a) & ancestors(parents.__getitem__, b)
    below = {parent for node in common for parent in parents[node]}
    return sorted(common - below)


@settings(max_examples=400, deadline=None)
@given(seeds, sizes)
def test_merge_bases_equal_the_twin(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = random_parents(rng, size)
    a, b = rng.randrange(size), rng.randrange(size)
    numbers = generations(parents.__getitem__, range(size))
    expected = naive_bases(parents, a, b)
    assert merge_bases(parents.__getitem__, a, b) == expected
    assert merge_bases(parents.__getitem__, a, b, generation_of=numbers.__getitem__) == expected


@settings(max_examples=200, deadline=None)
@given(seeds, sizes)
def test_ancestry_equals_the_twin(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = random_parents(rng, size)
    numbers = generations(parents.__getitem__, range(size)).__getitem__
    a, b = rng.randrange(size), rng.randrange(size)
    expected = a in ancestors(parents.__getitem__, b)
    assert is_ancestor(parents.__getitem__, a, b) == expected
    assert is_ancestor(parents.__getitem__, a, b, generation_of=numbers) == expected


def from_one(parents: list[list[int]]) -> list[list[int]]:
    """The same history with positions, which begin at 1."""
    return [[], *([parent + 1 for parent in own] for own in parents)]


def dominator_tree(parents: list[list[int]]) -> DominatorTree:
    tree = DominatorTree([0], [0], [0])
    for own in parents[1:]:
        for column, number in zip(tree, tree.row(own), strict=True):
            column.append(number)
    return tree


@settings(max_examples=600, deadline=None)
@given(seeds, sizes)
def test_answers_across_dominators_equal_the_twin(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = from_one(random_parents(rng, size))
    a, b = rng.randint(1, size), rng.randint(1, size)
    given = dominator_tree(parents), parents.__getitem__, a, b, generations(parents.__getitem__, range(size + 1)).get
    assert merge_bases_across(*given) == naive_bases(parents, a, b)
    assert is_ancestor_across(*given) == (a in ancestors(parents.__getitem__, b))


@settings(max_examples=200, deadline=None)
@given(seeds, sizes)
def test_dominators_equal_the_twin(seed: int, size: int) -> None:
    """A node dominates another if no root is reached from that one when the first is taken away."""
    parents = from_one(random_parents(random.Random(seed), size))
    nearest = dominator_tree(parents).nearest
    for node in range(1, size + 1):
        below = ancestors(parents.__getitem__, node) - {node}
        dominators = [each for each in below if not reaches_a_root(parents, node, without=each)]
        assert nearest[node] == max(dominators, default=0)


def reaches_a_root(parents: list[list[int]], node: int, *, without: int) -> bool:
    found = ancestors(lambda each: [parent for parent in parents[each] if parent != without], node)
    return any(not parents[each] for each in found)


@settings(max_examples=400, deadline=None)
@given(seeds, sizes)
def test_count_ahead_behind_equals_the_twin(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = random_parents(rng, size)
    one, other = rng.randrange(size), rng.randrange(size)
    numbers = generations(parents.__getitem__, range(size)).__getitem__
    left, right = (ancestors(parents.__getitem__, side) for side in (one, other))
    expected = len(left - right), len(right - left)
    assert count_ahead_behind(parents.__getitem__, one, other) == expected
    assert count_ahead_behind(parents.__getitem__, one, other, generation_of=numbers) == expected


@settings(max_examples=200, deadline=None)
@given(seeds, sizes)
def test_independent_equals_the_twin(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = random_parents(rng, size)
    commits = rng.sample(range(size), rng.randint(0, min(size, 6)))
    numbers = generations(parents.__getitem__, range(size)).__getitem__
    reached = {node for commit in commits for node in ancestors(parents.__getitem__, commit) - {commit}}
    expected = sorted(set(commits) - reached)
    assert independent(parents.__getitem__, commits) == expected
    assert independent(parents.__getitem__, commits, generation_of=numbers) == expected


@settings(max_examples=200, deadline=None)
@given(seeds, sizes)
def test_walks_give_each_reachable_node_once(seed: int, size: int) -> None:
    rng = random.Random(seed)
    parents = random_parents(rng, size)
    starts = rng.sample(range(size), min(size, 2))
    dates = [rng.randrange(10) for _ in range(size)]
    numbers = generations(parents.__getitem__, range(size)).__getitem__
    reachable = sorted(set().union(*(ancestors(parents.__getitem__, start) for start in starts)))
    by_rank = list(iter_by_rank(parents.__getitem__, starts, dates.__getitem__))
    topological = list(iter_topological(parents.__getitem__, starts, dates.__getitem__))
    assert sorted(by_rank) == sorted(topological) == reachable
    assert topological == list(iter_topological(parents.__getitem__, starts, dates.__getitem__, generation_of=numbers))
    place = {node: at for at, node in enumerate(topological)}
    assert all(place[node] < place[parent] for node in topological for parent in parents[node])


@settings(max_examples=200, deadline=None)
@given(seeds, sizes)
def test_generations_are_one_above_the_greatest_parent(seed: int, size: int) -> None:
    parents = random_parents(random.Random(seed), size)
    numbers = generations(parents.__getitem__, range(size))
    assert all(numbers[node] == 1 + max((numbers[p] for p in parents[node]), default=0) for node in range(size))
