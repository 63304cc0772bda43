"""Which lines of two texts belong together: a common subsequence, the longest one wherever that is affordable."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from itertools import compress, count, pairwise
from operator import itemgetter, ne, not_
from typing import Final, NamedTuple

from casvault.text.anchor import Anchor, unique_anchors, window_anchors
from casvault.text.lines import intern_lines

SMALL_CELLS: Final = 1 << 18
"""Up to this product of lengths the LCS is taken at once; above, a range is split at unique lines if they are many."""

MAX_SPACING: Final = 8
"""Unique lines are many if one in so many lines is among them. Of few of them, one that moved keeps all others from
being matched across its way: then the LCS is taken, unless it is out of the question."""

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


def matching_blocks(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Match]:
    """The matching runs of two sequences: increasing, apart from one another, none empty.

    What is certain is taken first: equal ends, and equal runs between values that only one side has, which can match
    nothing. Where every change brings lines of its own that is all, and nothing has to be searched.
    """
    head = common_prefix(old, new)
    tail = common_suffix(old[head:], new[head:])
    blocks = _Blocks()
    blocks.add(0, 0, head)
    if head + tail < min(len(old), len(new)):
        for old_at, new_at, size in _match_middle(old[head : len(old) - tail], new[head : len(new) - tail]):
            blocks.add(head + old_at, head + new_at, size)
    blocks.add(len(old) - tail, len(new) - tail, tail)
    return blocks.found


def _match_middle(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Match]:
    """Match sequences whose ends differ."""
    known_old, known_new = set(old), set(new)
    blocks, old_at, new_at = _match_from_top(old, new, known_old, known_new)
    if old_at == len(old) or new_at == len(new):
        return blocks
    old_shared, new_shared = _shared(old[old_at:], known_new), _shared(new[new_at:], known_old)
    matcher = _Matcher(old_shared.values, new_shared.values)
    matcher.match_range(0, len(matcher.old), 0, len(matcher.new), 0)
    rest = _spread(matcher.blocks.found, old_shared.gaps, new_shared.gaps)
    return [*blocks, *(Match(old_at + block.old, new_at + block.new, block.size) for block in rest)]


def _match_from_top(
    old: Sequence[Hashable], new: Sequence[Hashable], known_old: Set[Hashable], known_new: Set[Hashable]
) -> tuple[list[Match], int, int]:
    """Matching runs down to the first place where both sides have a value that the other one has elsewhere."""
    blocks: list[Match] = []
    old_at = new_at = 0
    old_end, new_end = len(old), len(new)
    while True:
        old_was, new_was = old_at, new_at
        while old_at < old_end and old[old_at] not in known_new:
            old_at += 1
        while new_at < new_end and new[new_at] not in known_old:
            new_at += 1
        if old_at == old_was and new_at == new_was:
            return blocks, old_at, new_at
        size = common_prefix(old, new, old_at, new_at)
        if size:
            blocks.append(Match(old_at, new_at, size))
            old_at, new_at = old_at + size, new_at + size


class _Shared(NamedTuple):
    """Values of one sequence that the other one has, too."""

    values: Sequence[Hashable]
    gaps: list[int]
    """For each value left out, in order, how many values stay before it."""


def _shared(values: Sequence[Hashable], others: Set[Hashable]) -> _Shared:
    known = list(map(others.__contains__, values))
    if all(known):
        return _Shared(values, [])
    left_out = compress(count(), map(not_, known))
    return _Shared(list(compress(values, known)), [at - before for before, at in enumerate(left_out)])


def _spread(blocks: Sequence[Match], old_gaps: Sequence[int], new_gaps: Sequence[int]) -> Iterator[Match]:
    """Blocks of shared values, put to where these stand in the whole sequences, and cut at the gaps."""
    if not old_gaps and not new_gaps:
        yield from blocks
        return
    for old, new, size in blocks:
        old_cuts = old_gaps[bisect_right(old_gaps, old) : bisect_left(old_gaps, old + size)]
        new_cuts = new_gaps[bisect_right(new_gaps, new) : bisect_left(new_gaps, new + size)]
        cuts = sorted({0, size, *(gap - old for gap in old_cuts), *(gap - new for gap in new_cuts)})
        for start, end in pairwise(cuts):
            old_at, new_at = old + start, new + start
            before = bisect_right(old_gaps, old_at), bisect_right(new_gaps, new_at)
            yield Match(old_at + before[0], new_at + before[1], end - start)


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

    def __init__(self, old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
        self.old = old
        self.new = new
        self.blocks = _Blocks()

    def match_range(self, old_lo: int, old_hi: int, new_lo: int, new_hi: int, depth: int) -> None:
        """Match one range: equal ends are cut off, the rest goes to `match_middle`."""
        old, new = self.old[old_lo:old_hi], self.new[new_lo:new_hi]
        head = common_prefix(old, new)
        tail = common_suffix(old[head:], new[head:])
        self.blocks.add(old_lo, new_lo, head)
        if head + tail < min(len(old), len(new)):
            self.match_middle(old_lo + head, old_hi - tail, new_lo + head, new_hi - tail, depth)
        self.blocks.add(old_hi - tail, new_hi - tail, tail)

    def match_middle(self, old_lo: int, old_hi: int, new_lo: int, new_hi: int, depth: int) -> None:
        """Match a range whose ends differ, by the best means that its size allows."""
        old, new = self.old[old_lo:old_hi], self.new[new_lo:new_hi]
        anchors = _find_anchors(old, new) if depth < MAX_DEPTH else []
        if anchors:
            self.match_between(old_lo, old_hi, new_lo, new_hi, anchors, depth + 1)
        elif len(old) * len(new) <= MAX_CELLS:
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
            self.blocks.add(old_lo + old_next, new_lo + new_next, size)
            old_at, new_at = old_next + size, new_next + size
            index = bisect_left(anchors, old_at, index, key=itemgetter(0))
            index = bisect_left(anchors, new_at, index, key=itemgetter(1))
        self.match_range(old_lo + old_at, old_hi, new_lo + new_at, new_hi, depth)

    def add_lcs(self, old: Sequence[Hashable], new: Sequence[Hashable], old_lo: int, new_lo: int) -> None:
        """A longest common subsequence, in time and memory of a bit per cell.

        Among several longest ones rapidfuzz, asked for the way from new to old, takes the one that git takes, nearly
        always: of two blocks that swapped places the same one counts as moved (see tests/oracle/test_merge_file.py).
        """
        if set(old).isdisjoint(new):
            return
        # Imported here, because it takes as long as all of casvault, and most commands never compare lines.
        from rapidfuzz.distance.LCSseq import opcodes as lcs_opcodes

        old_ids, new_ids = intern_lines(old, new)
        for new_at, old_at, size in lcs_opcodes(new_ids, old_ids).as_matching_blocks():
            self.blocks.add(old_lo + old_at, new_lo + new_at, size)


def _find_anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Anchor]:
    """Where to split two ranges; nowhere, if the LCS of the whole can be had and is as good."""
    cells = len(old) * len(new)
    if cells <= SMALL_CELLS:
        return []
    anchors = unique_anchors(old, new)
    if MAX_SPACING * len(anchors) >= min(len(old), len(new)):
        return anchors
    return [] if cells <= MAX_CELLS else max(anchors, window_anchors(old, new), key=len)


class _Blocks:
    """Matching runs, added in increasing order."""

    def __init__(self) -> None:
        self.found: list[Match] = []

    def add(self, old: int, new: int, size: int) -> None:
        """A run of equal values; joined to the last one where it continues that."""
        if not size:
            return
        if self.found:
            last = self.found[-1]
            if last.old + last.size == old and last.new + last.size == new:
                self.found[-1] = Match(last.old, last.new, last.size + size)
                return
        self.found.append(Match(old, new, size))
