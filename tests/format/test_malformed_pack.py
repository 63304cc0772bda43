"""Each rule of packs, broken once; entries that lie about their sizes; every byte of a small pack flipped."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
import zstandard
from blake3 import blake3

from casvault.errors import DamageError, MalformedError, UnsupportedError
from casvault.formats import pack as layout
from casvault.formats.pack import Encoding
from casvault.limits import MAX_OBJECT
from casvault.objects import Kind, encode_commit
from casvault.oid import blob_id
from casvault.store import Pack
from tests.support.objects import commit
from tests.support.packs import Forged, pack_bytes, raw_entry, sizeless_frame, write_pack, zstd_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from casvault.oid import Oid

TEXT = b"all work and no play\n" * 20
STREAMED = Forged(blob_id(TEXT * 2), Encoding.ZSTD, sizeless_frame(TEXT * 2), 2 * len(TEXT))
ENTRIES = [raw_entry(b"raw"), zstd_entry(TEXT), STREAMED, raw_entry(encode_commit(commit()), Kind.COMMIT)]
GOOD = pack_bytes(ENTRIES)
INDEX = struct.unpack_from("<Q", GOOD, len(GOOD) - 104)[0]
END = len(GOOD) - 104


def _open(directory: Path, data: bytes) -> Pack:
    path = directory / "bad.pack"
    path.unlink(missing_ok=True)  # rather than written over: it may still be mapped
    path.write_bytes(data)
    return Pack(path)


def _patched(offset: int, new: bytes, base: bytes = GOOD) -> bytes:
    return base[:offset] + new + base[offset + len(new) :]


def _trailer(index_offset: int = INDEX, objects: int = len(ENTRIES)) -> bytes:
    """The good pack under another trailer, whose own check is right."""
    trailer = layout.Trailer(index_offset, objects, blake3(GOOD[:INDEX]).digest(), blake3(GOOD[INDEX:END]).digest())
    return GOOD[:END] + layout.encode_trailer(trailer)


UNUSABLE = {
    "empty": (b"", "a pack of 0 bytes is truncated"),
    "too_short": (GOOD[:1143], "a pack of 1143 bytes is truncated"),
    "magic": (_patched(0, b"P"), "not a pack: the magic number is wrong"),
    "reserved": (_patched(10, b"\1"), "the reserved bytes of the header are not zero"),
    "cut_off": (GOOD[:-1], "the pack has no trailer: it is truncated"),
    "end_magic": (_patched(len(GOOD) - 8, b"X"), "the pack has no trailer: it is truncated"),
    "trailing_bytes": (GOOD + b"\0", "the pack has no trailer: it is truncated"),
    "trailer_check": (_patched(END, b"\xff"), "the trailer's checksum is wrong"),
    "index_offset": (_trailer(index_offset=INDEX + 1), "the trailer does not match the pack's size"),
    "object_count": (_trailer(objects=3), "the trailer does not match the pack's size"),
    "object_count_that_overflows": (_trailer(objects=(1 << 64) - 1), "the trailer does not match the pack's size"),
    "fanout_total": (_patched(INDEX + 1020, b"\5"), "the fanout does not match the index"),
    "fanout_falls": (_patched(INDEX, b"\4"), "the fanout does not match the index"),
}


@pytest.mark.parametrize(("data", "message"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_open_pack_broken_rule(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _open(tmp_path, data)
    assert f"bad.pack: {message}" == str(caught.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (_patched(8, b"\2"), "pack version 2, features 0x0"),
        (_patched(8, b"\0"), "pack version 0, features 0x0"),
        (_patched(12, b"\0\1"), "pack version 1, features 0x100"),
    ],
)
def test_open_pack_of_a_later_version(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^bad.pack: {what}$"):
        _open(tmp_path, data)


HEADERS = {
    "kind_zero": (0, b"\0", "unknown kind 0 of the entry at byte 16"),
    "kind_unknown": (0, b"\5", "unknown kind 5 of the entry at byte 16"),
    "encoding_unknown": (1, b"\5", "unknown encoding 5 of the entry at byte 16"),
    "reserved": (2, b"\1", "the reserved bytes of the entry at byte 16 are not zero"),
    "stored_runs_over": (8, b"\1", "the entry at byte 16 runs over the end of the entries"),
    "raw_of_two_sizes": (12, b"\4", "the raw entry at byte 16 has two sizes"),
}


@pytest.mark.parametrize(("offset", "new", "message"), HEADERS.values(), ids=HEADERS.keys())
def test_read_entry_header_broken_rule(tmp_path: Path, offset: int, new: bytes, message: str) -> None:
    pack = _open(tmp_path, _patched(16 + offset, new))
    with pytest.raises(MalformedError) as caught:
        pack.read(ENTRIES[0].oid, 16)
    assert f"bad.pack: {message}" == str(caught.value)


@pytest.mark.parametrize("offset", [0, 15, INDEX - 19, INDEX, 1 << 63])
def test_read_entry_header_where_none_can_be(tmp_path: Path, offset: int) -> None:
    pack = _open(tmp_path, GOOD)
    with pytest.raises(MalformedError, match=f"^bad.pack: no entry can begin at byte {offset}$"):
        pack.header(offset)


@pytest.mark.parametrize("encoding", [Encoding.ZSTD_DICT, Encoding.PATCH, Encoding.CHUNKS])
def test_read_reserved_encoding(tmp_path: Path, encoding: Encoding) -> None:
    oid = blob_id(TEXT)
    pack = Pack(write_pack(tmp_path, [Forged(oid, encoding, bytes(40), len(TEXT))]))
    name = encoding.name.lower()
    with pytest.raises(UnsupportedError, match=f"the encoding {name}$"):
        pack.read(oid, 16)
    with pytest.raises(UnsupportedError, match=f"the encoding {name}$"):
        list(pack.iter_blob(oid, 16))


def _frame(content: bytes, **flags: bool) -> bytes:
    return zstandard.ZstdCompressor(**flags).compress(content)


BOMB = bytes(1 << 20)
LIARS = {
    "frame_declares_more": (_frame(BOMB), 100, "the frame declares 1048576 bytes, the entry 100"),
    "frame_declares_less": (_frame(TEXT), 2 * len(TEXT), "the frame declares 420 bytes, the entry 840"),
    "sizeless_frame_holds_more": (sizeless_frame(BOMB), 100, "more bytes than the 100 that the entry declares"),
    "sizeless_frame_holds_less": (sizeless_frame(TEXT), 2 * len(TEXT), "420 bytes where the entry declares 840"),
    "frame_cut_off": (_frame(TEXT)[:-5], len(TEXT), "the stored bytes cannot be decompressed"),
    "frame_and_more": (_frame(TEXT) + b"more", len(TEXT), "the stored bytes cannot be decompressed"),
    "two_frames": (_frame(TEXT) + _frame(TEXT), len(TEXT), "the stored bytes cannot be decompressed"),
    "no_frame": (b"not zstd", 100, "the stored bytes cannot be decompressed"),
    "nothing": (b"", 100, "the stored bytes cannot be decompressed"),
    "frame_checksum": (_frame(TEXT, write_checksum=True)[:-1] + b"?", 420, "the stored bytes cannot be decompressed"),
    "wrong_content": (_frame(TEXT.upper()), len(TEXT), "the bytes do not have this id"),
}


@pytest.mark.parametrize(("frame", "raw", "message"), LIARS.values(), ids=LIARS.keys())
def test_read_entry_that_lies(tmp_path: Path, frame: bytes, raw: int, message: str) -> None:
    oid = blob_id(TEXT)
    pack = Pack(write_pack(tmp_path, [Forged(oid, Encoding.ZSTD, frame, raw)]))
    with pytest.raises(DamageError) as caught:
        pack.read(oid, 16)
    assert str(caught.value).startswith(f"{oid} in 00.pack: {message}")


def _iter_blob(pack: Pack, oid: Oid) -> None:
    for _ in pack.iter_blob(oid, 16):
        pass


def _verify(pack: Pack, oid: Oid) -> None:
    assert oid not in list(pack.verify())


FILLER = zstd_entry(bytes(range(256)) * 2048)
"""Enough for a batch that is expanded by several threads."""


@pytest.mark.parametrize(("frame", "raw"), [case[:2] for case in LIARS.values()], ids=LIARS.keys())
def test_iter_entry_that_lies(tmp_path: Path, frame: bytes, raw: int) -> None:
    oid = blob_id(TEXT)
    with pytest.raises(DamageError):
        _iter_blob(Pack(write_pack(tmp_path, [Forged(oid, Encoding.ZSTD, frame, raw)])), oid)


@pytest.mark.parametrize(("frame", "raw"), [case[:2] for case in LIARS.values()], ids=LIARS.keys())
def test_verify_entry_that_lies(tmp_path: Path, frame: bytes, raw: int) -> None:
    oid = blob_id(TEXT)
    with pytest.raises(DamageError):
        _verify(Pack(write_pack(tmp_path, [Forged(oid, Encoding.ZSTD, frame, raw)])), oid)


@pytest.mark.parametrize(("frame", "raw"), [case[:2] for case in LIARS.values()], ids=LIARS.keys())
def test_verify_entry_that_lies_in_a_batch(tmp_path: Path, frame: bytes, raw: int) -> None:
    oid = blob_id(TEXT)
    with pytest.raises(DamageError):
        _verify(Pack(write_pack(tmp_path, [FILLER, Forged(oid, Encoding.ZSTD, frame, raw)])), oid)


def test_read_tree_larger_than_any(tmp_path: Path) -> None:
    oid = blob_id(TEXT)
    forged = Forged(oid, Encoding.ZSTD, _frame(TEXT), MAX_OBJECT + 1, Kind.TREE)
    pack = Pack(write_pack(tmp_path, [forged]))
    with pytest.raises(DamageError, match=f"a tree of {MAX_OBJECT + 1} bytes, more than {MAX_OBJECT}$"):
        pack.read(oid, 16)


def test_iter_blob_of_a_commit(tmp_path: Path) -> None:
    pack = _open(tmp_path, pack_bytes([ENTRIES[3]]))
    with pytest.raises(DamageError, match=r"this object is a commit, where a blob is referred to$"):
        list(pack.iter_blob(ENTRIES[3].oid, 16))


def test_read_sizeless_frame_under_an_enormous_size(tmp_path: Path) -> None:
    """One flipped bit in the header of a streamed blob must be damage, whatever it makes of the size."""
    pack = Pack(write_pack(tmp_path, [STREAMED._replace(raw=1 << 61)]))
    with pytest.raises(DamageError):
        pack.read(STREAMED.oid, 16)


def _index_of(*items: tuple[Oid, int]) -> bytes:
    return layout.encode_index(items)


A, B = sorted([raw_entry(b"a"), raw_entry(b"b")])
INDEXES = {
    "an_entry_less": ([A, B], _index_of((A.oid, 16)), "the entry at byte 37 is not in the index"),
    "an_entry_more": (
        [A],
        _index_of((A.oid, 16), (B.oid, 17)),
        "the index has an entry at byte 17, where none begins",
    ),
    "entries_mixed_up": ([A, B], _index_of((A.oid, 37), (B.oid, 16)), "the bytes do not have this id"),
}


@pytest.mark.parametrize(("entries", "index", "message"), INDEXES.values(), ids=INDEXES.keys())
def test_verify_index_that_belongs_to_other_entries(
    tmp_path: Path, entries: list[Forged], index: bytes, message: str
) -> None:
    pack = _open(tmp_path, pack_bytes(entries, index))
    with pytest.raises(DamageError, match=message):
        list(pack.verify())


def test_verify_index_out_of_order(tmp_path: Path) -> None:
    """An unsorted index under a right checksum hides objects: `find` misses what `verify` has seen."""
    entries = [raw_entry(b"%d" % number) for number in range(600)]
    same = sorted((entry for entry in entries if entry.oid[0] == 0), reverse=True)[:2]
    index = _index_of((same[0].oid, 16), (same[1].oid, 16 + 20 + len(same[0].stored)))
    pack = _open(tmp_path, pack_bytes(same, index))
    with pytest.raises(DamageError):
        list(pack.verify())


SUMS = {"entries": (16 + 20, "the checksum of the entries is wrong"), "index": (END - 1, "the checksum of the index")}


@pytest.mark.parametrize(("offset", "message"), SUMS.values(), ids=SUMS.keys())
def test_verify_checksum(tmp_path: Path, offset: int, message: str) -> None:
    pack = _open(tmp_path, _patched(offset, bytes([GOOD[offset] ^ 1])))
    with pytest.raises(MalformedError, match=message):
        list(pack.verify())


def test_verify_good_pack(tmp_path: Path) -> None:
    assert {entry.oid for entry in ENTRIES} == set(_open(tmp_path, GOOD).verify())


def _expected(entry: Forged) -> tuple[Kind, bytes]:
    content = entry.stored if entry.encoding is Encoding.RAW else TEXT * (entry.raw // len(TEXT))
    return entry.kind, content


def _read_all(pack: Pack, entries: list[Forged]) -> list[tuple[Kind, bytes]]:
    """What the pack gives for each entry that it finds: it must be what was put in."""
    places = [(entry, pack.index.find(entry.oid)) for entry in entries]
    found = [(entry, pack.read(entry.oid, at)) for entry, at in places if at is not None]
    assert [_expected(entry) for entry, _ in found] == [given for _, given in found]
    return [given for _, given in found]


def _refused(directory: Path, data: bytes, use: Callable[[Pack], object]) -> bool:
    try:
        use(_open(directory, data))
    except (DamageError, UnsupportedError):
        return True
    return False


WITHOUT_STREAMED = [entry for entry in ENTRIES if entry is not STREAMED]


@pytest.mark.parametrize("mask", [0x01, 0xFF])
@pytest.mark.parametrize(
    "entries", [pytest.param(WITHOUT_STREAMED, id="sized"), pytest.param([STREAMED], id="streamed")]
)
def test_flipped_bytes_never_give_wrong_bytes(tmp_path: Path, entries: list[Forged], mask: int) -> None:
    """Every byte of a pack, flipped: what is still read is right, and a full verification always finds the damage."""
    good = pack_bytes(entries)
    assert not _refused(tmp_path, good, lambda pack: list(pack.verify()))
    for offset in range(len(good)):
        data = _patched(offset, bytes([good[offset] ^ mask]), good)
        _refused(tmp_path, data, lambda pack: _read_all(pack, entries))
        assert _refused(tmp_path, data, lambda pack: list(pack.verify())), f"byte {offset}"
