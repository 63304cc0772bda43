"""Conflicts as a tree to look at: nothing of either side is lost, and what merged cleanly is where it belongs."""

from __future__ import annotations

import pytest

from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import ConflictKind, TreeConflict, TreeMerge, merge_states
from casvault.objects import EXECUTABLE, SYMLINK, Root
from casvault.text.markers import Labels, Style
from tests.support.trees import STORE, Files, contents, file, text, tree

LABELS = Labels(b"base", b"mine", b"x/other")
A, A1, A2 = text("a"), text("a", {0: "one"}), text("a", {0: "two"})
REST = text("a")[len(b"a 0\n") :]


def marked(base: Root | None, ours: Root | None, theirs: Root | None, style: Style = Style.MERGE) -> Root | None:
    return mark_up_tree(STORE, merge_states(STORE, base, ours, theirs), LABELS, style)


def between(ours: bytes, theirs: bytes, ours_path: bytes = b"", theirs_path: bytes = b"") -> bytes:
    head, tail = b"<<<<<<< mine" + ours_path, b">>>>>>> x/other" + theirs_path
    return head + b"\n" + ours + b"=======\n" + theirs + tail + b"\n"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        pytest.param({"a": A}, {"a": A1}, {"a": A2}, {"a": between(b"one\n", b"two\n") + REST}, id="content"),
        pytest.param({}, {"a": b"1\n"}, {"a": b"2\n"}, {"a": between(b"1\n", b"2\n")}, id="both added"),
        pytest.param({"a": b"\0"}, {"a": b"\0001"}, {"a": b"\0002"}, {"a": b"\0001"}, id="binary"),
        pytest.param({"a": A}, {}, {"a": A2}, {"a": A2}, id="ours deleted"),
        pytest.param({"a": A}, {"a": A1}, {}, {"a": A1}, id="theirs deleted"),
        pytest.param({"n": b"n"}, {"a": b"1"}, {"a/x": b"x"}, {"a~mine": b"1", "a/x": b"x"}, id="file and directory"),
        pytest.param(
            {"n": b"n"},
            {"a/x": b"x"},
            {"a": b"1", "a~x_other": b"2"},
            {"a~x_other_1": b"1", "a~x_other": b"2", "a/x": b"x"},
            id="directory and file, name taken",
        ),
        pytest.param(
            {"a": A},
            {"b": A1},
            {"c": A2},
            dict.fromkeys(("b", "c"), between(b"one\n", b"two\n", b":b", b":c") + REST),
            id="renamed differently",
        ),
        pytest.param(
            {"a": A},
            {"b": A1},
            {"b": A2},
            {"b": between(b"one\n", b"two\n") + REST},
            id="renamed alike, so that the labels need no paths",
        ),
        pytest.param(
            {"a": A, "b": b"b\n"},
            {"a": A1, "b": b"B\n"},
            {"b/c": A},
            {"b": b"B\n", "b~mine/c": A1},
            id="no room",
        ),
    ],
)
def test_mark_up_tree(base: Files, ours: Files, theirs: Files, expected: Files) -> None:
    shown = contents(marked(tree(base), tree(ours), tree(theirs)))
    assert shown == expected


def test_mark_up_shows_the_base_unless_told_otherwise() -> None:
    merged = merge_states(STORE, tree({"a": A}), tree({"b": A1}), tree({"a": A2}))
    assert contents(mark_up_tree(STORE, merged, LABELS))["b"] == (
        b"<<<<<<< mine:b\none\n||||||| base:a\na 0\n=======\ntwo\n>>>>>>> x/other:a\n" + REST
    )


def test_mark_up_of_a_file_with_two_modes() -> None:
    found = marked(tree({}), tree({"a": A}), tree({"a": file(A, EXECUTABLE)}))
    assert found == tree({"a": A})


def test_mark_up_of_a_symlink_and_a_file() -> None:
    found = marked(tree({"a": A}), tree({"a": A1}), tree({"a": file(b"t", SYMLINK)}))
    assert found == tree({"a": file(b"t", SYMLINK), "a~mine": A1})


def test_mark_up_of_one_file() -> None:
    found = marked(file(A), file(A1), file(A2))
    assert found == file(between(b"one\n", b"two\n") + REST)


def test_mark_up_of_a_clean_merge_is_the_merge() -> None:
    state = tree({"a": A})
    assert mark_up_tree(STORE, TreeMerge(state, ())) == state


def test_mark_up_below_a_path() -> None:
    """The conflicts of a merge that was given a path have it in front."""
    merged = merge_states(STORE, tree({"a": A}), tree({"a": A1}), tree({"a": A2}), path=b"top")
    shown = mark_up_tree(STORE, merged, LABELS, Style.MERGE, path=b"top")
    assert contents(shown) == {"a": between(b"one\n", b"two\n") + REST}


def test_mark_up_of_conflicts_that_are_in_each_others_way() -> None:
    """A tree was asked for in which one path was a file and a directory."""
    one, other = file(A1), file(A2)
    conflicts = (
        TreeConflict(b"p", ConflictKind.OURS_DELETED, file(A), None, one),
        TreeConflict(b"p/q", ConflictKind.OURS_DELETED, file(A), None, other),
    )
    shown = mark_up_tree(STORE, TreeMerge(tree({}), conflicts), LABELS)
    assert contents(shown) == {"p": A1, "p~mine/q": A2}
