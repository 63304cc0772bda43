"""Each rule of the operation record, broken once."""

from __future__ import annotations

import struct

import pytest
from blake3 import blake3

from casvault.errors import MalformedError, UnsupportedError
from casvault.formats.record import Record, decode_record, encode_record, parse_record_names, record_name
from tests.support.objects import numbered_id

RECORD = Record(7, bytes(range(16)), numbered_id(1))
GOOD = encode_record(RECORD)


def _patched(offset: int, layout: str, value: int) -> bytes:
    """The record with one number replaced, and a checksum that is right again."""
    body = bytearray(GOOD[:72])
    struct.pack_into(layout, body, offset, value)
    return bytes(body) + blake3(body).digest(16)


CASES = {
    "empty": (b"", "0 bytes instead of 88"),
    "truncated": (GOOD[:-1], "87 bytes instead of 88"),
    "trailing": (GOOD + b"\0", "89 bytes instead of 88"),
    "magic": (_patched(0, "<B", 0), "the magic number is wrong"),
    "checksum": (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), "the checksum is wrong"),
    "body": (GOOD[:30] + b"!" + GOOD[31:], "the checksum is wrong"),
    "reserved_two": (_patched(10, "<H", 1), "the reserved bytes are not zero"),
    "reserved_four": (_patched(12, "<I", 1), "the reserved bytes are not zero"),
    "number": (_patched(16, "<Q", 8), "it says that it is number 8"),
    "number_of_large_size": (_patched(16, "<Q", 7 + (1 << 32)), f"it says that it is number {7 + (1 << 32)}"),
}


@pytest.mark.parametrize(("data", "message"), CASES.values(), ids=CASES.keys())
def test_decode_record_broken_rule(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_record(data, 7)
    assert f"operation record 7: {message}" == str(caught.value)


@pytest.mark.parametrize("version", [0, 2, 256])
def test_decode_record_of_another_version(version: int) -> None:
    with pytest.raises(UnsupportedError, match=f"^operation record 7: version {version}$"):
        decode_record(_patched(8, "<H", version), 7)


def test_decode_record_with_a_flipped_bit() -> None:
    for bit in range(8 * len(GOOD)):
        data = bytearray(GOOD)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedError, UnsupportedError)):
            decode_record(bytes(data), 7)


@pytest.mark.parametrize("number", [1, 255, 1 << 40, (1 << 64) - 1])
def test_record_round_trip(number: int) -> None:
    record = RECORD._replace(number=number)
    assert record == decode_record(encode_record(record), number)


def test_record_name_has_twenty_digits() -> None:
    assert record_name(42) == "00000000000000000042"
    assert parse_record_names(["00000000000000000042"]) == [42]


@pytest.mark.parametrize("name", ["42", "0" * 19, "0" * 21, "0000000000000000004x", "tmp-0123456789abcdef", "٤" * 20])
def test_parse_record_name_of_something_else(name: str) -> None:
    assert parse_record_names([name]) == []
