from __future__ import annotations

import random

import pytest

from casvault.errors import MalformedError, RefusedError
from casvault.objects import FILE, TREE, Entry, Fork, MemoryObjects, Root, is_boundary, read_node, write_nodes
from casvault.oid import blob_id
from casvault.trees import build_tree, edit_paths, edit_tree, empty_root, find_path, iter_entries, walk
from casvault.trees.edit import EMPTY_ID
from tests.support.objects import entries_between, entry, names_cut_at, numbered_entries


def _file(content: bytes) -> Root:
    return Root(FILE, len(content), blob_id(content))


def _tree(store: MemoryObjects, **files: bytes) -> Root:
    return build_tree(store, [Entry(name.encode(), *_file(content)) for name, content in sorted(files.items())])


def _paths(store: MemoryObjects, root: Root) -> list[bytes]:
    return [path for path, _ in walk(store, root.id)]


@pytest.mark.parametrize("number", [0, 1, 64, 65, 200, 3000])
def test_build_tree_of_so_many_entries(number: int) -> None:
    store = MemoryObjects()
    entries = numbered_entries(number)
    root = build_tree(store, entries)
    assert entries == list(iter_entries(store, root.id))
    assert (TREE, sum(range(number))) == root[:2]


def test_build_tree_of_64_entries_is_one_leaf_whatever_the_names() -> None:
    store = MemoryObjects()
    names = [name for name, _ in zip(names_cut_at(0), range(64), strict=False)]
    build_tree(store, [entry(name) for name in names])
    assert len(store) == 1


def test_build_tree_cuts_behind_boundaries() -> None:
    store = MemoryObjects()
    node = read_node(store, build_tree(store, numbered_entries(3000)).id)
    assert isinstance(node, Fork)
    assert all(is_boundary(child.last, node.level - 1) for child in node.children[:-1])
    assert len(store) > 40


def test_build_tree_unsorted() -> None:
    with pytest.raises(MalformedError, match="out of order"):
        build_tree(MemoryObjects(), [entry(b"b"), entry(b"a")])


def test_edit_tree_one_entry_rewrites_a_node_a_level() -> None:
    store = MemoryObjects()
    entries = numbered_entries(9000)
    root = build_tree(store, entries)
    node = read_node(store, root.id)
    before = len(store)
    edited = edit_tree(store, root.id, {b"name-4000": entry(b"name-4000", 7)})
    assert node.level + 1 == len(store) - before
    assert root.size - 4000 + 7 == edited.size


def test_edit_tree_with_what_is_there_changes_nothing() -> None:
    store = MemoryObjects()
    entries = numbered_entries(500)
    root = build_tree(store, entries)
    before = len(store)
    assert root == edit_tree(store, root.id, {entries[7].name: entries[7], b"absent": None})
    assert before == len(store)


def test_edit_tree_shrinking_to_a_leaf_and_back() -> None:
    store = MemoryObjects()
    entries = numbered_entries(65)
    root = build_tree(store, entries)
    smaller = edit_tree(store, root.id, {entries[0].name: None})
    assert build_tree(store, entries[1:]) == smaller
    assert root == edit_tree(store, smaller.id, {entries[0].name: entries[0]})


def test_edit_tree_removing_everything() -> None:
    store = MemoryObjects()
    entries = numbered_entries(300)
    root = build_tree(store, entries)
    assert empty_root() == edit_tree(store, root.id, {each.name: None for each in entries})


def test_edit_tree_appending_behind_the_open_end() -> None:
    store = MemoryObjects()
    entries = numbered_entries(400)
    root = build_tree(store, entries[:350])
    assert build_tree(store, entries) == edit_tree(store, root.id, {each.name: each for each in entries[350:]})


def test_edit_tree_leaving_a_fork_of_one_child() -> None:
    """Removing all behind a cut of level 1 left that fork, of a single leaf, as the root.

    fork 2 ─┬─ fork 1 ── leaf: 70 entries, ends at a boundary of level 1
            └─ fork 1 ── leaf: one entry
    """
    store = MemoryObjects()
    cut = next(names_cut_at(1))
    kept = [*entries_between(b"#", 70), entry(cut)]
    root = build_tree(store, [*kept, entry(b"z")])
    assert read_node(store, root.id).level == 2
    assert build_tree(store, kept) == edit_tree(store, root.id, {b"z": None})


