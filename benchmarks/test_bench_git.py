"""Importing git repositories, and exporting them again."""

from __future__ import annotations

import subprocess
from statistics import median
from typing import TYPE_CHECKING

import pytest

from benchmarks.datasets import SCALE, GitHistory
from benchmarks.measure import measure
from benchmarks.merges import timed
from casvault import Vault
from casvault.interop.git import ImportOptions, export_repository, import_repository

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from casvault.interop.git import ExportResult, ImportResult

OPTIONS = ImportOptions()


@pytest.fixture(scope="module")
def source(place: Path) -> tuple[Path, int]:
    """A repository, and how many objects it has."""
    path = place / "source.git"
    return path, GitHistory().scaled(SCALE).generate(path)


def test_git_import(benchmark: BenchmarkFixture, place: Path, source: tuple[Path, int]) -> None:
    """Into a new vault, until it is durable. The rate is in the list below."""
    path, objects = source
    vaults: list[Vault] = []

    def new_vault() -> tuple[Vault]:
        directory = place / f"git-{len(vaults)}"
        directory.mkdir()
        vaults.append(Vault.init(directory)[0])
        return (vaults[-1],)

    def run(vault: Vault) -> ImportResult:
        return import_repository(vault, path, options=OPTIONS)

    result = measure(benchmark, run, before=new_vault)
    assert (result.objects, result.missing) == (objects, ())
    _note_rate(benchmark, objects)
    spent = [timed(lambda: run(*new_vault()))[0].cpu for _ in range(5)]
    benchmark.extra_info["objects_per_second_of_processor_time"] = round(objects / median(spent))


def test_git_import_of_what_is_there(benchmark: BenchmarkFixture, place: Path, source: tuple[Path, int]) -> None:
    path, _ = source
    (place / "again").mkdir()
    vault, _ = Vault.init(place / "again")
    import_repository(vault, path, options=OPTIONS)
    result = measure(benchmark, lambda: import_repository(vault, path, options=OPTIONS))
    assert (result.objects, result.outcome.operation) == (0, None)


def test_git_export(benchmark: BenchmarkFixture, place: Path, source: tuple[Path, int]) -> None:
    """Into a new repository."""
    path, objects = source
    (place / "full").mkdir()
    vault, _ = Vault.init(place / "full")
    import_repository(vault, path, options=OPTIONS)
    made: list[Path] = []

    def run() -> ExportResult:
        made.append(place / f"out-{len(made)}.git")
        return export_repository(vault, made[-1])

    assert measure(benchmark, run).objects == objects
    assert _refs(made[-1]) == _refs(path)
    _note_rate(benchmark, objects)


def _note_rate(benchmark: BenchmarkFixture, objects: int) -> None:
    benchmark.extra_info["objects"] = objects
    if benchmark.stats is not None:
        benchmark.extra_info["objects_per_second"] = round(objects / benchmark.stats.stats.median)


def _refs(path: Path) -> bytes:
    return subprocess.run(["git", f"--git-dir={path}", "for-each-ref"], check=True, capture_output=True).stdout
