"""Trees, commits and tags there and back; what they say of themselves."""

from __future__ import annotations

import pytest

from casvault.objects import (
    EMPTY_TREE,
    EXECUTABLE,
    FILE,
    FOREIGN,
    LINK,
    SYMLINK,
    TREE,
    Child,
    Entry,
    Fork,
    Kind,
    Leaf,
    MemoryObjects,
    Node,
    Signature,
    check_name,
    decode_commit,
    decode_node,
    decode_tag,
    encode_commit,
    encode_node,
    encode_tag,
    is_boundary,
    object_id,
    read_commits,
    read_nodes,
    read_tag,
    write_commit,
    write_nodes,
    write_tag,
)
from casvault.objects.tree import find_boundaries, split_ids
from casvault.oid import Oid
from tests.support.objects import WHO, commit, entry, names_cut_at, numbered_entries, numbered_id, tag

LEAF = Leaf.of((entry(b"a", 3), entry(b"b", 4)))
FORK = Fork.of(1, (Child(next(names_cut_at(0)), 40, 10, numbered_id(1)), Child(b"z", 30, 5, numbered_id(2))))


@pytest.mark.parametrize("node", [EMPTY_TREE, LEAF, FORK, Leaf.of(tuple(numbered_entries(64)))])
def test_node_round_trip(node: Node) -> None:
    assert node == decode_node(encode_node(node))


@pytest.mark.parametrize("mode", [FILE, EXECUTABLE, SYMLINK, TREE, LINK, FOREIGN])
def test_leaf_round_trip_of_each_mode(mode: int) -> None:
    leaf = Leaf.of((Entry(b"a", mode, 0, numbered_id(1)),))
    assert leaf == decode_node(encode_node(leaf))


@pytest.mark.parametrize("name", [b"\xff\xfe", "é".encode("latin-1"), "é".encode(), b" ", b"...", b"\n", b"\\", b".a"])
def test_leaf_round_trip_of_unusual_names(name: bytes) -> None:
    leaf = Leaf.of((entry(name),))
    decoded = decode_node(encode_node(leaf))
    assert leaf == decoded
    assert name == decoded.last


def test_leaf_round_trip_of_a_foreign_id_of_git() -> None:
    """A SHA-1 of 20 bytes is padded with zero bytes at its end."""
    sha1 = bytes.fromhex("da39a3ee5e6b4b0d3255bfef95601890afd80709")
    leaf = Leaf.of((Entry(b"module", FOREIGN, 0, Oid(sha1 + bytes(12))),))
    assert leaf == decode_node(encode_node(leaf))


def test_leaf_ids_have_their_type() -> None:
    decoded = decode_node(encode_node(LEAF))
    assert isinstance(decoded, Leaf)
    assert [type(each.id) for each in decoded.entries] == [Oid, Oid]


@pytest.mark.parametrize(
    ("node", "level", "length", "size", "last"),
    [(EMPTY_TREE, 0, 0, 0, b""), (LEAF, 0, 2, 7, b"b"), (FORK, 1, 70, 15, b"z")],
)
def test_node_totals(node: Node, level: int, length: int, size: int, last: bytes) -> None:
    assert (level, length, size, last) == (node.level, node.length, node.size, node.last)


def test_is_boundary_is_read_off_the_low_bits_of_crc32() -> None:
    """The low five bits count at level 0, ten at level 1."""
    from_crc = {0x00: True, 0x20: True, 0x01: False, 0x10: False}
    assert from_crc == {crc: is_boundary(_with_crc(crc), 0) for crc in from_crc}
    assert [is_boundary(_with_crc(0x20), 1), is_boundary(_with_crc(0x400), 1)] == [False, True]


def _with_crc(crc: int) -> bytes:
    """Four bytes with this CRC-32: the table is invertible, so they follow from it."""
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    state = crc ^ 0xFFFFFFFF
    indexes = []
    for _ in range(4):
        index = next(i for i, value in enumerate(table) if value >> 24 == state >> 24)
        indexes.append(index)
        state = (state ^ table[index]) << 8 & 0xFFFFFFFF
    forward, name = 0xFFFFFFFF, bytearray()
    for index in reversed(indexes):
        name.append(index ^ forward & 0xFF)
        forward = forward >> 8 ^ table[index]
    return bytes(name)


def test_check_name() -> None:
    assert check_name(b"a" * 4096) is None
    assert check_name(b"..") == "the name '..'"
    assert check_name(b"") == "an empty name"


@pytest.mark.parametrize(
    "signature",
    [
        WHO,
        Signature(b"", b"", 0, b"-0000"),
        Signature("Zoë".encode("latin-1"), b"<>", -(1 << 63), b"+12345678"),
        Signature(b" ", b"\xff", (1 << 63) - 1, b"-1200"),
    ],
)
def test_commit_round_trip_of_signatures(signature: Signature) -> None:
    written = commit()._replace(author=signature)
    assert written == decode_commit(encode_commit(written))


def test_commit_round_trip_of_everything() -> None:
    written = commit(b"\0\xff", numbered_id(1), numbered_id(1))._replace(
        encoding=b"ISO-8859-1", fields=((b"b", b"1"), (b"a", b"\n\0"), (b"b", b""))
    )
    assert written == decode_commit(encode_commit(written))
    assert written.fields_of(b"b") == [b"1", b""]
    assert (written.field(b"b"), written.field(b"c")) == (b"1", None)


@pytest.mark.parametrize("written", [tag(), tag()._replace(tagger=None), tag()._replace(kind=Kind.BLOB)])
def test_tag_round_trip(written: object) -> None:
    assert written == decode_tag(encode_tag(written))  # type: ignore[arg-type]


def test_tag_kind_has_its_type() -> None:
    assert type(decode_tag(encode_tag(tag())).kind) is Kind


def test_write_and_read_decoded() -> None:
    store = MemoryObjects()
    ids = [write_commit(store, commit()), write_commit(store, commit(b"other"))]
    assert [commit(), commit(b"other")] == list(read_commits(store, ids))
    assert list(read_nodes(store, write_nodes(store, [LEAF, FORK]))) == [LEAF, FORK]
    assert tag() == read_tag(store, write_tag(store, tag()))
    assert object_id(Kind.TREE, encode_node(LEAF)) in store
    assert len(store) == 5


def test_leaf_find() -> None:
    assert [LEAF.find(name) for name in (b"a", b"b", b"", b"aa", b"c")] == [0, 1, None, None, None]
    assert EMPTY_TREE.find(b"a") is None


@pytest.mark.parametrize("level", [0, 1])
def test_find_boundaries_are_those_of_single_names(level: int) -> None:
    names = [b"name-%04d" % number for number in range(40_000)]
    assert find_boundaries(names, level) == [at for at, name in enumerate(names) if is_boundary(name, level)]
    assert find_boundaries(names, level)
    assert find_boundaries([], level) == []


def test_ids_of_a_large_leaf_are_split_like_those_of_a_small_one() -> None:
    ids = tuple(bytes(numbered_id(number)) for number in range(3000))
    assert split_ids(b"".join(ids)) == ids
    assert split_ids(b"".join(ids[:5])) == ids[:5]
