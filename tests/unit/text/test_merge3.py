import pytest

from casvault.text.merge3 import Conflict, Origin, Resolved, TextMerge, merge3, merge_text


def texts(*words: str) -> list[bytes]:
    """Each letter a line."""
    return ["".join(letter + "\n" for letter in word).encode() for word in words]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("abc", "abc", "abc", "abc"),
        ("abc", "xbc", "abc", "xbc"),
        ("abc", "abc", "abx", "abx"),
        ("abc", "xbc", "aby", "xby"),
        ("abc", "xbc", "xbc", "xbc"),
        ("abc", "xbc", "xby", "xby"),
        ("abcde", "bcde", "abcd", "bcd"),
        ("abc", "", "", ""),
        ("", "a", "a", "a"),
        ("abcdef", "aXbcdef", "aXbcdYf", "aXbcdYf"),
    ],
)
def test_merge_text_clean(base: str, ours: str, theirs: str, merged: str) -> None:
    expected = texts(merged)[0]
    assert merge_text(*texts(base, ours, theirs)).content == expected
    assert merge_text(*texts(base, theirs, ours)).content == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ("abc", "xbc", "ybc"),
        ("abc", "axc", "abx"),
        ("abc", "axbc", "aybc"),
        ("abc", "ac", "axc"),
        ("abc", "", "abx"),
        ("", "a", "b"),
    ],
)
def test_merge_text_conflict(base: str, ours: str, theirs: str) -> None:
    assert merge_text(*texts(base, ours, theirs)).content is None
    assert merge_text(*texts(base, theirs, ours)).content is None


def test_merge3_tells_whose_lines_are_whose() -> None:
    assert merge3([b"a", b"b", b"c", b"d"], [b"x", b"b", b"c", b"d"], [b"a", b"b", b"c"]) == [
        Resolved((b"x",), Origin.OURS),
        Resolved((b"b", b"c")),
        Resolved((), Origin.THEIRS),
    ]


def test_merge3_joins_the_same_change_with_its_surroundings() -> None:
    assert merge3([b"a", b"b", b"c"], [b"a", b"x", b"c"], [b"a", b"x", b"c"]) == [Resolved((b"a", b"x", b"c"))]


def test_merge3_conflict_covers_all_changes_that_touch() -> None:
    """Ours changes lines 1–2 and 4, theirs 2–4: one conflict over 1–4."""
    base, ours, theirs = (list(map(str.encode, word)) for word in ("abcdef", "aXYdZf", "abPQRf"))
    assert merge3(base, ours, theirs) == [
        Resolved((b"a",)),
        Conflict((b"b", b"c", b"d", b"e"), (b"X", b"Y", b"d", b"Z"), (b"b", b"P", b"Q", b"R")),
        Resolved((b"f",)),
    ]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a\r\nb\nc\r\n", b"A\r\nb\nc\r\n", b"a\r\nb\nC\r\n", b"A\r\nb\nC\r\n"),
        (b"\xef\xbb\xbfa\nb\nc", b"\xef\xbb\xbfA\nb\nc", b"\xef\xbb\xbfa\nb\nC", b"\xef\xbb\xbfA\nb\nC"),
        (b"caf\xe9\nb\nc", b"caf\xe9\nb\nc\n", b"CAF\xc9\nb\nc", b"CAF\xc9\nb\nc\n"),
        (b"a\nb\nc\n", b"a\nb\nc", b"x\nb\nc\n", b"x\nb\nc"),
    ],
)
def test_merge_text_keeps_bytes(base: bytes, ours: bytes, theirs: bytes, merged: bytes) -> None:
    assert merge_text(base, ours, theirs).content == merged


def test_neighbouring_conflicts_that_read_the_same_together_are_none() -> None:
    """Both sides moved a line across `b`. It was a conflict of two parts, shown as one with the same lines twice."""
    base, ours, theirs = texts("aaaaabaacaa", "aaaaaabacaa", "aaaaaabacaaa")
    assert merge_text(base, ours, theirs).content == theirs
    assert merge_text(base, theirs, ours).content == theirs
    assert merge_text(base, ours, theirs + b"d\n").content == theirs + b"d\n"


def test_conflicts_are_the_conflicting_chunks() -> None:
    conflict = Conflict((b"a",), (b"b",), (b"c",))
    assert TextMerge((Resolved((b"x",)), conflict)).conflicts == (conflict,)
    assert TextMerge((Resolved((b"x",)),)).conflicts == ()
