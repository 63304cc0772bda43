"""Reports over a long chain of operations, each of which changed one artifact of a large collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.datasets import SCALE
from benchmarks.measure import measure
from casvault import Vault

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

OPERATIONS = max(50, round(2_000 * SCALE))
ARTIFACTS = 500


@pytest.fixture(scope="module")
def vault() -> Vault:
    vault = Vault.in_memory()
    with vault.transaction() as transaction:
        collection = transaction.collection("lib")
        for number in range(ARTIFACTS):
            collection.put(f"skills/{number:05}", b"%d" % number)
    for number in range(OPERATIONS):
        with vault.transaction() as transaction:
            transaction.collection("lib").put(f"skills/{number % ARTIFACTS:05}", b"new %d" % number)
    return vault


def test_audit_of_the_newest(benchmark: BenchmarkFixture, vault: Vault) -> None:
    found = measure(benchmark, lambda: list(vault.iter_audit(limit=20)), rounds=20)
    assert len(found) == 20


def test_audit_of_everything(benchmark: BenchmarkFixture, vault: Vault) -> None:
    """A snapshot and a version for each operation, and the first with all artifacts."""
    count = measure(benchmark, lambda: sum(1 for _ in vault.iter_audit()))
    assert count == 2 * OPERATIONS + 1 + ARTIFACTS


def test_verify_the_chain(benchmark: BenchmarkFixture, vault: Vault) -> None:
    result = measure(benchmark, vault.verify_operations)
    assert (result.operations, result.first_break) == (OPERATIONS + 1, None)


def test_conflicts_where_there_are_none(benchmark: BenchmarkFixture, vault: Vault) -> None:
    assert measure(benchmark, vault.conflicts) == []


def test_figures(benchmark: BenchmarkFixture, vault: Vault) -> None:
    found = measure(benchmark, vault.figures)
    assert found.operations == OPERATIONS + 1
