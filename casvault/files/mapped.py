"""Files as memory."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = 16 << 20
"""Bytes after which pages are given back."""


class Window:
    """A part of a mapped file, read once from its beginning to its end.

    Pages that were read are given back to the system, so that reading a file larger than memory does not fill it.
    """

    def __init__(self, data: mmap.mmap | bytes, start: int, end: int) -> None:
        self._data = data
        self._at = start
        self._end = end
        self._released = start - start % mmap.PAGESIZE

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        piece = self._data[self._at : min(self._at + size, self._end)]
        self._at += len(piece)
        if self._at - self._released > RELEASE and isinstance(self._data, mmap.mmap):
            length = (self._at - self._released) // mmap.PAGESIZE * mmap.PAGESIZE
            self._data.madvise(mmap.MADV_DONTNEED, self._released, length)
            self._released += length
        return piece


def map_file(path: Path) -> mmap.mmap | bytes:
    """The content of a file, mapped for reading; it stays readable after the file has lost its name.

    FileNotFoundError if it is not there. An empty file, which cannot be mapped, is returned as empty bytes.
    """
    # A FIFO in its place would otherwise not open before somebody writes to it; it counts as empty.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size == 0:
            return b""
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
