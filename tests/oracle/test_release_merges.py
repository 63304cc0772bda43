"""Merges of neighbouring releases of real projects, against what `git merge-tree` makes of them.

Git's answers are checked in (see make_release_merges.py); the releases themselves are not. Where they are cached,
casvault is asked all questions, and git a part of them again:

    CASVAULT_RELEASES=DIRECTORY python -m tests.oracle.releases
    CASVAULT_RELEASES=DIRECTORY pytest tests/oracle/test_release_merges.py
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import merge_states
from casvault.objects import Root
from casvault.text.markers import Labels, Style
from casvault.trees import empty_root
from tests.oracle.git_trees import STORE, git_id, state_of
from tests.oracle.make_release_merges import ReleaseMerge, ask_all, iter_merges, read_answers
from tests.oracle.make_tree_merges import DIGITS
from tests.oracle.releases import VERSIONS, find_cache, has_all, read_state

CACHE = find_cache()
STRIDE = 23
VERDICT = "one is clean, the other is not"
OTHER_TREE = "both clean, other trees"

KNOWN_DIFFERENCES = {
    # Two files were written anew; of what their versions share git matches lines that casvault does not.
    ("click", "6.7", "6.7-7.0-even", "6.7-7.0-odd"): VERDICT,
}
"""Every merge of which verdict or clean result is not git's, with the class of the difference."""

needs_releases = pytest.mark.skipif(
    not has_all(CACHE), reason="the releases are not there: set CASVAULT_RELEASES, run python -m tests.oracle.releases"
)


@cache
def release(project: str, version: str) -> Root:
    assert CACHE is not None
    return state_of(read_state(CACHE, project, version))


def answer(merge: ReleaseMerge) -> str:
    """What casvault makes of a merge, in the form of git's answers."""
    merged = merge_states(STORE, *(release(merge.project, name) for name in merge[1:]))
    shown = mark_up_tree(STORE, merged, Labels(b"base", b"ours", b"theirs"), Style.MERGE)
    return "!" * (not merged.is_clean) + git_id(shown or empty_root()).hex()[:DIGITS]


def difference(ours: str, git: str) -> str | None:
    if ours[0] == git[0] == "!" or ours == git:
        return None
    return VERDICT if "!" in ours[0] + git[0] else OTHER_TREE


@needs_releases
@pytest.mark.parametrize(("project", "shown_alike"), [("bottle", 50), ("click", 40), ("tabulate", 1)])
def test_merges_of_releases_equal_those_of_git(project: str, shown_alike: int) -> None:
    """Conflicts are often shown otherwise: texts with underlined headings get longer markers, which git leaves short.

    So of these no more is asked than that some are shown alike, to the byte.
    """
    asked = {merge: word for merge, word in read_answers().items() if merge.project == project}
    pairs = {tuple(merge): (answer(merge), word) for merge, word in asked.items()}
    found = {merge: kind for merge, pair in pairs.items() if (kind := difference(*pair)) is not None}
    assert found == {merge: kind for merge, kind in KNOWN_DIFFERENCES.items() if merge[0] == project}
    assert sum(ours == git and ours[0] == "!" for ours, git in pairs.values()) >= shown_alike


def test_every_merge_that_can_be_formed_was_asked() -> None:
    assert list(read_answers()) == list(iter_merges())
    assert len(VERSIONS) >= 3


def test_verdicts_and_trees_agree_in_99_of_100_merges() -> None:
    answers = read_answers()
    assert KNOWN_DIFFERENCES.keys() <= {tuple(merge) for merge in answers}
    assert 100 * len(KNOWN_DIFFERENCES) <= len(answers)
    conflicts = sum(word.startswith("!") for word in answers.values())
    assert conflicts >= 200
    assert len(answers) - conflicts >= 70


@needs_releases
@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")
def test_the_answers_are_those_of_git(tmp_path: Path) -> None:
    assert CACHE is not None
    sample = list(read_answers().items())[::STRIDE]
    assert ask_all(tmp_path, CACHE, [merge for merge, _ in sample]) == dict(sample)
