"""Which blobs a path names: what stands there, or all that ever stood there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.snapshot import is_snapshot, open_snapshot
from casvault.artifacts.version import COLLECTION, PATH, TYPE, VERSION
from casvault.objects import BLOB_MODES, LINK, TREE, Root, read_commit
from casvault.trees import find_path, iter_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid


class Blobs:
    """Gathers the blobs of states with their sizes; each tree is read once. The empty blob is no secret."""

    def __init__(self, reader: ObjectReader, *, through_links: bool = True) -> None:
        self._reader = reader
        self._through_links = through_links
        self._seen: set[Oid] = set()
        self.sizes: dict[Oid, int] = {}

    def add(self, state: Root | None) -> None:
        if state is None:
            return
        if state.mode in BLOB_MODES and state.size:
            self.sizes[state.id] = state.size
        elif state.mode == TREE and state.id not in self._seen:
            self._seen.add(state.id)
            for entry in iter_entries(self._reader, state.id):
                self.add(Root(*entry[1:]))
        elif state.mode == LINK and self._through_links and state.id not in self._seen:
            self._seen.add(state.id)
            self.add(read_commit(self._reader, state.id).root)


def blobs_at(reader: ObjectReader, state: Root) -> dict[Oid, int]:
    """The blobs at and below a state, with their sizes."""
    blobs = Blobs(reader)
    blobs.add(state)
    return blobs.sizes


def blobs_ever_at(
    reader: ObjectReader, commits: Iterable[tuple[Oid, Commit]], collection: bytes, path: bytes
) -> dict[Oid, int]:
    """All blobs that were ever at or below a path of a collection, in a snapshot or in a version, those with edits that
    were only seen in a project among them. What was there under another path does not count.
    """
    blobs = Blobs(reader, through_links=False)
    for oid, commit in commits:
        if commit.field(COLLECTION) != collection:
            continue
        if is_snapshot(commit):
            # Links are left out: versions are met by themselves.
            blobs.add(find_path(reader, open_snapshot(reader, oid).content, path))
        elif commit.field(TYPE) == VERSION:
            blobs.add(_part_at(reader, commit, path))
    return blobs.sizes


def _part_at(reader: ObjectReader, commit: Commit, path: bytes) -> Root | None:
    """What a version has at a path of its collection."""
    own = commit.field(PATH) or b""
    if own == path or own.startswith(path + b"/"):
        return commit.root
    if path.startswith(own + b"/") and commit.root.mode == TREE:
        return find_path(reader, commit.root, path[len(own) + 1 :])
    return None
