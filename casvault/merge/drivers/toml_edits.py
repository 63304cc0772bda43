"""TOML: what a text says, read by the standard library, and edits of it by tomlkit, which keeps how it is written."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date, time
from typing import TYPE_CHECKING, Any, Final

from casvault.limits import STRUCTURED_DEPTH, STRUCTURED_TOML_BYTES
from casvault.merge.drivers.format import PARSER_ERRORS, find_comments
from casvault.merge.drivers.layout import UnfitError
from casvault.merge.drivers.values import Scalar, Tag, fingerprint, order_keys, string
from casvault.text.change import line_changes

if TYPE_CHECKING:
    from collections import Counter

    from casvault.merge.drivers.values import Value

_BOOLEANS: Final = {True: Scalar(Tag.BOOLEAN, "true"), False: Scalar(Tag.BOOLEAN, "false")}


class Toml:
    limit = STRUCTURED_TOML_BYTES

    def read(self, data: bytes) -> Value | None:
        try:
            found = tomllib.loads(data.decode(), parse_float=lambda literal: Scalar(Tag.FLOAT, literal))
            return _value(found, STRUCTURED_DEPTH)
        except (ValueError, RecursionError):
            return None

    def edit(self, host: bytes, donor: bytes, wanted: Value) -> bytes | None:
        # Most commands never merge TOML.
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            target, source = tomlkit.parse(host.decode()), tomlkit.parse(donor.decode())
            _edit(target, source, self.read(host), self.read(donor), wanted)
            return tomlkit.dumps(target).encode()
        except (TOMLKitError, *PARSER_ERRORS):
            return None

    def comments(self, data: bytes) -> Counter[bytes]:
        return find_comments(data)


def _value(found: object, depth: int) -> Value:
    if isinstance(found, Scalar):
        return found
    if isinstance(found, str):
        return string(found)
    if isinstance(found, bool):
        return _BOOLEANS[found]
    if isinstance(found, int):
        return Scalar(Tag.INTEGER, str(found))
    if isinstance(found, date | time):
        return Scalar(Tag.TIME, found.isoformat())
    if depth == 0:
        raise UnfitError("too deep")
    if isinstance(found, dict):
        return {string(key): _value(value, depth - 1) for key, value in found.items()}
    assert isinstance(found, list)
    return tuple(_value(value, depth - 1) for value in found)


def _edit(target: Any, source: Any, old: Value | None, given: Value | None, wanted: Value) -> None:
    """Change one of tomlkit's containers in place; `source` is the one of the donor at the same place."""
    if isinstance(old, dict) and isinstance(given, dict) and isinstance(wanted, dict):
        _edit_mapping(target, source, old, given, wanted)
    elif isinstance(old, tuple) and isinstance(given, tuple) and isinstance(wanted, tuple):
        _edit_list(target, source, old, given, wanted)
    else:
        raise UnfitError("of different types on the two sides")


def _edit_mapping(
    target: Any, source: Any, old: dict[Scalar, Value], given: dict[Scalar, Value], wanted: dict[Scalar, Value]
) -> None:
    for key in old.keys() - wanted.keys():
        del target[key.literal]
    for key in order_keys(list(old), list(given), wanted):
        name, mine, offered = key.literal, old.get(key), given.get(key)
        if mine == wanted[key]:
            continue
        if mine is not None and offered is not None and type(mine) is type(offered) and not isinstance(mine, Scalar):
            _edit(target[name], source[name], mine, offered, wanted[key])
        elif mine is None:
            _add(target, source, name)
        else:
            target[name] = deepcopy(source[name])


def _add(target: Any, source: Any, name: str) -> None:
    """Take over a key that is new, at the end, a table after a blank line and a value with the comments above."""
    from tomlkit.items import AoT, Table

    item = deepcopy(source[name])
    first = item[0] if isinstance(item, AoT) else item
    if isinstance(first, Table):
        first.trivia.indent = "\n" + first.trivia.indent.lstrip("\r\n")
    elif not any(isinstance(each, Table | AoT) for each in target.values()):
        for comment in _comments_above(source, name):
            target.add(deepcopy(comment))
    target[name] = item


def _comments_above(source: Any, name: str) -> list[Any]:
    from tomlkit.items import AbstractTable, Comment

    above: list[Any] = []
    for key, item in (source.value if isinstance(source, AbstractTable) else source).body:
        if key is not None and key.key == name:
            return above
        above = [*above, item] if isinstance(item, Comment) else []
    return []


def _edit_list(
    target: Any, source: Any, old: tuple[Value, ...], given: tuple[Value, ...], wanted: tuple[Value, ...]
) -> None:
    before, after = ([fingerprint(value) for value in values] for values in (old, wanted))
    places = {fingerprint(value): place for place, value in enumerate(given)}
    for change in reversed(line_changes(before, after)):
        del target[change.old_start : change.old_end]
        for name in reversed(after[change.new_start : change.new_end]):
            target.insert(change.old_start, deepcopy(source[places[name]]))
