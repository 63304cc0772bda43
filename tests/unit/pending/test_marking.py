"""Conflicts as texts with markers."""

from __future__ import annotations

import pytest

from casvault.limits import MERGE_BYTES
from casvault.merge.trees import ConflictKind, TreeConflict
from casvault.objects import EXECUTABLE, FILE, LINK, SYMLINK, MemoryObjects, Root
from casvault.pending.marking import Marked, Take, mark_up, take_hunks
from casvault.text.markers import Labels, Style
from casvault.trees import empty_root
from tests.support.objects import numbered_id
from tests.support.pending import file

STORE = MemoryObjects()
LABELS = Labels(b"before", b"mine", b"yours")
LINES = [b"%d\n" % number for number in range(30)]


def lines(**changed: bytes) -> bytes:
    """Thirty lines, some of them changed: lines(at3=b"three")."""
    result = list(LINES)
    for name, line in changed.items():
        result[int(name.removeprefix("at"))] = line
    return b"".join(result)


def state(content: bytes | Root | None) -> Root | None:
    return file(STORE, content) if isinstance(content, bytes) else content


def marked(base: bytes | Root | None, ours: bytes | Root | None, theirs: bytes | Root | None) -> Marked | None:
    conflict = TreeConflict(b"a", ConflictKind.CONTENT, state(base), state(ours), state(theirs))
    return mark_up(STORE, conflict, LABELS)


def found(base: bytes | Root | None, ours: bytes | Root | None, theirs: bytes | Root | None) -> Marked:
    result = marked(base, ours, theirs)
    assert result is not None
    return result


def test_mark_up_shows_both_sides_and_the_base() -> None:
    text = found(b"1\n2\n3\n", b"1\nours\n3\n", b"1\ntheirs\n3\n").text
    assert text == b"1\n<<<<<<< mine\nours\n||||||| before\n2\n=======\ntheirs\n>>>>>>> yours\n3\n"


def test_mark_up_in_another_style_has_markers_of_the_same_length() -> None:
    """The marker-like line stands in the base, which `merge` does not show; what is left of markers is still found."""
    states = (state(content) for content in (b"1\n<<<<<<<\n3\n", b"1\nsame\na\n3\n", b"1\nsame\nb\n3\n"))
    conflict = TreeConflict(b"a", ConflictKind.CONTENT, *states)
    merge, zdiff3 = (mark_up(STORE, conflict, LABELS, style) for style in (Style.MERGE, Style.ZDIFF3))
    assert merge is not None
    assert zdiff3 is not None
    head, middle, tail = b"<<<<<<<< mine\na\n", b"|||||||| before\n<<<<<<<\n", b"========\nb\n>>>>>>>> yours\n3\n"
    assert merge.text == b"1\nsame\n" + head + tail
    assert zdiff3.text == b"1\nsame\n" + head + middle + tail
    assert merge.find_left(merge.text) == [3, 5, 7]


def test_mark_up_of_what_both_added() -> None:
    text = found(None, b"1\n", b"2\n").text
    assert text == b"<<<<<<< mine\n1\n||||||| before (none)\n=======\n2\n>>>>>>> yours\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [
        (None, b"1\nnew\n", b"<<<<<<< mine (deleted)\n||||||| before\n1\n=======\n1\nnew\n>>>>>>> yours\n"),
        (b"1\nnew\n", None, b"<<<<<<< mine\n1\nnew\n||||||| before\n1\n=======\n>>>>>>> yours (deleted)\n"),
    ],
)
def test_mark_up_of_what_one_side_deleted(ours: bytes | None, theirs: bytes | None, text: bytes) -> None:
    assert found(b"1\n", ours, theirs).text == text


def test_hunks_are_the_conflicts_with_three_lines_around() -> None:
    whole = found(
        lines(), lines(at1=b"a\n", at10=b"clean\n", at20=b"b\n"), lines(at1=b"c\n", at20=b"d\n", at29=b"clean\n")
    )
    assert [hunk.line for hunk in whole.hunks] == [1, 24]
    rows = whole.text.splitlines(keepends=True)
    for hunk in whole.hunks:
        height = len(hunk.text.splitlines())
        assert hunk.text == b"".join(rows[hunk.line - 1 : hunk.line - 1 + height])
    assert whole.hunks[1].text == (
        b"17\n18\n19\n<<<<<<< mine\nb\n||||||| before\n20\n=======\nd\n>>>>>>> yours\n21\n22\n23\n"
    )


