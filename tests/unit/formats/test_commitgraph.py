from __future__ import annotations

import struct

import pytest
from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.formats.commitgraph import FANOUT, HEADER, SUM_SIZE, Columns, decode_graph, encode_graph
from casvault.oid import Oid
from tests.support.objects import numbered_id

OWNER = bytes(range(32))
PARENTS: list[list[int]] = [[], [1], [1, 2], [3, 1, 2], [], [5, 4], [6, 5, 4, 3], [7, 7]]


def make() -> Columns:
    """The columns of dominators hold numbers of no meaning: the layout does not know what they say."""
    columns = Columns.empty()
    for at, parents in enumerate(PARENTS, 1):
        columns.append(numbered_id(at), at - (1 << 62), parents, 10 + at, 20 + at, 30 + at, 2**32 - at)
    return columns


ENCODED = b"".join(encode_graph(make(), OWNER))
FIRST_ROW = HEADER.size + FANOUT.size


def resealed(body: bytes) -> bytes:
    return body + blake3(body).digest()


def patched(offset: int, new: bytes) -> bytes:
    body = ENCODED[:-SUM_SIZE]
    return resealed(body[:offset] + new + body[offset + len(new) :])


def test_decode_gives_back_what_was_encoded() -> None:
    columns, lookup = decode_graph(ENCODED, OWNER)
    positions = range(1, len(PARENTS) + 1)
    assert columns.commits == len(PARENTS)
    assert [list(columns.parents_of(position)) for position in positions] == PARENTS
    assert [columns.id_of(position) for position in positions] == [numbered_id(at) for at in positions]
    assert list(columns.dates) == [0, *(at - (1 << 62) for at in positions)]
    assert list(columns.jump) == [0, *(2**32 - at for at in positions)]
    assert [lookup.find(numbered_id(at)) for at in range(12)] == [0, *positions, 0, 0, 0]


def test_a_graph_of_no_commits() -> None:
    columns, lookup = decode_graph(b"".join(encode_graph(Columns.empty(), OWNER)), OWNER)
    assert (columns.commits, lookup.find(numbered_id(1))) == (0, 0)


def test_lookup_among_many_ids_with_the_same_first_byte() -> None:
    columns = Columns.empty()
    ids = [Oid(b"\xff" + bytes(29) + struct.pack(">H", at * 7919 % 1000)) for at in range(1000)]
    for oid in ids:
        columns.append(oid, 0, [], 1, 0, 1, 0)
    lookup = decode_graph(b"".join(encode_graph(columns, OWNER)), OWNER).lookup
    assert [lookup.find(oid) for oid in ids] == list(range(1, 1001))
    assert [lookup.find(Oid(byte * 32)) for byte in (b"\0", b"\xff")] == [0, 0]


def test_a_copy_grows_and_the_graph_that_was_read_does_not() -> None:
    read = decode_graph(ENCODED, OWNER).columns
    grown = read.copy()
    grown.append(numbered_id(9), 5, [8, 7, 6], 19, 29, 39, 2**32 - 9)
    assert (read.commits, grown.commits) == (8, 9)
    assert [list(grown.parents_of(position)) for position in range(1, 10)] == [*PARENTS, [8, 7, 6]]
    assert b"".join(encode_graph(read, OWNER)) == ENCODED


def test_a_commit_takes_68_bytes() -> None:
    empty = len(b"".join(encode_graph(Columns.empty(), OWNER)))
    one = Columns.empty()
    one.append(numbered_id(1), 0, [], 1, 0, 1, 0)
    assert len(b"".join(encode_graph(one, OWNER))) == empty + 68


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too few"),
        (ENCODED[: HEADER.size], "too few"),
        (patched(0, b"X"), "magic"),
        (ENCODED[:-1] + bytes([ENCODED[-1] ^ 1]), "checksum"),
        (patched(10, b"\1"), "reserved bytes"),
        (patched(20, b"\1"), "reserved bytes"),
        (patched(24, b"\xff"), "another vault"),
        (patched(12, b"\x07"), "where 7 commits take"),
        (patched(12, b"\xff\xff\xff\xff"), "where 4294967295 commits take"),
        (patched(16, b"\0"), "where 8 commits take"),
        (resealed(ENCODED[:-SUM_SIZE] + b"\0"), "where 8 commits take"),
        (patched(HEADER.size, b"\xff"), "fanout"),
        (patched(HEADER.size + FANOUT.size - 4, b"\x09"), "fanout"),
        (patched(FIRST_ROW, b"\1"), "row 0"),
        (patched(FIRST_ROW + 9 * 8, b"\1"), "row 0"),
        (patched(FIRST_ROW + 9 * (8 + 5 * 4), b"\1"), "row 0"),
    ],
)
def test_decode_refuses(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        decode_graph(data, OWNER)


def test_decode_refuses_a_later_version() -> None:
    with pytest.raises(UnsupportedError, match="version 2"):
        decode_graph(patched(8, b"\2"), OWNER)


def test_decode_refuses_every_flipped_byte() -> None:
    for position in range(len(ENCODED)):
        damaged = bytearray(ENCODED)
        damaged[position] ^= 0x40
        with pytest.raises((MalformedError, UnsupportedError)):
            decode_graph(bytes(damaged), OWNER)


def test_decode_refuses_every_shortened_file() -> None:
    for size in range(len(ENCODED)):
        with pytest.raises(MalformedError):
            decode_graph(ENCODED[:size], OWNER)
