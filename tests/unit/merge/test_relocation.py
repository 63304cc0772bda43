"""Merges over renames: what follows what, and which conflicts there are only with renames."""

from __future__ import annotations

import pytest

from casvault.errors import RefusedError
from casvault.limits import MAX_DEPTH
from casvault.merge import renames
from casvault.merge.trees import (
    ConflictKind,
    Renamed,
    Side,
    SkippedRenames,
    TreeMerge,
    merge_states,
    show_conflicts,
    show_skipped,
)
from casvault.objects import EXECUTABLE, LINK, Overlay, Root
from tests.support.objects import numbered_id
from tests.support.trees import STORE, Files, contents, file, text, tree

A, A1, A2 = text("a"), text("a", {0: "first"}), text("a", {11: "last"})
BOTH = text("a", {0: "first", 11: "last"})
DIRECTORY = {"d/x": text("x"), "d/y": text("y"), "d/z": text("z")}
RENAMED = {"e/x": text("x"), "e/y": text("y"), "e/z": text("z")}


def merge(base: Files, ours: Files, theirs: Files) -> TreeMerge:
    """Merged in both orders, whose clean results are the same."""
    merged, swapped = (
        merge_states(STORE, tree(base), *sides) for sides in ((tree(ours), tree(theirs)), (tree(theirs), tree(ours)))
    )
    assert merged.is_clean == swapped.is_clean
    assert not merged.is_clean or merged.state == swapped.state
    return merged


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        pytest.param({"a": A}, {"b": A}, {"a": A1}, {"b": A1}, id="renamed and edited"),
        pytest.param({"a": A}, {"b": A2}, {"a": A1}, {"b": BOTH}, id="renamed and edited on both sides"),
        pytest.param({"a": A}, {"b": A2}, {"b": A1}, {"b": BOTH}, id="renamed alike"),
        pytest.param({"a": A}, {"b": A}, {"a": A, "n": b"n"}, {"b": A, "n": b"n"}, id="renamed and left alone"),
        pytest.param({"a": A}, {"a/b": A}, {"a": A1}, {"a/b": A1}, id="into a directory in its place"),
        pytest.param({"a/b": A}, {"a": A}, {"a/b": A1}, {"a": A1}, id="in the place of its directory"),
        pytest.param(
            {"a": A, "b": text("b")},
            {"a": A1, "c": text("b")},
            {"b": text("b"), "d": A2},
            {"c": text("b"), "d": BOTH},
            id="another file on each side",
        ),
        pytest.param(
            {"a": A, "b": text("b")},
            {"a/b": A},
            {"a": A1, "b": text("b")},
            {"a/b": A1},
            id="beside a removed file",
        ),
        pytest.param(DIRECTORY, RENAMED, {**DIRECTORY, "d/n": b"n"}, {**RENAMED, "e/n": b"n"}, id="directory"),
        pytest.param(
            DIRECTORY,
            RENAMED,
            {**DIRECTORY, "d/s/n": b"n"},
            {**RENAMED, "e/s/n": b"n"},
            id="directory in a directory",
        ),
        pytest.param(
            {**DIRECTORY, "a": A},
            {**RENAMED, "a": A1},
            {**DIRECTORY, "d/a": A},
            {**RENAMED, "e/a": A1},
            id="renamed into a renamed directory",
        ),
        pytest.param(
            {"a/" + path: content for path, content in DIRECTORY.items()},
            {"b/" + path: content for path, content in DIRECTORY.items()},
            {"a/n": b"n", **{"a/" + path: content for path, content in DIRECTORY.items()}},
            {"b/n": b"n", **{"b/" + path: content for path, content in DIRECTORY.items()}},
            id="directory of directories",
        ),
        pytest.param(
            DIRECTORY,
            {path[2:]: content for path, content in DIRECTORY.items()},
            {**DIRECTORY, "d/n": b"n"},
            {"n": b"n", **{path[2:]: content for path, content in DIRECTORY.items()}},
            id="directory to the root",
        ),
        pytest.param(
            DIRECTORY,
            {**RENAMED, "e/n": b"n"},
            {**DIRECTORY, "d/n": b"n"},
            {**RENAMED, "e/n": b"n"},
            id="the same new file",
        ),
        pytest.param(
            DIRECTORY,
            {**RENAMED, "d/o": b"o"},
            {**DIRECTORY, "d/n": b"n"},
            {**RENAMED, "d/o": b"o", "d/n": b"n"},
            id="a directory that is still there",
        ),
    ],
)
def test_merge_follows_renames(base: Files, ours: Files, theirs: Files, expected: Files) -> None:
    merged = merge(base, ours, theirs)
    assert show_conflicts(merged.conflicts) == ()
    assert contents(merged.state) == expected


