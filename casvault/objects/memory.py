"""Objects in memory: a store for tests and embedders, and an overlay for results that must never reach a pack."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from casvault.errors import MissingObjectError, PurgedError
from casvault.limits import PIECE
from casvault.objects.kind import Kind, check_blob, object_id
from casvault.objects.protocols import MEMO_SIZE, Boundary, Memo, ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

    from casvault.errors import CasvaultError
    from casvault.objects.protocols import ObjectReader
    from casvault.oid import Oid


def no_explanation(oid: Oid) -> None:
    """Why an object is not there, for a store that knows of no reasons."""


def nothing_more() -> None:
    """What is to be done at the end of a transaction that nobody waits for."""


def take_none_of(purged: Mapping[Oid, int], oid: Oid) -> None:
    """Raise PurgedError if this is one of the blobs that a store must not have again."""
    if oid in purged:
        raise PurgedError(
            "this content was purged from the vault, which does not take it back",
            place=str(oid),
            remedy=f"leave it out; or allow it again: `casvault purge --allow {oid.short}`",
        )


class MemoryObjects:
    """A reader and writer over a dict. Its ids were computed on writing, so reading verifies nothing."""

    def __init__(self) -> None:
        self._objects: dict[Oid, tuple[Kind, bytes]] = {}
        self.memo = Memo()
        self.boundary = Boundary()
        self.purged: Mapping[Oid, int] = {}
        self.doubted: Set[Oid] = frozenset()
        self.withheld: set[Oid] = set()
        self.explain: Callable[[Oid], CasvaultError | None] = no_explanation

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, oid: bytes) -> bool:
        return oid in self._objects

    def iter_ids(self) -> Iterator[Oid]:
        return iter(list(self._objects))

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        for oid in ids:
            found = self._objects.get(oid)
            if found is None:
                raise self.explain(oid) or MissingObjectError("no such object", place=str(oid))
            yield found

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        found = (self._objects.get(oid) for oid in ids)
        return [None if item is None else ObjectInfo(item[0], len(item[1])) for item in found]

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        kind, data = next(self.read_many((oid,)))
        check_blob(oid, kind)
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        for kind, data in objects:
            oid = object_id(kind, data)
            self._objects.setdefault(oid, (kind, data))
            ids.append(oid)
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        content = b"".join(pieces)
        return self.write_many([(Kind.BLOB, content)])[0], len(content)

    def find_prefix(self, prefix: str) -> list[Oid]:
        """The ids that begin with these hex digits, sorted."""
        return sorted(oid for oid in self._objects if oid.hex().startswith(prefix))

    def begin(self) -> MemoryPublisher:
        return MemoryPublisher(self)

    def take(self, other: MemoryObjects) -> None:
        """Add everything that `other` holds."""
        self._objects.update(other._objects)

    def remove_many(self, ids: Iterable[Oid]) -> None:
        """Forget objects; no error for one that is not there."""
        for oid in ids:
            self._objects.pop(oid, None)


class Overlay:
    """A stage over `below`: writes stay in memory until somebody publishes them or drops the overlay."""

    def __init__(self, below: ObjectReader, *, remember: int = MEMO_SIZE) -> None:
        """`remember` says how many decoded trees and commits are worth their memory."""
        self._below = below
        self.memo = Memo(below.memo, remember)
        self.boundary = below.boundary
        self.added = MemoryObjects()
        self.purged: Mapping[Oid, int] = {}
        self.doubted: Set[Oid] = frozenset()
        self.withheld: set[Oid] = set()

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        wanted = list(ids)
        if not any(map(self.added.__contains__, wanted)):
            return self._below.read_many(wanted)
        return chain.from_iterable(
            (self.added if oid in self.added else self._below).read_many((oid,)) for oid in wanted
        )

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        below = self._below.find_infos(ids)
        return [mine or theirs for mine, theirs in zip(self.added.find_infos(ids), below, strict=True)]

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        return (self.added if oid in self.added else self._below).iter_blob(oid)

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        return self.added.write_many(objects)

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        return self.added.write_blob_pieces(pieces)


class MemoryPublisher(Overlay):
    """A publisher into objects in memory."""

    def __init__(self, store: MemoryObjects) -> None:
        super().__init__(store)
        self._store = store
        self._published: set[Oid] = set()
        self.ended: Callable[[], None] = nothing_more

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        for kind, data in objects:
            if self.purged:
                take_none_of(self.purged, object_id(kind, data))
            ids += super().write_many([(kind, data)])
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        content = b"".join(pieces)
        return self.write_many([(Kind.BLOB, content)])[0], len(content)

    def withhold(self, purged: Mapping[Oid, int]) -> None:
        for oid in self._published.union(self.added.iter_ids()):
            take_none_of(purged, oid)
        self.purged = purged

    @property
    def has_unpublished(self) -> bool:
        return len(self.added) > 0

    def publish(self) -> None:
        self._store.take(self.added)
        self._published.update(self.added.iter_ids())
        self.added = MemoryObjects()
        self.memo.sink()

    def discard(self) -> None:
        self.added = MemoryObjects()
        self.memo.clear()
        ended, self.ended = self.ended, nothing_more
        ended()
