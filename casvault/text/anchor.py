"""Anchors: pairs of positions that certainly belong together, found in O(n log n) (Bram Cohen's patience diff)."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import count, islice
from operator import itemgetter, lt

Anchor = tuple[int, int]
"""A position in the old and one in the new sequence that hold equal values."""


def unique_anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Anchor]:
    """The longest chain, increasing on both sides, of values that occur once in `old` and once in `new`."""
    singles = _positions_of_singles(new)
    pairs = [(at, singles[value]) for value, at in _positions_of_singles(old).items() if value in singles]
    return longest_chain(pairs)


def window_anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Anchor]:
    """Anchors where single lines repeat: the same on windows of 2, 4, 8, … lines until some are unique.

    An anchor is the first line of its window. Empty if no window up to the shorter length helps.
    """
    width = 1
    while 2 * width <= min(len(old), len(new)):
        old, new = _widen(old, new, width)
        width *= 2
        anchors = unique_anchors(old, new)
        if anchors:
            return anchors
    return []


def longest_chain(pairs: list[Anchor]) -> list[Anchor]:
    """The longest subsequence that increases in its second members; `pairs` increases in its first."""
    targets = list(map(itemgetter(1), pairs))
    if all(map(lt, targets, islice(targets, 1, None))):
        return pairs  # nothing moved, by far the most frequent case
    tops: list[int] = []  # the smallest target that ends a chain of each length
    ends: list[int] = []  # and where in `pairs` it stands
    before: list[int] = []
    for at, target in enumerate(targets):
        length = bisect_left(tops, target)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [target]
        ends[length : length + 1] = [at]
    return [pairs[at] for at in _trace(before, ends[-1])]


def _trace(before: Sequence[int], at: int) -> list[int]:
    path = []
    while at >= 0:
        path.append(at)
        at = before[at]
    return path[::-1]


def _positions_of_singles(values: Sequence[Hashable]) -> dict[Hashable, int]:
    """Where each value stands that occurs once, in order of position."""
    last = dict(zip(values, count()))
    if len(last) == len(values):
        return last
    counts = Counter(values)
    return {value: at for value, at in last.items() if counts[value] == 1}


def _widen(old: Sequence[Hashable], new: Sequence[Hashable], width: int) -> tuple[list[int], list[int]]:
    """Windows of `2 * width` lines from windows of `width` lines, interned alike on both sides."""
    fresh: Callable[[], int] = count().__next__
    table: defaultdict[tuple[Hashable, Hashable], int] = defaultdict(fresh)
    wide = [list(map(table.__getitem__, zip(side, islice(side, width, None), strict=False))) for side in (old, new)]
    return wide[0], wide[1]
