"""Merge bases in a deep history, and merges of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.datasets import SCALE, DeepHistory, Texts
from benchmarks.measure import measure
from casvault.history import CommitGraph
from casvault.store import PackDatabase
from casvault.text.merge3 import merge_text

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from casvault.oid import Oid


def test_merge_base_in_a_deep_history(benchmark: BenchmarkFixture, place: Path) -> None:
    """From a newly opened database: the commits of both branches down to the fork are read and decoded."""
    directory = place / "history"
    directory.mkdir()
    stage = PackDatabase(directory).begin()
    fork, left, right = DeepHistory().scaled(SCALE).write(stage)
    stage.publish()

    def merge_bases() -> list[Oid]:
        return CommitGraph(PackDatabase(directory)).merge_bases(left, right)

    assert measure(benchmark, merge_bases) == [fork]


def test_merge_texts(benchmark: BenchmarkFixture) -> None:
    texts = Texts()
    base, ours, theirs = texts.generate()
    merged = benchmark(merge_text, base, ours, theirs).content
    assert merged is not None
    changed = sum(new != old for new, old in zip(merged.splitlines(), base.splitlines(), strict=True))
    assert changed == 2 * len(range(0, texts.lines, texts.edit_every))


def test_merge_texts_with_conflicts(benchmark: BenchmarkFixture) -> None:
    """Ours against an edit of ours: every one of its changes clashes."""
    texts = Texts()
    base, ours, _ = texts.generate()
    mine = ours.splitlines(keepends=True)
    mine[:: texts.edit_every] = [b"mine\n"] * len(mine[:: texts.edit_every])
    merge = benchmark(merge_text, base, ours, b"".join(mine))
    assert len(merge.conflicts) == len(range(0, texts.lines, texts.edit_every))
