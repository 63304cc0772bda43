import random
import time

import pytest

from casvault.text import match
from casvault.text.anchor import longest_chain, unique_anchors, window_anchors
from casvault.text.match import Match, common_prefix, common_suffix, matching_blocks


def letters(text: str) -> list[bytes]:
    return [letter.encode() for letter in text]


@pytest.mark.parametrize(
    ("old", "new", "blocks"),
    [
        ("", "", []),
        ("a", "", []),
        ("abc", "abc", [Match(0, 0, 3)]),
        ("abc", "axc", [Match(0, 0, 1), Match(2, 2, 1)]),
        ("abcd", "cdab", [Match(2, 0, 2)]),
        ("xabc", "abcy", [Match(1, 0, 3)]),
        ("aaa", "aa", [Match(0, 0, 2)]),
    ],
)
def test_matching_blocks(old: str, new: str, blocks: list[Match]) -> None:
    assert matching_blocks(letters(old), letters(new)) == blocks


def test_common_prefix_and_suffix_of_any_length() -> None:
    for size in (0, 1, 15, 16, 17, 48, 100, 1000):
        equal = list(range(size))
        assert common_prefix([*equal, -1, 5], [*equal, -2, 5]) == size
        assert common_prefix([9, 9, *equal], [9, *equal, -2], 2, 1) == size
        assert common_suffix([5, -1, *equal], [5, 5, -2, *equal]) == size
        assert common_prefix(equal, [*equal, 1]) == common_suffix(equal, [-1, *equal]) == size


def test_unique_anchors_follow_the_longest_order() -> None:
    """7 occurs twice and is no anchor; 1 moved to the end."""
    assert unique_anchors([1, 2, 7, 3, 7, 4], [2, 7, 3, 4, 1]) == [(1, 0), (3, 2), (5, 3)]


def test_longest_chain_of_a_shuffle() -> None:
    chain = longest_chain(list(enumerate([4, 0, 5, 1, 6, 2, 3])))
    assert [target for _, target in chain] == [0, 1, 2, 3]


def test_window_anchors_find_order_where_no_line_is_unique() -> None:
    """Of the pairs of lines only (1, 1) occurs once on each side."""
    assert window_anchors([0, 1, 1, 0, 1], [0, 1, 0, 1, 1, 0]) == [(1, 3)]
    assert window_anchors([0, 0, 0], [0, 0, 0, 0]) == []


def assert_is_matching(blocks: list[Match], old: list[int], new: list[int]) -> None:
    old_at = new_at = 0
    for block in blocks:
        assert block.old >= old_at
        assert block.new >= new_at
        assert block.size > 0
        old_at, new_at = block.old + block.size, block.new + block.size
        assert old[block.old : old_at] == new[block.new : new_at]


@pytest.mark.parametrize("symbols", [2, 8, 60, 5000])
def test_matching_blocks_are_a_common_subsequence_however_small_the_limits(
    symbols: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tiny limits every way of matching is taken, the coarse ones too."""
    monkeypatch.setattr(match, "SMALL_CELLS", 4)
    monkeypatch.setattr(match, "MAX_CELLS", 30)
    rng = random.Random(symbols)
    for _ in range(100):
        old = [rng.randrange(symbols) for _ in range(rng.randrange(80))]
        new = [*old[20:], *old[:20]]
        for _ in range(rng.randrange(8)):
            new[rng.randrange(len(new) + 1) : rng.randrange(80)] = [rng.randrange(symbols)]
        assert_is_matching(matching_blocks(old, new), old, new)


@pytest.mark.parametrize("size", [1000, 20_000])
def test_a_unique_line_that_moved_does_not_keep_the_others_apart(size: int) -> None:
    """The only unique line was an anchor, so that of the thousand lines that it passed none was matched."""
    rng = random.Random(9)
    body = [rng.randrange(40) for _ in range(size)]
    old, new = [1, -1, *body, 1], [2, *body, -1, 2]
    assert matching_blocks(old, new) == [Match(2, 1, size)]


def test_match_ids_finds_the_few_edits_of_a_large_text() -> None:
    rng = random.Random(7)
    old = [rng.randrange(3000) for _ in range(20_000)]
    new = list(old)
    for at in range(500, 20_000, 500):
        new[at] = -at
    matched = sum(block.size for block in matching_blocks(old, new))
    assert matched == len(old) - 39


def test_match_ids_of_two_large_unrelated_texts_ends_soon() -> None:
    """100,000 lines of three kinds: a full LCS table would take 1.2 GB."""
    rng = random.Random(8)
    old, new = ([rng.randrange(3) for _ in range(100_000)] for _ in range(2))
    begin = time.perf_counter()
    blocks = matching_blocks(old, new)
    assert time.perf_counter() - begin < 30
    assert_is_matching(blocks, old, new)