def test_markers_are_longer_than_what_looks_like_one_anywhere_in_the_text() -> None:
    """A heading underlined with seven signs, far from the conflict, is no marker that is left."""
    heading = b"Heading\n=======\n"
    whole = found(heading + lines(), heading + lines(at20=b"a\n"), heading + lines(at20=b"b\n"))
    assert whole.marker_size == 8
    assert whole.hunks[0].text.count(b"<<<<<<<< mine\n") == 1
    assert whole.find_left(heading + lines()) == []
    left = [number for number, line in enumerate(whole.text.splitlines(), 1) if line[:8] in MARKERS]
    assert whole.find_left(whole.text) == left
    assert len(left) == 4


MARKERS = {sign * 8 for sign in (b"<", b"|", b"=", b">")}


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"fine\n", []),
        (b"<<<<<<< mine\n", [1]),
        (b"x\n=======\n", [2]),
        (b"x\r\n=======\r\n", [2]),
        (b"x\n>>>>>>> yours", [2]),
        (b"||||||| before\n>>>>>>>\n", [1, 2]),
        (b"======= text\n======\n========\n =======\n=======x\n", [1]),
    ],
)
def test_find_left(content: bytes, left: list[int]) -> None:
    assert found(b"1\n", b"2\n", b"3\n").find_left(content) == left


def test_find_left_of_some_signs() -> None:
    assert found(b"1\n", b"2\n", b"3\n").find_left(b"=======\n>>>>>>>\n", b"<|>") == [2]


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (b"\0a", b"\0b", b"\0c"),
        (b"a", b"b", b"\0c"),
        (b"\0a", None, b"b"),
        (b"a", None, b"\0b"),
        (b"a", file(STORE, b"x", SYMLINK), b"b"),
        (b"a", empty_root(), b"b"),
        (None, Root(LINK, 0, numbered_id(1)), Root(LINK, 0, numbered_id(2))),
        (b"a", Root(FILE, MERGE_BYTES + 1, numbered_id(1)), b"b"),
    ],
)
def test_mark_up_of_what_has_no_lines(
    base: bytes | Root | None, ours: bytes | Root | None, theirs: bytes | Root | None
) -> None:
    assert marked(base, ours, theirs) is None


def test_mark_up_of_a_conflict_of_modes_alone() -> None:
    assert marked(None, file(STORE, b"a\n"), file(STORE, b"a\n", EXECUTABLE)) is None


def test_mark_up_where_the_base_was_no_file() -> None:
    text = found(empty_root(), b"1\n", b"2\n").text
    assert text == b"<<<<<<< mine\n1\n||||||| before\n=======\n2\n>>>>>>> yours\n"


def taken(base: bytes | None, ours: bytes, theirs: bytes, *takes: Take) -> bytes:
    conflict = TreeConflict(b"a", ConflictKind.CONTENT, state(base), state(ours), state(theirs))
    return take_hunks(STORE, conflict, takes)


def test_take_hunks_keeps_what_was_merged_between_them() -> None:
    sides = (lines(at1=b"a\n", at10=b"clean\n", at20=b"b\n"), lines(at1=b"c\n", at20=b"d\n", at29=b"clean\n"))
    merged = taken(lines(), *sides, Take.THEIRS, Take.OURS)
    assert merged == lines(at1=b"c\n", at10=b"clean\n", at20=b"b\n", at29=b"clean\n")
    merged = taken(lines(), *sides, Take.BASE, Take.UNION)
    assert merged == lines(at10=b"clean\n", at20=b"b\nd\n", at29=b"clean\n")


@pytest.mark.parametrize("take", [Take.OURS, Take.THEIRS])
def test_take_hunks_of_one_side_is_that_side_where_only_it_changed(take: Take) -> None:
    ours, theirs = lines(at3=b"a\n", at20=b"b\n"), lines(at3=b"c\n", at20=b"d\n")
    assert taken(lines(), ours, theirs, take, take) == (ours if take is Take.OURS else theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "union"),
    [
        (b"1", b"2", b"1\n2"),
        (b"1", b"2\r\n", b"1\r\n2\r\n"),
        (b"", b"2", b"2"),
        (b"1\n2", b"3\n", b"1\n2\n3\n"),
    ],
)
def test_union_puts_no_two_lines_into_one(ours: bytes, theirs: bytes, union: bytes) -> None:
    """Where ours ended without a line end, its last line and the first of theirs became one."""
    assert taken(None, ours, theirs, Take.UNION) == union
