from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from casvault.errors import DamageError, FailureError
from casvault.formats.pack import Encoding
from casvault.limits import BATCH_OBJECTS, MIB
from casvault.objects import Kind, write_blob
from casvault.oid import blob_id
from casvault.store import Pack, PackDatabase, PackWriter

if TYPE_CHECKING:
    from pathlib import Path

NOISE = random.Random(3).randbytes(5000)
TEXT = b"text " * 1000


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _encodings(pack: Pack) -> list[Encoding]:
    return [header.encoding for _, header in pack.iter_offsets()]


def test_writer_publishes_one_verified_pack(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(content), Kind.BLOB, content) for content in (TEXT, NOISE, b"")])
    assert [name[:14] for name in _names(tmp_path)] == [".casvault-tmp-"]
    pack = writer.publish()
    assert [pack.name] == _names(tmp_path)
    assert {blob_id(TEXT), blob_id(NOISE), blob_id(b"")} == set(pack.verify())


def test_writer_stores_raw_what_does_not_shrink(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(content), Kind.BLOB, content) for content in (TEXT, NOISE, b"", b"a")])
    assert _encodings(writer.publish()) == [Encoding.ZSTD, Encoding.RAW, Encoding.RAW, Encoding.RAW]


def test_writer_compresses_a_large_batch_the_same(tmp_path: Path) -> None:
    contents = [TEXT + b"%d" % number for number in range(100)]
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(content), Kind.BLOB, content) for content in contents])
    pack = writer.publish()
    found = [pack.read(blob_id(content), pack.index.find(blob_id(content)) or 0) for content in contents]
    assert [(Kind.BLOB, content) for content in contents] == found


def test_writer_abandoned_leaves_nothing(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(TEXT), Kind.BLOB, TEXT)])
    writer.abandon()
    writer.abandon()
    assert _names(tmp_path) == []


def test_writer_does_not_publish_what_it_cannot_read(tmp_path: Path) -> None:
    """The writer reads with the reader before the pack gets its name."""
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(b"other"), Kind.BLOB, TEXT)])
    with pytest.raises(DamageError, match="the bytes do not have this id"):
        writer.publish()
    writer.abandon()
    assert _names(tmp_path) == []


def test_writer_reads_back_before_publishing(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(TEXT), Kind.BLOB, TEXT)])
    oid, _ = writer.add_blob_pieces([NOISE, TEXT], lambda oid: False)
    assert writer.read_back(blob_id(TEXT)) == (Kind.BLOB, TEXT)
    assert b"".join(writer.iter_back(oid)) == NOISE + TEXT
    writer.abandon()


def test_writer_takes_back_a_blob_that_is_known(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    writer.add_contents([(blob_id(b"first"), Kind.BLOB, b"first")])
    assert (blob_id(NOISE), len(NOISE)) == writer.add_blob_pieces([NOISE], lambda oid: True)
    writer.add_contents([(blob_id(b"second"), Kind.BLOB, b"second")])
    writer.add_blob_pieces([b"fir", b"st"], lambda oid: False)
    assert {blob_id(b"first"), blob_id(b"second")} == set(writer.publish().verify())


def test_writer_in_a_directory_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="No such file or directory"):
        PackWriter(tmp_path / "absent")


def test_transaction_without_objects_leaves_no_pack(tmp_path: Path) -> None:
    transaction = PackDatabase(tmp_path).begin()
    transaction.publish()
    assert _names(tmp_path) == []


def test_transaction_of_known_objects_leaves_no_pack(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    write_blob(transaction := database.begin(), TEXT)
    transaction.publish()
    write_blob(again := database.begin(), TEXT)
    again.publish()
    assert len(_names(tmp_path)) == 1


def test_transaction_of_a_known_blob_in_pieces_leaves_no_pack(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    write_blob(transaction := database.begin(), TEXT)
    transaction.publish()
    transaction.write_blob_pieces([TEXT])
    transaction.publish()
    assert len(_names(tmp_path)) == 1


def test_transaction_is_one_pack_however_many_batches(tmp_path: Path) -> None:
    transaction = PackDatabase(tmp_path).begin()
    for number in range(BATCH_OBJECTS + 10):
        write_blob(transaction, b"%d" % number)
    write_blob(transaction, bytes(3 * MIB))
    transaction.publish()
    assert len(_names(tmp_path)) == 1


def test_transaction_discarded_leaves_nothing(tmp_path: Path) -> None:
    transaction = PackDatabase(tmp_path).begin()
    transaction.write_blob_pieces([TEXT])
    transaction.discard()
    assert _names(tmp_path) == []
