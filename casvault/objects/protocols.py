"""What walks, merges, diffs and checkouts need of a store: the smallest interfaces, batches first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

    from casvault.objects.kind import Kind
    from casvault.oid import Oid


MEMO_SIZE: Final = 2048


class ObjectInfo(NamedTuple):
    kind: Kind
    size: int
    """Bytes of a blob's content, or of another object's encoding."""


class Memo:
    """Decoded trees and commits that were read a moment ago, by id; it forgets when it grows.

    An object never changes, so an answer from here is as good as one from the store that the memo belongs to. A stage
    has one of its own over that of its store, and gives it up when it is discarded: what was never published must not
    seem to be there. Threads share a memo without a lock: the worst that can happen is that something is decoded twice.
    """

    def __init__(self, below: Memo | None = None, capacity: int = MEMO_SIZE) -> None:
        self._below = below
        self._capacity = capacity
        self._items: dict[Oid, object] = {}
        self.uncut: set[Oid] = set()
        """Leaves of which it is known that no name but the last is a boundary."""

    def get(self, oid: Oid) -> object | None:
        found = self._items.get(oid)
        return self._below.get(oid) if found is None and self._below is not None else found

    def put(self, oid: Oid, value: object) -> None:
        if len(self._items) >= self._capacity:
            self._items = {}
            self.uncut = set()
        self._items[oid] = value

    def sink(self) -> None:
        """Give everything to the memo below: it is published."""
        if self._below is not None:
            for oid, value in self._items.items():
                self._below.put(oid, value)
        self.clear()

    def clear(self) -> None:
        self._items = {}


class Boundary:
    """The commits of a store behind which history was let go: their parents may be gone, and no walk follows them.

    All readers of one store share it, as the stages over it do. It only moves on.
    """

    def __init__(self) -> None:
        self._serial = 0
        self.ids: Set[Oid] = frozenset()
        """Replaced as a whole, so that readers need no lock."""
        self.since: Mapping[Oid, Mapping[bytes, int]] = {}
        """What is still known of the time before: for these commits, since when what is at a path has been there."""

    def __contains__(self, oid: Oid) -> bool:
        return oid in self.ids

    def move(self, serial: int, ids: Set[Oid], since: Mapping[Oid, Mapping[bytes, int]]) -> None:
        """What is told late of an earlier time is not believed."""
        if serial > self._serial:
            self._serial, self.ids, self.since = serial, ids, since


class ObjectReader(Protocol):
    """Reads objects; safe from several threads. Whatever it hands out has been verified against its id."""

    memo: Memo
    boundary: Boundary

    def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
        """Each object in the order asked for; MissingObjectError for one that is not there, PurgedError where that is
        on purpose, DamageError for one whose bytes do not have its id."""

    def find_infos(self, ids: Sequence[Oid]) -> list[ObjectInfo | None]:
        """Kind and size of each, or None; nothing is read or verified beyond that."""

    def iter_blob(self, oid: Oid) -> Iterator[bytes]:
        """A blob in pieces, whatever its size. The whole is verified before the last piece leaves."""


class ObjectWriter(Protocol):
    """Takes objects; they can be read back through the same transaction at once, and by others when published.

    Writing what is already there is no error and costs nothing. Not safe from several threads at once.
    """

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        """Their ids, in the order given."""

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        """A blob of any size: its id and size in bytes."""


class ObjectStage(ObjectReader, ObjectWriter, Protocol):
    """A reader of a store and of what is being added to it."""

    purged: Mapping[Oid, int]
    """Blobs that were taken out of the store on purpose, with their sizes: writing one is a PurgedError."""
    doubted: Set[Oid]
    """Blobs that were ever taken out: no cache is believed that the store has them."""
    withheld: set[Oid]
    """Those of them that were met on the way and left out by whoever writes here; nothing new may refer to them."""


class ObjectPublisher(ObjectStage, Protocol):
    """A stage whose objects become part of the store."""

    ended: Callable[[], None]
    """Called when it is discarded, which ends the transaction."""

    @property
    def has_unpublished(self) -> bool:
        """Whether something was written that the store does not hold yet."""

    def withhold(self, purged: Mapping[Oid, int]) -> None:
        """Take none of these blobs from now on; PurgedError if this transaction has taken one, published or not."""

    def publish(self) -> None:
        """Make everything written durable and visible to all readers. May be called again after more was written."""

    def discard(self) -> None:
        """Forget what was not published. May be called at any time, also twice."""
