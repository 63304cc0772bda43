"""A conflict as a text with markers, for people and their editors."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.limits import MERGE_BYTES
from casvault.merge.conflict import ConflictKind
from casvault.merge.content import ContentConflict, merge_content
from casvault.objects import FILE_MODES, read_blob
from casvault.text.lines import is_binary, split_lines
from casvault.text.markers import Labels, Style, choose_marker_size, find_markers, render
from casvault.text.merge3 import Chunk, Conflict, Resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.merge.trees import TreeConflict
    from casvault.objects import ObjectReader, Root

CONTEXT = 3
"""Lines around a hunk."""


class Hunk(NamedTuple):
    line: int
    """Where in the whole text it begins, from 1."""
    text: bytes


class Take(Enum):
    """What becomes of one hunk."""

    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"
    UNION = "union"
    """The lines of ours, then those of theirs."""


class Marked(NamedTuple):
    """Both sides of a conflict in one text, with the base in git's diff3 style unless another one was asked for."""

    text: bytes
    hunks: tuple[Hunk, ...]
    """The conflicts alone, each with a few lines around it."""
    marker_size: int
    """The markers are longer than any line of the sides that looks like one."""

    def find_left(self, content: bytes, signs: bytes = b"<|=>") -> list[int]:
        """The numbers of the lines of `content` that are still markers, of these signs."""
        return find_markers(content, self.marker_size, signs)


def mark_up(reader: ObjectReader, conflict: TreeConflict, labels: Labels, style: Style = Style.DIFF3) -> Marked | None:
    """The conflict as one text, in this style; hunks always show the base.

    None where no lines clash: binary and large files, symlinks, directories.
    """
    chunks = _chunks(reader, conflict)
    if not chunks:
        return None
    labels = Labels(
        _label(labels.base, conflict.base, b"none"),
        _label(labels.ours, conflict.ours, b"deleted"),
        _label(labels.theirs, conflict.theirs, b"deleted"),
    )
    size = choose_marker_size(chunks)
    return Marked(render(chunks, style, labels, size), tuple(_hunks(chunks, labels, size)), size)


def count_hunks(reader: ObjectReader, conflict: TreeConflict) -> int:
    """In how many places the lines clash; 0 where none do."""
    return sum(isinstance(chunk, Conflict) for chunk in _chunks(reader, conflict))


def take_hunks(reader: ObjectReader, conflict: TreeConflict, takes: Sequence[Take]) -> bytes:
    """The file with a choice made for each of its hunks, in their order; there are as many as `mark_up` finds."""
    choices = iter(takes)
    pieces = [
        chunk.lines if isinstance(chunk, Resolved) else _taken(chunk, next(choices))
        for chunk in _chunks(reader, conflict)
    ]
    return b"".join(line for lines in pieces for line in lines)


def _taken(hunk: Conflict, take: Take) -> tuple[bytes, ...]:
    if take is Take.UNION:
        return (*_ended(hunk.ours, hunk.theirs), *hunk.theirs)
    return {Take.OURS: hunk.ours, Take.THEIRS: hunk.theirs, Take.BASE: hunk.base}[take]


def _ended(lines: tuple[bytes, ...], behind: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The lines, the last one with a line end if others come behind it."""
    if not lines or not behind or lines[-1].endswith(b"\n"):
        return lines
    end = b"\r\n" if behind[0].endswith(b"\r\n") else b"\n"
    return (*lines[:-1], lines[-1] + end)


def _label(label: bytes, state: Root | None, absent: bytes) -> bytes:
    return label if state is not None else b"%b (%b)" % (label, absent)


def _chunks(reader: ObjectReader, conflict: TreeConflict) -> Sequence[Chunk]:
    """The merge by lines so far; empty where there is none."""
    sides = [state for state in (conflict.ours, conflict.theirs) if state is not None]
    base = conflict.base if conflict.base is not None and conflict.base.mode in FILE_MODES else None
    states = [*sides, *(() if base is None else (base,))]
    if conflict.kind is ConflictKind.BINARY or any(
        state.mode not in FILE_MODES or state.size > MERGE_BYTES for state in states
    ):
        return ()
    before = None if base is None else read_blob(reader, base.id)
    if len(sides) == 2:
        merged = merge_content(before, *(read_blob(reader, state.id) for state in sides))
        return merged.chunks if isinstance(merged, ContentConflict) else ()
    pair = (conflict.ours, conflict.theirs)
    contents = [b"" if state is None else read_blob(reader, state.id) for state in pair]
    if any(map(is_binary, (before or b"", *contents))):
        return ()
    return (Conflict(*(tuple(split_lines(content)) for content in (before or b"", *contents))),)


def _hunks(chunks: Sequence[Chunk], labels: Labels, size: int) -> Iterator[Hunk]:
    at = 1
    for place, chunk in enumerate(chunks):
        height = len(split_lines(render([chunk], labels=labels, marker_size=size)))
        if isinstance(chunk, Conflict):
            above, below = _around(chunks, place)
            text = render([Resolved(above), chunk, Resolved(below)], labels=labels, marker_size=size)
            yield Hunk(at - len(above), text)
        at += height


def _around(chunks: Sequence[Chunk], place: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The last lines before a chunk and the first behind it that nobody contests."""
    before = chunks[place - 1] if place else None
    behind = chunks[place + 1] if place + 1 < len(chunks) else None
    above = before.lines[-CONTEXT:] if isinstance(before, Resolved) else ()
    below = behind.lines[:CONTEXT] if isinstance(behind, Resolved) else ()
    return above, below
