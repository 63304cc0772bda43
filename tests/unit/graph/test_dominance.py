import pytest

from casvault.graph import DominatorTree, generations, is_ancestor_across, merge_bases_across


class Numbered:
    """A history by position, the parents of 1, 2, 3 … in order."""

    def __init__(self, parents: list[list[int]]) -> None:
        self.parents = [[], *parents]
        self.asked: list[int] = []
        self.tree = DominatorTree([0], [0], [0])
        for own in parents:
            for column, number in zip(self.tree, self.tree.row(own), strict=True):
                column.append(number)
        numbers = generations(self.parents.__getitem__, range(1, len(self.parents)))
        self.generation_of = numbers.__getitem__

    def __call__(self, position: int) -> list[int]:
        self.asked.append(position)
        return self.parents[position]

    def merge_bases(self, one: int, other: int) -> list[int]:
        found = merge_bases_across(self.tree, self, one, other, self.generation_of)
        assert merge_bases_across(self.tree, self, other, one, self.generation_of) == found
        return found

    def is_ancestor(self, ancestor: int, descendant: int) -> bool:
        return is_ancestor_across(self.tree, self, ancestor, descendant, self.generation_of)


def history(text: str) -> Numbered:
    """`- 1 1 2,3`: a root, two children of it, their merge."""
    return Numbered([[int(number) for number in word.split(",") if number != "-"] for word in text.split()])


def test_dominator_of_a_merge_is_where_its_branches_parted() -> None:
    """
      2──4
     ╱    ╲
    1──3───5──6    7 stands alone
    """
    assert history("- 1 1 2 4,3 5 -").tree.nearest == [0, 0, 1, 1, 2, 1, 5, 0]


def test_dominator_of_a_merge_of_unrelated_histories_is_the_floor() -> None:
    tree = history("- - 1,2 3").tree
    assert (tree.nearest, tree.depth) == ([0, 0, 0, 0, 3], [0, 1, 1, 1, 2])


def test_dominator_of_an_octopus() -> None:
    assert history("- 1 2 2 2 3,4,5 3,4,1").tree.nearest == [0, 0, 1, 2, 2, 2, 2, 1]


@pytest.mark.parametrize(("one", "other", "bases"), [(4, 5, [2, 3]), (4, 3, [3]), (4, 4, [4]), (4, 6, [])])
def test_merge_bases_of_a_criss_cross(one: int, other: int, bases: list[int]) -> None:
    """
      2───4
     ╱ ╲ ╱
    1   ╳      6 stands alone
     ╲ ╱ ╲
      3───5
    """
    assert history("- 1 1 2,3 3,2 -").merge_bases(one, other) == bases


def test_merge_bases_when_one_side_comes_from_above_the_last_dominator_of_the_other() -> None:
    """
    1 dominates all. 3 is reached from 5, whose own last dominator is 2, and from 6, whose last one is 6 itself.

      ╭───────6
     ╱       ╱
    1──2────3
        ╲    ╲
         4────5
    """
    dag = history("- 1 2 2 4,3 1,3")
    assert dag.tree.part(5, 6) == (2, 6)
    assert dag.merge_bases(5, 6) == [3]
    assert [dag.is_ancestor(position, 6) for position in range(1, 7)] == [True, True, True, False, False, True]


def braided(length: int) -> tuple[Numbered, int, int]:
    """Two branches of a history, each with a side branch at every second commit; the tips."""
    parents: list[list[int]] = [[]]

    def grow(tip: int) -> int:
        for _ in range(length):
            parents.append([tip])
            parents.append([tip])
            parents.append([len(parents) - 1, len(parents)])
            tip = len(parents)
        return tip

    fork = grow(1)
    left, right = grow(fork), grow(fork)
    return Numbered(parents), left, right


def test_merge_bases_far_apart_ask_for_hardly_any_parents() -> None:
    """30,000 commits lie between the tips and the fork; a walk would ask for the parents of each."""
    dag, left, right = braided(5_000)
    assert dag.merge_bases(left, right) == [1 + 3 * 5_000]
    assert not dag.is_ancestor(left, right)
    assert dag.is_ancestor(1, right)
    assert len(dag.asked) < 20
