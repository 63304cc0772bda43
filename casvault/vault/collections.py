"""The façade's part for collections: add, status, snapshot, restore."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import PROJECTS, collection_ref, show, typed
from casvault.artifacts.revision import resolve_commitish, resolve_state
from casvault.artifacts.snapshot import flatten, is_snapshot
from casvault.deploy.marker import COLLECTION_MARKER, read_marker, write_marker
from casvault.deploy.run import Command, Outcome, run
from casvault.deploy.snapshots import restore, take_snapshot
from casvault.errors import RefusedError, UsageError
from casvault.objects import TREE, Entry, Overlay, read_commit
from casvault.trees import build_tree
from casvault.vault.results.collections import SnapshotResult
from casvault.vault.status import CollectionsView
from casvault.vault.writing import WritingVault
from casvault.worktree.target import checkout_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.worktree.applying import Applied


class Collections(CollectionsView, WritingVault):
    def add_collection(self, directory: Path | str, name: str | None = None) -> SnapshotResult:
        """Put a directory under version control as a collection, named after it unless told otherwise.

        A directory that was a collection of this vault before, under the same name, is registered again: that is how to
        tell where one has moved.
        """
        place = Path(os.path.realpath(directory))
        if not place.is_dir():
            raise UsageError("not a directory", place=str(place), remedy="create it first")
        return self._add(place, place.name if name is None else name, "collection add")

    def _add(self, place: Path, name: str, kind: str) -> SnapshotResult:
        ref = collection_ref(name)
        marker = read_marker(place, COLLECTION_MARKER)
        mine = marker is not None and marker.vault_id == self._repository.config.id.hex() and marker.name == name
        if not mine:
            self._check_new(name, ref, place, is_marked=marker is not None)
            write_marker(place, COLLECTION_MARKER, self._new_marker(name))
        self._repository.places.set(show(ref), str(place))
        return self._snapshot(name, {ref: place}, "", "snapshot" if mine and kind != "init" else kind)

    def remove_collection(self, name: str) -> Outcome:
        """Forget a collection. Its snapshots stay in the vault and `undo` brings it back; no file is touched."""
        name = self._collection_name(name)
        ref = collection_ref(name)
        with self._stage() as stage:
            command = Command("collection remove", (typed(name),))
            return run(self._session("", {}), stage, command, lambda draft: draft.set_ref(ref, None))

    def snapshot(self, message: str = "", collection: str | None = None) -> SnapshotResult:
        """Record what the collection's directory holds: a version for each changed artifact, and one snapshot.

        Where the collection has moved on since the directory was last written, the result is the three-way merge, and
        the directory is brought up to it; ConflictError leaves both as they are. Nothing changed means no snapshot.
        """
        name = self._collection_name(collection)
        return self._snapshot(name, self._directories(name), message, "snapshot")

    def restore(
        self, revision: str = "@", paths: Iterable[str] = (), *, collection: str | None = None, message: str = ""
    ) -> Outcome:
        """Make a new snapshot that holds what a snapshot held, everywhere or at these paths, and write it out.

        What the directory holds is recorded first, and stays in the history.
        """
        name = self._collection_name(collection)
        source = resolve_commitish(self._names(name), revision)
        if not is_snapshot(read_commit(self.reader, source)):
            raise UsageError("not a snapshot", place=revision, remedy="name a snapshot, see `casvault log`")
        wanted = [typed(path).strip(b"/") for path in paths]
        session = self._session(message, self._directories(name))
        with self._stage() as stage, self._line(name, session, stage, may_be_empty=True) as line:
            return restore(session, stage, line, source, wanted)

    def restore_to(
        self, directory: Path | str, revision: str = "@", path: str = "", *, collection: str | None = None
    ) -> Applied:
        """Write what a revision holds, at a path of it, into a new or empty directory."""
        state = resolve_state(self._names(collection), revision, typed(path))
        overlay = Overlay(self.reader)
        flat = flatten(overlay, state)
        if flat.mode != TREE:
            last = typed(path).strip(b"/").rpartition(b"/")[2] or b"content"
            flat = build_tree(overlay, [Entry(last, *flat)])
        return checkout_tree(overlay, flat, Path(directory), self._progress)

    def _snapshot(self, name: str, directories: dict[bytes, Path], message: str, kind: str) -> SnapshotResult:
        ref = collection_ref(name)
        session = self._session(message, directories)
        with self._stage() as stage, self._line(name, session, stage) as line:
            changes = () if line.scan is None else self._compare(stage, name, line.scan)
            outcome = take_snapshot(session, stage, line, kind)
        tip = self._view().find(ref)
        return SnapshotResult(name, tip, outcome.operation is not None, changes, outcome)

    def _check_new(self, name: str, ref: bytes, place: Path, *, is_marked: bool) -> None:
        if is_marked:
            raise RefusedError(
                "this directory belongs to another collection or vault",
                place=str(place),
                remedy=f"remove {place / COLLECTION_MARKER} if that is over",
            )
        for project, directory in self._repository.places.all().items():
            if project.startswith(PROJECTS.decode()) and Path(directory).is_relative_to(place):
                raise RefusedError(
                    f"the project in {directory} is in this directory, and would be recorded as its content",
                    place=str(place),
                    remedy="choose a directory for the collection that has no project in it",
                )
        if self._view().find(ref) is not None:
            raise RefusedError(
                "there is a collection of this name", place=name, remedy="choose another one with --name"
            )
