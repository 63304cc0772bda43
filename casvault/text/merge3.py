"""Three-way merge of texts, line by line, with the verdicts of `git merge-file`."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from casvault.text.change import Change, line_changes
from casvault.text.lines import split_lines

Lines = tuple[bytes, ...]


class Origin(Enum):
    """Whose lines a resolved chunk holds."""

    BOTH = "both"
    """Unchanged, or the same change on both sides."""
    OURS = "ours"
    THEIRS = "theirs"


class Resolved(NamedTuple):
    """Lines of the result that nobody contests; never empty but where a side deleted."""

    lines: Lines
    origin: Origin = Origin.BOTH


class Conflict(NamedTuple):
    """Lines that both sides changed, each in its way. Ours and theirs differ; each of the three may be empty."""

    base: Lines
    ours: Lines
    theirs: Lines


Chunk = Resolved | Conflict

_ORIGINS: Final = (Origin.OURS, Origin.THEIRS)


@dataclass(frozen=True, slots=True)
class TextMerge:
    """The outcome of a text merge, in order from the top of the text."""

    chunks: tuple[Chunk, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return tuple(chunk for chunk in self.chunks if isinstance(chunk, Conflict))

    @property
    def content(self) -> bytes | None:
        """The merged bytes; None where there are conflicts."""
        if self.conflicts:
            return None
        return b"".join(b"".join(chunk.lines) for chunk in self.chunks if isinstance(chunk, Resolved))


def merge_text(base: bytes, ours: bytes, theirs: bytes) -> TextMerge:
    """Merge whole texts. Every byte of the result stems from an input: line endings and encodings are never touched."""
    return TextMerge(tuple(merge3(split_lines(base), split_lines(ours), split_lines(theirs))))


def merge3(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[Chunk]:
    """Merge lists of lines.

    Changes of the two sides that overlap or touch conflict, unless both sides read the same there, be it only together
    with their neighbours; all others are taken. Swapping the sides swaps them in the chunks and does nothing else.
    """
    chunks: list[Chunk] = []
    at = 0
    for start, end, chunk in _regions((ours, theirs), base, line_changes(base, ours), line_changes(base, theirs)):
        append_chunk(chunks, Resolved(tuple(base[at:start])))
        if not (isinstance(chunk, Conflict) and _settles(chunks, chunk)):
            append_chunk(chunks, chunk)
        at = end
    append_chunk(chunks, Resolved(tuple(base[at:])))
    return chunks


def _settles(chunks: list[Chunk], chunk: Conflict) -> bool:
    """Whether this conflict and the one before it are none, taken together; what both sides read then replaces it.

    Of lines that both sides have added around one that there was, one comparison may take the first copy of that line
    for the old one and the other comparison the last copy. So the same lines seem to be added above it and below it.
    """
    if len(chunks) < 2:
        return False
    before, between = chunks[-2:]
    if not isinstance(before, Conflict) or not isinstance(between, Resolved) or between.origin is not Origin.BOTH:
        return False
    ours, theirs = (one + between.lines + other for one, other in zip(before[1:], chunk[1:], strict=True))
    if ours != theirs:
        return False
    del chunks[-2:]
    append_chunk(chunks, Resolved(ours))
    return True


def append_chunk(chunks: list[Chunk], chunk: Chunk) -> None:
    """Append `chunk`, joined to the last one where both are `Origin.BOTH`: one stretch that nobody contests."""
    if isinstance(chunk, Resolved) and chunk.origin is Origin.BOTH:
        if not chunk.lines:
            return
        last = chunks[-1] if chunks else None
        if isinstance(last, Resolved) and last.origin is Origin.BOTH:
            chunks[-1] = Resolved(last.lines + chunk.lines)
            return
    chunks.append(chunk)


class _Edit(NamedTuple):
    """A change, and which side made it: 0 or 1."""

    change: Change
    side: int


def _regions(
    sides: tuple[Sequence[bytes], Sequence[bytes]],
    base: Sequence[bytes],
    ours: Sequence[Change],
    theirs: Sequence[Change],
) -> Iterator[tuple[int, int, Chunk]]:
    """The stretches of the base in which a side changed something, from the top, and what becomes of each."""
    shifts = [0, 0]  # from base positions to those of each side, behind the last change seen
    for group in _touching(ours, theirs):
        (start, end, new_start, new_end), side = group[0]
        if len(group) == 1:  # by far the most frequent case
            yield start, end, Resolved(tuple(sides[side][new_start:new_end]), _ORIGINS[side])
            shifts[side] = new_end - end
            continue
        end = max(edit.change.old_end for edit in group)
        starts = [start + shift for shift in shifts]
        for change, side in group:
            shifts[side] = change.new_end - change.old_end
        our_lines, their_lines = (tuple(sides[side][starts[side] : end + shifts[side]]) for side in (0, 1))
        yield start, end, _decide(tuple(base[start:end]), our_lines, their_lines, {edit.side for edit in group})


def _decide(base: Lines, ours: Lines, theirs: Lines, changed: Collection[int]) -> Chunk:
    """What becomes of lines that these sides changed."""
    if len(changed) == 1:
        return Resolved(theirs, Origin.THEIRS) if 1 in changed else Resolved(ours, Origin.OURS)
    return Resolved(ours) if ours == theirs else Conflict(base, ours, theirs)


def _touching(ours: Sequence[Change], theirs: Sequence[Change]) -> Iterator[list[_Edit]]:
    """Group changes by transitive contact in the base; an end that meets a start is contact."""
    group: list[_Edit] = []
    end = 0
    for edit in sorted([*(_Edit(change, 0) for change in ours), *(_Edit(change, 1) for change in theirs)]):
        if group and edit.change.old_start > end:
            yield group
            group = []
        group.append(edit)
        end = max(end, edit.change.old_end)
    if group:
        yield group
