"""A transaction on the object database: what it writes becomes one pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from casvault.limits import BATCH_BYTES, BATCH_OBJECTS, MIB
from casvault.objects import Kind, Memo, ObjectInfo, ObjectReader, check_blob, nothing_more, object_id, take_none_of
from casvault.store.writer import PackWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
    from pathlib import Path

    from casvault.oid import Oid
    from casvault.store.pack import Pack


class Packs(ObjectReader, Protocol):
    """What a transaction needs of the database that it adds to."""

    directory: Path

    def find(self, oid: Oid) -> object | None:
        """Whether an object is known, without another look at the directory."""

    def add(self, pack: Pack) -> None: ...


class PackTransaction:
    """The publisher over packs: objects gather in memory until there is a batch worth compressing."""

    def __init__(self, database: Packs) -> None:
        self._database = database
        self.memo = Memo(database.memo)
        self.boundary = database.boundary
        self.ended: Callable[[], None] = nothing_more
        self._writer: PackWriter | None = None
        self._batch: dict[Oid, tuple[Kind, bytes]] = {}
        self._batch_bytes = 0
        self._published: list[Pack] = []
        self.purged: Mapping[Oid, int] = {}
        self.doubted: Set[Oid] = frozenset()
        self.withheld: set[Oid] = set()

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        batch, find = self._batch, self._database.find
        for kind, data in objects:
            oid = object_id(kind, data)
            ids.append(oid)
            if self.purged:
                take_none_of(self.purged, oid)
            if oid not in batch and (self._writer is None or oid not in self._writer) and find(oid) is None:
                batch[oid] = (kind, data)
                self._batch_bytes += len(data)
                if self._batch_bytes > BATCH_BYTES or len(self._batch) > BATCH_OBJECTS:
                    self._flush()
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        def is_known(oid: Oid) -> bool:
            return oid in self._batch or oid in self.purged or self._database.find(oid) is not None

        found = self._open_writer().add_blob_pieces(pieces, is_known)
        take_none_of(self.purged, found[0])
        return found

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        wanted = list(ids)
        if self._writer is None and self._batch.keys().isdisjoint(wanted):
            return self._database.read_many(wanted)
        return self._read_both(wanted)

    def _read_both(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        for oid in ids:
            if (mine := self._batch.get(oid)) is not None:
                yield mine
            elif self._writer is not None and oid in self._writer:
                yield self._writer.read_back(oid)
            else:
                yield from self._database.read_many((oid,))

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        mine = {oid: info for oid in ids if (info := self._own_info(oid)) is not None}
        others = [oid for oid in ids if oid not in mine]
        found = dict(zip(others, self._database.find_infos(others), strict=True)) if others else {}
        return [mine.get(oid) or found.get(oid) for oid in ids]

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        if (mine := self._batch.get(oid)) is not None:
            kind, data = mine
            check_blob(oid, kind)
            return (data[start : start + MIB] for start in range(0, len(data), MIB))
        if self._writer is not None and oid in self._writer:
            return self._writer.iter_back(oid)
        return self._database.iter_blob(oid)

    @property
    def has_unpublished(self) -> bool:
        return bool(self._batch) or (self._writer is not None and len(self._writer) > 0)

    def withhold(self, purged: Mapping[Oid, int]) -> None:
        for oid in purged:
            is_mine = oid in self._batch or (self._writer is not None and oid in self._writer)
            if is_mine or any(pack.index.find(oid) is not None for pack in self._published):
                take_none_of(purged, oid)
        self.purged = purged

    def publish(self) -> None:
        self._flush()
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                if len(writer):
                    self._published.append(writer.publish())
                    self._database.add(self._published[-1])
            finally:
                writer.abandon()
        self.memo.sink()

    def discard(self) -> None:
        self._batch.clear()
        self._batch_bytes = 0
        self.memo.clear()
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        ended, self.ended = self.ended, nothing_more
        ended()

    def _own_info(self, oid: Oid) -> ObjectInfo | None:
        if (mine := self._batch.get(oid)) is not None:
            return ObjectInfo(mine[0], len(mine[1]))
        if self._writer is not None and oid in self._writer:
            header = self._writer.header(oid)[1]
            return ObjectInfo(header.kind, header.raw)
        return None

    def _open_writer(self) -> PackWriter:
        if self._writer is None:
            self._writer = PackWriter(self._database.directory)
        return self._writer

    def _flush(self) -> None:
        if self._batch:
            self._open_writer().add_contents([(oid, *item) for oid, item in self._batch.items()])
            self._batch.clear()
            self._batch_bytes = 0
