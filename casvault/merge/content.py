"""Three-way merge of one file: its content and its mode."""

from dataclasses import dataclass
from enum import Enum
from stat import S_IFMT

from casvault.merge.rule import resolve
from casvault.text.apart import merge_apart
from casvault.text.lines import is_binary, split_lines
from casvault.text.markers import Labels, Style, render
from casvault.text.merge3 import Chunk, Conflict, TextMerge, merge3

NO_LABELS = Labels()


class ContentConflictKind(Enum):
    """Why contents could not be merged."""

    TEXT = "text"
    """Lines were changed differently; the chunks say which."""
    BINARY = "binary"
    """A version is binary; there are no chunks and there is nothing to mark up."""
    BOTH_ADDED = "both added"
    """Different texts without a base; the only chunk holds both whole."""


@dataclass(frozen=True, slots=True)
class MergedContent:
    """A clean result."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ContentConflict:
    """A merge that needs a decision. `chunks` is the text merge so far, empty for binary contents."""

    kind: ContentConflictKind
    chunks: tuple[Chunk, ...] = ()


class ModeConflictKind(Enum):
    """How modes can contradict each other."""

    EXECUTABLE = "executable"
    """The sides disagree on permission bits only."""
    TYPE = "type"
    """The sides are of different types, such as a file and a symlink."""


@dataclass(frozen=True, slots=True)
class ModeConflict:
    """Modes that were changed differently."""

    kind: ModeConflictKind
    ours: int
    theirs: int


def merge_content(base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
    """Merge file contents by lines; `base` None means that both sides added the file, which is clean only if equal.

    A side equal to the base, and equal sides, are decided by the three-way rule for binary contents too.
    """
    whole = resolve(base, ours, theirs)
    if whole.is_clean and whole.value is not None:
        return MergedContent(whole.value)
    if any(map(is_binary, (base or b"", ours, theirs))):
        return ContentConflict(ContentConflictKind.BINARY)
    if base is None:
        both = Conflict((), tuple(split_lines(ours)), tuple(split_lines(theirs)))
        return ContentConflict(ContentConflictKind.BOTH_ADDED, (both,))
    lines = split_lines(base), split_lines(ours), split_lines(theirs)
    plain = merge_apart(*lines)
    if plain is not None:
        return MergedContent(plain)
    merged = TextMerge(tuple(merge3(*lines)))
    if merged.content is None:
        return ContentConflict(ContentConflictKind.TEXT, merged.chunks)
    return MergedContent(merged.content)


def mark_up(
    base: bytes | None, ours: bytes, theirs: bytes, labels: Labels = NO_LABELS, style: Style = Style.DIFF3
) -> bytes | None:
    """The merge of the contents as one text, with what conflicts between markers; None for binary contents.

    Nothing is lost in it: where the contents merge cleanly it is the result, else both sides can be read out of it.
    """
    merged = merge_content(base, ours, theirs)
    if isinstance(merged, MergedContent):
        return merged.data
    return render(merged.chunks, style, labels) if merged.chunks else None


def merge_mode(base: int | None, ours: int, theirs: int) -> int | ModeConflict:
    """Merge git modes by the three-way rule; `base` None means that both sides added the entry."""
    merged = resolve(base, ours, theirs)
    if merged.is_clean and merged.value is not None:
        return merged.value
    same_type = S_IFMT(ours) == S_IFMT(theirs)
    return ModeConflict(ModeConflictKind.EXECUTABLE if same_type else ModeConflictKind.TYPE, ours, theirs)
