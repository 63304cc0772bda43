"""Merges of neighbouring releases of real projects, against what `git merge-tree` makes of them.

Git's answers are checked in (see make_release_merges.py), and so are the differences with their reasons (see
make_release_differences.py); the releases themselves are not. Where they are cached, casvault is asked all questions,
and git a part of them again:

    CASVAULT_RELEASES=DIRECTORY python -m tests.oracle.releases
    CASVAULT_RELEASES=DIRECTORY pytest tests/oracle/test_release_merges.py
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.oracle.make_release_differences import Reason, answer, find_reason, read_differences
from tests.oracle.make_release_merges import Answer, ask_all, iter_merges, read_answers
from tests.oracle.pairs import pairs_of_git
from tests.oracle.presentation import plain_text
from tests.oracle.releases import VERSIONS, find_cache, has_all

CACHE = find_cache()
STRIDE = 23

OTHER_VERDICT = {("click", "6.7", "6.7-7.0-even", "6.7-7.0-odd")}
"""Clean for git only: two files were written anew, of which git pairs lines that casvault does not."""

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")
needs_releases = pytest.mark.skipif(
    not has_all(CACHE), reason="the releases are not there: set CASVAULT_RELEASES, run python -m tests.oracle.releases"
)


def is_clean(words: Answer) -> bool:
    return not words[0].startswith("!")


@needs_releases
@pytest.mark.parametrize("project", VERSIONS)
def test_merges_of_releases_equal_those_of_git(project: str) -> None:
    """Verdict, clean tree, and the tree with conflicted files marked up in each style, but for the table."""
    asked = {merge: words for merge, words in read_answers().items() if merge.project == project}
    found = {merge: answer(merge) for merge in asked}
    assert {merge for merge, words in found.items() if words != asked[merge]} == {
        merge for merge in read_differences() if merge.project == project
    }
    assert {merge for merge, words in found.items() if is_clean(words) != is_clean(asked[merge])} == {
        merge for merge in OTHER_VERDICT if merge[0] == project
    }


@needs_releases
@needs_git
def test_every_difference_is_one_of_the_pairs_of_equal_lines() -> None:
    """With git's choice of pairs casvault's trees are git's, to the byte. So there is nothing else in which they
    differ: not in what of two changes is a conflict, nor in renames, nor in where a conflict begins and ends.
    """
    answers = read_answers()
    with pairs_of_git():
        assert [merge for merge in read_differences() if answer(merge) != answers[merge]] == []


@needs_releases
@needs_git
def test_the_reasons_are_those_of_the_table() -> None:
    differences = dict(list(read_differences().items())[::3])
    assert {merge: find_reason(merge) for merge in differences} == differences


def test_every_merge_that_can_be_formed_was_asked() -> None:
    assert list(read_answers()) == list(iter_merges())
    assert len(VERSIONS) >= 3


def test_verdicts_and_clean_trees_agree_in_99_of_100_merges() -> None:
    answers = read_answers()
    assert answers.keys() >= OTHER_VERDICT
    assert not any(is_clean(answers[merge]) for merge in read_differences() if tuple(merge) not in OTHER_VERDICT)
    assert 100 * len(OTHER_VERDICT) <= len(answers)
    clean = sum(map(is_clean, answers.values()))
    assert clean >= 70
    assert len(answers) - clean >= 200


def test_trees_agree_in_nine_of_ten_merges() -> None:
    """Those with conflicts included. And where they do not, casvault finds as many equal lines as git's histogram
    does, or more, in all but one.
    """
    answers, differences = read_answers(), read_differences()
    assert answers.keys() >= differences.keys()
    assert 10 * len(differences) <= len(answers)
    reasons = Counter(reason for reason, _ in differences.values())
    assert reasons[Reason.FEWER] <= 1


def test_plain_markers() -> None:
    r"""One length, no name of the base, and \n at the end of a marker and of the line before; texts are left alone."""
    marked = b"<<<<<<<<< ours:a\r\n1\r\n||||||||| base\r\n=========\r\n=======\r\n2\r\n>>>>>>>>> theirs:b\r\n3\r\n"
    assert plain_text(marked) == (b"<<<<<<< ours:a\n1\n|||||||\n=======\n=======\r\n2\n>>>>>>> theirs:b\n3\r\n")
    assert plain_text(b"=========\r\n") == b"=========\r\n"


@needs_releases
@needs_git
def test_the_answers_are_those_of_git(tmp_path: Path) -> None:
    assert CACHE is not None
    sample = list(read_answers().items())[::STRIDE]
    assert ask_all(tmp_path, CACHE, [merge for merge, _ in sample]) == dict(sample)
