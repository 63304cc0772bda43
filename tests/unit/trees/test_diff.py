from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from casvault.objects import (
    EXECUTABLE,
    FILE,
    LINK,
    TREE,
    Entry,
    Fork,
    Kind,
    Memo,
    MemoryObjects,
    Root,
    read_node,
    write_nodes,
)
from casvault.oid import Oid, blob_id
from casvault.trees import READ_AHEAD, build_tree, diff_entries, diff_paths, edit_tree, iter_unshared
from tests.support.objects import entry, numbered_entries, numbered_id

ENTRIES = numbered_entries(1000)


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects()


def _tree(store: MemoryObjects, files: dict[str, object]) -> Root:
    """A tree out of nested dicts, with bytes as files."""
    entries = []
    for name, content in sorted(files.items()):
        if isinstance(content, dict):
            state = _tree(store, content)
        else:
            assert isinstance(content, bytes)
            state = Root(FILE, len(content), blob_id(content))
        entries.append(Entry(name.encode(), *state))
    return build_tree(store, entries)


def _changes(store: MemoryObjects, old: Root | None, new: Root | None) -> list[tuple[str, int | None, int | None]]:
    """Paths with the modes on both sides."""
    found = diff_paths(store, old, new)
    return [(c.path.decode(), c.old and c.old.mode, c.new and c.new.mode) for c in found]


def test_diff_entries_of_large_trees(store: MemoryObjects) -> None:
    old = build_tree(store, ENTRIES)
    changed, added = entry(b"name-0500", 1), entry(b"name-0500a")
    new = edit_tree(store, old.id, {changed.name: changed, added.name: added, b"name-0700": None})
    expected = [
        (b"name-0500", ENTRIES[500], changed),
        (b"name-0500a", None, added),
        (b"name-0700", ENTRIES[700], None),
    ]
    assert expected == diff_entries(store, old.id, new.id)
    assert [(name, b, a) for name, a, b in expected] == diff_entries(store, new.id, old.id)


def test_diff_entries_of_a_tree_and_nothing(store: MemoryObjects) -> None:
    tree = build_tree(store, ENTRIES[:3])
    assert [(each.name, None, each) for each in ENTRIES[:3]] == diff_entries(store, None, tree.id)
    assert [(each.name, each, None) for each in ENTRIES[:3]] == diff_entries(store, tree.id, None)
    assert diff_entries(store, None, None) == []


def test_diff_entries_of_equal_trees_reads_nothing() -> None:
    assert diff_entries(MemoryObjects(), numbered_id(1), numbered_id(1)) == []


@pytest.mark.parametrize("number", [10, 64, 65, 300])
def test_diff_entries_between_a_leaf_and_a_fork(store: MemoryObjects, number: int) -> None:
    old, new = build_tree(store, ENTRIES[:number]), build_tree(store, ENTRIES[:400])
    assert [each.name for each in ENTRIES[number:400]] == [name for name, _, _ in diff_entries(store, old.id, new.id)]


def test_iter_unshared_reads_only_what_differs(store: MemoryObjects) -> None:
    old = build_tree(store, ENTRIES)
    new = edit_tree(store, old.id, {b"name-0500": entry(b"name-0500", 1)})
    node = read_node(store, old.id)
    assert isinstance(node, Fork)
    before, after = iter_unshared(store, old.id, new.id)
    assert before.keys() == after.keys()
    assert len(before) < 300
    assert ENTRIES[500] == before[b"name-0500"]


def test_diff_paths_of_files(store: MemoryObjects) -> None:
    old = _tree(store, {"a": b"1", "d": {"x": b"1", "y": b"2"}, "gone": b""})
    new = _tree(store, {"a": b"2", "d": {"x": b"1", "y": b"3"}, "new": b""})
    expected = [("a", FILE, FILE), ("d/y", FILE, FILE), ("gone", FILE, None), ("new", None, FILE)]
    assert expected == _changes(store, old, new)


def test_diff_paths_of_a_directory_on_one_side(store: MemoryObjects) -> None:
    old = _tree(store, {"d": {"e": {"x": b"1"}, "y": b"2"}})
    new = _tree(store, {})
    assert _changes(store, old, new) == [("d/e/x", FILE, None), ("d/y", FILE, None)]
    assert _changes(store, new, old) == [("d/e/x", None, FILE), ("d/y", None, FILE)]
    assert _changes(store, None, old) == [("d/e/x", None, FILE), ("d/y", None, FILE)]


