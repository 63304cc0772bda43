"""Merging states of a path: every conflict, and what is decided without one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from casvault.limits import MERGE_BYTES
from casvault.merge.trees import (
    ConflictKind,
    TreeConflict,
    TreeMerge,
    merge_states,
    show_conflicts,
)
from casvault.objects import EXECUTABLE, FILE, FOREIGN, LINK, SYMLINK, TREE, MemoryObjects, Root, read_blob, write_blob
from casvault.oid import blob_id
from casvault.trees import edit_paths, empty_root, walk
from tests.support.objects import numbered_id

STORE = MemoryObjects()
LINES = b"1\n2\n3\n4\n5\n6\n"
Files = Mapping[str, "bytes | Root"]


def file(content: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(content), write_blob(STORE, content))


def tree(files: Files) -> Root:
    states: dict[bytes, Root | None] = {
        path.encode(): file(content) if isinstance(content, bytes) else content for path, content in files.items()
    }
    return edit_paths(STORE, empty_root(), states)


def link(number: int) -> Root:
    return Root(LINK, 1, numbered_id(number))


def contents(state: Root | None) -> dict[str, bytes]:
    assert state is not None
    found = walk(STORE, state.id)
    return {path.decode(): read_blob(STORE, entry.id) for path, entry in found if entry.mode != TREE}


BINARY = [file(b"\0%d" % number) for number in range(3)]
BASE, OURS, THEIRS = file(LINES), file(LINES.replace(b"1", b"ours")), file(LINES.replace(b"1", b"theirs"))
FAR = file(LINES.replace(b"6", b"theirs"))
HUGE = [Root(FILE, MERGE_BYTES + 1, numbered_id(number)) for number in range(3)]


@pytest.mark.parametrize(
    ("kind", "base", "ours", "theirs"),
    [
        (ConflictKind.CONTENT, BASE, OURS, THEIRS),
        (ConflictKind.BINARY, *BINARY),
        (ConflictKind.BINARY, BASE, OURS, BINARY[0]),
        (ConflictKind.BINARY, *HUGE),
        (ConflictKind.BINARY, file(b"a", SYMLINK), file(b"b", SYMLINK), file(b"c", SYMLINK)),
        (ConflictKind.BINARY, *(Root(FOREIGN, 0, numbered_id(number)) for number in range(3))),
        (ConflictKind.BOTH_ADDED, None, OURS, THEIRS),
        (ConflictKind.BOTH_ADDED, None, OURS, tree({"x": b"x"})),
        (ConflictKind.OURS_DELETED, BASE, None, THEIRS),
        (ConflictKind.THEIRS_DELETED, BASE, OURS, None),
        (ConflictKind.OURS_DELETED, link(0), None, link(1)),
        (ConflictKind.THEIRS_DELETED, link(0), link(1), None),
        (ConflictKind.MODE, None, file(LINES), file(LINES, EXECUTABLE)),
        (ConflictKind.MODE, file(b"t", SYMLINK), file(LINES), file(LINES, EXECUTABLE)),
        (ConflictKind.TYPE, BASE, OURS, file(b"t", SYMLINK)),
        (ConflictKind.TYPE, BASE, tree({"x": b"x"}), THEIRS),
        (ConflictKind.TYPE, tree({"x": b"x"}), OURS, tree({"x": b"y"})),
        (ConflictKind.TYPE, link(0), link(1), OURS),
        (ConflictKind.LINK, link(0), link(1), link(2)),
        (ConflictKind.LINK, None, link(1), link(2)),
    ],
)
def test_merge_conflict(kind: ConflictKind, base: Root | None, ours: Root | None, theirs: Root | None) -> None:
    merged = merge_states(STORE, base, ours, theirs, path=b"p")
    assert merged == TreeMerge(ours, (TreeConflict(b"p", kind, base, ours, theirs),))


def test_merge_conflict_table_has_every_kind() -> None:
    """But those which several paths take part in."""
    marks = test_merge_conflict.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(ConflictKind) - {ConflictKind.RENAME, ConflictKind.LOCATION}


@pytest.mark.parametrize("one", [None, BASE, BINARY[0], HUGE[0], link(0), tree({"a": b"a"}), empty_root()])
@pytest.mark.parametrize("other", [None, OURS, link(1), tree({"b": b"b"})])
def test_merge_laws_on_whole_states(one: Root | None, other: Root | None) -> None:
    """A side that is as the base gives way; equal sides agree."""
    found = [merge_states(STORE, *states) for states in ((one, other, one), (one, one, other), (one, other, other))]
    assert found == [TreeMerge(other, ())] * 3


def test_merge_lines_of_both_sides() -> None:
    merged = merge_states(STORE, BASE, OURS, FAR)
    assert merged == TreeMerge(file(LINES.replace(b"1", b"ours").replace(b"6", b"theirs")), ())


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (BASE, file(LINES, EXECUTABLE), FAR, Root(EXECUTABLE, *FAR[1:])),
        (file(LINES, EXECUTABLE), OURS, file(LINES, EXECUTABLE), OURS),
        (BASE, file(LINES, EXECUTABLE), file(LINES, EXECUTABLE), file(LINES, EXECUTABLE)),
        (BINARY[0], file(b"\x000", EXECUTABLE), BINARY[1], Root(EXECUTABLE, *BINARY[1][1:])),
    ],
)
def test_merge_mode_of_one_side_with_content_of_the_other(base: Root, ours: Root, theirs: Root, merged: Root) -> None:
    assert merge_states(STORE, base, ours, theirs) == TreeMerge(merged, ())


def test_merge_directories_name_by_name() -> None:
    base = {"same": b"s", "ours": b"1", "theirs": b"1", "both": LINES, "gone": b"g", "deep/x": b"x", "deep/y": b"y"}
    ours = {**base, "ours": b"2", "both": LINES.replace(b"1", b"o"), "deep/x": b"X", "new/o": b"o"}
    theirs = {**base, "theirs": b"2", "both": LINES.replace(b"6", b"t"), "deep/y": b"Y", "new/t": b"t"}
    del theirs["gone"]
    merged = merge_states(STORE, tree(base), tree(ours), tree(theirs))
    assert merged.conflicts == ()
    assert contents(merged.state) == {
        "same": b"s",
        "ours": b"2",
        "theirs": b"2",
        "both": b"o\n2\n3\n4\n5\nt\n",
        "deep/x": b"X",
        "deep/y": b"Y",
        "new/o": b"o",
        "new/t": b"t",
    }


def test_merge_directories_both_new_with_different_files() -> None:
    merged = merge_states(STORE, None, tree({"a": b"a"}), tree({"b": b"b"}))
    assert contents(merged.state) == {"a": b"a", "b": b"b"}


def test_merge_directory_removed_against_one_file_changed() -> None:
    base, theirs = tree({"d/a": b"a", "d/b": b"b", "x": b"x"}), tree({"x": b"x"})
    ours = tree({"d/a": b"A", "d/b": b"b", "x": b"x"})
    merged = merge_states(STORE, base, ours, theirs)
    assert [(conflict.path, conflict.kind) for conflict in merged.conflicts] == [(b"d/a", ConflictKind.THEIRS_DELETED)]
    assert contents(merged.state) == {"d/a": b"A", "x": b"x"}


def test_merge_directory_removed_against_a_file_added() -> None:
    merged = merge_states(STORE, tree({"d/a": b"a"}), tree({"d/a": b"a", "d/new": b"n"}), empty_root())
    assert (merged.conflicts, contents(merged.state)) == ((), {"d/new": b"n"})


def test_merge_directory_removed_on_both_sides_in_parts() -> None:
    """Each removed one of two files, and one of them the directory with it."""
    base = tree({"d/a": b"a", "d/b": b"b", "x": b"x"})
    merged = merge_states(STORE, base, tree({"d/b": b"b", "x": b"x"}), tree({"x": b"x"}))
    assert (merged.conflicts, merged.state) == ((), tree({"x": b"x"}))


def test_merge_leaves_no_directory_that_both_sides_emptied_together() -> None:
    """It stayed behind without a name in it; git, which knows no such directories, drops it."""
    base = tree({"keep": b"k", "d/one": b"1", "d/e/two": b"2"})
    ours, theirs = tree({"keep": b"k", "d/e/two": b"2"}), tree({"keep": b"k", "d/one": b"1"})
    assert merge_states(STORE, base, ours, theirs) == TreeMerge(tree({"keep": b"k"}), ())


def test_merge_keeps_a_directory_that_a_side_has_empty() -> None:
    base = tree({"d/one": b"1", "f": b"old"})
    ours, theirs = tree({"d": empty_root(), "f": b"old"}), tree({"d": empty_root(), "f": b"new"})
    assert merge_states(STORE, base, ours, theirs) == TreeMerge(theirs, ())


def test_merge_file_became_a_directory_on_both_sides() -> None:
    merged = merge_states(STORE, tree({"p": b"p"}), tree({"p/a": b"a"}), tree({"p/b": b"b"}))
    assert contents(merged.state) == {"p/a": b"a", "p/b": b"b"}


@pytest.mark.parametrize("base", [BASE, tree({"x": b"x"})])
def test_merge_what_one_side_put_in_the_place_of_what_both_removed(base: Root) -> None:
    """A directory for a file that the other side removed, or a file for its directory, is in nobody's way."""
    new = tree({"y": b"y"}) if base == BASE else OURS
    assert merge_states(STORE, base, new, None) == TreeMerge(new, ())
    assert merge_states(STORE, base, None, new) == TreeMerge(new, ())


