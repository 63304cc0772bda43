"""What the parts of the façade share: an open repository, who works on it, and how its directories are found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import COLLECTIONS, collection_ref, project_ref, show
from casvault.artifacts.revision import Names
from casvault.artifacts.rules import Rules
from casvault.artifacts.snapshot import open_snapshot
from casvault.deploy.marker import COLLECTION_MARKER, Marker, find_marker
from casvault.deploy.scanning import read_rules
from casvault.deploy.state import read_deployments
from casvault.errors import DamageError, NotFoundError, UsageError
from casvault.formats.record import TRANSACTION_ID_SIZE
from casvault.progress import silent
from casvault.refs import View
from casvault.repository import CONTROL, Repository
from casvault.trees import empty_root
from casvault.vault.author import UNKNOWN, sign, system_clock
from casvault.vault.opening import discover

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.artifacts.moves import Address
    from casvault.artifacts.snapshot import Snapshot
    from casvault.objects import ObjectReader, Signature
    from casvault.oid import Oid
    from casvault.progress import Progress
    from casvault.vault.author import Author, Clock


def _random_transaction_id() -> bytes:
    return os.urandom(TRANSACTION_ID_SIZE)


class OpenVault:
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

    @classmethod
    def open(cls, path: Path | str, **options: Any) -> Self:
        """Open a vault by its `.casvault` directory or the directory that has one; NotFoundError if there is none."""
        place = Path(path)
        if place.name != CONTROL and (place / CONTROL).is_dir():
            place = place / CONTROL
        return cls(Repository.open(place), **options)

    @classmethod
    def discover(cls, start: Path | str = ".", *, vault: Path | str | None = None, **options: Any) -> Self:
        """Open the vault that a directory belongs to; see `casvault.vault.opening.discover`."""
        here = Path(os.path.realpath(start))
        found = discover(here, None if vault is None else Path(os.path.realpath(vault)))
        return cls(Repository.open(found.vault), here=here, **options)

    @classmethod
    def in_memory(cls, **options: Any) -> Self:
        """A vault without files, for tests and embedders; gone with the object."""
        return cls(Repository.in_memory(), **options)

    @property
    def path(self) -> Path | None:
        """The `.casvault` directory; None for a vault in memory."""
        return self._repository.path

    @property
    def progress(self) -> Progress:
        """Whom long work on this vault tells how far it is."""
        return self._progress

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
        found = find_marker(self._here, COLLECTION_MARKER)
        return found if found is not None and found[1].vault_id == self._repository.config.id.hex() else None

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
        rules, deployed = self._rules(name), self._find_deployed
        return Names(objects, self._repository.find_prefix, self._view(), name, rules, deployed, self._clock)

    def _find_deployed(self, collection: bytes, path: bytes, project: str) -> dict[str, Oid]:
        """The versions of an artifact that were deployed to a project last, by root; wherever they were put then."""
        view = self._view()
        state = view.find(project_ref(project))
        if state is None:
            raise NotFoundError("no such project", place=project, remedy="see `casvault project list`")

        def snapshot(name: bytes) -> Snapshot | None:
            tip = view.find(COLLECTIONS + name)
            return None if tip is None else open_snapshot(self.reader, tip)

        found = {}
        for place, deployment in read_deployments(self.reader, state).items():
            source: Address | None = (place.collection, place.path)
            if source != (collection, path):
                source = find_moved(self.reader, snapshot, place.collection, place.path)
            if source == (collection, path):
                found[show(place.root)] = deployment.deployed
        return found
