"""Files as memory."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def map_file(path: Path) -> mmap.mmap | bytes:
    """The content of a file, mapped for reading; it stays readable after the file has lost its name.

    FileNotFoundError if it is not there. An empty file, which cannot be mapped, is returned as empty bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size == 0:
            return b""
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