def test_merge_file_became_a_directory_on_one_side_and_changed_on_the_other() -> None:
    merged = merge_states(STORE, tree({"p": b"p"}), tree({"p/a": b"a"}), tree({"p": b"P"}))
    assert show_conflicts(merged.conflicts) == (f"p: {ConflictKind.TYPE.value}",)


def test_merge_file_on_one_side_and_directory_on_the_other_both_new() -> None:
    merged = merge_states(STORE, tree({"x": b"x"}), tree({"x": b"x", "p": b"p"}), tree({"x": b"x", "p/a": b"a"}))
    assert show_conflicts(merged.conflicts) == ("p: both added",)


def test_merge_conflicts_of_a_directory_are_all_named() -> None:
    base = tree({"a": b"1", "b": b"1", "deep/c": b"1", "fine": b"1"})
    ours = tree({"a": b"2", "deep/c": b"2", "fine": b"2"})
    theirs = tree({"a": b"3", "b": b"3", "fine": b"1"})
    merged = merge_states(STORE, base, ours, theirs, path=b"top")
    assert show_conflicts(merged.conflicts) == (
        "top/a: content",
        "top/b: ours deleted",
        "top/deep/c: theirs deleted",
    )
    assert contents(merged.state) == {"a": b"2", "deep/c": b"2", "fine": b"2"}


