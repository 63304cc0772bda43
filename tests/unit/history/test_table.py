"""Answers from a table of the whole history, and what is kept of it between commands."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.errors import MissingObjectError
from casvault.formats.commitgraph import Graph, decode_graph, encode_graph
from casvault.graph import count_ahead_behind, independent, is_ancestor, iter_topological, merge_bases
from casvault.history import CommitGraph, CommitTable
from casvault.history.commits import MANY_COMMITS
from casvault.objects import FILE, Commit, MemoryObjects, Root, Signature, write_blob, write_commit
from casvault.oid import NULL_ID
from tests.support.graphs import random_parents

if TYPE_CHECKING:
    from casvault.formats.commitgraph import Columns
    from casvault.oid import Oid

OWNER = bytes(32)


class MemoryCache:
    """A cache that keeps bytes."""

    def __init__(self) -> None:
        self.saved: list[bytes] = []

    def load(self) -> Graph | None:
        return decode_graph(self.saved[-1], OWNER) if self.saved else None

    def save(self, columns: Columns) -> None:
        self.saved.append(b"".join(encode_graph(columns, OWNER)))


class Counting(MemoryObjects):
    """Objects that count how often one is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[Oid] = []

    def read_many(self, ids):  # type: ignore[no-untyped-def]
        wanted = list(ids)
        self.reads += wanted
        return super().read_many(wanted)


def commit(store: MemoryObjects, message: str, parents: list[Oid], seconds: int = 0) -> Oid:
    who = Signature(b"Ada", b"ada@example.org", seconds, b"+0000")
    root = Root(FILE, 1, write_blob(store, b"x"))
    return write_commit(store, Commit(root, tuple(parents), who, who, message.encode()))


def chain(store: MemoryObjects, name: str, length: int, tip: list[Oid]) -> list[Oid]:
    """The commits of a line, the oldest first."""
    made: list[Oid] = []
    for number in range(length):
        tip = [commit(store, f"{name} {number}", tip)]
        made += tip
    return made


def forked() -> tuple[Counting, Oid, Oid, Oid]:
    """A fork with two long branches: it, and the tips."""
    store = Counting()
    fork = commit(store, "fork", [])
    left, right = (chain(store, name, MANY_COMMITS, [fork])[-1] for name in ("left", "right"))
    store.memo.clear()
    return store, fork, left, right


def test_many_commits_are_read_once_and_then_no_more() -> None:
    store, fork, left, right = forked()
    cache = MemoryCache()
    assert CommitGraph(store, cache).merge_bases(left, right) == [fork]
    assert sorted(store.reads) == sorted(set(store.reads))
    assert len(cache.saved) == 1
    store.reads.clear()
    store.memo.clear()
    assert CommitGraph(store, cache).merge_bases(left, right) == [fork]
    assert sorted(store.reads) == sorted([left, right])
    assert len(cache.saved) == 1


def test_few_commits_are_not_worth_a_cache() -> None:
    store = MemoryObjects()
    tip = chain(store, "line", MANY_COMMITS - 1, [])
    cache = MemoryCache()
    graph = CommitGraph(store, cache)
    assert graph.is_ancestor(tip[0], tip[-1])
    assert graph.count_ahead_behind(tip[0], tip[-1]) == (0, MANY_COMMITS - 2)
    assert cache.saved == []


def test_newer_commits_are_read_and_saved_when_they_are_many() -> None:
    store, fork, left, right = forked()
    cache = MemoryCache()
    CommitGraph(store, cache).merge_bases(left, right)
    few = chain(store, "few", 3, [left])
    store.reads.clear()
    store.memo.clear()
    assert CommitGraph(store, cache).merge_bases(few[-1], right) == [fork]
    assert sorted(store.reads) == sorted([*few, right])
    assert len(cache.saved) == 1
    many = chain(store, "many", MANY_COMMITS, few[-1:])
    assert CommitGraph(store, cache).merge_bases(many[-1], few[-1]) == [few[-1]]
    assert len(cache.saved) == 2
    saved = cache.load()
    assert saved is not None
    assert saved.columns.commits == 3 * MANY_COMMITS + 4


def test_the_newest_of_a_long_history_are_listed_without_reading_the_rest() -> None:
    store, _, left, _ = forked()
    cache = MemoryCache()
    CommitGraph(store, cache).count_ahead_behind(left, left)
    store.reads.clear()
    store.memo.clear()
    found = [item[1].message for item in islice(CommitGraph(store, cache).iter_children_first([left]), 3)]
    assert found == [b"left %d" % (MANY_COMMITS - number) for number in (1, 2, 3)]
    assert len(store.reads) == 3


def test_a_command_that_goes_on_saves_now_and_then() -> None:
    store = MemoryObjects()
    cache = MemoryCache()
    graph = CommitGraph(store, cache)
    for number in range(40):
        line = chain(store, f"line {number}", MANY_COMMITS // 4, [])
        assert graph.count_ahead_behind(line[0], line[-1]) == (0, len(line) - 1)
    sizes = [decode_graph(each, OWNER).columns.commits for each in cache.saved]
    assert sizes == [MANY_COMMITS, 2 * MANY_COMMITS, 4 * MANY_COMMITS, 8 * MANY_COMMITS]


def test_a_commit_of_the_cache_that_the_vault_does_not_have_is_missing() -> None:
    """The graph was saved by a transaction that was given up: what it wrote must not seem to be there."""
    store, _, left, right = forked()
    cache = MemoryCache()
    CommitGraph(store, cache).merge_bases(left, right)
    graph = CommitGraph(MemoryObjects(), cache)
    for question in (graph.merge_bases, graph.is_ancestor, graph.count_ahead_behind):
        with pytest.raises(MissingObjectError, match=str(left)):
            question(left, right)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_all_answers_equal_those_from_the_commits(seed: int, size: int) -> None:
    """The first part of the history comes from the cache, the rest from the store."""
    rng = random.Random(seed)
    store = MemoryObjects()
    ids: list[Oid] = []
    for number, parents in enumerate(random_parents(rng, size)):
        ids.append(commit(store, str(number), [ids[parent] for parent in parents], rng.randrange(-3, 3)))
    cache = MemoryCache()
    table = CommitTable()
    table.positions(rng.sample(ids, rng.randint(0, size)), CommitGraph(store).commit)
    cache.save(table.columns)
    one, other = rng.choice(ids), rng.choice(ids)
    some = rng.sample(ids, min(size, 4))
    plain, cached = CommitGraph(store), CommitGraph(store, cache)
    assert cached.merge_bases(one, other) == merge_bases(plain.parents, one, other)
    assert cached.is_ancestor(one, other) == is_ancestor(plain.parents, one, other)
    assert cached.independent(some) == independent(plain.parents, some)
    assert cached.count_ahead_behind(one, other) == count_ahead_behind(plain.parents, one, other)
    assert cached.merge_bases_with_any(one, some) == with_any(plain, one, some)
    dates = {oid: plain.commit(oid).committer.seconds for oid in ids}
    expected = list(iter_topological(plain.parents, some, dates.__getitem__))
    assert [oid for oid, _ in cached.iter_children_first(some)] == expected


def with_any(graph: CommitGraph, one: Oid, others: list[Oid]) -> list[Oid]:
    """By the definition: with a merge of the others, which is not there."""
    virtual = NULL_ID

    def parents_of(oid: Oid) -> list[Oid]:
        return others if oid == virtual else list(graph.parents(oid))

    return merge_bases(parents_of, one, virtual)
