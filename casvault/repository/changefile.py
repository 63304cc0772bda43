"""The change index of a vault in its cache: whatever happens to the file, it is only made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import FailureError, MalformedError, UnsupportedError
from casvault.files import map_file
from casvault.files.durable import replace_file
from casvault.formats.changeindex import decode_image, encode_image

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.formats.changeindex import Image


class ChangeFile:
    def __init__(self, path: Path, owner: bytes) -> None:
        self._path = path
        self._owner = owner

    def load(self) -> Image | None:
        """What was saved last; None if there is nothing, or nothing that can be trusted."""
        try:
            return decode_image(map_file(self._path), self._owner)
        except (OSError, FailureError, MalformedError, UnsupportedError):
            return None

    def save(self, database: bytes, commits: int, *, instead: bool = False) -> None:
        """Keep it, if that is possible and nobody has kept more of it meanwhile; or `instead` of whatever is there."""
        saved = None if instead else self.load()
        if saved is not None and saved.commits >= commits:
            return
        try:
            # The whole cache may have been removed, but nothing above it is made anew.
            self._path.parent.mkdir(exist_ok=True)
            replace_file(self._path, encode_image(database, commits, self._owner))
        except (OSError, FailureError):
            return
