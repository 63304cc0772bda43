"""Each rule of the msgpack subset, broken once."""

from __future__ import annotations

import pytest

from casvault.errors import MalformedError
from casvault.objects import canonical

CASES = {
    "empty": (b"", "truncated at byte 0"),
    "truncated_array": (b"\x92\x01", "truncated at byte 2"),
    "truncated_integer": (b"\x91\xcd\x01", "truncated at byte 3"),
    "truncated_bytes": (b"\x91\xc4\x05ab", "truncated at byte 5"),
    "truncated_length": (b"\x91\xc6\x00", "truncated at byte 3"),
    "huge_bytes_declared": (b"\x91\xc6\xff\xff\xff\xff", "truncated at byte 6"),
    "huge_array_declared": (b"\xdd\xff\xff\xff\xff", "truncated at byte 5"),
    "trailing": (b"\x91\x01\x00", "1 trailing bytes at byte 2"),
    "nested_too_deep": (b"\x91" * 6, "arrays nested more than 4 deep at byte 5"),
    "nested_without_end": (b"\x91" * 100_000, "arrays nested more than 4 deep at byte 5"),
    "uint8_for_fixint": (b"\x91\xcc\x7f", "non-minimal integer 127 at byte 1"),
    "uint16_for_uint8": (b"\x91\xcd\x00\xff", "non-minimal integer 255 at byte 1"),
    "uint32_for_uint16": (b"\x91\xce\x00\x00\xff\xff", "non-minimal integer 65535 at byte 1"),
    "uint64_for_uint32": (b"\x91\xcf" + b"\0\0\0\0\xff\xff\xff\xff", "non-minimal integer 4294967295 at byte 1"),
    "int8_for_positive": (b"\x91\xd0\x05", "non-minimal integer 5 at byte 1"),
    "int8_for_fixint": (b"\x91\xd0\xe0", "non-minimal integer -32 at byte 1"),
    "int16_for_int8": (b"\x91\xd1\xff\x80", "non-minimal integer -128 at byte 1"),
    "int32_for_int16": (b"\x91\xd2\xff\xff\x80\x00", "non-minimal integer -32768 at byte 1"),
    "int64_for_int32": (b"\x91\xd3\xff\xff\xff\xff\x80\x00\x00\x00", "non-minimal integer -2147483648 at byte 1"),
    "int64_for_unsigned": (b"\x91\xd3" + b"\x7f" + b"\xff" * 7, "non-minimal integer 9223372036854775807 at byte 1"),
    "bin16_for_bin8": (b"\x91\xc5\x00\x01a", "non-minimal length 1 of bin at byte 1"),
    "bin32_for_bin16": (b"\x91\xc6\x00\x00\x01\x00" + b"a" * 256, "non-minimal length 256 of bin at byte 1"),
    "array16_for_fixarray": (b"\xdc\x00\x01\x01", "non-minimal length 1 of array at byte 0"),
    "array32_for_array16": (b"\xdd\x00\x00\x00\x10" + b"\x01" * 16, "non-minimal length 16 of array at byte 0"),
    "true": (b"\x91\xc3", "a boolean at byte 1"),
    "false": (b"\x91\xc2", "a boolean at byte 1"),
    "float32": (b"\x91\xca\x00\x00\x00\x00", "a float at byte 1"),
    "nan": (b"\x91\xcb\x7f\xf8\0\0\0\0\0\0", "a float at byte 1"),
    "unused_byte": (b"\x91\xc1", "the unused byte c1 at byte 1"),
    "text": (b"\x91\xa1a", "a text string at byte 1"),
    "text_not_utf8": (b"\x91\xa1\xff", "a text string at byte 1"),
    "text8": (b"\x91\xd9\x20" + b"a" * 32, "a text string at byte 1"),
    "map": (b"\x91\x81\x01\x01", "a map at byte 1"),
    "map_with_unhashable_key": (b"\x91\x81\x90\x01", "a map at byte 1"),
    "map16": (b"\x91\xde\x00\x00", "a map at byte 1"),
    "extension": (b"\x91\xd4\x05\x00", "an extension type at byte 1"),
    "timestamp": (b"\x91\xd6\xff\0\0\0\0", "an extension type at byte 1"),
    "timestamp_out_of_range": (b"\x91\xd7\xff" + b"\xff" * 8, "an extension type at byte 1"),
    "not_an_array": (b"\x01", "not the canonical encoding of an array"),
    "bytes_and_no_array": (b"\xc4\x01a", "not the canonical encoding of an array"),
}


def _decoded(data: bytes) -> object:
    """What a decoder does: decode, then refuse what is canonical msgpack but no value of the subset."""
    value = canonical.decode(data, "object")
    return canonical.refuse(data, "object", f"accepted {type(value)}")


@pytest.mark.parametrize(("data", "message"), CASES.values(), ids=CASES.keys())
def test_decode_malformed(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        _decoded(data)
    assert f"object: {message}" == str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        [],
        [None],
        [0, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 64) - 1],
        [-1, -32, -33, -128, -129, -32768, -32769, -(1 << 31), -(1 << 31) - 1, -(1 << 63)],
        [b"", b"a" * 255, b"a" * 256, b"a" * 65535, b"a" * 65536],
        [[1] * 15, [1] * 16, [1] * 65535, [1] * 65536],
        [[[[b"four deep"]]]],
    ],
)
def test_decode_every_width(value: list[object]) -> None:
    data = canonical.encode(value)
    assert value == canonical.decode(data, "object")
    assert canonical.diagnose(data) is None


@pytest.mark.parametrize("nested", [1, 60, 500])
def test_decode_arrays_that_declare_more_than_there_is(nested: int) -> None:
    """Each array claims a quarter of a million items: refused without the memory for them."""
    data = (b"\xdd\x00\x04\x00\x00" * nested).ljust(1 << 18, b"\0")
    with pytest.raises(MalformedError, match=r"^object: (truncated at byte 262144|arrays nested more than 4 deep)"):
        canonical.decode(data, "object")
