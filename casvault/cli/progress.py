"""One line on the terminal that says what takes so long."""

from __future__ import annotations

import sys
import time
from typing import Final

PATIENCE: Final = 0.5
"""Seconds before anything is shown: most commands are done by then."""

INTERVAL: Final = 0.1

_WORDS: Final = {
    "scan": "looking at files",
    "read": "reading files",
    "write": "writing files",
    "verify": "checking objects",
    "walk": "checking references",
    "git": "git objects",
}


class ProgressLine:
    """A progress callback; silent where stderr is no terminal."""

    def __init__(self) -> None:
        self._enabled = sys.stderr.isatty()
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        if not self._enabled or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + INTERVAL
        self._shown = True
        of = f" of {total:,} ({done * 100 // total}%)" if total else ""
        sys.stderr.write(f"\r\x1b[K{_WORDS.get(phase, phase)}: {done:,}{of}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line, so that something else can be said."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
