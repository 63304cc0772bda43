"""Merges in which no change is near another one, on the bytes as they are: no lines are cut out and none is hashed.

Most merges are such: a few lines here and a few lines there in a long text. What is not plain is left to `merge3`.
"""

from typing import Final, NamedTuple

MAX_LINES: Final = 8
"""A plain change takes away and brings at most so many lines."""

MIN_EQUAL: Final = 16
"""And is followed by at least so many equal lines, or by the end. Any match that pairs a line across the change has to
give these up, which are more than it can gain: the longest common subsequence keeps them."""

REACH: Final = 64
"""Changes slide by less than so many bytes; they are that far apart twice, so that no slide makes two of them meet."""

WIDTH: Final = 1024
"""Equal bytes are measured by comparing pieces, each twice as long as the last one."""

NARROW: Final = 256
"""The piece in which they differ is halved down to this."""


class Span(NamedTuple):
    """Bytes [old_start, old_end) of the base became bytes [new_start, new_end) of a side; both are whole lines."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def merge_apart(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The merged text; None where it takes a comparison of lines to tell, and where there may be conflicts."""
    our_spans, their_spans = find_spans(base, ours), find_spans(base, theirs)
    if our_spans is None or their_spans is None:
        return None
    pieces: list[bytes] = []
    at = 0
    for span, side in sorted([*((span, ours) for span in our_spans), *((span, theirs) for span in their_spans)]):
        start, end, new_start, new_end = span
        if pieces and (start - at < 2 * REACH or base.count(b"\n", at, start) < 2):
            return None
        pieces += (base[at:start], side[new_start:new_end])
        at = end
    pieces.append(base[at:])
    return b"".join(pieces)


def find_spans(old: bytes, new: bytes) -> list[Span] | None:
    """What changed, if each change is plain and stays where it is."""
    spans = []
    old_at, new_at = _next_difference(old, new, 0, 0)
    while old_at < len(old) or new_at < len(new):
        span = _one_line(old, new, old_at, new_at) or _plain_change(old, new, old_at, new_at)
        if span is None or _slides_far(old, old_at, span.old_end) or _slides_far(new, new_at, span.new_end):
            return None
        spans.append(span)
        old_at, new_at = _next_difference(old, new, span.old_end, span.new_end)
        if old.count(b"\n", span.old_end, old_at) < MIN_EQUAL and (old_at < len(old) or new_at < len(new)):
            return None
    return spans


def _next_difference(old: bytes, new: bytes, old_at: int, new_at: int) -> tuple[int, int]:
    """The starts of the next lines that differ, from the starts of two lines on; the ends if there are none."""
    size = _common_bytes(old, new, old_at, new_at)
    if old_at + size == len(old) and new_at + size == len(new):
        return len(old), len(new)
    size = old.rfind(b"\n", old_at, old_at + size) + 1 - old_at
    return (old_at + size, new_at + size) if size > 0 else (old_at, new_at)


def _common_bytes(old: bytes, new: bytes, old_at: int, new_at: int) -> int:
    """How many bytes are equal from the given positions on."""
    size, width = 0, WIDTH
    while True:
        old_part = old[old_at + size : old_at + size + width]
        new_part = new[new_at + size : new_at + size + width]
        if old_part != new_part:
            return size + _first_difference(old_part, new_part)
        if not old_part:
            return size
        size, width = size + len(old_part), 2 * width


def _first_difference(old: bytes, new: bytes) -> int:
    """Where two different pieces differ first: halved while they are long, and then as two numbers."""
    skipped = 0
    while len(old) > NARROW:
        middle = len(old) // 2
        if old[:middle] == new[:middle]:
            skipped, old, new = skipped + middle, old[middle:], new[middle:]
        else:
            old, new = old[:middle], new[:middle]
    bits = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
    shared = min(len(old), len(new))
    return skipped + min(shared, ((bits & -bits).bit_length() - 1) // 8 if bits else shared)


def _one_line(old: bytes, new: bytes, old_at: int, new_at: int) -> Span | None:
    """What `_plain_change` answers where one line became another one, by far the most frequent case."""
    old_end, new_end = old.find(b"\n", old_at) + 1, new.find(b"\n", new_at) + 1
    behind = old[old_end : old_end + REACH]
    if not old_end or not new_end or behind != new[new_end : new_end + REACH]:
        return None
    if behind == new[new_at : new_at + REACH] or behind == old[old_at : old_at + REACH]:
        return None  # then it may also be one line more or less
    return Span(old_at, old_end, new_at, new_end)


def _plain_change(old: bytes, new: bytes, old_at: int, new_at: int) -> Span | None:
    """The smallest change behind which the texts go on alike."""
    old_starts, new_starts = [old_at], [new_at]
    for lines in range(1, 2 * MAX_LINES + 1):
        _add_line(old, old_starts)
        _add_line(new, new_starts)
        for removed in range(max(0, lines - len(new_starts) + 1), min(lines, len(old_starts) - 1) + 1):
            old_end, new_end = old_starts[removed], new_starts[lines - removed]
            if old[old_end : old_end + REACH] == new[new_end : new_end + REACH]:
                return Span(old_at, old_end, new_at, new_end)
    return None


def _add_line(text: bytes, starts: list[int]) -> None:
    """Append where the next line starts, or the text ends, for at most `MAX_LINES` lines."""
    at = starts[-1]
    if at < len(text) and len(starts) <= MAX_LINES:
        starts.append(text.find(b"\n", at) + 1 or len(text))


def _slides_far(text: bytes, start: int, end: int) -> bool:
    """Whether the lines [start, end) can go up or down by `REACH` bytes or more and read the same."""
    if start == end:
        return False
    above = start >= REACH and text[start - REACH : start] == text[end - REACH : end]
    return above or text[start : start + REACH] == text[end : end + REACH]
