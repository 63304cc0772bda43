"""Unified diffs in the form that `git diff` prints and `git apply` reads."""

from collections.abc import Iterator, Sequence
from typing import Final

from casvault.text.change import Change, line_changes
from casvault.text.lines import split_lines

HEADING_SIZE: Final = 80
"""How many bytes of the line that names a hunk's section are shown."""


def unified_diff(old: bytes, new: bytes, old_label: bytes, new_label: bytes, context: int = 3) -> Iterator[bytes]:
    r"""The lines of the diff, each with its \n; nothing at all where the texts are equal.

    Labels are printed as they are, `a/` and `b/` prefixes included. Raises ValueError for a negative `context`.
    """
    if context < 0:
        raise ValueError(f"context must not be negative: {context}")
    old_lines, new_lines = split_lines(old), split_lines(new)
    changes = line_changes(old_lines, new_lines)
    if not changes:
        return
    yield b"--- " + old_label + b"\n"
    yield b"+++ " + new_label + b"\n"
    for hunk in _hunks(changes, context):
        yield from _hunk_lines(hunk, old_lines, new_lines, context)


def _hunks(changes: Sequence[Change], context: int) -> Iterator[list[Change]]:
    """Group changes whose contexts touch or overlap."""
    hunk = [changes[0]]
    for change in changes[1:]:
        if change.old_start - hunk[-1].old_end > 2 * context:
            yield hunk
            hunk = []
        hunk.append(change)
    yield hunk


def _hunk_lines(hunk: Sequence[Change], old: Sequence[bytes], new: Sequence[bytes], context: int) -> Iterator[bytes]:
    lead = min(context, hunk[0].old_start)
    trail = min(context, len(old) - hunk[-1].old_end)
    old_start, old_end = hunk[0].old_start - lead, hunk[-1].old_end + trail
    new_start, new_end = hunk[0].new_start - lead, hunk[-1].new_end + trail
    spans = b"@@ -%b +%b @@" % (_span(old_start, old_end), _span(new_start, new_end))
    yield spans + _heading(old, old_start) + b"\n"
    at = old_start
    for change in hunk:
        yield from _signed(b" ", old[at : change.old_start])
        yield from _signed(b"-", old[change.old_start : change.old_end])
        yield from _signed(b"+", new[change.new_start : change.new_end])
        at = change.old_end
    yield from _signed(b" ", old[at:old_end])


def _span(start: int, end: int) -> bytes:
    """First line (from 1) and count; a count of one goes without saying, an empty range names the line before it."""
    size = end - start
    if size == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if size else start, size)


def _heading(lines: Sequence[bytes], before: int) -> bytes:
    """The nearest line above that opens a section: one that begins with a letter, `_` or `$`."""
    for at in range(before - 1, -1, -1):
        first = lines[at][:1]
        if first.isalpha() or first in (b"_", b"$"):
            return b" " + lines[at][:HEADING_SIZE].rstrip()
    return b""


def _signed(sign: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.endswith(b"\n"):
            yield sign + line
        else:
            yield sign + line + b"\n"
            yield b"\\ No newline at end of file\n"
