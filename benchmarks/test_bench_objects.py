"""The object database: batches of reads and look-ups over one pack and over many, edits of a tree, small writes."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from benchmarks.datasets import SCALE, Text
from benchmarks.measure import measure
from casvault.objects import FILE, Entry, Kind, ObjectPublisher, decode_node, encode_leaf
from casvault.oid import Oid, blob_id
from casvault.store import PackDatabase
from casvault.trees import build_tree, edit_tree

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from casvault.objects import Root

OBJECTS = max(100, round(50_000 * SCALE))
"""Blobs, and as many trees."""
ASKED = max(50, OBJECTS // 5)
ENTRIES = 10_000
"""In the directory that is edited, at any scale."""


class Filled(NamedTuple):
    database: PackDatabase
    blobs: list[Oid]
    trees: list[Oid]


@pytest.fixture(scope="module", params=[1, 20], ids=lambda packs: f"{packs}-packs")
def filled(request: pytest.FixtureRequest, place: Path) -> Filled:
    """Blobs of 3 KB and trees of 32 entries, spread evenly over packs; what is asked for is in random order."""
    packs: int = request.param
    directory = place / f"{packs}-packs"
    directory.mkdir()
    database = PackDatabase(directory)
    rng = random.Random(5)
    text = Text(rng)
    blobs: list[Oid] = []
    trees: list[Oid] = []
    for _ in range(packs):
        stage = database.begin()
        blobs += stage.write_many((Kind.BLOB, text.words(465)) for _ in range(OBJECTS // packs))
        trees += stage.write_many((Kind.TREE, encode_leaf(_entries(rng, 32))) for _ in range(OBJECTS // packs))
        stage.publish()
    assert len(database.packs) == packs
    return Filled(database, rng.sample(blobs, ASKED), rng.sample(trees, ASKED))


def _entries(rng: random.Random, number: int) -> list[Entry]:
    return [Entry(b"file-%05d" % i, FILE, i, Oid(rng.randbytes(32))) for i in range(number)]


def test_read_blobs(benchmark: BenchmarkFixture, filled: Filled) -> None:
    found = benchmark(lambda: list(filled.database.read_many(filled.blobs)))
    assert [blob_id(content) for _, content in found] == filled.blobs
    benchmark.extra_info["objects"] = ASKED


def test_read_trees(benchmark: BenchmarkFixture, filled: Filled) -> None:
    """Decoded, as all who read trees need them."""
    found = benchmark(lambda: [decode_node(data) for _, data in filled.database.read_many(filled.trees)])
    assert [node.length for node in found] == [32] * ASKED
    benchmark.extra_info["objects"] = ASKED


def test_find_infos_hits(benchmark: BenchmarkFixture, filled: Filled) -> None:
    assert None not in benchmark(filled.database.find_infos, filled.blobs)
    benchmark.extra_info["objects"] = ASKED


def test_find_infos_misses(benchmark: BenchmarkFixture, filled: Filled) -> None:
    absent = [blob_id(b"%d" % number) for number in range(ASKED)]
    assert benchmark(filled.database.find_infos, absent) == [None] * ASKED
    benchmark.extra_info["objects"] = ASKED


def test_edit_of_a_wide_tree(benchmark: BenchmarkFixture, place: Path) -> None:
    """One name of 10,000, in a process that has read the tree before."""
    database = _new_database(place / "wide")
    entries = _entries(random.Random(6), ENTRIES)
    stage = database.begin()
    tree = build_tree(stage, entries)
    stage.publish()
    new = entries[ENTRIES // 2]._replace(size=1, id=blob_id(b"new"))

    def edit(stage: ObjectPublisher) -> Root:
        return edit_tree(stage, tree.id, {new.name: new})

    found = measure(benchmark, edit, before=lambda: (database.begin(),), rounds=200, warmup_rounds=1)
    entries[ENTRIES // 2] = new
    assert found == build_tree(database.begin(), entries)


def test_write_of_a_small_transaction(benchmark: BenchmarkFixture, place: Path) -> None:
    """Ten new blobs, until they are durable and visible."""
    database = _new_database(place / "small-transactions")
    numbers = count()
    written: list[Oid] = []

    def write(number: int) -> None:
        stage = database.begin()
        written[:] = stage.write_many((Kind.BLOB, b"%d of round %d" % (i, number)) for i in range(10))
        stage.publish()

    measure(benchmark, write, before=lambda: (next(numbers),), rounds=200)
    assert len(database.packs) == next(numbers)
    assert None not in PackDatabase(database.directory).find_infos(written)


def _new_database(directory: Path) -> PackDatabase:
    directory.mkdir()
    return PackDatabase(directory)
