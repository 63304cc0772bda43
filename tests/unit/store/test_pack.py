from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from casvault.formats.pack import Encoding
from casvault.limits import PIECE, STREAM_THRESHOLD
from casvault.objects import Kind, ObjectInfo, encode_commit
from casvault.oid import blob_id
from casvault.store import Pack, PackDatabase
from tests.support.objects import commit, numbered_id
from tests.support.packs import Forged, raw_entry, sizeless_frame, write_pack, zstd_entry

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"text " * 100
COMMIT = encode_commit(commit())
ENTRIES = [raw_entry(b"raw"), zstd_entry(TEXT), raw_entry(b""), raw_entry(COMMIT, Kind.COMMIT)]
CONTENTS = {b"raw": Kind.BLOB, TEXT: Kind.BLOB, b"": Kind.BLOB, COMMIT: Kind.COMMIT}


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return Pack(write_pack(tmp_path, ENTRIES))


def _offset(pack: Pack, entry: Forged) -> int:
    offset = pack.index.find(entry.oid)
    assert offset is not None
    return offset


def test_pack_finds_and_reads_everything(pack: Pack) -> None:
    assert len(ENTRIES) == len(pack)
    read = [pack.read(entry.oid, _offset(pack, entry)) for entry in ENTRIES]
    assert [(kind, content) for content, kind in CONTENTS.items()] == read
    infos = [pack.info(_offset(pack, entry)) for entry in ENTRIES]
    assert [ObjectInfo(kind, len(content)) for content, kind in CONTENTS.items()] == infos


def test_pack_find_absent(pack: Pack) -> None:
    assert [pack.index.find(numbered_id(number)) for number in range(300)] == [None] * 300


def test_pack_verify_yields_every_id(pack: Pack) -> None:
    assert [entry.oid for entry in ENTRIES] == sorted(pack.verify(), key=[e.oid for e in ENTRIES].index)


def test_pack_forward_scan_equals_the_index(pack: Pack) -> None:
    assert sorted(offset for _, offset in pack.index.items()) == [offset for offset, _ in pack.iter_offsets()]
    assert sorted(entry.oid for entry in ENTRIES) == [oid for oid, _ in pack.index.items()]


def test_pack_entry_is_header_and_stored_bytes(pack: Pack) -> None:
    offset = _offset(pack, ENTRIES[0])
    assert bytes(pack.entry(offset))[20:] == b"raw"


def test_pack_stays_readable_after_its_file_is_gone(pack: Pack) -> None:
    pack.path.unlink()
    assert pack.read(ENTRIES[1].oid, _offset(pack, ENTRIES[1])) == (Kind.BLOB, TEXT)


def test_pack_without_entries(tmp_path: Path) -> None:
    pack = Pack(write_pack(tmp_path, []))
    assert len(pack) == 0
    assert pack.index.find(numbered_id(1)) is None
    assert list(pack.verify()) == []


def test_pack_of_many_in_every_fanout_bucket(tmp_path: Path) -> None:
    entries = [raw_entry(b"%d" % number) for number in range(2000)]
    pack = Pack(write_pack(tmp_path, entries))
    assert len({entry.oid[0] for entry in entries}) == 256
    assert [(Kind.BLOB, entry.stored) for entry in entries] == [pack.read(e.oid, _offset(pack, e)) for e in entries]


@pytest.mark.parametrize("prefix", ["", "0", "0f", "0f1", "ffffff", "f" * 64])
def test_pack_iter_prefix(tmp_path: Path, prefix: str) -> None:
    entries = [raw_entry(b"%d" % number) for number in range(500)]
    pack = Pack(write_pack(tmp_path, entries))
    expected = sorted(entry.oid for entry in entries if str(entry.oid).startswith(prefix))
    assert expected == list(pack.index.iter_prefix(prefix))


@pytest.mark.parametrize("size", [STREAM_THRESHOLD, STREAM_THRESHOLD + PIECE])
@pytest.mark.parametrize("encoding", [Encoding.RAW, Encoding.ZSTD])
def test_pack_streams_large_blobs(tmp_path: Path, size: int, encoding: Encoding) -> None:
    content = b"0123456789abcdef" * (size // 16)
    stored = content if encoding is Encoding.RAW else sizeless_frame(content)
    pack = Pack(write_pack(tmp_path, [Forged(blob_id(content), encoding, stored, size)]))
    pieces = list(pack.iter_blob(blob_id(content), 16))
    assert content == b"".join(pieces)
    assert max(map(len, pieces)) <= PIECE
    assert list(pack.verify()) == [blob_id(content)]


def test_pack_streams_no_last_piece_of_a_wrong_blob(tmp_path: Path) -> None:
    content = bytes(3 * PIECE)
    oid = blob_id(content)
    pack = Pack(write_pack(tmp_path, [Forged(oid, Encoding.RAW, content[:-1] + b"!", len(content))]))
    given = []
    with pytest.raises(Exception, match="the bytes do not have this id"):
        given.extend(pack.iter_blob(oid, 16))
    assert sum(map(len, given)) < len(content)


def test_pack_reads_in_a_database(tmp_path: Path) -> None:
    write_pack(tmp_path, ENTRIES[:2])
    write_pack(tmp_path, ENTRIES[1:], "01.pack")
    found = PackDatabase(tmp_path).read_many(entry.oid for entry in ENTRIES)
    assert [(kind, content) for content, kind in CONTENTS.items()] == list(found)
