"""Canonical msgpack: the one encoding that casvault's objects have, and the diagnosis of anything else.

The subset: nil, integers from -2^63 to 2^64-1, binary strings and arrays, each in its shortest form. No text strings,
no floats, no booleans, no maps, no extension types.

Decoding runs at msgpack's speed: unpack, then pack again and compare, which catches every encoding that is not the
canonical one. Only if that fails does `diagnose` read byte by byte to find out what is wrong and where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import msgpack

from casvault.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NESTING = 4

_INT_FORMATS = {  # first byte: (size, signed, the least magnitude that needs this size)
    0xCC: (1, False, 1 << 7),
    0xCD: (2, False, 1 << 8),
    0xCE: (4, False, 1 << 16),
    0xCF: (8, False, 1 << 32),
    0xD0: (1, True, 1 << 5),
    0xD1: (2, True, 1 << 7),
    0xD2: (4, True, 1 << 15),
    0xD3: (8, True, 1 << 31),
}
_LENGTH_FORMATS = {  # first byte: (what, size of the length, the least length that needs it)
    0xC4: ("bin", 1, 0),
    0xC5: ("bin", 2, 1 << 8),
    0xC6: ("bin", 4, 1 << 16),
    0xDC: ("array", 2, 16),
    0xDD: ("array", 4, 1 << 16),
}
_REFUSED = {0xC1: "the unused byte c1", 0xC2: "a boolean", 0xC3: "a boolean", 0xCA: "a float", 0xCB: "a float"}


def encode(value: Sequence[Any]) -> bytes:
    """The canonical encoding of nested lists of integers, bytes and None."""
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def decode(data: bytes, what: str) -> list[Any]:
    """The array that `data` encodes canonically; `what` names it in the error.

    Values of refused types can still come back where their encoding is canonical msgpack (a float, say): the caller
    checks the type of every value, and calls `refuse` when one is not as it should be.
    """
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True)
        canonical = type(value) is list and msgpack.packb(value, use_bin_type=True) == data
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # msgpack's errors derive from ValueError
        refuse(data, what, f"not msgpack: {error or type(error).__name__}")
    if not canonical:
        refuse(data, what, "not the canonical encoding of an array")
    result: list[Any] = value
    return result


def refuse(data: bytes, what: str, otherwise: str) -> NoReturn:
    """Raise MalformedError with the first thing that is wrong with the bytes, or `otherwise` if they are canonical."""
    raise MalformedError(f"{what}: {diagnose(data) or otherwise}")


def diagnose(data: bytes) -> str | None:
    """What makes these bytes non-canonical, with its byte offset; None if nothing does."""
    try:
        end = _skip(data, 0, 0)
    except _NotCanonicalError as found:
        return str(found)
    if end != len(data):
        return f"{len(data) - end} trailing bytes at byte {end}"
    return None


class _NotCanonicalError(Exception):
    pass


def _skip(data: bytes, at: int, depth: int) -> int:
    """The offset behind the value at `at`."""
    if at >= len(data):
        raise _NotCanonicalError(f"truncated at byte {at}")
    if depth > MAX_NESTING:
        raise _NotCanonicalError(f"arrays nested more than {MAX_NESTING} deep at byte {at}")
    first = data[at]
    if first <= 0x7F or first >= 0xE0 or first == 0xC0:
        return at + 1
    if 0x90 <= first <= 0x9F:
        return _skip_items(data, at + 1, first & 0x0F, depth)
    if first in _INT_FORMATS:
        return _skip_int(data, at)
    if first in _LENGTH_FORMATS:
        return _skip_sized(data, at, depth)
    raise _NotCanonicalError(f"{_refused_type(first)} at byte {at}")


def _skip_items(data: bytes, at: int, count: int, depth: int) -> int:
    for _ in range(count):
        at = _skip(data, at, depth + 1)
    return at


def _skip_int(data: bytes, at: int) -> int:
    size, signed, least = _INT_FORMATS[data[at]]
    raw = _take(data, at + 1, size)
    value = int.from_bytes(raw, "big", signed=signed)
    minimal = value < -least if signed else value >= least
    if not minimal:
        raise _NotCanonicalError(f"non-minimal integer {value} at byte {at}")
    return at + 1 + size


def _skip_sized(data: bytes, at: int, depth: int) -> int:
    what, size, least = _LENGTH_FORMATS[data[at]]
    length = int.from_bytes(_take(data, at + 1, size), "big")
    if length < least:
        raise _NotCanonicalError(f"non-minimal length {length} of {what} at byte {at}")
    body = at + 1 + size
    if what == "array":
        return _skip_items(data, body, length, depth)
    _take(data, body, length)
    return body + length


def _take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise _NotCanonicalError(f"truncated at byte {len(data)}")
    return data[at : at + size]


def _refused_type(first: int) -> str:
    if first in _REFUSED:
        return _REFUSED[first]
    if 0xA0 <= first <= 0xBF or 0xD9 <= first <= 0xDB:
        return "a text string"
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return "a map"
    return "an extension type"
