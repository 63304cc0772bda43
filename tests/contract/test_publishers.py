"""What every publisher promises: nothing is seen before, everything after, and never twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from casvault.errors import MissingObjectError, PurgedError
from casvault.objects import (
    Kind,
    MemoryObjects,
    ObjectPublisher,
    ObjectReader,
    Overlay,
    read_blob,
    read_commit,
    write_blob,
    write_commit,
)
from casvault.oid import blob_id
from casvault.store import PackDatabase
from tests.support.objects import commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Store(NamedTuple):
    begin: Callable[[], ObjectPublisher]
    reader: ObjectReader
    """Of what is published, by somebody else."""


@pytest.fixture(params=["memory", "packs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        objects = MemoryObjects()
        return Store(objects.begin, objects)
    return Store(PackDatabase(tmp_path).begin, PackDatabase(tmp_path))


def test_publish_makes_visible(store: Store) -> None:
    publisher = store.begin()
    oid = write_blob(publisher, b"one")
    assert store.reader.find_infos([oid]) == [None]
    with pytest.raises(MissingObjectError):
        read_blob(store.reader, oid)
    publisher.publish()
    assert b"one" == read_blob(store.reader, oid) == read_blob(publisher, oid)


def test_publish_pieces(store: Store) -> None:
    publisher = store.begin()
    oid, _ = publisher.write_blob_pieces([b"on", b"e"])
    publisher.publish()
    assert list(store.reader.iter_blob(oid)) == [b"one"]


def test_publish_again_after_more(store: Store) -> None:
    publisher = store.begin()
    first = write_blob(publisher, b"one")
    publisher.publish()
    second = write_blob(publisher, b"two")
    assert store.reader.find_infos([second]) == [None]
    publisher.publish()
    assert list(store.reader.read_many([first, second])) == [(Kind.BLOB, b"one"), (Kind.BLOB, b"two")]


def test_publish_nothing(store: Store) -> None:
    publisher = store.begin()
    publisher.publish()
    publisher.publish()
    assert read_blob(publisher, write_blob(publisher, b"one")) == b"one"


def test_discard_forgets(store: Store) -> None:
    publisher = store.begin()
    ids = [write_blob(publisher, b"one"), publisher.write_blob_pieces([b"two"])[0]]
    publisher.discard()
    publisher.discard()
    publisher.publish()
    assert [None, None] == publisher.find_infos(ids) == store.reader.find_infos(ids)


def test_discard_keeps_what_was_published(store: Store) -> None:
    publisher = store.begin()
    kept = write_blob(publisher, b"one")
    publisher.publish()
    dropped = write_blob(publisher, b"two")
    publisher.discard()
    assert read_blob(publisher, kept) == b"one"
    assert publisher.find_infos([dropped]) == [None]


def test_write_after_discard(store: Store) -> None:
    publisher = store.begin()
    write_blob(publisher, b"one")
    publisher.discard()
    oid = write_blob(publisher, b"one")
    publisher.publish()
    assert read_blob(store.reader, oid) == b"one"


def test_two_publishers_with_the_same_object(store: Store) -> None:
    first, second = store.begin(), store.begin()
    ids = [write_blob(publisher, b"one") for publisher in (first, second)]
    first.publish()
    second.publish()
    assert list(store.reader.read_many(ids)) == [(Kind.BLOB, b"one")] * 2


def test_publisher_sees_what_others_published_after_it_began(store: Store) -> None:
    late = store.begin()
    early = store.begin()
    oid = write_blob(early, b"one")
    early.publish()
    assert read_blob(late, oid) == b"one"


def test_publish_pieces_of_an_empty_blob(store: Store) -> None:
    publisher = store.begin()
    oid, size = publisher.write_blob_pieces([])
    publisher.publish()
    assert (read_blob(store.reader, oid), size) == (b"", 0)


def test_write_whole_then_the_same_in_pieces(store: Store) -> None:
    publisher = store.begin()
    oid = write_blob(publisher, b"one")
    assert (oid, 3) == publisher.write_blob_pieces([b"on", b"e"])
    publisher.publish()
    assert read_blob(store.reader, oid) == b"one"


def _failing() -> Iterator[bytes]:
    yield b"some"
    raise InterruptedError


def test_publish_after_pieces_that_failed(store: Store) -> None:
    publisher = store.begin()
    with pytest.raises(InterruptedError):
        publisher.write_blob_pieces(_failing())
    oid = write_blob(publisher, b"one")
    publisher.publish()
    assert read_blob(store.reader, oid) == b"one"


def test_read_commit_that_was_discarded(store: Store) -> None:
    publisher = store.begin()
    oid = write_commit(publisher, commit())
    publisher.discard()
    with pytest.raises(MissingObjectError):
        read_commit(publisher, oid)


def test_overlay_never_shows_below(store: Store) -> None:
    overlay = Overlay(store.reader)
    oid = write_commit(overlay, commit())
    with pytest.raises(MissingObjectError):
        read_commit(store.reader, oid)


@pytest.mark.parametrize("is_large", [False, True])
def test_purged_blob_is_not_taken(store: Store, is_large: bool) -> None:
    publisher = store.begin()
    publisher.withhold({blob_id(b"one"): 3})
    with pytest.raises(PurgedError):
        publisher.write_blob_pieces([b"on", b"e"]) if is_large else write_blob(publisher, b"one")
    two = write_blob(publisher, b"two")
    publisher.publish()
    assert store.reader.find_infos([blob_id(b"one")]) == [None]
    assert read_blob(store.reader, two) == b"two"


@pytest.mark.parametrize("is_published", [False, True])
def test_withhold_what_was_taken_already(store: Store, is_published: bool) -> None:
    """A purge was recorded after the blob was written, or even published, and before the transaction was recorded."""
    publisher = store.begin()
    one = write_blob(publisher, b"one")
    if is_published:
        publisher.publish()
    publisher.withhold({blob_id(b"two"): 3})
    with pytest.raises(PurgedError):
        publisher.withhold({one: 3})


def test_withhold_what_somebody_else_has_written(store: Store) -> None:
    """What is in the store and was not written here is not this transaction's business."""
    other = store.begin()
    one = write_blob(other, b"one")
    other.publish()
    publisher = store.begin()
    assert read_blob(publisher, one) == b"one"
    publisher.withhold({one: 3})
    assert publisher.purged == {one: 3}
