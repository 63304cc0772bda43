"""Status of a collection of small files, from opening the vault to the answer."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from benchmarks.measure import measure
from casvault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from benchmarks.datasets import SmallFiles
    from casvault.vault.results.collections import CollectionStatus

CHANGES = 10


def _status(directory: Path) -> CollectionStatus:
    return Vault.open(directory).status()


def test_status_warm(benchmark: BenchmarkFixture, library: Path) -> None:
    """The stat cache knows every file."""
    _status(library)
    assert measure(benchmark, lambda: _status(library), rounds=10).changes == ()


def test_status_cold(benchmark: BenchmarkFixture, library: Path) -> None:
    """Without a stat cache: every file is read and hashed."""

    def forget_cache() -> None:
        caches = list((library / ".casvault" / "cache").glob("*.stat"))
        assert len(caches) == 1, "each status leaves a cache, and it is where this benchmark removes it"
        caches[0].unlink()

    assert measure(benchmark, lambda: _status(library), before=forget_cache).changes == ()


def test_status_after_changes(benchmark: BenchmarkFixture, library: Path, small: SmallFiles) -> None:
    """A file in each of ten artifacts is other than in the snapshot and other than in the cache."""
    numbers = range(0, small.artifacts, small.artifacts // CHANGES)[:CHANGES]
    files = [library / f"skills/skill-{number:05d}/SKILL.md" for number in numbers]
    before = {path: path.read_bytes() for path in files}
    rounds = count()

    def change() -> None:
        number = next(rounds)
        for path, content in before.items():
            path.write_bytes(content + b"round %d\n" % number)

    found = measure(benchmark, lambda: _status(library), before=change, rounds=10)
    assert [change.path for change in found.changes] == [str(path.parent.relative_to(library)) for path in before]
    for path, content in before.items():
        path.write_bytes(content)
