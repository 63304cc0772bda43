"""Merges of commits with several merge bases, against what `git merge-tree` makes of them.

Git's answers are checked in, with the script that asks it (`python -m tests.oracle.make_criss_crosses`); where git is
installed, a part of the questions is asked again. The normal run takes every fifth history and all that are known to
differ. All of them:

    CASVAULT_CRISS_CROSS_STRIDE=1 pytest tests/oracle/test_criss_cross.py
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from casvault.merge.bases import Bases
from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import TreeMerge, merge_states, show_conflicts
from casvault.objects import Overlay
from casvault.oid import Oid
from casvault.text.markers import Labels, Style
from casvault.trees import empty_root
from tests.oracle.criss_cross import HISTORIES, SIZE, START, State, history
from tests.oracle.git_trees import STORE, files_of, git_id, state_of
from tests.oracle.make_criss_crosses import Answer, ask_all, read_answers
from tests.oracle.make_tree_merges import DIGITS
from tests.oracle.presentation import plain
from tests.support.objects import numbered_id

STRIDE = int(os.environ.get("CASVAULT_CRISS_CROSS_STRIDE", "5"))
ASKED_AGAIN = 41

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")
LABELS = Labels(b"base", b"ours", b"theirs")


SETTLED = "the bases renamed a file differently, or one deleted what the other renamed"
"""git's virtual base has such a file under the new names. Then whoever took one of them away again, or kept one of two,
has deleted the others, and git does that; if each side kept another one, the file is lost without a word, see below.
casvault's virtual base has it where it was: who settled it differently conflicts, or both are taken for additions."""
COPIES = "a side has the file twice"
"""Of two new files of one content casvault takes the one of the same name for the old file."""
SUBDIRECTORY = "a new directory in a renamed one"
"""git leaves it alone, casvault takes it along (as in test_tree_merge.py)."""

KNOWN_DIFFERENCES = {
    **dict.fromkeys((1, 3, 39, 61, 63, 152, 155, 158, 181, 210, 220, 223, 235, 255, 283, 307, 324, 330), SETTLED),
    29: SUBDIRECTORY,
    396: COPIES,
}
"""The histories of which the two make different merges, with the reasons."""

MOVED = {"o": START["a"]}, {"m": START["a"]}
SETTLED_DIFFERENTLY = [
    State({"a": START["a"]}, ()),
    *(State(files, (0,)) for files in MOVED),
    State(MOVED[0], (1, 2)),
    State(MOVED[1], (2, 1)),
]
"""Two branches called a file differently, and each took its own name when it merged the other."""


class Outcome(NamedTuple):
    bases: int
    merged: TreeMerge
    overlay: Overlay

    @property
    def answer(self) -> Answer:
        """In the form of git's answers."""
        shown = mark_up_tree(self.overlay, self.merged, LABELS, Style.MERGE) or empty_root()
        tree = git_id(state_of(plain(files_of(shown, self.overlay)))).hex()[:DIGITS]
        return Answer(self.bases, "!" * (not self.merged.is_clean) + tree)


def merge(commits: list[State]) -> Outcome:
    """What casvault makes of the last two commits."""
    ids = {numbered_id(at): at for at in range(len(commits))}
    overlay = Overlay(STORE)

    def parents_of(oid: Oid) -> list[Oid]:
        return [numbered_id(parent) for parent in commits[ids[oid]].parents]

    bases = Bases(overlay, parents_of, lambda oid: state_of(commits[ids[oid]].files))
    found = bases.merge_bases(numbered_id(len(commits) - 2), numbered_id(len(commits) - 1))
    merged = merge_states(overlay, bases.unite(found), *(state_of(each.files) for each in commits[-2:]))
    return Outcome(len(found), merged, overlay)


def test_merges_over_several_bases_equal_those_of_git() -> None:
    answers = read_answers()
    numbers = sorted({*range(0, HISTORIES, STRIDE), *KNOWN_DIFFERENCES})
    found = {number: merge(history(number)).answer for number in numbers}
    assert [found[number].bases for number in numbers] == [answers[number].bases for number in numbers]
    assert {number for number in numbers if found[number] != answers[number]} == KNOWN_DIFFERENCES.keys()


def test_there_is_enough_to_compare() -> None:
    answers = read_answers()
    assert len(answers) == HISTORIES
    assert all(one.bases > 1 for one in answers)
    assert sum(one.tree.startswith("!") for one in answers) >= HISTORIES // 5
    assert all(6 < len(history(number)) <= SIZE for number in range(HISTORIES))


def test_differences_are_known_in_few_histories() -> None:
    assert 20 * len(KNOWN_DIFFERENCES) <= HISTORIES


@needs_git
def test_a_file_that_was_renamed_differently_is_never_lost(tmp_path: Path) -> None:
    """Why git's virtual base is not followed there: it has both names, and each side has deleted one of them."""
    assert ask_all(tmp_path, {0: SETTLED_DIFFERENTLY}) == [Answer(2, git_id(empty_root()).hex()[:DIGITS])]
    found = merge(SETTLED_DIFFERENTLY).merged
    assert show_conflicts(found.conflicts) == ("o: renamed differently (base a, ours o, theirs m)",)


@needs_git
def test_the_answers_are_those_of_git(tmp_path: Path) -> None:
    sample = range(0, HISTORIES, ASKED_AGAIN)
    answers = read_answers()
    assert ask_all(tmp_path, {number: history(number) for number in sample}) == [answers[number] for number in sample]
