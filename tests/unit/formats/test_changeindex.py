"""The envelope of a change index: whatever is wrong with it, nothing of it is taken."""

from __future__ import annotations

import pytest
from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.formats.changeindex import HEADER, SUM_SIZE, decode_image, encode_image

OWNER = bytes(range(32))
ENCODED = b"".join(encode_image(b"a database", 7, OWNER))


def resealed(offset: int, new: bytes) -> bytes:
    body = ENCODED[:-SUM_SIZE]
    body = body[:offset] + new + body[offset + len(new) :]
    return body + blake3(body).digest()


def test_decode_gives_back_what_was_encoded() -> None:
    commits, database = decode_image(ENCODED, OWNER)
    assert (commits, bytes(database)) == (7, b"a database")


@pytest.mark.parametrize("at", range(len(ENCODED)))
def test_a_byte_that_differs_is_seen(at: int) -> None:
    with pytest.raises((MalformedError, UnsupportedError)):
        decode_image(ENCODED[:at] + bytes([ENCODED[at] ^ 1]) + ENCODED[at + 1 :], OWNER)


@pytest.mark.parametrize("size", range(len(ENCODED)))
def test_a_file_that_was_cut_is_seen(size: int) -> None:
    with pytest.raises(MalformedError):
        decode_image(ENCODED[:size], OWNER)


@pytest.mark.parametrize(
    ("data", "owner", "error", "message"),
    [
        (ENCODED[: HEADER.size + SUM_SIZE - 1], OWNER, MalformedError, "too few"),
        (resealed(0, b"X"), OWNER, MalformedError, "magic"),
        (resealed(8, b"\2"), OWNER, UnsupportedError, "version 2"),
        (resealed(10, b"\1"), OWNER, MalformedError, "reserved"),
        (ENCODED[:-1] + b"\0", OWNER, MalformedError, "checksum"),
        (ENCODED, bytes(32), MalformedError, "another vault"),
    ],
)
def test_each_rule_has_its_message(data: bytes, owner: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        decode_image(data, owner)
