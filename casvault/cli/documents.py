"""JSON: exactly one document on stdout. Ids are full hex, words are lower_snake, times seconds since 1970; those of
reports are ISO 8601 with the zone.

Names of files need not be UTF-8, and JSON must be. Bytes that are not are written as ``\\xff``, and beside such a value
stands another one, with `_hex` added to its key, that has all bytes of it.
"""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import PurePath

from casvault.oid import Oid

Document = dict[str, object]


def print_document(document: Document) -> None:
    sys.stdout.write(json.dumps(plain(document), ensure_ascii=False, indent=2) + "\n")


def plain(value: object) -> object:
    """A value of the façade as what JSON has: named tuples are objects, enums their names in lower case."""
    if isinstance(value, tuple) and hasattr(value, "iso"):
        return value.iso
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain_object(value._asdict())
    if isinstance(value, dict):
        return _plain_object(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Oid):
        return value.hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, PurePath):
        return _readable(str(value))
    return _readable(value) if isinstance(value, str) else value


def plain_table(value: object) -> Document:
    """The same for a named tuple, which is an object."""
    table = plain(value)
    assert isinstance(table, dict)
    return table


def _plain_object(table: dict[str, object]) -> Document:
    document: Document = {}
    for key, value in table.items():
        document[key] = plain(value)
        text = str(value) if isinstance(value, PurePath) else value
        if isinstance(text, str) and _readable(text) != text:
            document[f"{key}_hex"] = text.encode(errors="surrogateescape").hex()
    return document


def _readable(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
