"""Which removed file is which added one, and which directory went where."""

from __future__ import annotations

import pytest

from casvault.limits import RENAME_BYTES
from casvault.merge import renames
from casvault.merge.directories import find_directory_renames
from casvault.merge.renames import Moves, Pairing, pair, read_moves
from casvault.objects import EXECUTABLE, FILE, SYMLINK, MemoryObjects, Root, write_blob
from casvault.trees import edit_paths, empty_root
from tests.support.objects import numbered_id

STORE = MemoryObjects()
TEXT = b"".join(b"line %d\n" % number for number in range(20))
OTHER = b"".join(b"other %d\n" % number for number in range(20))


def file(content: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(content), write_blob(STORE, content))


def edited(times: int, content: bytes = TEXT) -> bytes:
    """The text with its first lines replaced."""
    lines = content.splitlines(keepends=True)
    return b"".join([b"%d!!!!\n" % number for number in range(times)] + lines[times:])


def paired(removed: dict[bytes, Root], added: dict[bytes, Root]) -> dict[bytes, bytes]:
    return pair(STORE, Moves(removed, added), set(removed)).pairs


def test_moves_are_files_that_one_state_has_and_the_other_has_not() -> None:
    old = {b"same": file(b"s"), b"changed": file(b"1"), b"gone": file(b"g"), b"p": file(b"p"), b"d/x": file(b"x")}
    new = {b"same": file(b"s"), b"changed": file(b"2", SYMLINK), b"p/new": file(b"n"), b"d": file(b"d")}
    trees = [edit_paths(STORE, empty_root(), dict(files)) for files in (old, new)]
    moves = read_moves(STORE, *trees)
    assert moves.removed == {b"gone": old[b"gone"], b"p": old[b"p"], b"d/x": old[b"d/x"]}
    assert moves.added == {b"p/new": new[b"p/new"], b"d": new[b"d"]}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (file(TEXT), file(TEXT), True),
        (file(TEXT), file(TEXT, EXECUTABLE), True),
        (file(TEXT), file(edited(9)), True),
        (file(TEXT), file(edited(12)), False),
        (file(b"\0" + TEXT), file(b"\0" + edited(9)), True),
        (file(b"target", SYMLINK), file(b"target", SYMLINK), True),
        (file(TEXT, SYMLINK), file(TEXT), False),
        (file(TEXT, SYMLINK), file(edited(2), SYMLINK), False),
        (file(b""), file(b""), False),
    ],
)
def test_a_file_is_found_again(old: Root, new: Root, found: bool) -> None:
    assert paired({b"old": old}, {b"new": new}) == ({b"old": b"new"} if found else {})


def test_equal_files_are_paired_by_name_and_then_in_order() -> None:
    removed = {b"a/x": file(TEXT), b"a/y": file(TEXT), b"a/z": file(TEXT)}
    added = {b"b/1": file(TEXT), b"b/y": file(TEXT), b"b/0": file(TEXT)}
    assert paired(removed, added) == {b"a/y": b"b/y", b"a/x": b"b/0", b"a/z": b"b/1"}


def test_an_equal_file_comes_before_a_similar_one() -> None:
    removed = {b"one": file(TEXT), b"two": file(edited(3))}
    assert paired(removed, {b"new": file(edited(3))}) == {b"two": b"new"}


def test_the_most_similar_files_are_paired_first() -> None:
    removed = {b"one": file(edited(6)), b"two": file(edited(2))}
    added = {b"three": file(edited(1)), b"four": file(edited(7))}
    assert paired(removed, added) == {b"two": b"three", b"one": b"four"}


def test_a_file_that_kept_its_name_need_not_be_the_most_similar() -> None:
    removed = {b"a/x": file(TEXT)}
    assert paired(removed, {b"b/x": file(edited(4)), b"b/y": file(edited(1))}) == {b"a/x": b"b/x"}
    assert paired(removed, {b"b/x": file(edited(8)), b"b/y": file(edited(1))}) == {b"a/x": b"b/y"}


def test_irrelevant_files_are_found_only_where_it_costs_nothing() -> None:
    """The equal one takes part, so that no other is taken for it."""
    moves = Moves({b"a": file(TEXT), b"b": file(OTHER)}, {b"x": file(TEXT), b"y": file(edited(1, OTHER))})
    assert pair(STORE, moves, set()) == Pairing({b"a": b"x"})
    assert pair(STORE, moves, {b"b"}) == Pairing({b"a": b"x", b"b": b"y"})


def test_what_is_irrelevant_is_not_read() -> None:
    absent = Root(FILE, 5, numbered_id(1))
    assert pair(STORE, Moves({b"a": absent}, {b"b": file(TEXT)}), set()) == Pairing({})


def test_too_many_files_are_compared_by_id_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames, "RENAME_PAIRS", 3)
    removed = {b"%d" % number: file(edited(number)) for number in range(3)}
    added = {b"n%d" % number: file(edited(number)) for number in (0, 8, 9)}
    assert pair(STORE, Moves(removed, added), set(removed)) == Pairing({b"0": b"n0"}, (2, 2))


def test_too_large_files_together_are_compared_by_id_alone() -> None:
    huge = {b"%d" % number: Root(FILE, RENAME_BYTES // 5, numbered_id(number)) for number in range(5)}
    assert pair(STORE, Moves(huge, {b"n": file(TEXT)}), set(huge)) == Pairing({}, (5, 1))


def directories(pairs: dict[str, str], gone: str) -> tuple[dict[str, str], set[str]]:
    found = find_directory_renames(
        {old.encode(): new.encode() for old, new in pairs.items()}, lambda path: path.decode() in gone.split()
    )
    return {old.decode(): new.decode() for old, new in found.to.items()}, {path.decode() for path in found.unclear}


@pytest.mark.parametrize(
    ("pairs", "gone", "to", "unclear"),
    [
        ({"a/x": "b/x"}, "a", {"a": "b"}, set()),
        ({"a/x": "b/x"}, "", {}, set()),
        ({"a/x": "a/y"}, "a", {}, set()),
        ({"a/x": "x"}, "a", {"a": ""}, set()),
        ({"x": "a/x"}, "", {}, set()),
        ({"a/x": "b/x", "a/y": "c/y"}, "a", {}, {"a"}),
        ({"a/x": "b/x", "a/y": "c/y", "a/z": "c/z"}, "a", {"a": "c"}, set()),
        ({"a/s/x": "b/s/x"}, "a a/s", {"a/s": "b/s", "a": "b"}, set()),
        ({"a/s/x": "b/s/x"}, "a/s", {"a/s": "b/s"}, set()),
        ({"a/s/x": "b/t/x"}, "a a/s", {"a/s": "b/t"}, set()),
        ({"a/s/x": "s/x"}, "a a/s", {"a/s": "s", "a": ""}, set()),
    ],
)
def test_directories_go_where_most_of_their_files_went(
    pairs: dict[str, str], gone: str, to: dict[str, str], unclear: set[str]
) -> None:
    assert directories(pairs, gone) == (to, unclear)
