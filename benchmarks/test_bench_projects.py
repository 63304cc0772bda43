"""Looking at projects: one of them, and a fleet, with nothing changed since the last look."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.datasets import Fleet
from casvault import Status, Vault

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 5


@pytest.fixture(scope="module")
def fleet(place: Path) -> Fleet:
    """Always whole: the figures that the promise is about are small."""
    made = Fleet()
    made.generate(place / "fleet")
    vault, _ = Vault.init(place / "fleet" / "lib")
    for project in made.projects_in(place / "fleet"):
        vault.deploy(made.names, project)
    assert {row.status for row in vault.drift().rows} == {Status.IN_SYNC}
    return made


def test_drift_of_all_projects(benchmark: Any, place: Path, fleet: Fleet) -> None:
    vault = Vault.open(place / "fleet" / "lib")
    result = benchmark.pedantic(vault.drift, rounds=ROUNDS, warmup_rounds=1)
    assert len(result.rows) == fleet.projects * fleet.artifacts


def test_drift_of_one_project(benchmark: Any, place: Path, fleet: Fleet) -> None:
    vault = Vault.open(place / "fleet" / "lib")
    project = next(fleet.projects_in(place / "fleet"))
    result = benchmark.pedantic(vault.drift, (project,), rounds=ROUNDS, warmup_rounds=1)
    assert len(result.rows) == fleet.artifacts


@pytest.mark.parametrize("what", ["all", "one"])
def test_drift_as_a_process(benchmark: Any, place: Path, fleet: Fleet, what: str) -> None:
    """The same from the shell: start-up, output and all."""
    chosen = ["--all"] if what == "all" else ["--project", str(next(fleet.projects_in(place / "fleet")))]
    command = [sys.executable, "-m", "casvault", "drift", *chosen, "-C", str(place / "fleet" / "lib")]
    result = benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, text=True, check=True), rounds=ROUNDS, warmup_rounds=1
    )
    assert result.stdout.count("in_sync") == fleet.artifacts * (fleet.projects if what == "all" else 1)
