import random

import pytest

from casvault.text.apart import Span, find_spans, merge_apart
from casvault.text.merge3 import merge_text


def text(edits: dict[int, bytes] | None = None, size: int = 120) -> bytes:
    """Numbered lines, some of them replaced."""
    return b"".join((edits or {}).get(at, b"line number %d\n" % at) for at in range(size))


def test_changes_that_stand_apart_are_merged() -> None:
    ours, theirs = {5: b"", 60: b"a\nb\n"}, {30: b"changed\n", 119: b"no end"}
    assert merge_apart(text(), text(ours), text(theirs)) == text(ours | theirs)
    assert merge_apart(text(), text(theirs), text(ours)) == text(ours | theirs)
    assert merge_apart(text(), text(), text(theirs)) == text(theirs)


def test_spans_are_whole_lines() -> None:
    old = text()
    at = old.index(b"line number 7\n")
    assert find_spans(old, text({7: b"line number 7!\n"})) == [Span(at, at + 14, at, at + 15)]
    assert find_spans(old, text({7: b"new\nline number 7\n"})) == [Span(at, at, at, at + 4)]
    assert find_spans(old, text({7: b""})) == [Span(at, at + 14, at, at)]
    assert find_spans(old, old[:-1]) == [Span(len(old) - 16, len(old), len(old) - 16, len(old) - 1)]
    assert find_spans(old, old + b"more") == [Span(len(old), len(old), len(old), len(old) + 4)]
    assert find_spans(old, old) == []
    assert find_spans(b"", b"new\n") == [Span(0, 0, 0, 4)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({30: b"ours\n"}, {30: b"theirs\n"}),
        ({30: b"both\n"}, {30: b"both\n"}),
        ({30: b"ours\n"}, {31: b"theirs\n"}),
        ({30: b"ours\n"}, {33: b"theirs\n"}),
        ({30: b"ours\n", 40: b"ours\n"}, {}),
        (dict.fromkeys(range(30, 40), b""), {}),
        ({30: b"".join(b"%d\n" % at for at in range(9))}, {}),
    ],
    ids=["conflict", "same", "touching", "near", "near on one side", "long removal", "long insertion"],
)
def test_what_is_not_plain_is_left_to_others(ours: dict[int, bytes], theirs: dict[int, bytes]) -> None:
    assert merge_apart(text(), text(ours), text(theirs)) is None
    assert merge_apart(text(), text(theirs), text(ours)) is None


def test_a_change_that_can_slide_into_another_one_is_left_to_others() -> None:
    """One more of many equal lines goes to the end of their row, by git's rule, and so into the conflict there."""
    head, row, tail = text(size=20), b"the same line\n" * 40, text(size=40)
    base, ours = head + row + tail, head + row + b"the same line\n" + tail
    theirs = head + row[:-14] + b"another\n" + tail
    assert merge_apart(base, ours, theirs) is None
    assert merge_text(base, ours, theirs).content is None


@pytest.mark.parametrize("values", [2, 6, 40, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_it_answers_what_a_merge_by_lines_does(values: int, end: bytes) -> None:
    """On texts of few distinct lines, too, where most is left to others."""
    rng = random.Random(values)
    answered = 0
    for _ in range(150):
        base = [b"value %d" % rng.randrange(values) + end for _ in range(rng.choice((20, 100, 300)))]
        base += [base.pop().removesuffix(end)] * (rng.random() < 0.2)
        sides = [list(base), list(base)]
        for side in sides:
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(side) + 1)
                fresh = [b"value %d" % rng.randrange(values) + end for _ in range(rng.choice((0, 1, 1, 3)))]
                side[at : at + rng.choice((0, 1, 1, 3))] = fresh
        texts = b"".join(base), b"".join(sides[0]), b"".join(sides[1])
        merged = merge_apart(*texts)
        answered += merged is not None
        assert merged is None or merged == merge_text(*texts).content
    assert answered >= 15
