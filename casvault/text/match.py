"""Which lines of two texts belong together: a common subsequence, the longest one wherever that is affordable."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import compress, count
from operator import itemgetter, ne
from typing import Final, NamedTuple

from casvault.text.anchor import Anchor, unique_anchors, window_anchors
from casvault.text.lines import intern_lines

SMALL_CELLS: Final = 1 << 18
"""Up to this product of lengths the LCS is taken at once; above, splitting at unique lines first is the faster way."""

MAX_CELLS: Final = 1 << 26
"""The largest product of lengths given to the LCS, whose table takes a bit per cell: 8 MB."""

FIRST_STRIDE: Final = 16
"""Runs of equal lines are measured by comparing slices, each twice the last one: most runs are short or very long."""

MAX_DEPTH: Final = 24
"""How often a gap between anchors is searched for anchors again; keeps the worst case at O(n log n)."""


class Match(NamedTuple):
    """`size` lines from `old` on in the old text equal those from `new` on in the new one."""

    old: int
    new: int
    size: int


def matching_blocks(old: Sequence[bytes], new: Sequence[bytes]) -> list[Match]:
    """The matching runs of two lists of lines: increasing, apart from one another, none empty."""
    return match_ids(*intern_lines(old, new))


def match_ids(old: list[int], new: list[int]) -> list[Match]:
    """`matching_blocks` of interned lines."""
    matcher = _Matcher(old, new)
    matcher.match_range(0, len(old), 0, len(new), 0)
    return matcher.blocks


def common_prefix(old: Sequence[object], new: Sequence[object], old_at: int = 0, new_at: int = 0) -> int:
    """How many values are equal from the given positions on."""
    size, width = 0, FIRST_STRIDE
    while True:
        old_part = old[old_at + size : old_at + size + width]
        new_part = new[new_at + size : new_at + size + width]
        if old_part != new_part or not old_part:
            return size + _first_difference(old_part, new_part, min(len(old_part), len(new_part)))
        size, width = size + len(old_part), 2 * width


def common_suffix(old: Sequence[object], new: Sequence[object]) -> int:
    """How many values are equal before the ends."""
    limit = min(len(old), len(new))
    size, width = 0, FIRST_STRIDE
    while size < limit:
        width = min(width, limit - size)
        old_part = old[len(old) - size - width : len(old) - size]
        new_part = new[len(new) - size - width : len(new) - size]
        if old_part != new_part:
            return size + _first_difference(reversed(old_part), reversed(new_part), width)
        size, width = size + width, 2 * width
    return size


def _first_difference(old: Iterable[object], new: Iterable[object], limit: int) -> int:
    return next(compress(count(), map(ne, old, new)), limit)


class _Matcher:
    """Collects the blocks of two sequences in increasing order; ranges are half open."""

    def __init__(self, old: list[int], new: list[int]) -> None:
        self.old = old
        self.new = new
        self.blocks: list[Match] = []

    def match_range(self, old_lo: int, old_hi: int, new_lo: int, new_hi: int, depth: int) -> None:
        """Match one range: equal ends are cut off, the rest goes to `match_middle`."""
        old, new = self.old[old_lo:old_hi], self.new[new_lo:new_hi]
        head = common_prefix(old, new)
        tail = common_suffix(old[head:], new[head:])
        self.add(old_lo, new_lo, head)
        if head + tail < min(len(old), len(new)):
            self.match_middle(old_lo + head, old_hi - tail, new_lo + head, new_hi - tail, depth)
        self.add(old_hi - tail, new_hi - tail, tail)

    def match_middle(self, old_lo: int, old_hi: int, new_lo: int, new_hi: int, depth: int) -> None:
        """Match a range whose ends differ, by the best means that its size allows."""
        old, new = self.old[old_lo:old_hi], self.new[new_lo:new_hi]
        cells = len(old) * len(new)
        anchors: list[Anchor] = []
        if cells > SMALL_CELLS and depth < MAX_DEPTH:
            anchors = unique_anchors(old, new)
            if not anchors and cells > MAX_CELLS:
                anchors = window_anchors(old, new)
        if anchors:
            self.match_between(old_lo, old_hi, new_lo, new_hi, anchors, depth + 1)
        elif cells <= MAX_CELLS:
            self.add_lcs(old, new, old_lo, new_lo)
        # else the range counts as rewritten: coarse, but a correct match

    def match_between(
        self, old_lo: int, old_hi: int, new_lo: int, new_hi: int, anchors: list[Anchor], depth: int
    ) -> None:
        """Match what follows each anchor (positions relative to the range) while it is equal, and the gaps between.

        Anchors inside such a run are passed over, those of another shift too (which only windows can have).
        """
        old, new = self.old[old_lo:old_hi], self.new[new_lo:new_hi]
        old_at = new_at = index = 0
        while index < len(anchors):
            old_next, new_next = anchors[index]
            if old_at < old_next and new_at < new_next:
                self.match_range(old_lo + old_at, old_lo + old_next, new_lo + new_at, new_lo + new_next, depth)
            size = common_prefix(old, new, old_next, new_next)
            self.add(old_lo + old_next, new_lo + new_next, size)
            old_at, new_at = old_next + size, new_next + size
            index = bisect_left(anchors, old_at, index, key=itemgetter(0))
            index = bisect_left(anchors, new_at, index, key=itemgetter(1))
        self.match_range(old_lo + old_at, old_hi, new_lo + new_at, new_hi, depth)

    def add_lcs(self, old: list[int], new: list[int], old_lo: int, new_lo: int) -> None:
        """A longest common subsequence, in time and memory of a bit per cell.

        Among several longest ones rapidfuzz, asked for the way from new to old, takes the one that git takes, nearly
        always: of two blocks that swapped places the same one counts as moved (see tests/oracle/test_merge_file.py).
        """
        if set(old).isdisjoint(new):
            return
        # Imported here, because it takes as long as all of casvault, and most commands never compare lines.
        from rapidfuzz.distance.LCSseq import opcodes as lcs_opcodes

        for new_at, old_at, size in lcs_opcodes(new, old).as_matching_blocks():
            self.add(old_lo + old_at, new_lo + new_at, size)

    def add(self, old: int, new: int, size: int) -> None:
        """Append a run of equal lines, to the last block where it continues that."""
        if not size:
            return
        if self.blocks:
            last = self.blocks[-1]
            if last.old + last.size == old and last.new + last.size == new:
                self.blocks[-1] = Match(last.old, last.new, last.size + size)
                return
        self.blocks.append(Match(old, new, size))
