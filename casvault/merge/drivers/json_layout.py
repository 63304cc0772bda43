"""JSON: what a text says, and where it says so."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NoReturn

from casvault.limits import STRUCTURED_BYTES, STRUCTURED_DEPTH
from casvault.merge.drivers.layout import Document, Node, Part, Shape, UnfitError, rewrite
from casvault.merge.drivers.values import Scalar, Tag, Value, string

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD: Final = re.compile(r"[-+.0-9A-Za-z]+")


class Json:
    """Strict JSON in UTF-8; numbers are what is written, so that 1.0 and 1 differ and no digit is ever lost."""

    limit = STRUCTURED_BYTES

    def read(self, data: bytes) -> Value | None:
        try:
            found = json.loads(
                data.decode(),
                object_pairs_hook=_mapping,
                parse_int=lambda literal: Scalar(Tag.INTEGER, literal),
                parse_float=lambda literal: Scalar(Tag.FLOAT, literal),
                parse_constant=_refuse,
            )
            return _value(found, STRUCTURED_DEPTH)
        except (ValueError, RecursionError):
            return None

    def edit(self, host: bytes, donor: bytes, wanted: Value) -> bytes | None:
        try:
            return rewrite(_document(host), _document(donor), wanted).encode()
        except ValueError:
            return None

    def comments(self, data: bytes) -> Counter[bytes]:
        return Counter()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _mapping(pairs: Iterable[tuple[str, object]]) -> dict[Scalar, object]:
    found: dict[Scalar, object] = {}
    for name, value in pairs:
        key = string(name)
        if key in found:
            raise ValueError(f"the key {name!r} twice")
        found[key] = value
    return found


def _value(found: object, depth: int) -> Value:
    if isinstance(found, Scalar):
        return found
    if isinstance(found, str):
        return string(found)
    if found is None:
        return Scalar(Tag.NULL, "null")
    if isinstance(found, bool):
        return Scalar(Tag.BOOLEAN, json.dumps(found))
    if depth == 0:
        raise ValueError("too deep")
    if isinstance(found, dict):
        return {key: _value(value, depth - 1) for key, value in found.items()}
    assert isinstance(found, list)
    return tuple(_value(value, depth - 1) for value in found)


def _document(data: bytes) -> Document:
    """Where everything is in a text that `Json.read` has read."""
    text = data.decode()
    return Document(text, _node(text, _skip(text, 0)))


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _node(text: str, start: int) -> Node:
    if text[start] not in "{[":
        end = _end(text, start)
        value = Json().read(text[start:end].encode())
        if value is None:
            raise UnfitError("not read before")
        return Node(value, Shape.SCALAR, start, end)
    parts: list[Part] = []
    is_mapping = text[start] == "{"
    at = _skip(text, start + 1)
    while text[at] not in "]}":
        begin, key = at, None
        if is_mapping:
            end = _end(text, at)
            key = string(json.loads(text[at:end]))
            at = _skip(text, _skip(text, end) + 1)
        node = _node(text, at)
        parts.append(Part(key, begin, node.end, node))
        at = _skip(text, node.end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    if is_mapping:
        return Node(
            {part.key: part.node.value for part in parts if part.key is not None},
            Shape.FLOW,
            start,
            at + 1,
            tuple(parts),
        )
    return Node(tuple(part.node.value for part in parts), Shape.FLOW, start, at + 1, tuple(parts))


def _end(text: str, start: int) -> int:
    found = (_STRING if text[start] == '"' else _WORD).match(text, start)
    if found is None:
        raise UnfitError("not read before")
    return found.end()
