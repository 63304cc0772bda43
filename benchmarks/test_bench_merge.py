"""Merge bases in a deep history, and merges of texts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import pytest

from benchmarks.datasets import SCALE, DeepHistory, Texts
from benchmarks.measure import measure
from benchmarks.merges import Trees, WideMerge, ratio, timed
from casvault import Vault
from casvault.history import CommitGraph
from casvault.merge.content import MergedContent, merge_content
from casvault.repository import CONTROL, Repository
from casvault.store import PackDatabase
from casvault.text.merge3 import merge_text

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from casvault.oid import Oid


class Deep(NamedTuple):
    """A vault with a deep history beside its own."""

    vault: Path
    fork: Oid
    left: Oid
    right: Oid

    @property
    def graph_file(self) -> Path:
        return self.vault / "cache/commits.graph"

    def ask(self) -> list[Oid]:
        """As a new process does: nothing is open yet."""
        return Repository.open(self.vault).graph().merge_bases(self.left, self.right)


@pytest.fixture(scope="module")
def deep(place: Path) -> Deep:
    directory = place / "deep"
    directory.mkdir()
    Vault.init(directory)
    repository = Repository.open(directory / CONTROL)
    stage = repository.begin()
    tips = DeepHistory().scaled(SCALE).write(stage)
    stage.publish()
    return Deep(directory / CONTROL, *tips)


def test_merge_base_in_a_deep_history(benchmark: BenchmarkFixture, deep: Deep) -> None:
    """Without the commit graph: the commits of both branches down to the fork are read and decoded."""

    def merge_bases() -> list[Oid]:
        return CommitGraph(PackDatabase(deep.vault / "packs")).merge_bases(deep.left, deep.right)

    assert measure(benchmark, merge_bases) == [deep.fork]


def test_first_merge_base_in_a_deep_history(benchmark: BenchmarkFixture, deep: Deep) -> None:
    """The same, and all commits go into a commit graph, which is saved."""

    def forget_graph() -> None:
        deep.graph_file.unlink(missing_ok=True)

    assert measure(benchmark, deep.ask, before=forget_graph) == [deep.fork]
    benchmark.extra_info["graph bytes"] = deep.graph_file.stat().st_size


def test_merge_base_with_the_graph_cached(benchmark: BenchmarkFixture, deep: Deep) -> None:
    deep.ask()
    assert deep.graph_file.exists()
    assert measure(benchmark, deep.ask, rounds=50) == [deep.fork]


ASK = """
import sys
from pathlib import Path
from time import perf_counter
from casvault.oid import Oid
from casvault.repository import Repository
vault, *names = sys.argv[1:]
ids = map(Oid.from_hex, names)
began = perf_counter()
(base,) = Repository.open(Path(vault)).graph().merge_bases(*ids)
print(base, perf_counter() - began)
"""


def test_merge_base_in_a_new_process(benchmark: BenchmarkFixture, deep: Deep) -> None:
    """The whole process; beside it, by its own clock, what comes after the start and the imports."""
    deep.ask()
    command = [sys.executable, "-c", ASK, *map(str, (deep.vault, deep.left, deep.right))]
    beyond: list[float] = []

    def ask() -> str:
        base, seconds = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment()
        ).stdout.split()
        beyond.append(float(seconds))
        return base

    assert measure(benchmark, ask, rounds=21, warmup_rounds=2) == str(deep.fork)
    benchmark.extra_info["µs beyond start-up"] = round(1e6 * median(beyond[2:]))


def environment() -> dict[str, str]:
    """Without what would make each start compile everything anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def test_merge_texts(benchmark: BenchmarkFixture) -> None:
    texts = Texts()
    base, ours, theirs = texts.generate()
    merged = benchmark(merge_text, base, ours, theirs).content
    assert merged is not None
    changed = sum(new != old for new, old in zip(merged.splitlines(), base.splitlines(), strict=True))
    assert changed == 2 * len(range(0, texts.lines, texts.edit_every))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is compared with and is not installed")
def test_merge_many_texts_beside_git(benchmark: BenchmarkFixture, place: Path) -> None:
    """Texts of 3,000 lines, each triple another one; beside it `git merge-file`, a process a triple, on the same files.

    The ratio is of processor time, casvault's over git's, each round anew.
    """
    triples = [Texts(seed=seed).generate() for seed in range(round(300 * min(SCALE, 1)))]
    rounds = []
    for _ in range(5):
        spent = [_merge_with_both(place, *triple) for triple in triples]
        rounds.append([sum(each) for each in zip(*spent, strict=True)])
    measure(benchmark, lambda: [merge_content(*triple) for triple in triples])
    benchmark.extra_info["git ms"] = round(1e3 * median(git for _, git in rounds))
    benchmark.extra_info["ratio"] = round(median(ours / git for ours, git in rounds), 2)


def _merge_with_both(place: Path, base: bytes, ours: bytes, theirs: bytes) -> tuple[float, float]:
    """Seconds of processor time that casvault took, and git."""
    names = [place / name for name in ("ours.txt", "base.txt", "theirs.txt")]
    for name, data in zip(names, (ours, base, theirs), strict=True):
        name.write_bytes(data)
    git, merged = timed(lambda: subprocess.run(["git", "merge-file", "-p", *names], check=True, capture_output=True))
    spent, found = timed(lambda: merge_content(base, ours, theirs))
    assert found == MergedContent(merged.stdout)
    return spent.cpu, git.cpu


@pytest.mark.skipif(shutil.which("git") is None, reason="git is compared with and is not installed")
def test_merge_large_trees_beside_git(benchmark: BenchmarkFixture, place: Path) -> None:
    """A thousand changes a side in a hundred thousand files, at scale 1: in process with the vault open, the result
    stored; beside it the whole process of `git merge-tree`. The ratios are casvault's time over git's.
    """
    data = WideMerge().scaled(SCALE)
    trees = Trees(place / "wide", data)
    rounds = [(trees.merge_in_process()[0], trees.merge_with_git()) for _ in range(5)]
    measure(benchmark, trees.merge_in_process)
    found = ratio(*map(list, zip(*rounds, strict=True)))
    benchmark.extra_info["files"] = data.files
    benchmark.extra_info["git ms"] = round(1e3 * median(git.wall for _, git in rounds))
    benchmark.extra_info["ratio"] = round(found.wall, 2)
    benchmark.extra_info["ratio of processor time"] = round(found.cpu, 2)


def test_merge_texts_with_conflicts(benchmark: BenchmarkFixture) -> None:
    """Ours against an edit of ours: every one of its changes clashes."""
    texts = Texts()
    base, ours, _ = texts.generate()
    mine = ours.splitlines(keepends=True)
    mine[:: texts.edit_every] = [b"mine\n"] * len(mine[:: texts.edit_every])
    merge = benchmark(merge_text, base, ours, b"".join(mine))
    assert len(merge.conflicts) == len(range(0, texts.lines, texts.edit_every))
