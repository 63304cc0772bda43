"""The drivers that know no format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.merge.content import ContentConflict, ContentConflictKind, MergedContent, merge_content
from casvault.merge.rule import resolve
from casvault.text.change import line_changes
from casvault.text.lines import is_binary, split_lines
from casvault.text.merge3 import Conflict, merge3

if TYPE_CHECKING:
    from collections.abc import Iterator


class Text:
    """Line by line, as git merges."""

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        return merge_content(base, ours, theirs)


class Binary:
    """As a whole: what both sides changed is a conflict, and is never marked up."""

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        whole = resolve(base, ours, theirs)
        if whole.is_clean and whole.value is not None:
            return MergedContent(whole.value)
        return ContentConflict(ContentConflictKind.BINARY)


class Union:
    """Line by line, and where the sides differ the lines of both, ours first: for lists to which lines are appended.

    A base that is not there counts as empty. Binary contents conflict all the same.
    """

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        merged = merge_content(base, ours, theirs)
        if isinstance(merged, MergedContent) or any(map(is_binary, (base or b"", ours, theirs))):
            return merged
        chunks = merge3(*(split_lines(text) for text in (base or b"", ours, theirs)))
        lines: list[bytes] = []
        for chunk in chunks:
            for line in _of_both(chunk) if isinstance(chunk, Conflict) else chunk.lines:
                if lines and not lines[-1].endswith(b"\n"):
                    lines[-1] += b"\r\n" if line.endswith(b"\r\n") else b"\n"
                lines.append(line)
        return MergedContent(b"".join(lines))


def _of_both(conflict: Conflict) -> Iterator[bytes]:
    """What the sides share once, and elsewhere ours before theirs."""
    ours, theirs = conflict.ours, conflict.theirs
    at = 0
    for change in line_changes(ours, theirs):
        yield from ours[at : change.old_end]
        yield from theirs[change.new_start : change.new_end]
        at = change.old_end
    yield from ours[at:]
