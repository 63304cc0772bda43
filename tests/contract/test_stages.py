"""What every reader and writer of objects promises, whatever it keeps them in."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from casvault.errors import DamageError, MissingObjectError
from casvault.limits import PIECE
from casvault.objects import (
    Kind,
    MemoryObjects,
    MemoryPublisher,
    ObjectInfo,
    ObjectStage,
    Overlay,
    encode_commit,
    object_id,
    read_commit,
)
from casvault.oid import blob_id
from casvault.store import PackDatabase, PackTransaction
from tests.support.objects import commit, numbered_id

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = encode_commit(commit())
SMALL = [(Kind.BLOB, b""), (Kind.BLOB, b"one"), (Kind.COMMIT, COMMIT), (Kind.BLOB, b"two" * 1000)]
PIECES = [random.Random(1).randbytes(size) for size in (1, PIECE, 10, 2 * PIECE)]
ABSENT = numbered_id(404)


def _make(name: str, directory: Path) -> ObjectStage:
    match name:
        case "memory":
            return MemoryObjects()
        case "overlay":
            return Overlay(MemoryObjects())
        case "overlay on packs":
            return Overlay(PackDatabase(directory))
        case "publisher":
            return MemoryPublisher(MemoryObjects())
    return PackTransaction(PackDatabase(directory))


STAGES = ["memory", "overlay", "overlay on packs", "publisher", "transaction"]


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStage:
    return _make(request.param, tmp_path)


def test_write_many_returns_the_ids_in_order(stage: ObjectStage) -> None:
    assert [object_id(*item) for item in SMALL] == stage.write_many(SMALL)
    assert stage.write_many([]) == []


def test_write_many_twice_is_no_error(stage: ObjectStage) -> None:
    first = stage.write_many(SMALL)
    assert first + first == stage.write_many(SMALL + SMALL)
    assert list(stage.read_many(first)) == SMALL


def test_write_many_takes_any_iterable(stage: ObjectStage) -> None:
    ids = stage.write_many(item for item in SMALL)
    assert list(stage.read_many(oid for oid in ids)) == SMALL


def test_read_many_in_the_order_asked_for(stage: ObjectStage) -> None:
    ids = stage.write_many(SMALL)
    wanted = [2, 0, 3, 1, 2]
    assert [SMALL[i] for i in wanted] == list(stage.read_many(ids[i] for i in wanted))


def test_read_many_absent(stage: ObjectStage) -> None:
    ids = stage.write_many(SMALL)
    found = stage.read_many([ids[0], ABSENT])
    assert SMALL[0] == next(found)
    with pytest.raises(MissingObjectError) as caught:
        next(found)
    assert str(ABSENT) == caught.value.place


def test_find_infos(stage: ObjectStage) -> None:
    ids = stage.write_many(SMALL)
    infos: list[ObjectInfo | None] = [ObjectInfo(kind, len(data)) for kind, data in SMALL]
    assert [*infos, None, infos[0]] == stage.find_infos([*ids, ABSENT, ids[0]])
    assert stage.find_infos([]) == []


def test_write_blob_pieces(stage: ObjectStage) -> None:
    content = b"".join(PIECES)
    oid, size = stage.write_blob_pieces(iter(PIECES))
    assert (blob_id(content), len(content)) == (oid, size)
    assert [ObjectInfo(Kind.BLOB, size)] == stage.find_infos([oid])
    assert [(Kind.BLOB, content)] == list(stage.read_many([oid]))


def test_write_blob_pieces_then_the_same_whole(stage: ObjectStage) -> None:
    oid, _ = stage.write_blob_pieces([b"on", b"e"])
    assert [oid] == stage.write_many([(Kind.BLOB, b"one")])
    assert list(stage.read_many([oid])) == [(Kind.BLOB, b"one")]


def test_iter_blob_in_small_pieces(stage: ObjectStage) -> None:
    oid, size = stage.write_blob_pieces(PIECES)
    pieces = list(stage.iter_blob(oid))
    assert b"".join(PIECES) == b"".join(pieces)
    assert size > PIECE >= max(map(len, pieces))


def test_iter_blob_written_whole(stage: ObjectStage) -> None:
    ids = stage.write_many([(Kind.BLOB, b""), (Kind.BLOB, b"one")])
    assert [list(stage.iter_blob(oid)) for oid in ids] == [[], [b"one"]]


def test_iter_blob_absent(stage: ObjectStage) -> None:
    with pytest.raises(MissingObjectError):
        list(stage.iter_blob(ABSENT))


def test_iter_blob_of_a_commit(stage: ObjectStage) -> None:
    (oid,) = stage.write_many([(Kind.COMMIT, COMMIT)])
    with pytest.raises(DamageError, match=r"this object is a commit, where a blob is referred to"):
        list(stage.iter_blob(oid))


def test_read_commit_of_a_blob(stage: ObjectStage) -> None:
    """The bytes of a commit stored as a blob are no commit."""
    (oid,) = stage.write_many([(Kind.BLOB, COMMIT)])
    with pytest.raises(DamageError, match=r"this object is a blob, where a commit is referred to"):
        read_commit(stage, oid)


def test_write_many_more_than_a_batch(stage: ObjectStage) -> None:
    objects = [(Kind.BLOB, b"%d" % number) for number in range(5000)]
    ids = stage.write_many(objects)
    assert objects == list(stage.read_many(ids))
