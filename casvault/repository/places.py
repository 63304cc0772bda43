"""Where on this machine the directories of a vault are. Never in objects: it is nobody else's business."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from casvault.errors import MalformedError
from casvault.files import find_file, lock_file, write_file

if TYPE_CHECKING:
    from pathlib import Path


class Places(Protocol):
    """Directories by ref name ("collections/lib")."""

    def all(self) -> dict[str, str]: ...

    def set(self, name: str, directory: str | None) -> None:
        """Set or, with None, forget where it is."""

    def claim(self, name: str, directory: str) -> bool:
        """Set where it is, if nothing else has this name. Of two who ask at once, one is told False."""


class MemoryPlaces:
    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def all(self) -> dict[str, str]:
        return dict(self._places)

    def set(self, name: str, directory: str | None) -> None:
        self._places.pop(name, None)
        if directory is not None:
            self._places[name] = directory

    def claim(self, name: str, directory: str) -> bool:
        return self._places.setdefault(name, directory) == directory


class LocalPlaces:
    """A JSON object in a file, replaced as a whole under a lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> dict[str, str]:
        text = find_file(self._path)
        if text is None:
            return {}
        try:
            places = json.loads(text)
        except ValueError as error:
            raise MalformedError(f"not JSON: {error}", place=str(self._path)) from error
        if not isinstance(places, dict) or not all(isinstance(path, str) for path in places.values()):
            raise MalformedError("not an object of paths", place=str(self._path))
        return places

    def set(self, name: str, directory: str | None) -> None:
        with lock_file(self._path.with_suffix(".lock")):
            self._write(self.all(), name, directory)

    def claim(self, name: str, directory: str) -> bool:
        with lock_file(self._path.with_suffix(".lock")):
            places = self.all()
            if places.get(name, directory) != directory:
                return False
            self._write(places, name, directory)
            return True

    def _write(self, places: dict[str, str], name: str, directory: str | None) -> None:
        if places.get(name) == directory:
            return
        places.pop(name, None)
        if directory is not None:
            places[name] = directory
        write_file(self._path, json.dumps(places, indent=2, sort_keys=True).encode() + b"\n")
