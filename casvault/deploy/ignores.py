"""The ignore rules of collections, as they hold in projects.

What lies in an artifact goes with it, its own ignore files too. Those above it stay in the collection, and yet say what
does not belong to the artifact: they are read from the collection's newest snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import FILE_MODES, read_blob
from casvault.trees import find_path
from casvault.worktree.ignore import IGNORE_FILE, IgnoreRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.state import Place
    from casvault.objects import ObjectReader


def ignores_of(
    reader: ObjectReader, snapshots: Callable[[bytes], Snapshot | None], places: Iterable[Place]
) -> dict[bytes, IgnoreRules]:
    """By path in the project: the rules for those of the artifacts whose collection has ignore files above them.

    Artifacts of one root and collection share one value.
    """
    texts: dict[tuple[bytes, bytes], bytes | None] = {}
    rules: dict[tuple[bytes, bytes], dict[bytes, bytes]] = {}
    found = {}
    for place in places:
        above = rules.setdefault((place.root, place.collection), {})
        for directory in _directories_above(place.path):
            key = (place.collection, directory)
            if key not in texts:
                texts[key] = _read(reader, snapshots(place.collection), directory)
            text = texts[key]
            if text is not None:
                above[place.root + b"/" + directory if directory else place.root] = text
        if above:
            found[place.file_path] = above
    values = {id(above): IgnoreRules(above=above) for above in rules.values()}
    return {path: values[id(above)] for path, above in found.items()}


def _directories_above(path: bytes) -> list[bytes]:
    return [b"", *(path[:end] for end, sign in enumerate(path) if sign == 0x2F)]


def _read(reader: ObjectReader, snapshot: Snapshot | None, directory: bytes) -> bytes | None:
    path = directory + b"/" + IGNORE_FILE if directory else IGNORE_FILE
    state = None if snapshot is None else find_path(reader, snapshot.content, path)
    return None if state is None or state.mode not in FILE_MODES else read_blob(reader, state.id)
