import pytest

from casvault.merge.content import (
    ContentConflict,
    ContentConflictKind,
    MergedContent,
    ModeConflict,
    ModeConflictKind,
    mark_up,
    merge_content,
    merge_mode,
)
from casvault.text.markers import Labels, Style
from casvault.text.merge3 import Conflict, Resolved

FILE, EXECUTABLE, SYMLINK = 0o100644, 0o100755, 0o120000


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a\nb\nc\n", b"x\nb\nc\n", b"a\nb\ny\n", b"x\nb\ny\n"),
        (b"a", b"a", b"", b""),
        (b"\0a", b"\0a", b"\0b", b"\0b"),
        (b"\0a", b"\0c", b"\0c", b"\0c"),
        (None, b"\0", b"\0", b"\0"),
        (None, b"", b"", b""),
    ],
)
def test_merge_content_clean(base: bytes | None, ours: bytes, theirs: bytes, merged: bytes) -> None:
    assert merge_content(base, ours, theirs) == MergedContent(merged)


def test_merge_content_text_conflict_has_the_chunks() -> None:
    assert merge_content(b"1\na\n", b"1\nb\n", b"1\nc\n") == ContentConflict(
        ContentConflictKind.TEXT, (Resolved((b"1\n",)), Conflict((b"a\n",), (b"b\n",), (b"c\n",)))
    )


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [(b"a\0", b"b", b"c"), (b"a", b"b\0", b"c"), (b"a", b"b", b"c\0"), (None, b"b\0", b"c")],
)
def test_merge_content_of_binary_files_is_never_marked_up(base: bytes | None, ours: bytes, theirs: bytes) -> None:
    assert merge_content(base, ours, theirs) == ContentConflict(ContentConflictKind.BINARY)


def test_merge_content_both_added_holds_both_whole() -> None:
    assert merge_content(None, b"a\nb\n", b"a\n") == ContentConflict(
        ContentConflictKind.BOTH_ADDED, (Conflict((), (b"a\n", b"b\n"), (b"a\n",)),)
    )


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (FILE, FILE, FILE, FILE),
        (FILE, EXECUTABLE, FILE, EXECUTABLE),
        (FILE, FILE, SYMLINK, SYMLINK),
        (None, EXECUTABLE, EXECUTABLE, EXECUTABLE),
        (None, FILE, EXECUTABLE, ModeConflict(ModeConflictKind.EXECUTABLE, FILE, EXECUTABLE)),
        (FILE, EXECUTABLE, SYMLINK, ModeConflict(ModeConflictKind.TYPE, EXECUTABLE, SYMLINK)),
    ],
)
def test_merge_mode(base: int | None, ours: int, theirs: int, merged: int | ModeConflict) -> None:
    assert merge_mode(base, ours, theirs) == merged


LABELS = Labels(b"base", b"ours", b"theirs")
DIFF3 = b"1\n<<<<<<< ours\nb\n||||||| base\na\n=======\nc\n>>>>>>> theirs\n"
MERGE = b"1\n<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n"


@pytest.mark.parametrize(("style", "marked"), [(Style.DIFF3, DIFF3), (Style.MERGE, MERGE)])
def test_mark_up_shows_both_sides(style: Style, marked: bytes) -> None:
    assert mark_up(b"1\na\n", b"1\nb\n", b"1\nc\n", LABELS, style) == marked


def test_mark_up_of_a_clean_merge_is_the_merge() -> None:
    assert mark_up(b"a\nb\nc\n", b"x\nb\nc\n", b"a\nb\ny\n") == b"x\nb\ny\n"


def test_mark_up_of_both_added_holds_both() -> None:
    assert mark_up(None, b"1\na\n", b"1\nb\n", LABELS, Style.MERGE) == (
        b"1\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
    )


@pytest.mark.parametrize("base", [None, b"a", b"\0"])
def test_mark_up_never_touches_binary_contents(base: bytes | None) -> None:
    assert mark_up(base, b"b\0", b"c") is None
