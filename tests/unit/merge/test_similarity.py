from __future__ import annotations

import pytest

from casvault.merge.similarity import WHOLE, Likeness, cut, iter_alike, similarity

LINES = b"".join(b"line %d\n" % number for number in range(10))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (LINES, LINES, WHOLE),
        (b"a\nb\nc\n", b"c\na\nb\n", WHOLE),
        (b"aaa\nbbb\n", b"aaa\nccc\n", WHOLE // 2),
        (b"aaa\n", b"aaa\naaa\naaa\naaa\n", WHOLE // 4),
        (LINES, LINES.replace(b"\n", b"\r\n"), WHOLE),
        (b"\0" * 64 + b"\1" * 64, b"\1" * 64 + b"\2" * 64, WHOLE // 2),
        (b"x" * 128, b"x" * 64, WHOLE // 2),
        (b"a\n", b"b\n", 0),
        (b"", b"a\n", 0),
        (b"", b"", 0),
    ],
)
def test_similarity(old: bytes, new: bytes, expected: int) -> None:
    assert similarity(cut(old), cut(new)) == expected
    assert similarity(cut(new), cut(old)) == expected


def test_carriage_returns_of_binary_contents_count() -> None:
    assert similarity(cut(b"\0a\r\n"), cut(b"\0a\n")) == 0


def test_alike_through_the_index_is_alike_by_itself() -> None:
    olds = {b"%d" % number: cut(LINES[number * 7 :]) for number in range(8)}
    news = [(b"n%d" % number, cut(LINES[: -7 * number or None])) for number in range(8)]
    every = [Likeness(old, new, similarity(olds[old], pieces)) for old in olds for new, pieces in news]
    expected = [each for each in every if each.score >= WHOLE // 2]
    assert sorted(iter_alike(olds, news, WHOLE // 2)) == sorted(expected)
    assert 0 < len(expected) < len(every)
