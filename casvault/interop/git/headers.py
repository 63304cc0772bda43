"""The text form that git's commits and tags share: headers, an empty line, a message.

A value of several lines goes on in lines that begin with a space. `format_text` is the inverse of `split_text` for
everything that git itself writes; for what others wrote, the caller compares.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from casvault.objects import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable

Header = tuple[bytes, bytes]

_SIGNATURE = re.compile(rb"(.*) <([^\n]*)> (-?[0-9]{1,19}) ([+-][0-9]{4,8})\Z")
_TIME = re.compile(rb"(?:\A| )(-?[0-9]{1,19}) ([+-][0-9]{4,8})\Z")
_MAX_SECONDS = (1 << 63) - 1


def split_text(content: bytes) -> tuple[list[Header], bytes]:
    """The headers in their order, values of several lines joined by line feeds, and the message."""
    head, _, message = content.partition(b"\n\n")
    headers: list[Header] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and headers:
            key, value = headers[-1]
            headers[-1] = (key, value + b"\n" + line[1:])
        else:
            key, _, value = line.partition(b" ")
            headers.append((key, value))
    return headers, message


def format_text(headers: Iterable[Header], message: bytes) -> bytes:
    lines = [b"%s %s\n" % (key, value.replace(b"\n", b"\n ")) for key, value in headers]
    return b"".join(lines) + b"\n" + message


def parse_signature(line: bytes) -> Signature:
    """Who and when; of a line that is not as git writes it, as much as can be made out."""
    found = _SIGNATURE.match(line)
    if found is not None and b"\0" not in line:
        name, mail, seconds, zone = found.groups()
        if abs(int(seconds)) <= _MAX_SECONDS:
            return Signature(name, mail, int(seconds), zone)
    return _guess_signature(line.replace(b"\0", b"").replace(b"\n", b" "))


def _guess_signature(line: bytes) -> Signature:
    time = _TIME.search(line)
    seconds, zone = (int(time[1]), time[2]) if time is not None else (0, b"+0000")
    who = line if time is None else line[: time.start()]
    name, _, rest = who.partition(b"<")
    mail = rest.partition(b">")[0]
    return Signature(name.strip(), mail.strip(), seconds if abs(seconds) <= _MAX_SECONDS else 0, zone)


def format_signature(signature: Signature) -> bytes:
    return b"%s <%s> %d %s" % signature
