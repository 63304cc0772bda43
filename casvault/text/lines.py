"""Lines of a text as bytes: splitting, interning, telling text from binary."""

from collections.abc import Hashable, Iterable
from io import BytesIO
from itertools import count
from typing import Final

BINARY_PROBE: Final = 8192
"""How many leading bytes are searched for a NUL; git looks at about as many."""


def split_lines(data: bytes) -> list[bytes]:
    r"""Cut after every \n, endings kept: the lines concatenated are `data`. A lone \r ends no line."""
    return BytesIO(data).readlines()


def is_binary(data: bytes) -> bool:
    """Whether a NUL stands in the first 8 KiB."""
    return data.find(b"\0", 0, BINARY_PROBE) >= 0


def intern_lines(*files: Iterable[Hashable]) -> list[list[int]]:
    """Replace equal lines by equal small integers, the same ones in every file.

    A line's number is its place among all lines, where it first stands. Integers make comparison cheap, and they are
    exact: rapidfuzz takes elements of equal hash for equal, which is true of small non-negative integers alone.
    """
    places = count()
    table: dict[Hashable, int] = {}
    return [list(map(table.setdefault, lines, places)) for lines in files]
