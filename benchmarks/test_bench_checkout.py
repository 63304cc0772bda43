"""Writing a snapshot out into a new directory."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.datasets import digests, forget
from benchmarks.measure import measure
from casvault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from casvault.worktree.applying import Applied


def test_restore_small_files(benchmark: BenchmarkFixture, library: Path, place: Path) -> None:
    _restore(benchmark, library, place / "restored")


def test_restore_large_files(benchmark: BenchmarkFixture, large_files: Path, place: Path) -> None:
    Vault.init(large_files)
    _restore(benchmark, large_files, place / "restored")
    forget(large_files)


def _restore(benchmark: BenchmarkFixture, source: Path, target: Path) -> None:
    def restore() -> Applied:
        return Vault.open(source).restore_to(target)

    measure(benchmark, restore, before=lambda: shutil.rmtree(target, ignore_errors=True))
    assert digests(target) == digests(source)
    shutil.rmtree(target)
