"""Directories for the stories: in memory where that is possible, for on a disk most of the time goes into syncing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.scene import Scene, make_scene


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that other users can look into."""
    memory = Path("/dev/shm")
    fast = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="casvault-test-", dir=fast) as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def scene(place: Path) -> Scene:
    return make_scene(place)
