"""Markdown with YAML front matter: the front by what it says, the body by lines."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from casvault.merge.content import ContentConflict, MergedContent, merge_content
from casvault.merge.drivers.structured import Structured, whole_conflict
from casvault.merge.drivers.yaml_layout import Yaml
from casvault.merge.rule import resolve
from casvault.text.lines import is_binary

_FRONT: Final = re.compile(rb"(---[ \t]*\r?\n)(.*?)(^---[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)


class _Parts(NamedTuple):
    opening: bytes
    front: bytes
    closing: bytes
    body: bytes


class FrontMatter:
    """A file without front matter on a side is a text, and so is one whose body has conflicts."""

    def __init__(self) -> None:
        self._yaml = Structured(Yaml())

    def merge(self, base: bytes | None, ours: bytes, theirs: bytes) -> MergedContent | ContentConflict:
        text = merge_content(base, ours, theirs)
        if base is None or resolve(base, ours, theirs).is_clean or any(map(is_binary, (base, ours, theirs))):
            return text
        before, mine, other = _split(base), _split(ours), _split(theirs)
        if before is None or mine is None or other is None:
            return text
        opening, closing = resolve(before[0], mine[0], other[0]), resolve(before[2], mine[2], other[2])
        body = merge_content(before.body, mine.body, other.body)
        if not (opening.is_clean and closing.is_clean) or isinstance(body, ContentConflict):
            return text
        known = _split(text.data) if isinstance(text, MergedContent) else None
        fronts = before.front, mine.front, other.front
        front = self._front(*fronts, None if known is None else known.front)
        if front is None and known is not None and self._yaml.is_broken(*fronts, known.front):
            return whole_conflict(base, ours, theirs)
        if front is None or (known is not None and front == known.front):
            return text
        joined = b"".join((opening.value or b"", front, closing.value or b"", body.data))
        expected = (opening.value, front, closing.value, body.data)
        return MergedContent(joined) if _split(joined) == expected else text

    def _front(self, base: bytes, ours: bytes, theirs: bytes, text: bytes | None) -> bytes | None:
        whole = resolve(base, ours, theirs)
        return whole.value if whole.is_clean else self._yaml.unite(base, ours, theirs, text)


def _split(data: bytes) -> _Parts | None:
    found = _FRONT.match(data)
    return None if found is None else _Parts(found[1], found[2], found[3], data[found.end() :])
