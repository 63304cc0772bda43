"""Reading TOML files of others: each value checked, each error with the file and the key that it is about."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from casvault.errors import MalformedError
from casvault.interop.skillmeat.stamps import find_stamp, find_stamp_of_id
from casvault.objects import check_name
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.interop.skillmeat.stamps import Stamp

REMEDY = "nothing was imported; mend the file or move it away"
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_LINE = re.compile(r"at line ([0-9]+)")
_KEY = re.compile(r"""^\s*(?:(?P<key>[A-Za-z0-9_."'-]+)\s*=|\[+(?P<table>[^\]\n]+))""")


class Table(NamedTuple):
    """A table of a TOML file."""

    values: Mapping[str, Any]
    file: str
    """For messages."""
    name: str = ""
    """What its keys begin with in messages, such as `deployed[1].`."""

    def text(self, *keys: str) -> str:
        """The value of the first of these keys that is there; MalformedError if none is, or it is empty."""
        found = self.find_text(*keys)
        if not found:
            raise self.wrong(keys[0], "is missing" if found is None else "is empty")
        return found

    def find_text(self, *keys: str) -> str | None:
        key = self.find_key(*keys)
        if key is None:
            return None
        value = self.values[key]
        if not isinstance(value, str):
            raise self.wrong(key, f"is not a string but {_name_of(value)}")
        return value

    def find_key(self, *keys: str) -> str | None:
        return next((key for key in keys if key in self.values), None)

    def find_content_hash(self, key: str) -> str | None:
        """A hash that has the form of one."""
        found = self.find_text(key)
        if found is not None and not is_hash(found):
            raise self.wrong(key, f"is not a hash of 64 hexadecimal digits: {found!r}")
        return found

    def find_base(self, key: str) -> str | None:
        """The hash of a content, or the id of a snapshot."""
        found = self.find_text(key)
        if found is not None and not is_hash(found) and find_stamp_of_id(found) is None:
            raise self.wrong(key, f"is neither a hash of 64 hexadecimal digits nor a snapshot's id: {found!r}")
        return found

    def check_lineage(self, key: str) -> None:
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and is_hash(value) for value in values):
            raise self.wrong(key, "is not a list of hashes of 64 hexadecimal digits")

    def stamp(self, *keys: str) -> Stamp:
        found = self.find_stamp(*keys)
        if found is None:
            raise self.wrong(keys[0], "is missing")
        return found

    def find_stamp(self, *keys: str) -> Stamp | None:
        key = self.find_key(*keys)
        if key is None:
            return None
        found = find_stamp(self.values[key])
        if found is None:
            raise self.wrong(key, f"is not a time: {self.values[key]!r}")
        return found

    def find_path(self, *keys: str) -> bytes | None:
        """A relative path that leads nowhere else; MalformedError for any other, for it comes from elsewhere."""
        text = self.find_text(*keys)
        if text is None:
            return None
        path = text.encode(errors="surrogateescape").rstrip(b"/")
        if not path or any(check_name(part) or is_control_name(part) for part in path.split(b"/")):
            raise self.wrong(self.find_key(*keys) or keys[0], f"is not a relative path within its directory: {text!r}")
        return path

    def path(self, *keys: str) -> bytes:
        found = self.find_path(*keys)
        if found is None:
            raise self.wrong(keys[0], "is missing")
        return found

    def table(self, key: str) -> Table:
        """The table under a key; an empty one if it is not there."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "is not a table")
        return Table(value, self.file, f"{self.name}{key}.")

    def tables(self, key: str) -> list[Table]:
        """The tables of an array; none if it is not there."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "is not an array of tables")
        return [Table(value, self.file, f"{self.name}{key}[{number}].") for number, value in enumerate(values)]

    def wrong(self, key: str, what: str) -> MalformedError:
        return MalformedError(f"`{key}` {what}", place=f"{self.file}: {self.name}{key}", remedy=REMEDY)


def is_hash(text: str) -> bool:
    return _HASH.match(text) is not None


def parse_table(text: bytes, file: str) -> Table:
    """The whole of a TOML file; MalformedError names the last key before what cannot be read."""
    try:
        return Table(tomllib.loads(text.decode()), file)
    except UnicodeDecodeError as error:
        key = _last_key(text[: error.start].decode())
        raise MalformedError("not UTF-8", place=_place(file, key), remedy=REMEDY) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError, and no more
        line = _LINE.search(str(error))
        lines = text.decode().splitlines()
        key = _last_key("\n".join(lines if line is None else lines[: int(line[1])]))
        raise MalformedError(f"not TOML, perhaps cut off: {error}", place=_place(file, key), remedy=REMEDY) from error


def _place(file: str, key: str | None) -> str:
    return file if key is None else f"{file}: {key}"


def _last_key(text: str) -> str | None:
    """The key or table that the last line with one names."""
    for line in reversed(text.splitlines()):
        found = _KEY.match(line)
        if found is not None:
            return (found["key"] or found["table"]).strip()
    return None


def _name_of(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a time")
