"""Who does something and when: given to the vault, never looked up by it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import typed
from casvault.objects import Signature

if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], tuple[int, int]]


class Author(NamedTuple):
    name: str = "unknown"
    mail: str = ""


UNKNOWN = Author()


def system_clock() -> tuple[int, int]:
    """Seconds since 1970, and the offset of local time from UTC in minutes."""
    now = int(time.time())
    return now, time.localtime(now).tm_gmtoff // 60


def sign(author: Author, clock: Clock) -> Signature:
    """A signature of this moment."""
    seconds, offset = clock()
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02d}{abs(offset) % 60:02d}"
    return Signature(_clean(author.name), _clean(author.mail), seconds, zone.encode())


def _clean(text: str) -> bytes:
    return typed(" ".join(text.replace("\0", " ").split()))
