import random

import pytest

from casvault.text.apart import STRIDE, find_changes, merge_apart
from casvault.text.change import Change
from casvault.text.lines import split_lines
from casvault.text.merge3 import merge_text


def text(edits: dict[int, bytes] | None = None, size: int = 120) -> list[bytes]:
    """Numbered lines, some of them replaced."""
    return split_lines(b"".join((edits or {}).get(at, b"line number %d\n" % at) for at in range(size)))


def test_changes_that_stand_apart_are_merged() -> None:
    ours, theirs = {5: b"", 60: b"a\nb\n"}, {30: b"changed\n", 119: b"no end"}
    assert merge_apart(text(), text(ours), text(theirs)) == b"".join(text(ours | theirs))
    assert merge_apart(text(), text(theirs), text(ours)) == b"".join(text(ours | theirs))
    assert merge_apart(text(), text(), text(theirs)) == b"".join(text(theirs))


def test_changes() -> None:
    old = text()
    assert find_changes(old, text({7: b"line number 7!\n"})) == [Change(7, 8, 7, 8)]
    assert find_changes(old, text({7: b"new\nline number 7\n"})) == [Change(7, 7, 7, 8)]
    assert find_changes(old, text({7: b""})) == [Change(7, 8, 7, 7)]
    assert find_changes(old, text({0: b"", 40: b"a\nb\n", 80: b"c\n"})) == [
        Change(0, 1, 0, 0),
        Change(40, 41, 39, 41),
        Change(80, 81, 80, 81),
    ]
    assert find_changes(old, text({119: b"line number 119"})) == [Change(119, 120, 119, 120)]
    assert find_changes(old, [*old, b"more"]) == [Change(120, 120, 120, 121)]
    assert find_changes([*old, b"more"], old) == [Change(120, 121, 120, 120)]
    assert find_changes(old, old) == []
    assert find_changes([], [b"new\n"]) == [Change(0, 0, 0, 1)]
    assert find_changes([], []) == []


@pytest.mark.parametrize("size", [STRIDE - 1, STRIDE, STRIDE + 1, 2 * STRIDE, 2 * STRIDE + 1])
@pytest.mark.parametrize("replacement", [b"", b"other\n", b"two\nlines\n"])
def test_changes_where_a_stride_ends(size: int, replacement: bytes) -> None:
    old = text(size=size)
    added = len(split_lines(replacement))
    for at in (STRIDE - 2, STRIDE - 1, STRIDE, size - 1):
        if at < size:
            assert find_changes(old, text({at: replacement}, size)) == [Change(at, at + 1, at, at + added)]
    assert find_changes(old, old) == []


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
    head, row, tail = b"".join(text(size=20)), b"the same line\n" * 40, b"".join(text(size=40))
    base, ours = head + row + tail, head + row + b"the same line\n" + tail
    theirs = head + row[:-14] + b"another\n" + tail
    assert merge_apart(*map(split_lines, (base, ours, theirs))) is None
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
        merged = merge_apart(*map(split_lines, texts))
        answered += merged is not None
        assert merged is None or merged == merge_text(*texts).content
    assert answered >= 15