CONFLICTS = [
    pytest.param(
        {"a": A},
        {"b": A},
        {"c": A1},
        ("b: renamed differently (base a, ours b, theirs c)",),
        {"b": A},
        id="renamed differently",
    ),
    pytest.param({"a": A}, {"b": A}, {}, ("b: theirs deleted (base a, ours b)",), {"b": A}, id="renamed and removed"),
    pytest.param({"a": A}, {}, {"b": A1}, ("b: ours deleted (base a, theirs b)",), {}, id="removed and renamed"),
    pytest.param(
        {"a": A},
        {"b": text("a", {0: "one"})},
        {"a": A1},
        ("b: content (base a, ours b, theirs a)",),
        {"b": text("a", {0: "one"})},
        id="renamed and edited differently",
    ),
    pytest.param(
        {"a": A},
        {"b": A2},
        {"a": A1, "b": b"new\n"},
        ("b: both added",),
        {"b": BOTH},
        id="name taken",
    ),
    pytest.param(
        {"a": A},
        {"b": text("a", {0: "one"})},
        {"a": A1, "b": b"new\n"},
        ("a: ours deleted", "b: both added"),
        {"b": text("a", {0: "one"})},
        id="name taken and edited differently",
    ),
    pytest.param(
        {"a": A, "b": text("b")},
        {"c": A, "b": text("b")},
        {"a": A1, "c": text("b")},
        ("c: both added",),
        {"c": A1},
        id="two files to one name",
    ),
    pytest.param(
        {"a": A},
        {"b": A},
        {"b": text("b"), "c": A1},
        ("b: both added",),
        {"b": A, "c": A1},
        id="differently, name taken",
    ),
    pytest.param(
        {"a": A, "b": b"b\n"},
        {"b/c": A},
        {"a": A1, "b": b"B\n"},
        ("b: ours deleted", "b/c: type (base a, ours b/c, theirs a)"),
        {},
        id="into a directory in the place of an edited file",
    ),
    pytest.param(
        {"a": A, "b": b"b\n"},
        {"a": A1, "b": b"B\n"},
        {"b/c": A},
        ("b: theirs deleted", "b/c: type (base a, ours a, theirs b/c)"),
        {"b": b"B\n"},
        id="into a directory in the place of a file that stands",
    ),
    pytest.param(
        DIRECTORY,
        {"e/x": text("x"), "f/y": text("y")},
        {**DIRECTORY, "d/n": b"n"},
        ("d/n: unclear location",),
        {"e/x": text("x"), "f/y": text("y"), "d/n": b"n"},
        id="directory to several",
    ),
    pytest.param(
        DIRECTORY,
        RENAMED,
        {**DIRECTORY, "d/n": b"n", "e/n": b"o"},
        ("d/n: unclear location",),
        {**RENAMED, "d/n": b"n", "e/n": b"o"},
        id="name in the new directory taken",
    ),
    pytest.param(
        DIRECTORY,
        {**RENAMED, "e/n": b"o"},
        {**DIRECTORY, "d/n": b"n"},
        ("e/n: both added (ours e/n, theirs d/n)",),
        {**RENAMED, "e/n": b"o"},
        id="both have a new file there",
    ),
]


@pytest.mark.parametrize(("base", "ours", "theirs", "conflicts", "expected"), CONFLICTS)
def test_merge_conflicts_over_renames(
    base: Files, ours: Files, theirs: Files, conflicts: tuple[str, ...], expected: Files
) -> None:
    """The state has ours at the paths of the conflicts."""
    merged = merge(base, ours, theirs)
    assert show_conflicts(merged.conflicts) == conflicts
    assert contents(merged.state) == expected


