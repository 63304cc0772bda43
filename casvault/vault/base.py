"""What the parts of the façade share: an open repository, who works on it, and how its directories are found."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS, collection_ref, show, typed
from casvault.artifacts.revision import Names
from casvault.artifacts.rules import Rules
from casvault.artifacts.version import Draftsman
from casvault.deploy.marker import COLLECTION_MARKER, Marker, read_marker
from casvault.deploy.run import Session, locked
from casvault.deploy.scanning import read_rules, save_cache, scan_collection
from casvault.deploy.snapshots import Line
from casvault.errors import DamageError, NotFoundError, UsageError
from casvault.formats.record import TRANSACTION_ID_SIZE
from casvault.progress import silent
from casvault.refs import View
from casvault.trees import empty_root
from casvault.vault.author import UNKNOWN, sign, system_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casvault.objects import ObjectPublisher, ObjectReader, Signature
    from casvault.progress import Progress
    from casvault.repository import Repository
    from casvault.vault.author import Author, Clock
    from casvault.worktree import StatCache


def learn(stage: ObjectPublisher, cache: StatCache) -> None:
    """Save the cache of a scan that stored what it read; not after a command that in the end stored nothing."""
    if not stage.has_unpublished:
        save_cache(cache)


def _random_transaction_id() -> bytes:
    return secrets.token_bytes(TRANSACTION_ID_SIZE)


class VaultBase:
    """An open vault. Safe from several threads: each call is a transaction of its own."""

    def __init__(
        self,
        repository: Repository,
        *,
        author: Author = UNKNOWN,
        clock: Clock = system_clock,
        new_transaction_id: Callable[[], bytes] = _random_transaction_id,
        here: Path | None = None,
        progress: Progress = silent,
    ) -> None:
        self._repository = repository
        self._author = author
        self._clock = clock
        self._new_transaction_id = new_transaction_id
        self._here = here
        self._progress = progress

    @property
    def path(self) -> Path | None:
        """The `.casvault` directory; None for a vault in memory."""
        return self._repository.path

    @property
    def reader(self) -> ObjectReader:
        """The objects of the vault, for the functions that take a reader."""
        return self._repository.objects

    def _view(self) -> View:
        """The refs now; none in a vault in which nothing has been done yet."""
        tip = self._repository.log.tip()
        if tip is not None:
            return tip.view
        if next(self._repository.objects.iter_ids(), None) is not None:
            place = str(self.path)
            raise DamageError("the operation records are gone", place=place, remedy="restore ops/ from a copy")
        return View(self.reader, empty_root())

    def _signature(self) -> Signature:
        return sign(self._author, self._clock)

    def _draftsman(self, message: str) -> Draftsman:
        return Draftsman(self._signature(), message)

    def _session(self, message: str, directories: dict[bytes, Path]) -> Session:
        return Session(
            self._repository,
            self._draftsman(message),
            self._new_transaction_id,
            directories,
            self._progress,
            {},
        )

    @contextmanager
    def _stage(self) -> Iterator[ObjectPublisher]:
        """A stage that leaves nothing behind if its command fails."""
        stage = self._repository.begin()
        try:
            yield stage
        finally:
            stage.discard()

    @contextmanager
    def _line(self, name: str, session: Session, stage: ObjectPublisher) -> Iterator[Line]:
        """A collection, its directory locked and scanned; what the scan learned is kept if all it read is stored."""
        ref = collection_ref(name)
        with locked(session):
            directory = session.directories.get(ref)
            if directory is None:
                yield Line(typed(name), ref, None)
                return
            scan = scan_collection(self._repository, stage, directory, storing=True, progress=self._progress)
            yield Line(typed(name), ref, scan)
            learn(stage, scan.cache)

    def _collection_name(self, name: str | None) -> str:
        """The collection that is meant: the one named, the one of the current directory, or the only one."""
        view = self._view()
        if name is not None:
            if view.find(collection_ref(name)) is None:
                raise NotFoundError("no such collection", place=name, remedy="see `casvault collection list`")
            return name
        marker = self._marker_here()
        if marker is not None:
            if view.find(collection_ref(marker[1].name)) is None:
                remedy = "bring it back with `casvault undo`, or add the directory again: `casvault collection add`"
                raise NotFoundError("this collection was removed", place=str(marker[0]), remedy=remedy)
            return marker[1].name
        names = [show(ref.removeprefix(COLLECTIONS)) for ref, _ in view.iter_refs(COLLECTIONS.rstrip(b"/"))]
        if len(names) != 1:
            listed = ", ".join(names) or "none; add one with `casvault collection add DIR`"
            raise UsageError("say which collection is meant with --collection", place=listed)
        return names[0]

    def _collection_directory(self, name: str) -> Path | None:
        """Where the collection is: the current directory's own copy of it, or the place that is registered."""
        marker = self._marker_here()
        if marker is not None and marker[1].name == name:
            return marker[0]
        place = self._repository.places.all().get(COLLECTIONS.decode() + name)
        return None if place is None else Path(place)

    def _marker_here(self) -> tuple[Path, Marker] | None:
        """The nearest collection's directory at or above the current one, if it belongs to this vault."""
        if self._here is None:
            return None
        for directory in (self._here, *self._here.parents):
            marker = read_marker(directory, COLLECTION_MARKER)
            if marker is not None:
                return (directory, marker) if marker.vault_id == self._repository.config.id.hex() else None
        return None

    def _directories(self, name: str) -> dict[bytes, Path]:
        directory = self._collection_directory(name)
        return {} if directory is None else {collection_ref(name): directory}

    def _rules(self, name: str | None) -> Rules:
        directory = None if name is None else self._collection_directory(name)
        return Rules() if directory is None or not directory.is_dir() else read_rules(directory)

    def _names(self, collection: str | None = None) -> Names:
        """What revisions are resolved in; without a collection if it is not clear which one is meant."""
        try:
            name = self._collection_name(collection)
        except UsageError:
            name = None
        objects = self._repository.objects
        return Names(objects, objects.find_prefix, self._view(), name, self._rules(name))

    def _new_marker(self, name: str) -> Marker:
        path = os.path.abspath(self.path or "")
        return Marker(path, self._repository.config.id.hex(), name, secrets.token_hex(8))
