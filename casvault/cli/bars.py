"""Bars of block characters, and sizes, for the terminal."""

from __future__ import annotations

from casvault.cli.terminal import coloured

_PARTS = " ▏▎▍▌▋▊▉█"
WIDTH = 24


def bar(value: int, most: int, colour: str = "blue", width: int = WIDTH) -> str:
    """A bar as long as its part of the largest value; what is more than nothing shows."""
    eighths = round(8 * width * value / most) if most > 0 else 0
    if value > 0:
        eighths = max(1, eighths)
    full, rest = divmod(max(0, eighths), 8)
    return coloured("█" * full + (_PARTS[rest] if rest else ""), colour)


def size(value: float) -> str:
    """Bytes with a unit of a thousand, three digits or less: `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
