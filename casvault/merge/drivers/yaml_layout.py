"""YAML 1.2: what a text says, and where it says so.

What has a meaning beyond mappings, lists and plain scalars (anchors, tags, merge keys, directives, several documents)
is not read here; files that have it are merged as texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from casvault.limits import STRUCTURED_DEPTH, STRUCTURED_YAML_BYTES
from casvault.merge.drivers.format import PARSER_ERRORS, find_comments
from casvault.merge.drivers.layout import Document, Node, Part, Shape, UnfitError, rewrite
from casvault.merge.drivers.values import Scalar, Tag, Value

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

_TAGS: Final = {
    "tag:yaml.org,2002:str": Tag.STRING,
    "tag:yaml.org,2002:int": Tag.INTEGER,
    "tag:yaml.org,2002:float": Tag.FLOAT,
    "tag:yaml.org,2002:bool": Tag.BOOLEAN,
    "tag:yaml.org,2002:null": Tag.NULL,
    "tag:yaml.org,2002:timestamp": Tag.TIME,
}
_FOLDED: Final = frozenset({Tag.BOOLEAN, Tag.NULL})
"""Scalars of which case makes no difference."""
_UNREAD: Final = re.compile("\ufeff|\x85|\u2028|\u2029|\r(?!\n)|(?:\\A|\n)%")
"""A byte order mark, line ends that other tools do not take for any, directives."""
_SUSPICIOUS: Final = re.compile(r"(?:\A|[\s\[{,])[&*!]\S")
"""What may be an anchor, an alias or a tag."""


class Yaml:
    limit = STRUCTURED_YAML_BYTES

    def read(self, data: bytes) -> Value | None:
        found = _find_document(data)
        return None if found is None else found.root.value

    def edit(self, host: bytes, donor: bytes, wanted: Value) -> bytes | None:
        documents = _find_document(host), _find_document(donor)
        if documents[0] is None or documents[1] is None:
            return None
        try:
            return rewrite(documents[0], documents[1], wanted).encode()
        except UnfitError:
            return None

    def comments(self, data: bytes) -> Counter[bytes]:
        return find_comments(data)


def _find_document(data: bytes) -> Document | None:
    # Most commands never merge YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = data.decode()
        if _UNREAD.search(text) or (_SUSPICIOUS.search(text) and _has_properties(text)):
            return None
        root = YAML(typ="safe", pure=True).compose(text)
        return None if root is None else Document(text, _Reader(text).node(root, STRUCTURED_DEPTH))
    except (YAMLError, *PARSER_ERRORS):
        return None


def _has_properties(text: str) -> bool:
    """Whether there are anchors, aliases or tags."""
    from ruamel.yaml import YAML

    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return any(getattr(event, "anchor", None) or getattr(event, "tag", None) for event in events)


class _Reader:
    """Makes nodes of ruamel's, whose positions count characters."""

    def __init__(self, text: str) -> None:
        self._text = text

    def node(self, found: Any, depth: int) -> Node:
        if found.anchor is not None:
            raise UnfitError("an anchor")
        start, end = found.start_mark.index, found.end_mark.index
        if isinstance(found.value, str):
            tag = _TAGS[str(found.tag)]
            literal = found.value.lower() if tag in _FOLDED else found.value
            if tag is Tag.NULL:
                literal = "null"
            return Node(Scalar(tag, literal), Shape.SCALAR, start, end)
        if depth == 0 or str(found.tag) not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise UnfitError("too deep, or of an unknown type")
        parts = [self._part(each, depth - 1) for each in found.value]
        value = _value_of(parts, is_mapping=str(found.tag).endswith("map"))
        if found.flow_style or not parts:
            return Node(value, Shape.FLOW, start, end, tuple(parts))
        column = found.start_mark.column
        parts = self._in_lines(parts, end, column)
        return Node(value, Shape.BLOCK, parts[0].start, parts[-1].end, tuple(parts), column)

    def _part(self, found: Any, depth: int) -> Part:
        if not isinstance(found, tuple):
            node = self.node(found, depth)
            return Part(None, node.start, node.end, node)
        key, node = self.node(found[0], depth), self.node(found[1], depth)
        if not isinstance(key.value, Scalar):
            raise UnfitError("a key that is no scalar")
        return Part(key.value, key.start, node.end, node)

    def _in_lines(self, parts: list[Part], end: int, column: int) -> list[Part]:
        """The parts of a block, with everything on their lines and the comments above."""
        starts = [self._start(part, column) for part in parts]
        starts[1:] = [self._above(start, column) for start in starts[1:]]
        ends = [*starts[1:], self._trimmed(starts[-1], end, column)]
        return [part._replace(start=start, end=stop) for part, start, stop in zip(parts, starts, ends, strict=True)]

    def _start(self, part: Part, column: int) -> int:
        """Where the key or the dash is, or the beginning of its line if nothing but blanks is before it."""
        at = part.start
        if part.key is None:
            at = self._dash(at, column)
        line = self._text.rfind("\n", 0, at) + 1
        return at if self._text[line:at].strip(" ") else line

    def _dash(self, at: int, column: int) -> int:
        """The dash before an element, which is on its line or on one above."""
        while True:
            line = self._text.rfind("\n", 0, at) + 1
            if line + column <= at and self._text[line + column : line + column + 1] == "-":
                return line + column
            if line == 0:
                raise UnfitError("no dash")
            at = line - 1

    def _above(self, start: int, column: int) -> int:
        """The beginning of the comments at the same column that are directly above."""
        while start > 0:
            line = self._text.rfind("\n", 0, start - 1) + 1
            above = self._text[line:start]
            if len(above) - len(above.lstrip(" ")) != column or not above.lstrip(" ").startswith("#"):
                break
            start = line
        return start

    def _trimmed(self, start: int, end: int, column: int) -> int:
        """The end without blank lines and without comments that are less indented: those belong to what follows."""
        text = self._text
        if end < len(text) and text[end - 1 : end] != "\n":
            end = text.rfind("\n", start, end) + 1 or end
        while end > start:
            line = text.rfind("\n", start, end - 1) + 1 or start
            last = text[line:end]
            depth = len(last) - len(last.lstrip(" "))
            if line == start or (last.strip() and (depth >= column or not last.lstrip(" ").startswith("#"))):
                break
            end = line
        return end


def _value_of(parts: Sequence[Part], *, is_mapping: bool) -> Value:
    if not is_mapping:
        return tuple(part.node.value for part in parts)
    found = {part.key: part.node.value for part in parts if part.key is not None}
    if len(found) < len(parts):
        raise UnfitError("a key twice")
    return found