def test_diff_paths_of_an_empty_directory(store: MemoryObjects) -> None:
    old, new = _tree(store, {"d": {}}), _tree(store, {})
    assert _changes(store, old, new) == [("d", TREE, None)]
    assert _changes(store, new, old) == [("d", None, TREE)]
    assert _changes(store, None, new) == [("", None, TREE)]


def test_diff_paths_of_a_directory_and_a_file(store: MemoryObjects) -> None:
    old, new = _tree(store, {"a": {"x": b"1"}}), _tree(store, {"a": b"1"})
    assert _changes(store, old, new) == [("a", None, FILE), ("a/x", FILE, None)]
    assert _changes(store, new, old) == [("a", FILE, None), ("a/x", None, FILE)]


def test_diff_paths_of_an_empty_directory_and_a_file(store: MemoryObjects) -> None:
    old, new = _tree(store, {"a": {}}), _tree(store, {"a": b"1"})
    assert _changes(store, old, new) == [("a", TREE, FILE)]
    assert _changes(store, new, old) == [("a", FILE, TREE)]


@pytest.mark.parametrize(
    ("mode", "oid"), [(EXECUTABLE, numbered_id(1)), (FILE, numbered_id(2)), (LINK, numbered_id(1))]
)
def test_diff_paths_of_a_mode_or_an_id(store: MemoryObjects, mode: int, oid: Oid) -> None:
    old = build_tree(store, [Entry(b"a", FILE, 1, numbered_id(1))])
    new = build_tree(store, [Entry(b"a", mode, 1, oid)])
    assert [("a", FILE, mode)] == _changes(store, old, new)


def test_diff_paths_of_something_else_than_directories(store: MemoryObjects) -> None:
    one, two = Root(FILE, 1, numbered_id(1)), Root(FILE, 1, numbered_id(2))
    assert [(b"p", one, two)] == list(diff_paths(store, one, two, b"p"))
    assert list(diff_paths(store, one, one, b"p")) == []


def test_diff_paths_below_a_path(store: MemoryObjects) -> None:
    root = _tree(store, {"d": {"x": b"1"}})
    assert [change.path for change in diff_paths(store, None, root, b"p/q")] == [b"p/q/d/x"]


def test_diff_entries_of_a_missing_node(store: MemoryObjects) -> None:
    """Nodes that both sides share are not read, so their absence is not met here."""
    node = read_node(store, build_tree(store, ENTRIES).id)
    assert isinstance(node, Fork)
    lost = node.children[0]._replace(id=numbered_id(404))
    (old,) = write_nodes(store, [Fork.of(node.level, (lost, *node.children[1:]))])
    changed = node.children[-1]
    new = edit_tree(store, old, {changed.last: None})
    assert [changed.last] == [name for name, _, _ in diff_entries(store, old, new.id)]


def test_diff_paths_without_edits_of_files(store: MemoryObjects) -> None:
    """What came, went or became something else is there; of the rest, anything may be."""
    old = _tree(store, {"d": {"a": b"1", "b": b"1"}, "e": {"a": b"1", "x": b"1"}, "f": b"1", "g": {"h": {"i": b"1"}}})
    new = _tree(store, {"d": {"a": b"2", "b": b"2"}, "e": {"a": b"2", "y": b"1"}, "f": {"z": b"1"}, "g": {"h": b"1"}})
    every = list(diff_paths(store, old, new))
    some = list(diff_paths(store, old, new, edits=False))
    assert [change for change in every if change.old is None or change.new is None] == [
        change for change in some if change.old is None or change.new is None
    ]
    assert [change for change in every if change in some] == some
    assert not {b"d/a", b"d/b"} & {change.path for change in some}


def test_diff_paths_of_many_directories_in_order() -> None:
    """More directories than are read ahead at a time, and each of them is read once."""
    reads: list[Oid] = []

    class Counting(MemoryObjects):
        def read_many(self, ids: Iterable[Oid]) -> Iterator[tuple[Kind, bytes]]:
            wanted = list(ids)
            reads.extend(wanted)
            return super().read_many(wanted)

    store = Counting()
    names = [f"{number:04d}" for number in range(READ_AHEAD + 50)]
    roots = [_tree(store, {name: {"file": b"%d %s" % (side, name.encode())} for name in names}) for side in (1, 2)]
    store.memo = Memo()
    found = [change.path.decode() for change in diff_paths(store, *roots)]
    assert found == [f"{name}/file" for name in names]
    assert len(reads) == len(set(reads)) >= 2 * len(names)