def test_conflicts_over_renames_have_the_states_of_all_paths() -> None:
    (found,) = merge_states(STORE, tree({"a": A}), tree({"b": A}), tree({"c": A1}), path=b"top").conflicts
    assert found == (
        b"top/b",
        ConflictKind.RENAME,
        file(A),
        file(A),
        file(A1),
        Renamed(b"top/a", b"top/b", b"top/c"),
    )


def test_a_mode_goes_with_a_rename() -> None:
    merged = merge_states(STORE, tree({"a": A}), tree({"b": A}), tree({"a": file(A1, EXECUTABLE)}))
    assert merged == TreeMerge(tree({"b": file(A1, EXECUTABLE)}), ())


def test_renames_are_not_looked_for_when_they_are_not_wanted() -> None:
    merged = merge_states(STORE, tree({"a": A}), tree({"b": A}), tree({"a": A1}), follow_renames=False)
    assert show_conflicts(merged.conflicts) == ("a: ours deleted",)


def test_directories_are_not_followed_when_they_are_not_to_be() -> None:
    base, ours, theirs = tree({"d/a": A}), tree({"e/a": A}), tree({"d/a": A1, "d/n": b"n"})
    merged = merge_states(STORE, base, ours, theirs, follow_directories=False)
    assert merged == TreeMerge(tree({"e/a": A1, "d/n": b"n"}), ())
    assert merge_states(STORE, base, ours, theirs) == TreeMerge(tree({"e/a": A1, "e/n": b"n"}), ())


def test_no_content_is_read_for_renames_that_change_nothing() -> None:
    """Ours renamed and edited a file that theirs left alone, and theirs removed one that ours left alone."""
    absent = [Root(0o100644, 100, numbered_id(number)) for number in range(4)]
    base = tree({"a": absent[0], "b": absent[1], "c": A})
    merged = merge_states(
        STORE, base, tree({"new": absent[2], "b": absent[1], "c": A1}), tree({"a": absent[0], "c": A2})
    )
    assert merged == TreeMerge(tree({"new": absent[2], "c": BOTH}), ())


def test_a_limit_that_is_reached_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames, "RENAME_PAIRS", 1)
    base = tree({"a": A, "b": text("b")})
    merged = merge_states(STORE, base, tree({"x": A1, "y": text("b", {0: "first"})}), tree({"a": A2, "b": b"b"}))
    assert show_conflicts(merged.conflicts) == ("a: ours deleted", "b: ours deleted")
    assert merged.skipped == (SkippedRenames(Side.OURS, 2, 2),)
    assert show_skipped(merged.skipped) == (
        "too many files to look for edited renames on the side of ours: 2 removed, 2 added",
    )


def test_links_are_never_taken_for_renamed() -> None:
    link = Root(LINK, 1, numbered_id(1))
    merged = merge_states(STORE, tree({"a": link}), tree({"b": link}), tree({"a": Root(LINK, 1, numbered_id(2))}))
    assert show_conflicts(merged.conflicts) == ("a: ours deleted",)


def test_nothing_is_left_in_the_stage_but_the_result() -> None:
    """Trees without the files that a rename concerns, and merges that another one replaced, were left behind."""
    base, ours, theirs = (
        tree({"d/a": A, "d/k": b"k"}),
        tree({"d/b": A2, "d/k": b"k"}),
        tree({"d/a": A1, "d/k": b"k", "n": b"n"}),
    )
    stage = Overlay(STORE)
    merged = merge_states(stage, base, ours, theirs)
    assert merged.state is not None
    known = Overlay(STORE)
    before = len(known.added)
    assert (before, contents(merged.state, stage)) == (0, {"d/b": BOTH, "d/k": b"k", "n": b"n"})
    assert len(stage.added) == 3, "the file, its directory and the root"


def test_directories_that_are_too_deep_are_refused() -> None:
    """Python's own stack ended before."""
    deep = "/".join(["d"] * (MAX_DEPTH + 2))
    base, ours, theirs = (tree({deep: content}) for content in (b"1", b"2", b"3"))
    with pytest.raises(RefusedError):
        merge_states(STORE, base, ours, theirs)
    fine = "/".join(["d"] * (MAX_DEPTH - 2))
    base, ours, theirs = (tree({fine: content}) for content in (A, A1, A2))
    assert contents(merge_states(STORE, base, ours, theirs).state) == {fine: BOTH}
