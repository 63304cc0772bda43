from __future__ import annotations

import pytest
from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.formats.statcache import (
    DIRECTORY,
    HEADER,
    STAT,
    SUM_SIZE,
    Directory,
    decode_cache,
    encode_cache,
)
from casvault.objects import TREE, Root
from casvault.oid import Oid

OWNER = bytes(range(32))
DIRECTORIES = {
    b"": Directory(b"", b"skills", b"", b"", b""),
    b"skills": Directory(
        b"a\0b\xff",
        b"",
        STAT.pack(0o100644, 3, -5, 7, 1) + STAT.pack(0o120777, 1 << 40, 2**62, 9, 2**64 - 1),
        b"x" * 64,
        b"\1\0",
        Root(TREE, 1 << 41, Oid(b"t" * 32)),
        tree_held=True,
        ordinary=True,
    ),
    b"skills/one": Directory(b"", b"", STAT.pack(0o100755, 0, 0, 0, 0), b"y" * 32, b"\1"),
}
ENCODED = b"".join(encode_cache(OWNER, DIRECTORIES))


def resealed(body: bytes) -> bytes:
    return body + blake3(body).digest()


def patched(offset: int, new: bytes) -> bytes:
    body = ENCODED[:-SUM_SIZE]
    return resealed(body[:offset] + new + body[offset + len(new) :])


def test_decode_gives_back_what_was_encoded() -> None:
    assert decode_cache(ENCODED, OWNER) == DIRECTORIES


def test_encode_of_nothing_is_header_and_sum() -> None:
    encoded = b"".join(encode_cache(OWNER, {}))
    assert encoded[:16].hex() == "4341535653544154" + "0100" + "0000" + "00000000"
    assert len(encoded) == HEADER.size + SUM_SIZE
    assert decode_cache(encoded, OWNER) == {}


def test_a_file_takes_69_bytes_and_its_name() -> None:
    one = {b"d": Directory(b"n", b"", bytes(STAT.size), bytes(32), b"\0")}
    assert len(b"".join(encode_cache(OWNER, one))) == HEADER.size + SUM_SIZE + DIRECTORY.size + 69 + len(b"d") + len(
        b"n"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too few"),
        (ENCODED[: HEADER.size], "too few"),
        (patched(0, b"X"), "magic"),
        (ENCODED[:-1] + b"X", "checksum"),
        (patched(10, b"\1"), "reserved bytes"),
        (patched(16, b"\xff"), "another vault or epoch"),
        (patched(12, b"\x04"), "truncated"),
        (patched(12, b"\x02"), "behind the last directory"),
        (patched(HEADER.size + 16, b"\x02"), "unknown flags"),
        (patched(HEADER.size + 16, b"\x08"), "unknown flags"),
        (patched(HEADER.size, b"\xff\xff\xff"), "truncated"),
    ],
)
def test_decode_refuses(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        decode_cache(data, OWNER)


def test_decode_refuses_fewer_names_than_files() -> None:
    one = Directory(b"a", b"", bytes(2 * STAT.size), bytes(64), b"\0\0")
    with pytest.raises(MalformedError, match="2 files have other names"):
        decode_cache(b"".join(encode_cache(OWNER, {b"": one})), OWNER)


def test_decode_refuses_names_without_files() -> None:
    with pytest.raises(MalformedError, match="0 files have other names"):
        decode_cache(b"".join(encode_cache(OWNER, {b"": Directory(b"a", b"", b"", b"", b"")})), OWNER)


def test_decode_refuses_a_directory_twice() -> None:
    one = b"".join(encode_cache(OWNER, {b"d": Directory(b"", b"", b"", b"", b"")}))[HEADER.size : -SUM_SIZE]
    header = HEADER.pack(b"CASVSTAT", 1, 0, 2, OWNER)
    with pytest.raises(MalformedError, match="stands twice"):
        decode_cache(resealed(header + one + one), OWNER)


def test_decode_refuses_a_later_version() -> None:
    with pytest.raises(UnsupportedError, match="version 2"):
        decode_cache(patched(8, b"\2"), OWNER)


def test_decode_refuses_every_flipped_byte() -> None:
    for position in range(len(ENCODED)):
        damaged = bytearray(ENCODED)
        damaged[position] ^= 0x40
        with pytest.raises((MalformedError, UnsupportedError)):
            decode_cache(bytes(damaged), OWNER)
