"""Merge bases of the last two commits of many histories, against what `git merge-base --all` answers.

Git's answers are checked in (`make_answers.py` asked it), and a part of the questions is asked again where git is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault.graph import DominatorTree, generations, independent, is_ancestor, merge_bases, merge_bases_across
from tests.oracle.histories import (
    DRAWN,
    SMALL_SIZES,
    History,
    ask_merge_bases,
    count_small,
    drawn,
    git,
    small,
    write_repository,
)
from tests.oracle.make_answers import read_answers

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")
SMALL, RANDOM = read_answers()


def answer(parents: History) -> list[int]:
    """Ours: without generation numbers, with them, and across dominators."""
    a, b = len(parents) - 2, len(parents) - 1
    bases = merge_bases(parents.__getitem__, a, b)
    numbers = generations(parents.__getitem__, range(len(parents)))
    assert merge_bases(parents.__getitem__, a, b, generation_of=numbers.__getitem__) == bases
    rows: tuple[list[int], list[int], list[int]] = ([0], [0], [0])
    tree = DominatorTree(*rows)
    above_floor = [[], *([parent + 1 for parent in own] for own in parents)]
    for own in above_floor[1:]:
        for column, number in zip(rows, tree.row(own), strict=True):
            column.append(number)
    across = merge_bases_across(tree, above_floor.__getitem__, a + 1, b + 1, lambda each: numbers[each - 1])
    assert [base - 1 for base in across] == bases
    return bases


@pytest.mark.parametrize("size", SMALL_SIZES)
def test_merge_bases_of_every_history_of_few_commits_equal_those_of_git(size: int) -> None:
    assert len(SMALL[size]) == count_small(size)
    for number, expected in enumerate(SMALL[size]):
        assert answer(small(size, number)) == expected, small(size, number)


def test_merge_bases_of_random_histories_equal_those_of_git() -> None:
    assert len(RANDOM) == DRAWN
    for number, expected in enumerate(RANDOM):
        assert answer(drawn(number)) == expected, number
    several = sum(len(bases) > 1 for bases in RANDOM)
    assert several >= DRAWN // 20, "there are too few criss-crosses to prove anything"


@needs_git
def test_git_answers_as_it_did(tmp_path: Path) -> None:
    """A sample: whoever changes the histories, or has another git, learns that the answers are of something else."""
    questions = [(small(size, number), SMALL[size][number]) for size in (2, 3) for number in range(count_small(size))]
    questions += [(small(6, number), SMALL[6][number]) for number in range(0, count_small(6), 397)]
    questions += [(drawn(number), RANDOM[number]) for number in range(0, DRAWN, 20)]
    names = write_repository(tmp_path, [history for history, _ in questions])
    assert [ask_merge_bases(tmp_path, each) for each in names] == [expected for _, expected in questions]


@needs_git
def test_independent_and_ancestry_equal_git(tmp_path: Path) -> None:
    histories = [drawn(number) for number in range(40)]
    for parents, names in zip(histories, write_repository(tmp_path, histories), strict=True):
        chosen = list(range(len(parents)))[-5::2]
        found = git(tmp_path, "merge-base", "--independent", *(names[each] for each in chosen)).split()
        assert independent(parents.__getitem__, chosen) == sorted(names.index(name) for name in found)
        a, b = len(parents) // 2, len(parents) - 1
        # Its `--is-ancestor` answers by its exit code alone; `--independent` says the same of two.
        heads = git(tmp_path, "merge-base", "--independent", names[a], names[b]).split()
        assert is_ancestor(parents.__getitem__, a, b) == (names[a] not in heads)
