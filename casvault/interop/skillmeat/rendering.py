"""Writing SkillMeat's files: the text that was kept, with what has changed since put in, and all else as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AoT, Array

from casvault.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tomlkit import TOMLDocument

    from casvault.interop.skillmeat.deployed import Layout

Values = dict[str, Any]
"""New values by key; None removes a key."""


def render_deployed(
    text: bytes, layout: Layout, changed: Mapping[int, Values], removed: Iterable[int], added: Iterable[Values]
) -> bytes:
    """The file with records changed and removed, by number, and added; the keys are those of the first layout."""
    document = tomlkit.parse(text.decode())
    records = _array(document, layout.value)
    for number, values in changed.items():
        _set(records[number], {layout.key(key): value for key, value in values.items()})
    for number in sorted(removed, reverse=True):
        del records[number]
    for values in added:
        records.append(_table({layout.key(key): value for key, value in values.items()}))
    return write_document(document)


def write_document(document: TOMLDocument) -> bytes:
    """Its text; RefusedError where something in it is not UTF-8, as a file's name may be: TOML cannot say that."""
    text = tomlkit.dumps(document)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text[: error.start].count("\n")
        raise RefusedError(
            "SkillMeat's files cannot have what is not UTF-8",
            place=ascii(text.split("\n")[line])[1:-1],
            remedy="give it another name in the collection: `casvault mv`, `casvault tag`",
        ) from error


def render_tables(
    text: bytes, array: str, changed: Mapping[int, Values], removed: Iterable[int], added: Iterable[Values]
) -> TOMLDocument:
    """A document in which an array of tables is changed; the text itself if nothing is."""
    document = tomlkit.parse(text.decode())
    changes, gone, new = dict(changed), sorted(removed, reverse=True), list(added)
    if changes or gone or new:
        tables = _array(document, array)
        for number, values in changes.items():
            _set(tables[number], values)
        for number in gone:
            del tables[number]
        for values in new:
            tables.append(_table(values))
    return document


def _array(document: TOMLDocument, key: str) -> AoT:
    """The tables under a key; an array in brackets, which an empty one may be, becomes tables of their own."""
    found = document.get(key)
    if isinstance(found, AoT):
        return found
    tables = tomlkit.aot()
    for values in found or ():
        tables.append(_table(dict(values)))
    document[key] = tables
    return tables


def _table(values: Values) -> Any:
    table = tomlkit.table()
    _set(table, values)
    return table


def _set(table: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        old = table.get(key)
        if value is None:
            table.pop(key, None)
        elif old != value:
            table[key] = _like(old, value) if isinstance(value, list) else value


def _like(old: object, values: list[str]) -> Array:
    """A list on as many lines as the one before."""
    array = tomlkit.array()
    array.extend(values)
    return array.multiline(multiline=isinstance(old, Array) and "\n" in old.as_string())
