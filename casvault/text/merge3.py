"""Three-way merge of texts, line by line, with the verdicts of `git merge-file`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from casvault.text.change import Change, changes_of_ids
from casvault.text.lines import intern_lines, split_lines

Lines = tuple[bytes, ...]


class Origin(Enum):
    """Whose lines a resolved chunk holds."""

    BOTH = "both"
    """Unchanged, or the same change on both sides."""
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Lines of the result that nobody contests; never empty but where a side deleted."""

    lines: Lines
    origin: Origin = Origin.BOTH


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed, each in its way. Ours and theirs differ; each of the three may be empty."""

    base: Lines
    ours: Lines
    theirs: Lines


Chunk = Resolved | Conflict


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

    Changes of the two sides that overlap or touch conflict, unless both sides read the same there; all others are
    taken. Swapping the sides swaps them in the chunks and does nothing else.
    """
    base_ids, our_ids, their_ids = intern_lines(base, ours, theirs)
    chunks: list[Chunk] = []
    at = 0
    for region in _regions(changes_of_ids(base_ids, our_ids), changes_of_ids(base_ids, their_ids)):
        append_chunk(chunks, Resolved(tuple(base[at : region.base_start])))
        append_chunk(chunks, _merge_region(region, base, ours, theirs))
        at = region.base_end
    append_chunk(chunks, Resolved(tuple(base[at:])))
    return chunks


class _Side(NamedTuple):
    """What one side did in a region: where the region lies in its text, and whether it changed anything there."""

    start: int
    end: int
    changed: bool


class _Region(NamedTuple):
    """Changes that overlap or touch, in the base and on each side."""

    base_start: int
    base_end: int
    ours: _Side
    theirs: _Side


def _merge_region(region: _Region, base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> Chunk:
    our_lines = tuple(ours[region.ours.start : region.ours.end])
    their_lines = tuple(theirs[region.theirs.start : region.theirs.end])
    if not region.theirs.changed:
        return Resolved(our_lines, Origin.OURS)
    if not region.ours.changed:
        return Resolved(their_lines, Origin.THEIRS)
    if our_lines == their_lines:
        return Resolved(our_lines)
    return Conflict(tuple(base[region.base_start : region.base_end]), our_lines, their_lines)


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


def _regions(ours: Sequence[Change], theirs: Sequence[Change]) -> Iterator[_Region]:
    """Where the sides differ from the base, from the top; between regions all three texts agree."""
    shifts = [0, 0]  # from base positions to those of each side, behind the last change seen
    for group in _touching(ours, theirs):
        start = group[0][0].old_start
        end = max(change.old_end for change, _ in group)
        starts = [start + shift for shift in shifts]
        for change, side in group:
            shifts[side] = change.new_end - change.old_end
        changed = {side for _, side in group}
        our_side, their_side = (_Side(starts[side], end + shifts[side], side in changed) for side in (0, 1))
        yield _Region(start, end, our_side, their_side)


def _touching(ours: Sequence[Change], theirs: Sequence[Change]) -> Iterator[list[tuple[Change, int]]]:
    """Group changes (with side 0 or 1) by transitive contact in the base; an end that meets a start is contact."""
    group: list[tuple[Change, int]] = []
    end = 0
    for change, side in sorted([*((change, 0) for change in ours), *((change, 1) for change in theirs)]):
        if group and change.old_start > end:
            yield group
            group = []
        group.append((change, side))
        end = max(end, change.old_end)
    if group:
        yield group
