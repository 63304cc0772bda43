"""Merges of files that are more than lines: as texts where that is right, else by what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.merge.content import ContentConflict, ContentConflictKind, MergedContent, merge_content
from casvault.merge.drivers.values import Clash, merge_values
from casvault.merge.rule import resolve
from casvault.text.lines import split_lines
from casvault.text.merge3 import Conflict

if TYPE_CHECKING:
    from casvault.merge.drivers.format import Format
    from casvault.merge.drivers.values import Value


class Structured:
    """A driver for one format.

    The text merge stands where it says what the semantic merge says, so that most files come out as git merges them.
    Where it does not, or has conflicts, the edited text of a side stands if it says that, and has every comment that a
    side added. Else the text merge stands, unless nobody could read what came of three files that can be read, such as
    one that says a key twice: then it is a conflict.
    """

    def __init__(self, form: Format) -> None:
        self._form = form

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        text = merge_content(base, ours, theirs)
        if base is None or resolve(base, ours, theirs).is_clean:
            return text
        known = text.data if isinstance(text, MergedContent) else None
        united = self.unite(base, ours, theirs, known)
        if united is not None:
            return MergedContent(united)
        return whole_conflict(base, ours, theirs) if self.is_broken(base, ours, theirs, known) else text

    def unite(self, base: bytes, ours: bytes, theirs: bytes, text: bytes | None) -> bytes | None:
        """The semantic merge, `text` if it is that already; None where only the text merge can stand."""
        form = self._form
        values = self._read_all(base, ours, theirs)
        wanted = None if values is None else merge_values(*values)
        if wanted is None or isinstance(wanted, Clash):
            return None
        if text is not None and form.read(text) == wanted:
            return text
        for host, donor in ((ours, theirs), (theirs, ours)):
            edited = form.edit(host, donor, wanted)
            if edited is not None and form.read(edited) == wanted and self._has_comments(base, ours, theirs, edited):
                return edited
        return None

    def is_broken(self, base: bytes, ours: bytes, theirs: bytes, text: bytes | None) -> bool:
        """Whether a clean text merge of three files that can be read cannot be read itself."""
        if text is None or len(text) > self._form.limit or self._form.read(text) is not None:
            return False
        return self._read_all(base, ours, theirs) is not None

    def _read_all(self, *files: bytes) -> list[Value] | None:
        """What the files say; None if one cannot be read."""
        if max(map(len, files)) > self._form.limit:
            return None
        values = []
        for data in files:
            value = self._form.read(data)
            if value is None:
                return None
            values.append(value)
        return values

    def _has_comments(self, base: bytes, ours: bytes, theirs: bytes, edited: bytes) -> bool:
        known, kept = self._form.comments(base), self._form.comments(edited)
        sides = (self._form.comments(side) for side in (ours, theirs))
        return all(kept[added] >= side[added] for side in sides for added in side - known)


def whole_conflict(base: bytes, ours: bytes, theirs: bytes) -> ContentConflict:
    """A conflict of all lines, where lines would go together, but into something that is no file of the format."""
    chunk = Conflict(*(tuple(split_lines(data)) for data in (base, ours, theirs)))
    return ContentConflict(ContentConflictKind.TEXT, (chunk,))
