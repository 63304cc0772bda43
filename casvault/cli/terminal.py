"""Text for people: quoting, colour, columns, and the two streams."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING

from typer import style

from casvault.cli.environment import allows_colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.oid import Oid

_ODD = re.compile(rb'[\x00-\x1f\x7f"\\]')
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPES = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
_CHANGES = {"added": ("A", "green"), "modified": ("M", "yellow"), "removed": ("D", "red")}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def write_bytes(pieces: Iterable[bytes]) -> None:
    """Bytes as they are, after what was said."""
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def warn(message: str, hint: str | None = None) -> None:
    _tell("warning", "yellow", message, hint)


def complain(message: str, hint: str | None, details: Sequence[str] = ()) -> None:
    """An error: one line, then one for each detail, then what to do about it."""
    _tell("error", "red", message, None)
    for detail in details:
        sys.stderr.write(f"  {printable(detail)}\n")
    if hint:
        sys.stderr.write(f"hint: {printable(hint)}\n")


def _tell(word: str, colour: str, message: str, hint: str | None) -> None:
    sys.stdout.flush()  # so that both streams read in order where they are one
    label = style(f"{word}:", fg=colour, bold=True) if sys.stderr.isatty() and allows_colour() else f"{word}:"
    sys.stderr.write(f"{label} {_one_line(message)}\n")
    if hint:
        sys.stderr.write(f"hint: {_one_line(hint)}\n")


def is_colourful() -> bool:
    return sys.stdout.isatty() and allows_colour()


def coloured(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """Text in a colour, if stdout shows colours."""
    return style(text, fg=colour, bold=bold or None, dim=dim or None) if is_colourful() else text


def printable(text: str) -> str:
    """Text in which nothing can move the cursor or is no character; lines and tabs stay."""
    return _UNPRINTABLE.sub(_escaped_sign, text)


def _escaped_sign(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in match.group().encode(errors="surrogateescape"))


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")


def quoted(path: str) -> str:
    """A path as git prints it with core.quotePath off: in quotes and escaped if anything about it is odd."""
    raw = path.encode(errors="surrogateescape")
    return quoted_bytes(raw).decode()


def quoted_bytes(raw: bytes) -> bytes:
    try:
        raw.decode()
    except UnicodeDecodeError:
        odd = re.compile(rb'[\x00-\x1f\x7f"\\\x80-\xff]')
    else:
        odd = _ODD
    if not odd.search(raw):
        return raw
    return b'"' + odd.sub(lambda match: _escaped_byte(match.group()[0]), raw) + b'"'


def _escaped_byte(byte: int) -> bytes:
    return _ESCAPES.get(byte) or b"\\%03o" % byte


def short(oid: Oid | None) -> str:
    return "-" if oid is None else coloured(oid.short, "yellow")


def count(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def moment(seconds: int, zone: str) -> str:
    """A time where it was taken: `2026-03-01 12:00:05 +0100`."""
    sign = -1 if zone.startswith("-") else 1
    offset = sign * (int(zone[1:3]) * 60 + int(zone[3:5])) if len(zone) == 5 and zone[1:].isdigit() else 0
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds + offset * 60)) + f" {zone}"


def changed(change: str, path: str) -> str:
    """A line for a file or an artifact that was added, modified or removed."""
    sign, colour = _CHANGES[change]
    return f"  {coloured(sign, colour)}  {quoted(path)}"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell; colours do not count."""
    if not rows:
        return []
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(cell: str) -> int:
    return len(_ANSI.sub("", cell))
