"""What the benchmarks share: a place to work in, data sets, and a list of what was measured beside the times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.datasets import SCALE, LargeFiles, SmallFiles, forget, workplace
from casvault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    with workplace() as directory:
        yield directory


@pytest.fixture(scope="session")
def small() -> SmallFiles:
    return SmallFiles().scaled(SCALE)


@pytest.fixture(scope="session")
def large() -> LargeFiles:
    return LargeFiles().scaled(SCALE)


@pytest.fixture(scope="session")
def small_files(place: Path, small: SmallFiles) -> Path:
    """The directory of small files; whoever makes a vault in it removes it with `forget`."""
    small.generate(place / "small")
    return place / "small"


@pytest.fixture(scope="session")
def large_files(place: Path, large: LargeFiles) -> Path:
    large.generate(place / "large")
    return place / "large"


@pytest.fixture
def library(small_files: Path) -> Iterator[Path]:
    """The small files as a collection."""
    Vault.init(small_files)
    yield small_files
    forget(small_files)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The figures that are no times, which pytest-benchmark writes to its JSON only."""
    session = getattr(config, "_benchmarksession", None)
    terminalreporter.write_line(f"scale {SCALE:g}; load average {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    for bench in getattr(session, "benchmarks", ()):
        if bench.extra_info:
            figures = ", ".join(f"{key} {value:,}" for key, value in bench.extra_info.items())
            terminalreporter.write_line(f"{bench.name}: {figures}")
