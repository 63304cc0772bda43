"""Markers: the small files by which a directory knows what it is and what it holds.

`.casvault-collection` names the vault, the collection and the snapshot last taken from the directory or written to it;
`.casvault-project` names the vault and the project. Both are JSON, and not for version control: a copy of the directory
carries its own, which is how a stale copy is told from the original.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import check_line_name
from casvault.errors import MalformedError, UnsupportedError, UsageError
from casvault.files import find_file, write_file
from casvault.oid import Oid

if TYPE_CHECKING:
    from pathlib import Path

COLLECTION_MARKER = ".casvault-collection"
PROJECT_MARKER = ".casvault-project"
FORMAT = 1


class Marker(NamedTuple):
    vault: str
    """The path of the vault when the marker was written: a hint, the id decides."""
    vault_id: str
    name: str
    """Of the collection or the project."""
    checkout: str
    """Random, so that a copy can be told from a directory that was moved."""
    snapshot: Oid | None = None
    """What the directory of a collection holds; None in a project."""


def write_marker(directory: Path, file_name: str, marker: Marker) -> None:
    snapshot = None if marker.snapshot is None else marker.snapshot.hex()
    table = {"format": FORMAT, **marker._asdict(), "snapshot": snapshot}
    write_file(directory / file_name, json.dumps(table, indent=2).encode() + b"\n")


def read_marker(directory: Path, file_name: str) -> Marker | None:
    """The marker of a directory; None if it has none, MalformedError if it cannot be read."""
    path = directory / file_name
    text = find_file(path)
    if text is None:
        return None
    remedy = f"if it was edited or is damaged, remove it and add the directory again: {path}"
    try:
        table = json.loads(text)
        if table.pop("format") != FORMAT:
            raise UnsupportedError("a marker of a later version", place=str(path), remedy="use a later casvault")
        snapshot = table.pop("snapshot")
        if not all(isinstance(value, str) for value in table.values()):
            raise TypeError("a value is not a string")
        check_line_name(table["name"], "collection or project")
        marker = Marker(**table, snapshot=None if snapshot is None else Oid.from_hex(snapshot))
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise MalformedError(f"not a marker: {error}", place=str(path), remedy=remedy) from error
    return marker


def marker_snapshot(directory: Path) -> Oid | None:
    """The snapshot that a collection's directory holds, as it says itself."""
    marker = read_marker(directory, COLLECTION_MARKER)
    return None if marker is None else marker.snapshot


def find_marker(start: Path, file_name: str) -> tuple[Path, Marker] | None:
    """The nearest directory at or above `start` that has this marker, and what it says."""
    directory = find_upwards(start, (file_name,))
    marker = None if directory is None else read_marker(directory, file_name)
    return None if directory is None or marker is None else (directory, marker)


def find_upwards(start: Path, names: tuple[str, ...]) -> Path | None:
    """The nearest directory at or above `start` in which one of the names exists."""
    for directory in (start, *start.parents):
        if any((directory / name).exists() for name in names):
            return directory
    return None