def test_edit_paths_sets_and_removes() -> None:
    store = MemoryObjects()
    build_tree(store, ())
    root = _tree(store, a=b"1", b=b"2")
    edited = edit_paths(store, root, {b"c/d/e": _file(b"3"), b"a": None})
    assert _paths(store, edited) == [b"b", b"c", b"c/d", b"c/d/e"]
    assert _file(b"3") == find_path(store, edited, b"c/d/e")
    assert len(b"2" + b"3") == edited.size


def test_edit_paths_removes_directories_left_empty() -> None:
    store = MemoryObjects()
    build_tree(store, ())
    root = edit_paths(store, _tree(store, a=b"1"), {b"c/d/e": _file(b"3"), b"c/f": _file(b"4")})
    assert _paths(store, edit_paths(store, root, {b"c/d/e": None})) == [b"a", b"c", b"c/f"]
    assert _paths(store, edit_paths(store, root, {b"c/d/e": None, b"c/f": None})) == [b"a"]
    assert empty_root() == edit_paths(store, root, {b"c/d/e": None, b"c/f": None, b"a": None})


def test_edit_paths_removing_what_is_not_there() -> None:
    store = MemoryObjects()
    build_tree(store, ())
    root = _tree(store, a=b"1")
    assert root == edit_paths(store, root, {b"b": None, b"x/y": None, b"a/b": None})


def test_edit_paths_a_file_becomes_a_directory_and_back() -> None:
    store = MemoryObjects()
    build_tree(store, ())
    root = _tree(store, a=b"1")
    deeper = edit_paths(store, root, {b"a": None, b"a/b": _file(b"2")})
    assert _paths(store, deeper) == [b"a", b"a/b"]
    assert root == edit_paths(store, deeper, {b"a": _file(b"1")})


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({b"a/b": _file(b"2")}, "a: not a directory"),
        ({b"d/a": _file(b"2"), b"d/a/b": _file(b"2")}, "d/a: a path cannot be both a file and a directory"),
    ],
)
def test_edit_paths_through_a_file(edits: dict[bytes, Root | None], message: str) -> None:
    store = MemoryObjects()
    build_tree(store, ())
    with pytest.raises(RefusedError, match=f"^{message}$"):
        edit_paths(store, _tree(store, a=b"1"), edits)


@pytest.mark.parametrize("path", [b"", b"a//b", b"../b", b"a/", b"./a"])
def test_edit_paths_with_a_bad_path(path: bytes) -> None:
    store = MemoryObjects()
    build_tree(store, ())
    with pytest.raises(MalformedError, match="name"):
        edit_paths(store, empty_root(), {path: _file(b"1")})


def test_edit_paths_in_a_store_without_the_empty_tree() -> None:
    store = MemoryObjects()
    root = _tree(store, a=b"1")
    assert EMPTY_ID not in store
    assert _paths(store, edit_paths(store, root, {b"b/c": _file(b"2")})) == [b"a", b"b", b"b/c"]


def test_edit_tree_below_a_fork_that_lies() -> None:
    store = MemoryObjects()
    entries = numbered_entries(300)
    root = build_tree(store, entries)
    node = read_node(store, root.id)
    assert isinstance(node, Fork)
    forged = Fork.of(node.level, (node.children[0]._replace(size=0), *node.children[1:]))
    (oid,) = write_nodes(store, [forged])
    with pytest.raises(MalformedError, match="the size is"):
        edit_tree(store, oid, {entries[0].name: None})


def test_edit_tree_in_random_steps_equals_building_at_once() -> None:
    rng = random.Random(5)
    store = MemoryObjects()
    model: dict[bytes, Entry] = {}
    root = build_tree(store, ())
    for _ in range(60):
        names = [b"%04d" % rng.randrange(2000) for _ in range(rng.choice((1, 5, 200)))]
        edits = {name: entry(name, rng.randrange(9)) if rng.random() < 0.6 else None for name in names}
        model = {name: each for name, each in (model | edits).items() if each is not None}
        root = edit_tree(store, root.id, edits)
        assert build_tree(store, [model[name] for name in sorted(model)]) == root


def test_build_tree_flushed_at_its_very_end(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryObjects()
    entries = [*entries_between(b"#", 70), entry(next(names_cut_at(1)))]
    expected = build_tree(store, entries)
    monkeypatch.setattr("casvault.trees.edit.FLUSH_NODES", 0)
    assert expected == build_tree(store, entries)


def test_edit_paths_a_directory_becomes_a_file_by_the_changes_of_a_diff() -> None:
    store = MemoryObjects()
    build_tree(store, ())
    root = edit_paths(store, empty_root(), {b"a/b": _file(b"1")})
    assert _paths(store, edit_paths(store, root, {b"a/b": None, b"a": _file(b"1")})) == [b"a"]
