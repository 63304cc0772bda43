"""Tree merges against `git merge-tree --write-tree`: every change on one side with every change on the other.

What git answers is checked in, with the script that asks it (`python -m tests.oracle.make_tree_merges`); where git is
installed, a sample is asked again. Merges with conflicts are compared too, as trees with the conflicted files marked
up.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import TreeMerge, merge_states
from casvault.objects import Root
from casvault.text.markers import Labels, Style
from casvault.trees import empty_root
from tests.oracle.git_trees import STORE, git_id, state_of
from tests.oracle.make_tree_merges import DIGITS, ask_all, read_answers, write_repository
from tests.oracle.tree_changes import BASE, CHANGES, changed

STRIDE = 29

MOVED_DIRECTORIES = (
    *("rename-directory", "rename-directory-edit", "rename-directory-otherwise", "rename-directory-into-another"),
    *("rename-directory-to-root", "take-apart-directory", "split-directory"),
)
EDITED_DIRECTORIES = ("rename-into-directory", "edit-below", "add-below", "add-further-below", "rename-below")

KNOWN_DIFFERENCES = {
    # git looks for renamed directories only where the other side put a file right into one. casvault takes a new
    # directory along as well: to leave it alone in a directory that is gone serves nobody. So a file in it conflicts
    # too where the directory went to several places, and what both sides renamed is not split between two places.
    *(("add-further-below", renamed) for renamed in MOVED_DIRECTORIES),
    ("rename-deep-part", "rename-deep"),
    # Both conflict. Where a file has taken the place of a directory that the other side changed, casvault shows the
    # directory whole and not in part: it is one decision, for the file or for the directory.
    *((edited, "file-for-directory") for edited in EDITED_DIRECTORIES),
    # Both conflict. What merged cleanly keeps its name, here a symlink, and the contested file stands beside it.
    ("symlink-for-file", "rename-into-own-place"),
}
"""Pairs, for both orders, with the reasons why git's answer is not followed."""


def is_known(ours: str, theirs: str) -> bool:
    return (ours, theirs) in KNOWN_DIFFERENCES or (theirs, ours) in KNOWN_DIFFERENCES


@cache
def tree(name: str | None) -> Root:
    return state_of(BASE if name is None else changed(name))


def merge(ours: str, theirs: str) -> TreeMerge:
    return merge_states(STORE, tree(None), tree(ours), tree(theirs))


def answer(ours: str, theirs: str) -> str:
    """What casvault makes of two changes, in the form of git's answers."""
    merged = merge(ours, theirs)
    shown = mark_up_tree(STORE, merged, Labels(b"base", ours.encode(), theirs.encode()), Style.MERGE)
    return "!" * (not merged.is_clean) + git_id(shown or empty_root()).hex()[:DIGITS]


@pytest.mark.parametrize("ours", CHANGES)
def test_tree_merges_equal_those_of_git(ours: str) -> None:
    answers = read_answers()
    different = {(ours, theirs) for theirs in CHANGES if answer(ours, theirs) != answers[ours, theirs]}
    assert different == {(ours, theirs) for theirs in CHANGES if is_known(ours, theirs)}


def test_verdicts_differ_in_one_pair_only() -> None:
    """Of the known differences most are differences in what is shown of a conflict."""
    answers = read_answers()
    known = {pair for pair in answers if is_known(*pair)}
    others = {tuple(sorted(pair)) for pair in known if answers[pair][0] == "!" and merge(*pair).is_clean}
    others |= {tuple(sorted(pair)) for pair in known if answers[pair][0] != "!" and not merge(*pair).is_clean}
    assert others == {("add-further-below", "split-directory")}


def test_there_is_enough_to_compare() -> None:
    answers = read_answers()
    assert len(CHANGES) >= 16
    assert len(answers) == len(CHANGES) ** 2
    assert sum(word.startswith("!") for word in answers.values()) >= 400


def test_swapping_the_sides_changes_neither_the_verdict_nor_a_clean_result() -> None:
    for ours in CHANGES:
        for theirs in CHANGES:
            one, other = merge(ours, theirs), merge(theirs, ours)
            assert one.is_clean == other.is_clean, (ours, theirs)
            assert not one.is_clean or one.state == other.state, (ours, theirs)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")
def test_the_answers_are_those_of_git(tmp_path: Path) -> None:
    write_repository(tmp_path)
    sample = list(read_answers().items())[::STRIDE]
    assert ask_all(tmp_path, [pair for pair, _ in sample]) == [word for _, word in sample]
