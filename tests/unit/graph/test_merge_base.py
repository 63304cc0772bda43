import pytest

from casvault.graph import generations, merge_bases
from tests.support.graphs import Dag


def both_ways(dag: Dag, a: str, b: str) -> list[str]:
    """The answer, the same with generation numbers, without, and with the sides swapped."""
    of = generations(dag, [a, b]).__getitem__
    answers = [merge_bases(dag, *sides, generation_of=number) for number in (None, of) for sides in ((a, b), (b, a))]
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def test_merge_bases_fork() -> None:
    """
    a──b──c
        ╲
         d
    """
    assert both_ways(Dag("b:a c:b d:b"), "c", "d") == ["b"]


def test_merge_bases_of_a_node_and_itself() -> None:
    assert both_ways(Dag("b:a"), "b", "b") == ["b"]


def test_merge_bases_of_an_ancestor_is_the_ancestor() -> None:
    """a──b──c──d"""
    assert both_ways(Dag("b:a c:b d:c"), "b", "d") == ["b"]


def test_merge_bases_of_unrelated_histories() -> None:
    """
    a──b
    c──d
    """
    assert both_ways(Dag("b:a d:c"), "b", "d") == []


def test_merge_bases_criss_cross() -> None:
    """
      b───d
     ╱ ╲ ╱
    a   ╳
     ╲ ╱ ╲
      c───e
    """
    assert both_ways(Dag("b:a c:a d:bc e:cb"), "d", "e") == ["b", "c"]


def test_merge_bases_of_a_criss_cross_merged_again() -> None:
    """
      b───d───f
     ╱ ╲ ╱   ╱
    a   ╳   ╱
     ╲ ╱ ╲ ╱
      c───e───g
    """
    assert both_ways(Dag("b:a c:a d:bc e:cb f:de g:e"), "f", "g") == ["e"]


def test_merge_bases_drops_a_candidate_that_lies_far_below_another() -> None:
    """
    x and y both have the parents b and f; the way from f down to b is the longer one.

         ╭────────────╮
      a──b──c──d──e──f──x
         ╰───────────╰──y
    """
    assert both_ways(Dag("b:a c:b d:c e:d f:e x:bf y:bf"), "x", "y") == ["f"]


def test_merge_bases_beside_an_old_side_branch() -> None:
    """
    ╭─────s─────╮
    a──b──c──d──x
          ╰──y
    """
    assert both_ways(Dag("b:a c:b d:c s:a x:ds y:c"), "x", "y") == ["c"]


def test_merge_bases_three_bases() -> None:
    assert both_ways(Dag("b:a c:a d:a x:bcd y:dcb"), "x", "y") == ["b", "c", "d"]


def chain(node: int) -> list[int]:
    return [node - 1] if node else []


@pytest.mark.parametrize("near", [99_990, 99_000])
def test_merge_bases_of_a_near_ancestor_walks_little(near: int) -> None:
    asked = []

    def parents_of(node: int) -> list[int]:
        asked.append(node)
        return chain(node)

    assert merge_bases(parents_of, near, 100_000) == [near]
    assert len(asked) <= 3 * (100_000 - near) + 3


def test_merge_bases_of_a_near_fork_walks_little() -> None:
    """A chain of 100,000 with a branch -1, -2, -3 from its node 99,990."""
    asked = []

    def parents_of(node: int) -> list[int]:
        asked.append(node)
        return {-1: [-2], -2: [-3], -3: [99_990]}.get(node) or chain(node)

    assert merge_bases(parents_of, 100_000, -1) == [99_990]
    assert len(asked) <= 60


def test_merge_bases_with_generations_ends_below_the_bases() -> None:
    """A criss-cross on top of a long chain: without generation numbers telling the two bases apart walks it all."""
    dag = {100_001: [100_000], 100_002: [100_000], 100_003: [100_001, 100_002], 100_004: [100_002, 100_001]}
    asked = []

    def parents_of(node: int) -> list[int]:
        asked.append(node)
        return dag.get(node) or chain(node)

    levels = {100_002: 100_001, 100_003: 100_002, 100_004: 100_002}
    bases = merge_bases(parents_of, 100_003, 100_004, generation_of=lambda node: levels.get(node, node))
    assert bases == [100_001, 100_002]
    assert len(asked) <= 4
    assert merge_bases(parents_of, 100_003, 100_004) == bases
