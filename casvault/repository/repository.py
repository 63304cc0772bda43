"""A repository: the objects, the operation log and the local facts of one vault, open together."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from blake3 import blake3

from casvault.errors import DamageError, FailureError, NotFoundError, UnsupportedError
from casvault.files import make_directory
from casvault.files.durable import on_failure
from casvault.history import CommitGraph
from casvault.maintenance.removal import is_lingering, iter_lingering, remove_objects
from casvault.maintenance.rollup import roll_up
from casvault.objects import MemoryObjects, ObjectReader
from casvault.refs import LocalRecords, MemoryRecords, OperationLog, purged_error, purged_tree, read_tombstones
from casvault.repository.changeindex import ChangeIndex
from casvault.repository.config import ID_SIZE, Config, create_config, read_config
from casvault.repository.graphfile import GraphFile
from casvault.repository.places import LocalPlaces, MemoryPlaces, Places
from casvault.repository.underway import Underway
from casvault.store import PackDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Set
    from pathlib import Path

    from casvault.errors import CasvaultError
    from casvault.maintenance.removal import Lingering
    from casvault.objects import ObjectPublisher
    from casvault.oid import Oid
    from casvault.refs import RecordLog, Tombstone

CONTROL = ".casvault"
"""The directory that is a vault."""
ROLLUP_LOCK = "rollup.lock"
"""Held by whoever removes packs."""
OBJECTS_LOCK = "objects.lock"
"""Held together by all transactions under way, and alone by whoever lets objects go."""


class ObjectDatabase(ObjectReader, Protocol):
    """A reader that transactions can add to."""

    explain: Callable[[Oid], CasvaultError | None]
    """Why an object is not there, where that is as it should be."""

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
        objects.explain = self._explain
        self._asking = threading.local()
        self._tombstones: tuple[Oid | None, Mapping[Oid, Tombstone]] = (None, {})
        """The directory of tombstones when it was last read, and what is in it. Replaced as a whole."""
        self._graph_cache: tuple[bytes, GraphFile | None] = (b"", None)
        self._changes: tuple[bytes, ChangeIndex | None] = (b"", None)
        """Both with the owner that they were made for."""
        self._underway = Underway(None if path is None else path / OBJECTS_LOCK)
        self._refreshed = 0
        """The serial number of the horizon when the packs were last listed for a transaction."""

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
        """A transaction on the objects; it takes nothing that was purged."""
        leave = self._underway.join()
        with on_failure(leave):
            purged = self.purged()
            self._look_again()
            stage = self.objects.begin()
            stage.withhold(purged)
            stage.doubted = self.tombstones().keys()
        stage.ended = leave
        return stage

    def _look_again(self) -> None:
        """What was let go must not seem to be there to a transaction, though packs that held it may be open still."""
        horizon = self.log.horizon
        if horizon is not None and horizon.serial != self._refreshed:
            if isinstance(self.objects, PackDatabase):
                self.objects.refresh()
            self.objects.memo.clear()
            self._refreshed = horizon.serial

    @contextmanager
    def alone(self) -> Iterator[ObjectPublisher]:
        """A transaction while there is no other, in which objects may be let go."""
        with self._underway.alone():
            if isinstance(self.objects, PackDatabase):
                self.objects.refresh()
            stage = self.objects.begin()
            try:
                stage.withhold(self.purged())
                yield stage
            finally:
                stage.discard()

    def let_go(self, ids: Set[Oid]) -> None:
        """Take objects out of the vault for good. The caller is alone, and has recorded why they go."""
        if isinstance(self.objects, MemoryObjects):
            self.objects.remove_many(ids)
        elif isinstance(self.objects, PackDatabase) and self.path is not None:
            remove_objects(self.objects, self.path / ROLLUP_LOCK, ids, wait=True)
        self.objects.memo.clear()

    def ids(self) -> set[Oid]:
        """Every object that is there, whether anything reaches it or not."""
        return set(self.objects.iter_ids())

    def stored_bytes(self) -> int:
        """The size of all packs; 0 in memory."""
        return sum(pack.size for pack in self.objects.packs) if isinstance(self.objects, PackDatabase) else 0

    @property
    def cache_owner(self) -> bytes:
        """Whose the caches are: what was remembered before something was let go is another's, and not believed."""
        horizon = self.log.horizon
        return blake3(self.config.id + (b"" if horizon is None else horizon.commit)).digest()

    @property
    def graph_cache(self) -> GraphFile | None:
        path, owner = self.cache_path("commits.graph"), self.cache_owner
        if path is not None and self._graph_cache[0] != owner:
            self._graph_cache = (owner, GraphFile(path, owner))
        return self._graph_cache[1]

    def find_prefix(self, prefix: str) -> list[Oid]:
        """The ids that begin with these hex digits, sorted; also of what was purged, which has its own error."""
        purged = (oid for oid in self.tombstones() if oid.hex().startswith(prefix))
        return sorted({*self.objects.find_prefix(prefix), *purged})

    def tombstones(self) -> Mapping[Oid, Tombstone]:
        """What stands for the blobs that were ever purged."""
        tip = self.log.tip()
        tree = None if tip is None else purged_tree(tip.view)
        if tip is None or tree is None:
            return {}
        known, found = self._tombstones
        if known != tree:
            found = read_tombstones(tip.view)
            self._tombstones = (tree, found)
        return found

    def purged(self) -> dict[Oid, int]:
        """The blobs that the vault must not have, with their sizes."""
        return {oid: each.size for oid, each in self.tombstones().items() if not each.allowed}

    def iter_lingering(self) -> Iterator[Lingering]:
        """Where the bytes of purged blobs still are: the purge was cut off, or a writer was on its way."""
        purged = self.purged()
        if purged and isinstance(self.objects, PackDatabase):
            self.objects.refresh()
            yield from iter_lingering(self.objects, purged)

    def packs_with(self, ids: Iterable[Oid]) -> tuple[str, ...]:
        """The names of the packs that hold one of these objects."""
        if not isinstance(self.objects, PackDatabase):
            return ()
        self.objects.refresh()
        return tuple(sorted({found.pack for found in iter_lingering(self.objects, ids)}))

    def finish_purges(self, *, wait: bool = False) -> None:
        """Take the bytes of purged blobs out of every pack in which they still are.

        Without `wait` nothing is done where somebody else is at the packs, or no pack known now has such bytes.
        """
        purged = self.purged()
        if isinstance(self.objects, MemoryObjects):
            self.objects.remove_many(purged)
        elif isinstance(self.objects, PackDatabase) and self.path is not None and purged:
            if wait:
                self.objects.refresh()
            if is_lingering(self.objects, purged):
                remove_objects(self.objects, self.path / ROLLUP_LOCK, purged.keys(), wait=wait)

    def _explain(self, oid: Oid) -> CasvaultError | None:
        """The error for an object that was purged. What is missing while this is asked is not asked about."""
        if getattr(self._asking, "now", False):
            return None
        self._asking.now = True
        try:
            tombstone = self.tombstones().get(oid)
        except (DamageError, UnsupportedError):
            return None
        finally:
            self._asking.now = False
        return None if tombstone is None else purged_error(tombstone)

    def graph(self) -> CommitGraph:
        """The commits of the vault, for one question or one command."""
        return CommitGraph(self.objects, self.graph_cache)

    def changes(self) -> ChangeIndex:
        """Which commits changed which paths, for one question or one command."""
        # Threads that come at once may each make one; those are as good as each other.
        owner, (made_for, changes) = self.cache_owner, self._changes
        if changes is None or made_for != owner or not changes.is_current():
            changes = ChangeIndex(self.objects, self.cache_path("changes.index"), owner)
            self._changes = (owner, changes)
        return changes

    def cache_path(self, name: str) -> Path | None:
        """A file that may be removed at any time; None in memory."""
        return None if self.path is None else self.path / "cache" / name

    def roll_up(self) -> None:
        """Roll up small packs if it is time to."""
        if self.path is not None and isinstance(self.objects, PackDatabase):
            roll_up(self.objects, self.path / ROLLUP_LOCK)
