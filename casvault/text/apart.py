"""Merges in which no change is near another one: nothing has to be hashed, matched or slid to tell what they give.

Most merges are such: a few lines here and a few lines there in a long text. What is not plain is left to `merge3`.
"""

from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import itemgetter, ne
from typing import Final

from casvault.text.change import Change

MAX_LINES: Final = 8
"""A plain change takes away and brings at most so many lines."""

MIN_EQUAL: Final = 16
"""And is followed by at least so many equal lines, or by the end. Any match that pairs a line across the change has to
give these up, which are more than it can gain: the longest common subsequence keeps them."""

REACH: Final = 3
"""Changes slide by less than so many lines; they are that far apart twice, so that no slide makes two of them meet."""

STRIDE: Final = 512
"""Lines that are compared in one go, as long as no change shifts them."""


def merge_apart(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> bytes | None:
    """The merged text; None where it takes a comparison of lines to tell, and where there may be conflicts."""
    our_changes = find_changes(base, ours)
    their_changes = None if our_changes is None else find_changes(base, theirs)
    if our_changes is None or their_changes is None:
        return None
    edits = [(change, ours) for change in our_changes] + [(change, theirs) for change in their_changes]
    edits.sort(key=itemgetter(0))
    lines: list[bytes] = []
    at = -2 * REACH
    for (start, end, new_start, new_end), side in edits:
        if start - at < 2 * REACH:
            return None
        lines += base[max(at, 0) : start]
        lines += side[new_start:new_end]
        at = end
    lines += base[max(at, 0) :]
    return b"".join(lines)


def find_changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change] | None:
    """What changed, if each change is plain and stays where it is."""
    changes: list[Change] = []
    behind = shift = 0
    differences = _iter_differences(old, new, behind, shift)
    while True:
        old_at = next(differences)
        if old_at < behind:
            continue
        new_at = old_at + shift
        if old_at == len(old) and new_at == len(new):
            return changes
        if changes and old_at - behind < MIN_EQUAL:
            return None
        change = _one_line(old, new, old_at, new_at) or _still_change(old, new, old_at, new_at)
        if change is None:
            return None
        changes.append(change)
        _, behind, _, new_behind = change
        if new_behind - behind != shift:
            shift = new_behind - behind
            differences = _iter_differences(old, new, behind, shift)


def _iter_differences(old: Sequence[bytes], new: Sequence[bytes], start: int, shift: int) -> Iterator[int]:
    """The places in `old`, from `start` on, whose lines are others than those `shift` further on in `new`; at last the
    place where one of the texts ends.
    """
    while True:
        old_part, new_part = old[start : start + STRIDE], new[start + shift : start + shift + STRIDE]
        yield from compress(count(start), map(ne, old_part, new_part))
        start += min(len(old_part), len(new_part))
        if len(old_part) < STRIDE or len(new_part) < STRIDE:
            yield start
            return


def _one_line(old: Sequence[bytes], new: Sequence[bytes], old_at: int, new_at: int) -> Change | None:
    """What `_still_change` answers where one line became another one, by far the most frequent case."""
    old_end, new_end = old_at + 1, new_at + 1
    if not old_at or not new_at or old_end >= len(old) or new_end >= len(new):
        return None
    lines = old[old_at], new[new_at]
    if old[old_end] in lines or old[old_at - 1] in lines:
        return None  # it may also be one line more or less, or slide
    if old[old_end : old_end + REACH] != new[new_end : new_end + REACH]:
        return None
    return Change(old_at, old_end, new_at, new_end)


def _still_change(old: Sequence[bytes], new: Sequence[bytes], old_at: int, new_at: int) -> Change | None:
    """The smallest change behind which the texts go on alike, if it stays where it is."""
    change = _plain_change(old, new, old_at, new_at)
    if change is None or _slides_far(old, old_at, change.old_end) or _slides_far(new, new_at, change.new_end):
        return None
    return change


def _plain_change(old: Sequence[bytes], new: Sequence[bytes], old_at: int, new_at: int) -> Change | None:
    """The smallest change behind which the texts go on alike."""
    for lines in range(1, 2 * MAX_LINES + 1):
        for removed in range(max(0, lines - MAX_LINES), min(lines, MAX_LINES) + 1):
            old_end, new_end = old_at + removed, new_at + lines - removed
            if old[old_end : old_end + REACH] == new[new_end : new_end + REACH]:
                return Change(old_at, old_end, new_at, new_end)
    return None


def _slides_far(lines: Sequence[bytes], start: int, end: int) -> bool:
    """Whether the lines [start, end) can go up or down by `REACH` lines or more and read the same."""
    if start == end:
        return False
    # The nearest line alone tells it of most changes.
    if (
        start >= REACH
        and lines[start - 1] == lines[end - 1]
        and lines[start - REACH : start] == lines[end - REACH : end]
    ):
        return True
    return end < len(lines) and lines[start] == lines[end] and lines[start : start + REACH] == lines[end : end + REACH]
