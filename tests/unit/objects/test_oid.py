from __future__ import annotations

import pytest

from casvault.objects import Kind, object_id
from casvault.oid import NULL_ID, BlobHasher, Oid, blob_id, commit_id, tag_id, tree_id

EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

# From the test vectors that are published with BLAKE3: the input of length n is 0, 1, … 250, 0, 1, …
PUBLISHED = {
    0: EMPTY,
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    1023: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
}


def _input(length: int) -> bytes:
    return bytes(i % 251 for i in range(length))


@pytest.mark.parametrize(("length", "expected"), PUBLISHED.items())
def test_blob_id_published_vectors(length: int, expected: str) -> None:
    assert expected == blob_id(_input(length)).hex()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_blob_hasher_in_pieces(size: int) -> None:
    content = _input(1025)
    hasher = BlobHasher()
    for start in range(0, len(content), size):
        hasher.update(content[start : start + size])
    assert PUBLISHED[1025] == str(hasher.oid())


def test_ids_of_the_same_bytes_differ_by_kind() -> None:
    ids = [blob_id(b"x"), tree_id(b"x"), commit_id(b"x"), tag_id(b"x")]
    assert ids == [object_id(kind, b"x") for kind in (Kind.BLOB, Kind.TREE, Kind.COMMIT, Kind.TAG)]
    assert len(set(ids)) == 4


def test_ids_of_a_kind_do_not_depend_on_the_one_before() -> None:
    first = tree_id(b"a")
    tree_id(b"b")
    assert first == tree_id(b"a")


def test_oid_from_hex_and_back() -> None:
    oid = Oid.from_hex(EMPTY)
    assert EMPTY == str(oid) == f"{oid}"
    assert oid.short == "af1349b9f5f9"
    assert oid == blob_id(b"")
    assert repr(oid) == "Oid(af1349b9f5f9…)"


def test_oid_is_ordered_as_its_bytes() -> None:
    assert NULL_ID < Oid(b"\1" * 32) < Oid(b"\xff" * 32)


@pytest.mark.parametrize("raw", [b"", bytes(20), bytes(31), bytes(33)])
def test_oid_of_a_wrong_size(raw: bytes) -> None:
    with pytest.raises(ValueError, match=f"^an object id has 32 bytes, not {len(raw)}$"):
        Oid(raw)


@pytest.mark.parametrize("text", ["", EMPTY[:-1], EMPTY + "0", "g" * 64, EMPTY[:-2] + "0x", EMPTY[:-2] + "٤٤"])
def test_oid_from_bad_hex(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        Oid.from_hex(text)
