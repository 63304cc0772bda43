"""The commit graph of a reader.

       b ── d
      /    / \\
    a ─── c   f      g stands alone
           \\ /
            e
"""

from __future__ import annotations

import pytest

from casvault.errors import DamageError, MissingObjectError
from casvault.history import CommitGraph
from casvault.objects import FILE, Commit, Kind, MemoryObjects, Root, Signature, write_blob, write_commit
from casvault.oid import Oid
from tests.support.objects import numbered_id

EDGES = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "c", "f": "de", "g": ""}


class Counting(MemoryObjects):
    """Objects that count how often one is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[Oid] = []

    def read_many(self, ids):  # type: ignore[no-untyped-def]
        wanted = list(ids)
        self.reads += wanted
        return super().read_many(wanted)


def make(store: MemoryObjects) -> dict[str, Oid]:
    found: dict[str, Oid] = {}
    for second, (name, parents) in enumerate(EDGES.items()):
        who = Signature(b"Ada", b"ada@example.org", 1_700_000_000 + second, b"+0000")
        root = Root(FILE, 1, write_blob(store, name.encode()))
        ids = tuple(found[parent] for parent in parents)
        found[name] = write_commit(store, Commit(root, ids, who, who, name.encode()))
    return found


@pytest.fixture
def ids() -> dict[str, Oid]:
    return make(STORE)


STORE = MemoryObjects()


def spell(ids: dict[str, Oid], found: list[Oid]) -> str:
    names = {oid: name for name, oid in ids.items()}
    return "".join(names[oid] for oid in found)


@pytest.mark.parametrize(
    ("one", "other", "bases"),
    [("b", "c", "a"), ("d", "e", "c"), ("f", "a", "a"), ("f", "f", "f"), ("a", "g", ""), ("d", "b", "b")],
)
def test_merge_bases(ids: dict[str, Oid], one: str, other: str, bases: str) -> None:
    assert spell(ids, CommitGraph(STORE).merge_bases(ids[one], ids[other])) == bases


@pytest.mark.parametrize(
    ("ancestor", "descendant", "expected"),
    [("a", "f", True), ("e", "f", True), ("f", "f", True), ("f", "a", False), ("b", "e", False), ("g", "f", False)],
)
def test_is_ancestor(ids: dict[str, Oid], ancestor: str, descendant: str, expected: bool) -> None:
    assert CommitGraph(STORE).is_ancestor(ids[ancestor], ids[descendant]) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("f", "f", (0, 0)), ("f", "c", (4, 0)), ("c", "f", (0, 4)), ("d", "e", (2, 1)), ("f", "g", (6, 1))],
)
def test_count_ahead_behind(ids: dict[str, Oid], one: str, other: str, expected: tuple[int, int]) -> None:
    assert CommitGraph(STORE).count_ahead_behind(ids[one], ids[other]) == expected


def test_independent_commits(ids: dict[str, Oid]) -> None:
    found = CommitGraph(STORE).independent(ids[name] for name in "abdeg")
    assert sorted(spell(ids, found)) == ["d", "e", "g"]


def test_iter_newest_first_every_commit_once(ids: dict[str, Oid]) -> None:
    found = [oid for oid, _ in CommitGraph(STORE).iter_newest_first([ids["f"], ids["d"]])]
    assert spell(ids, found) == "fedcba"


def test_iter_children_first_no_parent_before_its_child(ids: dict[str, Oid]) -> None:
    found = [oid for oid, _ in CommitGraph(STORE).iter_children_first([ids["f"]])]
    assert spell(ids, found) == "fedcba"


def test_iter_first_parents(ids: dict[str, Oid]) -> None:
    found = [oid for oid, _ in CommitGraph(STORE).iter_first_parents(ids["f"])]
    assert spell(ids, found) == "fdba"


def test_commit_is_read_once() -> None:
    store = Counting()
    made = make(store)
    store.memo.clear()
    graph = CommitGraph(store)
    for _ in range(3):
        graph.merge_bases(made["d"], made["e"])
    assert sorted(store.reads) == sorted(set(store.reads))


def test_commit_that_is_not_there() -> None:
    with pytest.raises(MissingObjectError):
        CommitGraph(MemoryObjects()).parents(numbered_id(1))


def test_commit_that_is_something_else() -> None:
    store = MemoryObjects()
    blob = store.write_many([(Kind.BLOB, b"x")])[0]
    with pytest.raises(DamageError, match="where a commit is referred to"):
        CommitGraph(store).commit(blob)
