"""The changes between two texts, each slid to where a reader and a merge expect it."""

from collections.abc import Collection, Hashable, Sequence
from typing import Final, NamedTuple

from casvault.text.match import Match, matching_blocks

SLIDES_PER_LINE: Final = 16
"""Sliding is linear but for texts of few distinct lines with many changes; this many steps a line, and it ends."""


class Change(NamedTuple):
    """Lines [old_start, old_end) of the old text became lines [new_start, new_end) of the new one."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


class Run(NamedTuple):
    """`size` changed lines of one text, standing before its unchanged line number `rank`.

    The unchanged lines of both texts are the same ones, so that runs of equal rank face each other.
    """

    rank: int
    size: int


def line_changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    """The changes between two lists of lines, increasing, at least one unchanged line apart."""
    changes = _between(matching_blocks(old, new), len(old), len(new))
    if not any(
        _can_slide(old, old_start, old_end) or _can_slide(new, new_start, new_end)
        for old_start, old_end, new_start, new_end in changes
    ):
        return changes
    removed, added = _runs(changes)
    removed = compact(old, removed, {run.rank for run in added})
    added = compact(new, added, {run.rank for run in removed})
    return _pair(removed, added)


def _between(matches: Sequence[Match], old_size: int, new_size: int) -> list[Change]:
    """What stands between the matches."""
    changes = []
    old_at = new_at = 0
    for old, new, size in matches:
        if old > old_at or new > new_at:
            changes.append(Change(old_at, old, new_at, new))
        old_at, new_at = old + size, new + size
    if old_at < old_size or new_at < new_size:
        changes.append(Change(old_at, old_size, new_at, new_size))
    return changes


def _can_slide(lines: Sequence[Hashable], start: int, end: int) -> bool:
    """Whether lines [start, end) have another place that is as good, in either direction."""
    if start == end:
        return False
    return (start > 0 and lines[start - 1] == lines[end - 1]) or (end < len(lines) and lines[start] == lines[end])


def compact(lines: Sequence[Hashable], runs: Sequence[Run], facing: Collection[int]) -> list[Run]:
    """Slide each run to one of its equivalent places, by git's rule, so that like edits look alike.

    A run can slide by a line where the line that it leaves equals the one that it takes in. It goes to the lowest
    place that faces a run of the other text (a rank in `facing`), else as low as it can; runs that meet become one.
    """
    slider = _Slider(lines, runs, facing)
    while slider.waiting:
        slider.settle(slider.waiting.pop())
    return slider.settled


class _Slider:
    """Runs above the current one are settled, those below wait (the nearest last); `above` is the settled size."""

    def __init__(self, lines: Sequence[Hashable], runs: Sequence[Run], facing: Collection[int]) -> None:
        self.lines = lines
        self.facing = facing
        self.waiting = list(reversed(runs))
        self.settled: list[Run] = []
        self.above = 0
        self.steps = SLIDES_PER_LINE * len(lines)

    def settle(self, run: Run) -> None:
        """Slide a run up, down, and again while it grows; then to the place that the rule wants."""
        start = run.rank + self.above
        if not _can_slide(self.lines, start, start + run.size):
            self.settled.append(run)
            self.above += run.size
            return
        while True:
            highest = self.slide_up(run)
            lowest, faced = self.slide_down(highest)
            if lowest.size == run.size or self.steps <= 0:
                break
            run = lowest
        if faced is not None and lowest.size == run.size:  # a run still growing could not slide back whole
            lowest = Run(faced, run.size)
        self.settled.append(lowest)
        self.above += lowest.size

    def slide_up(self, run: Run) -> Run:
        """As high as it goes, taking in the settled runs that it meets."""
        rank, size = run
        start = rank + self.above
        lines = self.lines
        while start > 0 and lines[start - 1] == lines[start + size - 1] and self.steps > 0:
            rank, start, self.steps = rank - 1, start - 1, self.steps - 1
            if self.settled and self.settled[-1].rank == rank:
                met = self.settled.pop().size
                size, start, self.above = size + met, start - met, self.above - met
        return Run(rank, size)

    def slide_down(self, run: Run) -> tuple[Run, int | None]:
        """As low as it goes, taking in waiting runs, and the last rank on the way that faced a run."""
        rank, size = run
        start = rank + self.above
        lines = self.lines
        faced = rank if rank in self.facing else None
        while start + size < len(lines) and lines[start] == lines[start + size] and self.steps > 0:
            rank, start, self.steps = rank + 1, start + 1, self.steps - 1
            if self.waiting and self.waiting[-1].rank == rank:
                size += self.waiting.pop().size
            if rank in self.facing:
                faced = rank
        return Run(rank, size), faced


def _runs(changes: Sequence[Change]) -> tuple[list[Run], list[Run]]:
    """The changes as runs, removed and added."""
    removed, added = [], []
    rank = old_at = 0
    for old_start, old_end, new_start, new_end in changes:
        rank += old_start - old_at
        if old_start < old_end:
            removed.append(Run(rank, old_end - old_start))
        if new_start < new_end:
            added.append(Run(rank, new_end - new_start))
        old_at = old_end
    return removed, added


def _pair(removed: Sequence[Run], added: Sequence[Run]) -> list[Change]:
    """One change per rank; a rank missing on a side is an empty range there."""
    lost, gained = {run.rank: run.size for run in removed}, {run.rank: run.size for run in added}
    changes = []
    old_extra = new_extra = 0
    for rank in sorted(lost.keys() | gained.keys()):
        old, new = rank + old_extra, rank + new_extra
        old_extra += lost.get(rank, 0)
        new_extra += gained.get(rank, 0)
        changes.append(Change(old, rank + old_extra, new, rank + new_extra))
    return changes
