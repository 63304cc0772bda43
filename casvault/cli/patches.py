"""Unified diffs on a terminal: coloured, and counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from casvault.cli.terminal import coloured, count, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.vault.results.changes import FileChange

BAR = 30
"""Signs in the longest bar of a summary."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_HEADER, _HUNK, _ADDED, _REMOVED = b"\x1b[1m", b"\x1b[36m", b"\x1b[32m", b"\x1b[31m"
_RESET = b"\x1b[0m"


def patch_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a diff in colour, with nothing in them that a terminal would obey."""
    in_hunk = False
    for line in lines:
        in_hunk = line.startswith((b" ", b"+", b"-", b"@", b"\\")) and (in_hunk or line.startswith(b"@@"))
        colour = _colour(line, in_hunk=in_hunk)
        text = _CONTROL.sub(lambda match: b"^" + bytes([match.group()[0] ^ 0x40]), line.rstrip(b"\n"))
        yield colour + text + _RESET + b"\n" if colour else text + b"\n"


def _colour(line: bytes, *, in_hunk: bool) -> bytes:
    if not in_hunk:
        return _HEADER
    return {b"@": _HUNK, b"+": _ADDED, b"-": _REMOVED}.get(line[:1], b"")


def count_lines(lines: Iterable[bytes], files: int) -> list[tuple[int, int]]:
    """Added and removed lines of each file of a diff, in its order; zeros for what is not text."""
    counts = [(0, 0)] * files
    at, in_hunk = -1, False
    for line in lines:
        if line.startswith(b"diff --git "):
            at, in_hunk = at + 1, False
        elif line.startswith(b"@@"):
            in_hunk = True
        elif in_hunk and line[:1] in (b"+", b"-"):
            added, removed = counts[at]
            counts[at] = (added + 1, removed) if line[:1] == b"+" else (added, removed + 1)
    return counts


def stat_lines(changes: Sequence[FileChange], counts: Sequence[tuple[int, int]]) -> Iterator[str]:
    """A line for each file with a bar of its added and removed lines, and the sum."""
    if not changes:
        return
    names = [quoted(change.path) for change in changes]
    width = max(map(len, names))
    most = max(max(map(sum, counts)), 1)
    digits = len(str(most))
    for change, name, (added, removed) in zip(changes, names, counts, strict=True):
        total = added + removed
        scale = min(1.0, BAR / most)
        bar = coloured("+" * _signs(added, scale), "green") + coloured("-" * _signs(removed, scale), "red")
        what = f"{total:>{digits}} {bar}" if total else change.change.value
        yield f" {name:<{width}} | {what}".rstrip()
    added, removed = (sum(column) for column in zip(*counts, strict=True))
    yield f" {count(len(changes), 'file')} changed, {count(added, 'line')} added, {removed:,} removed"


def _signs(lines: int, scale: float) -> int:
    return max(1, round(lines * scale)) if lines else 0
