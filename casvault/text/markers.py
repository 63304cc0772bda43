"""Conflict markers: a merge with conflicts as one text that people and git's mergetools can read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from casvault.text.change import line_changes
from casvault.text.lines import split_lines
from casvault.text.match import common_prefix, common_suffix
from casvault.text.merge3 import Chunk, Conflict, Lines, Origin, Resolved, append_chunk

MARKER_SIZE: Final = 7
"""The length of a marker that every tool knows."""

JOINED_GAP: Final = 3
"""Conflicts with no more uncontested lines between them read better as one (git's figure)."""

_MARKER_LIKE: Final = re.compile(rb"(<+|\|+|=+|>+)(?:[ \t\r\n]|\Z)")


class Style(Enum):
    """What is shown of a conflict."""

    MERGE = "merge"
    """The two sides, cut down to the lines in which they differ."""
    DIFF3 = "diff3"
    """The two sides and the base, whole."""
    ZDIFF3 = "zdiff3"
    """The same without the first and last lines that the sides share."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands behind the markers to say what each side is; may be empty, holds no line end."""

    base: bytes = b""
    ours: bytes = b""
    theirs: bytes = b""


def render(
    chunks: Iterable[Chunk], style: Style = Style.DIFF3, labels: Labels = Labels(), marker_size: int = MARKER_SIZE
) -> bytes:
    """The merge as one text, conflicts between markers.

    Markers are at least `marker_size` long and longer than any line of the texts that looks like one. They end as the
    line before the conflict does, \\n or \\r\\n. A last line without end gets one inside a conflict, where the next
    marker needs its own line: the marked-up text is for people, the exact sides are in the chunks.
    """
    shown = _CUTS[style](chunks)
    size = choose_marker_size(shown, marker_size)
    pieces: list[bytes] = []
    before: Lines = ()
    for chunk in shown:
        if isinstance(chunk, Conflict):
            pieces += _marked(chunk, style, labels, size, _line_end(before, chunk))
            before = chunk.theirs or chunk.ours
        else:
            pieces += chunk.lines
            before = chunk.lines or before
    return b"".join(pieces)


def choose_marker_size(chunks: Iterable[Chunk], at_least: int = MARKER_SIZE) -> int:
    """The length of the markers that `render` puts between these chunks, if it shows them whole (`Style.DIFF3`)."""
    return max(at_least, _longest_marker(chunks, at_least) + 1)


def find_markers(text: bytes, size: int, signs: bytes = b"<|=>") -> list[int]:
    """The numbers, from 1, of the lines that look like a marker of this length with one of these signs."""
    found = ((number, _MARKER_LIKE.match(line)) for number, line in enumerate(split_lines(text), 1))
    return [number for number, match in found if match and len(match[1]) == size and match[1][:1] in signs]


def _marked(conflict: Conflict, style: Style, labels: Labels, size: int, end: bytes) -> Iterator[bytes]:
    yield _marker(b"<", size, labels.ours, end)
    yield from _ended(conflict.ours, end)
    if style is not Style.MERGE:
        yield _marker(b"|", size, labels.base, end)
        yield from _ended(conflict.base, end)
    yield _marker(b"=", size, b"", end)
    yield from _ended(conflict.theirs, end)
    yield _marker(b">", size, labels.theirs, end)


def _marker(sign: bytes, size: int, label: bytes, end: bytes) -> bytes:
    return sign * size + (b" " + label if label else b"") + end


def _ended(lines: Lines, end: bytes) -> Lines:
    if not lines or lines[-1].endswith(b"\n"):
        return lines
    return (*lines[:-1], lines[-1] + end)


def _line_end(before: Lines, conflict: Conflict) -> bytes:
    """The line end in use at a conflict: that of the line before, else of the first lines of its sides."""
    witnesses = before[-1:] or tuple(lines[0] for lines in (conflict.ours, conflict.theirs, conflict.base) if lines)
    return b"\r\n" if all(line.endswith(b"\r\n") for line in witnesses) else b"\n"


def _longest_marker(chunks: Iterable[Chunk], at_least: int) -> int:
    """The length of the longest line start of `at_least` signs or more that could be taken for a marker, or 0."""
    starts = tuple(sign * at_least for sign in (b"<", b"|", b"=", b">"))
    suspects = (line for chunk in chunks for line in _all_lines(chunk) if line.startswith(starts))
    found = (_MARKER_LIKE.match(line) for line in suspects)
    return max((len(match[1]) for match in found if match), default=0)


def _all_lines(chunk: Chunk) -> Lines:
    return chunk.lines if isinstance(chunk, Resolved) else chunk.base + chunk.ours + chunk.theirs


def _whole(chunks: Iterable[Chunk]) -> list[Chunk]:
    return list(chunks)


def _trimmed(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Without the lines that the sides of a conflict share at its ends."""
    return _replaced(chunks, _trim)


def _trim(conflict: Conflict) -> Iterator[Chunk]:
    ours, theirs = conflict.ours, conflict.theirs
    head = common_prefix(ours, theirs)
    yield Resolved(ours[:head])
    ours, theirs = ours[head:], theirs[head:]
    tail = common_suffix(ours, theirs)
    yield Conflict(conflict.base, ours[: len(ours) - tail], theirs[: len(theirs) - tail])
    yield Resolved(ours[len(ours) - tail :])


def _refined(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Conflicts cut down to the lines in which the sides differ, near ones joined again."""
    return _joined(_replaced(chunks, _refine))


def _replaced(chunks: Iterable[Chunk], parts: Callable[[Conflict], Iterable[Chunk]]) -> list[Chunk]:
    """The chunks with each conflict replaced by its parts."""
    replaced: list[Chunk] = []
    for chunk in chunks:
        for part in parts(chunk) if isinstance(chunk, Conflict) else [chunk]:
            append_chunk(replaced, part)
    return replaced


def _refine(conflict: Conflict) -> Iterator[Chunk]:
    """The parts of a conflict; the base belongs to no single part any more and is left out."""
    ours, theirs = conflict.ours, conflict.theirs
    at = 0
    for change in line_changes(ours, theirs):
        yield Resolved(ours[at : change.old_start])
        yield Conflict((), ours[change.old_start : change.old_end], theirs[change.new_start : change.new_end])
        at = change.old_end
    yield Resolved(ours[at:])


def _joined(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Two conflicts with at most `JOINED_GAP` lines of both sides between them become one that holds those lines."""
    joined: list[Chunk] = []
    for chunk in chunks:
        if isinstance(chunk, Conflict) and len(joined) >= 2:
            before, gap = joined[-2:]
            if isinstance(before, Conflict) and isinstance(gap, Resolved) and _is_small(gap):
                chunk = Conflict((), before.ours + gap.lines + chunk.ours, before.theirs + gap.lines + chunk.theirs)
                del joined[-2:]
        joined.append(chunk)
    return joined


def _is_small(gap: Resolved) -> bool:
    return gap.origin is Origin.BOTH and len(gap.lines) <= JOINED_GAP


_CUTS: Final = {Style.MERGE: _refined, Style.DIFF3: _whole, Style.ZDIFF3: _trimmed}
