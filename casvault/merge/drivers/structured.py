"""Merges of files that are more than lines: as texts where that is right, else by what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.merge.content import ContentConflict, MergedContent, merge_content
from casvault.merge.drivers.values import Clash, merge_values
from casvault.merge.rule import resolve

if TYPE_CHECKING:
    from casvault.merge.drivers.format import Format


class Structured:
    """A driver for one format.

    The text merge stands where it says what the semantic merge says, so that most files come out as git merges them.
    Where it does not, or has conflicts, the edited text of a side stands if it says that, and has every comment that a
    side added. Else the text merge stands, whatever it is: there is no third way, and no damage.
    """

    def __init__(self, form: Format) -> None:
        self._form = form

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        text = merge_content(base, ours, theirs)
        if base is None or resolve(base, ours, theirs).is_clean:
            return text
        known = text.data if isinstance(text, MergedContent) else None
        united = self.unite(base, ours, theirs, known)
        return text if united is None else MergedContent(united)

    def unite(self, base: bytes, ours: bytes, theirs: bytes, text: bytes | None) -> bytes | None:
        """The semantic merge, `text` if it is that already; None where only the text merge can stand."""
        form = self._form
        if max(map(len, (base, ours, theirs))) > form.limit:
            return None
        values = []
        for data in (base, ours, theirs):
            value = form.read(data)
            if value is None:
                return None
            values.append(value)
        wanted = merge_values(*values)
        if wanted is None or isinstance(wanted, Clash):
            return None
        if text is not None and form.read(text) == wanted:
            return text
        for host, donor in ((ours, theirs), (theirs, ours)):
            edited = form.edit(host, donor, wanted)
            if edited is not None and form.read(edited) == wanted and self._has_comments(base, ours, theirs, edited):
                return edited
        return None

    def _has_comments(self, base: bytes, ours: bytes, theirs: bytes, edited: bytes) -> bool:
        known, kept = self._form.comments(base), self._form.comments(edited)
        sides = (self._form.comments(side) for side in (ours, theirs))
        return all(kept[added] >= side[added] for side in sides for added in side - known)
