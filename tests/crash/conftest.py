"""A directory for the sweeps: in memory where that is possible, for on a disk most of the time goes into syncing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def root() -> Iterator[Path]:
    memory = Path("/dev/shm")
    fast = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="casvault-test-", dir=fast) as name:
        yield Path(name)