def test_merge_swapped_sides_are_the_same_result() -> None:
    base, ours, theirs = tree({"a": LINES}), tree({"a": OURS, "o": b"o"}), tree({"a": FAR, "t": b"t"})
    assert merge_states(STORE, base, ours, theirs) == merge_states(STORE, base, theirs, ours)


def test_merge_clean_result_merged_again_changes_nothing() -> None:
    base, ours, theirs = tree({"a": LINES}), tree({"a": OURS, "o": b"o"}), tree({"a": FAR, "t": b"t"})
    merged = merge_states(STORE, base, ours, theirs).state
    assert merge_states(STORE, theirs, merged, theirs).state == merged
    assert merge_states(STORE, base, merged, theirs).state == merged


def test_merge_writes_what_it_makes_and_reads_no_more_than_it_must() -> None:
    """What is equal on two sides by id need not be there at all."""
    absent = Root(TREE, 5, numbered_id(7))
    base = tree({"unread": absent, "a": LINES})
    merged = merge_states(STORE, base, tree({"unread": absent, "a": OURS}), tree({"unread": absent, "a": FAR}))
    assert merged.conflicts == ()
    assert merged.state is not None
    both = LINES.replace(b"1", b"ours").replace(b"6", b"theirs")
    assert read_blob(STORE, blob_id(both)) == both


def test_merge_links_by_the_callers_rule() -> None:
    asked: list[tuple[bytes, Root | None, Root, Root]] = []

    def newest(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        asked.append((path, base, ours, theirs))
        return TreeMerge(theirs, ())

    base, ours, theirs = (tree({"s/a": link(number), "s/b": link(9)}) for number in (0, 1, 2))
    merged = merge_states(STORE, base, ours, theirs, merge_link=newest)
    assert (merged, asked) == (TreeMerge(theirs, ()), [(b"s/a", link(0), link(1), link(2))])


def test_merge_links_over_a_base_that_was_none() -> None:
    seen = []

    def note(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        seen.append(base)
        return TreeMerge(ours, ())

    merge_states(STORE, BASE, link(1), link(2), merge_link=note)
    assert seen == [None]


def test_merge_links_with_conflicts_of_their_own() -> None:
    inner = TreeConflict(b"s/a/SKILL.md", ConflictKind.CONTENT, BASE, OURS, THEIRS)

    def clash(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        return TreeMerge(ours, (inner,))

    merged = merge_states(STORE, *(tree({"s/a": link(number)}) for number in range(3)), merge_link=clash)
    assert merged.conflicts == (inner,)


def test_merge_wide_directories() -> None:
    names = {f"{number:04}": b"x" for number in range(2000)}
    ours, theirs = {**names, "0001": b"o"}, {**names, "1999": b"t", "new": b"n"}
    merged = merge_states(STORE, tree(names), tree(ours), tree(theirs))
    assert merged == TreeMerge(tree({**names, "0001": b"o", "1999": b"t", "new": b"n"}), ())
