"""Getting data in: first snapshots of directories, and single artifacts through the API."""

from __future__ import annotations

import subprocess
import sys
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.datasets import SCALE, LargeFiles, SmallFiles, WideCollection, disk_bytes, forget
from benchmarks.measure import measure
from casvault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

IN_A_FRESH_PROCESS = """
import sys
from casvault import Vault
Vault.init(sys.argv[1])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_first_snapshot_of_small_files(benchmark: BenchmarkFixture, small: SmallFiles, small_files: Path) -> None:
    vault = _first_snapshot(benchmark, small_files, small.artifacts)
    assert sum(line.kind == "blob" for line in vault.ls_tree("@", recursive=True)) == small.files
    benchmark.extra_info["files"] = small.files
    forget(small_files)


def test_first_snapshot_of_large_files(benchmark: BenchmarkFixture, large: LargeFiles, large_files: Path) -> None:
    vault = _first_snapshot(benchmark, large_files, large.files)
    assert [line.size for line in vault.ls_tree("@", recursive=True)] == [large.size] * large.files
    forget(large_files)


def _first_snapshot(benchmark: BenchmarkFixture, directory: Path, artifacts: int) -> Vault:
    vault, result = measure(benchmark, lambda: Vault.init(directory), before=lambda: forget(directory))
    assert result.created
    assert len(result.changes) == artifacts
    assert vault.status().changes == ()
    benchmark.extra_info["bytes_on_disk"] = disk_bytes(directory / ".casvault")
    if sys.platform == "linux":
        benchmark.extra_info["peak_bytes_of_a_process"] = _peak_memory(directory)
    return Vault.open(directory)


def _peak_memory(directory: Path) -> int:
    forget(directory)
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, str(directory)]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True).stdout)


def test_snapshots_of_single_artifacts(benchmark: BenchmarkFixture, place: Path) -> None:
    """Each in a transaction of its own. The time of one must not grow with their number."""
    wide = WideCollection().scaled(SCALE)
    vault, _ = Vault.init(place / "api")
    with vault.transaction("import") as tx:
        for path, content in wide.iter_artifacts():
            tx.collection("lib").put(path, content)
    changes = list(wide.iter_changes())
    coming = iter(changes)

    def put(path: str, content: bytes) -> None:
        with vault.transaction() as tx:
            tx.collection("lib").put(path, content)

    measure(benchmark, put, before=lambda: next(coming), rounds=wide.changes)
    done = changes if benchmark.enabled else changes[:1]
    assert len(vault.operations()) == len(done) + 2
    expected = {**dict(wide.iter_artifacts()), **dict(done)}
    assert {path: vault.read_files("lib", path)[""] for path in expected} == expected
    if benchmark.stats is not None:
        times, tenth = benchmark.stats.stats.data, wide.changes // 10
        benchmark.extra_info["first_tenth_µs"] = round(1e6 * mean(times[:tenth]))
        benchmark.extra_info["last_tenth_µs"] = round(1e6 * mean(times[-tenth:]))
    benchmark.extra_info["bytes_on_disk"] = disk_bytes(place / "api")
