"""A repository: the objects, the operation log and the local facts of one vault, open together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from blake3 import blake3

from casvault.errors import FailureError, NotFoundError
from casvault.files import make_directory
from casvault.history import CommitGraph
from casvault.maintenance.rollup import roll_up
from casvault.objects import MemoryObjects, ObjectReader
from casvault.refs import LocalRecords, MemoryRecords, OperationLog
from casvault.repository.changefile import ChangeFile
from casvault.repository.changeindex import ChangeIndex
from casvault.repository.config import ID_SIZE, Config, create_config, read_config
from casvault.repository.graphfile import GraphFile
from casvault.repository.places import LocalPlaces, MemoryPlaces, Places
from casvault.store import PackDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from casvault.objects import ObjectPublisher
    from casvault.oid import Oid
    from casvault.refs import RecordLog

CONTROL = ".casvault"
"""The directory that is a vault."""


class ObjectDatabase(ObjectReader, Protocol):
    """A reader that transactions can add to."""

    def begin(self) -> ObjectPublisher: ...

    def find_prefix(self, prefix: str) -> list[Oid]:
        """The ids that begin with these hex digits, sorted."""

    def iter_ids(self) -> Iterator[Oid]: ...


class Repository:
    """What the layers above need of a vault; made by `create`, `open` or `in_memory`."""

    def __init__(
        self, path: Path | None, config: Config, objects: ObjectDatabase, records: RecordLog, places: Places
    ) -> None:
        self.path = path
        self.config = config
        self.objects = objects
        self.records = records
        self.log = OperationLog(objects, records, config.keep_records)
        self.places = places
        graph = self.cache_path("commits.graph")
        self.graph_cache = None if graph is None else GraphFile(graph, blake3(config.id).digest())
        self._changes: ChangeIndex | None = None

    @classmethod
    def create(cls, directory: Path) -> Repository:
        """Make a vault in `directory`, which is created if it is not there; FailureError if there is one already."""
        path = directory / CONTROL
        if (path / "vault.toml").exists():
            raise FailureError("there is a vault already", place=str(path))
        for name in ("packs", "ops", "cache"):
            make_directory(path / name)
        # Last, for it is what makes the directory a vault: a crash before leaves something that `create` completes.
        create_config(path / "vault.toml")
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the vault at `path`, the `.casvault` directory itself; NotFoundError if it is none."""
        try:
            config = read_config(path / "vault.toml")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError("not a vault", place=str(path), remedy="make one with `casvault init DIR`") from error
        return cls(
            path,
            config,
            PackDatabase(path / "packs"),
            LocalRecords(path / "ops"),
            LocalPlaces(path / "places.json"),
        )

    @classmethod
    def in_memory(cls) -> Repository:
        """A vault that lives as long as this object."""
        return cls(None, Config(os.urandom(ID_SIZE)), MemoryObjects(), MemoryRecords(), MemoryPlaces())

    def begin(self) -> ObjectPublisher:
        return self.objects.begin()

    def graph(self) -> CommitGraph:
        """The commits of the vault, for one question or one command."""
        return CommitGraph(self.objects, self.graph_cache)

    def changes(self) -> ChangeIndex:
        """Which commits changed which paths; made of the cache when it is first asked for."""
        if self._changes is None:
            path = self.cache_path("changes.index")
            file = None if path is None else ChangeFile(path, blake3(self.config.id).digest())
            self._changes = ChangeIndex(self.objects, file)
        return self._changes

    def cache_path(self, name: str) -> Path | None:
        """A file that may be removed at any time; None in memory."""
        return None if self.path is None else self.path / "cache" / name

    def roll_up(self) -> None:
        """Roll up small packs if it is time to."""
        if self.path is not None and isinstance(self.objects, PackDatabase):
            roll_up(self.objects, self.path / "rollup.lock")
