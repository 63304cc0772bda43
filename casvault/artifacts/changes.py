"""What changed between two states, down to files, seen through the links to versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import LINK, read_commit
from casvault.trees import PathChange, diff_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectReader, Root


def iter_file_changes(
    reader: ObjectReader, old: Root | None, new: Root | None, path: bytes = b""
) -> Iterator[PathChange]:
    """The files, symlinks and empty directories that differ, with their states; sorted by path within an artifact."""
    for change in diff_paths(reader, _content(reader, old), _content(reader, new), path):
        if LINK in (mode_of(change.old), mode_of(change.new)):
            yield from iter_file_changes(reader, change.old, change.new, change.path)
        else:
            yield change


def mode_of(state: Root | None) -> int:
    return 0 if state is None else state.mode


def _content(reader: ObjectReader, state: Root | None) -> Root | None:
    if state is not None and state.mode == LINK:
        return read_commit(reader, state.id).root
    return state
