"""The commit graph of a vault in its cache: made again whenever it is not there, damaged, or not of this vault."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from casvault.errors import FailureError, MalformedError, UnsupportedError
from casvault.files import map_file
from casvault.files.durable import replace_file
from casvault.formats.commitgraph import decode_graph, encode_graph

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.formats.commitgraph import Columns, Graph


class GraphFile:
    """A graph that is mapped as it was when it was first asked for, until another stands in its place."""

    def __init__(self, path: Path, owner: bytes) -> None:
        self._path = path
        self._owner = owner
        self._seen: tuple[object, Graph | None] = (None, None)
        """What the file was when it was last opened, and the graph in it. Replaced as a whole: no lock is needed."""

    def load(self) -> Graph | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        seen, graph = self._seen
        if seen != state:
            graph = self._open()
            self._seen = (state, graph)
        return graph

    def save(self, columns: Columns) -> None:
        """A graph that cannot be written is only missed."""
        try:
            # The whole cache may have been removed, but nothing above it is made anew.
            self._path.parent.mkdir(exist_ok=True)
            replace_file(self._path, encode_graph(columns, self._owner))
        except (OSError, FailureError):
            return

    def _open(self) -> Graph | None:
        try:
            return decode_graph(map_file(self._path), self._owner)
        except (OSError, MalformedError, UnsupportedError):
            return None
