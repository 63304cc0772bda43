"""Drafts over objects in memory: what the tests of artifacts and deployments plan on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from casvault.artifacts.draft import Draft
from casvault.artifacts.recording import Change, NewVersion, record_changes
from casvault.artifacts.snapshot import Snapshot, find_version, open_snapshot
from casvault.artifacts.version import Draftsman, Origin, Version, read_version, write_version
from casvault.objects import FILE, MemoryObjects, Root, Signature, write_blob
from casvault.refs import View
from casvault.trees import edit_paths, empty_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.oid import Oid

COLLECTION = b"lib"
NOTHING = Snapshot(None, empty_root(), empty_root())


class Desk:
    """A store, and drafts on it of which each is made a second after the one before."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self._seconds = count(1_700_000_000)

    def draft(self, refs: Mapping[bytes, Oid | None] | None = None) -> Draft:
        who = Signature(b"Ada", b"ada@example.org", next(self._seconds), b"+0000")
        draft = Draft(self.objects, View(self.objects, empty_root()), Draftsman(who))
        for name, oid in (refs or {}).items():
            draft.set_ref(name, oid)
        return draft

    def file(self, content: bytes, mode: int = FILE) -> Root:
        return Root(mode, len(content), write_blob(self.objects, content))

    def directory(self, files: Mapping[str, bytes | Root]) -> Root:
        states: dict[bytes, Root | None] = {
            path.encode(): self.file(content) if isinstance(content, bytes) else content
            for path, content in files.items()
        }
        return edit_paths(self.objects, empty_root(), states)

    def record(self, parent: Snapshot, changes: Mapping[str, bytes | Root | Change]) -> Snapshot:
        """A snapshot on `parent`; bytes are the new content of an artifact that is a file."""
        made = {
            path.encode(): NewVersion(self.file(change)) if isinstance(change, bytes) else change
            for path, change in changes.items()
        }
        return record_changes(self.draft(), COLLECTION, parent, made)

    def version_of(self, files: Mapping[str, bytes]) -> NewVersion:
        """An artifact that is a directory."""
        return NewVersion(self.directory(files))

    def version(self, content: bytes, *parents: Oid, path: bytes = b"skills/a") -> Oid:
        draft = self.draft()
        return write_version(
            self.objects,
            draft.draftsman,
            self.file(content),
            parents,
            collection=COLLECTION,
            path=path,
            origin=Origin.EDIT,
        )

    def find(self, snapshot: Snapshot, path: str) -> Oid | None:
        return find_version(self.objects, snapshot, path.encode())

    def read(self, snapshot: Snapshot, path: str) -> Version:
        found = self.find(snapshot, path)
        assert found is not None, path
        return read_version(self.objects, found)

    def open(self, oid: Oid | None) -> Snapshot:
        return open_snapshot(self.objects, oid)
