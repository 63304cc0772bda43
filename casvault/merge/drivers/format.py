"""What a structured driver needs to know of a format."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from casvault.merge.drivers.values import Value

PARSER_ERRORS: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    RecursionError,
)
"""What a parser may raise besides its own errors, on input that its authors did not think of."""

_COMMENT: Final = re.compile(rb"(?:^|(?<=[ \t\r]))#[^\r\n]*", re.MULTILINE)


class Format(Protocol):
    """A pure function of bytes, each; none of them raises, whatever it is given."""

    @property
    def limit(self) -> int:
        """Larger files are not read, in bytes."""
        ...

    def read(self, data: bytes) -> Value | None:
        """What the file says; None if it is not well-formed, nested too deep, or says what values cannot."""
        ...

    def edit(self, host: bytes, donor: bytes, wanted: Value) -> bytes | None:
        """The host changed so that it says what is wanted, which is made of what the two say; None if it cannot.

        The caller checks what it says, and what became of the comments.
        """
        ...

    def comments(self, data: bytes) -> Counter[bytes]:
        """The comments, with how often each occurs."""
        ...


def find_comments(data: bytes) -> Counter[bytes]:
    """What reads like a comment after #; some of it may be in strings, where it is no less wanted."""
    return Counter(found.strip() for found in _COMMENT.findall(data))
