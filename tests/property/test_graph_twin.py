"""Graph algorithms against naive twins that walk everything."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.graph import (
    count_ahead_behind,
    generations,
    independent,
    is_ancestor,
    iter_by_rank,
    iter_topological,
    merge_bases,
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
