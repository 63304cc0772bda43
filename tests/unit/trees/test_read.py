from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from casvault.errors import DamageError, MalformedError, MissingObjectError
from casvault.objects import (
    FILE,
    LINK,
    TREE,
    Child,
    Entry,
    Fork,
    MemoryObjects,
    Root,
    read_node,
    write_blob,
    write_nodes,
)
from casvault.trees import (
    build_tree,
    find_entries,
    find_entry,
    find_path,
    iter_entries,
    read_root,
    walk,
)
from tests.support.objects import entry, numbered_entries, numbered_id

if TYPE_CHECKING:
    from casvault.oid import Oid

ENTRIES = numbered_entries(1000)


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects()


@pytest.mark.parametrize("number", [0, 3, 1000])
def test_find_entry(store: MemoryObjects, number: int) -> None:
    root = build_tree(store, ENTRIES[:number])
    for each in ENTRIES[:number:97]:
        assert each == find_entry(store, root.id, each.name)
    assert [find_entry(store, root.id, name) for name in (b"", b"name-0500x", b"zzz")] == [None] * 3


@pytest.mark.parametrize("number", [0, 3, 1000])
def test_find_entries(store: MemoryObjects, number: int) -> None:
    root = build_tree(store, ENTRIES[:number])
    wanted = [each.name for each in reversed(ENTRIES[:number:97])]
    expected = {each.name: each for each in ENTRIES[:number:97]}
    assert expected == find_entries(store, root.id, [*wanted, b"", b"absent", b"zzz", *wanted])


def _nested(store: MemoryObjects) -> Root:
    inner = build_tree(store, [entry(b"x", 2), entry(b"y", 3)])
    empty = build_tree(store, ())
    link = Entry(b"link", LINK, 9, numbered_id(9))
    items = [Entry(b"dir", *inner), Entry(b"dir.a", *empty), Entry(b"file", FILE, 1, numbered_id(1)), link]
    return build_tree(store, items)


def test_find_path(store: MemoryObjects) -> None:
    root = _nested(store)
    assert root == find_path(store, root, b"")
    assert (find_path(store, root, b"dir") or root)[:2] == (TREE, 5)
    assert (find_path(store, root, b"dir/y") or root)[:2] == (FILE, 3)
    absent = (b"dir/z", b"dir/x/deeper", b"absent/x", b"link/x", b"file/", b"dir//x")
    assert [find_path(store, root, path) for path in absent] == [None] * 6


def test_walk_directories_before_what_is_in_them(store: MemoryObjects) -> None:
    root = _nested(store)
    expected = [b"dir", b"dir/x", b"dir/y", b"dir.a", b"file", b"link"]
    assert expected == [path for path, _ in walk(store, root.id)]
    assert [b"p/" + path for path in expected] == [path for path, _ in walk(store, root.id, b"p/")]


def test_iter_entries_of_what_is_no_tree(store: MemoryObjects) -> None:
    with pytest.raises(DamageError, match="this object is a blob, where a tree is referred to"):
        list(iter_entries(store, write_blob(store, b"x")))
    with pytest.raises(MissingObjectError):
        list(iter_entries(store, numbered_id(1)))


def test_read_root_that_should_be_its_child(store: MemoryObjects) -> None:
    root = build_tree(store, ENTRIES)
    node = read_node(store, root.id)
    above = Fork.of(node.level + 1, (Child(node.last, node.length, node.size, root.id),))
    (oid,) = write_nodes(store, [above])
    with pytest.raises(MalformedError, match="should be smaller"):
        read_root(store, oid)


def _forged(store: MemoryObjects, **claims: int | bytes | Oid) -> Oid:
    """The tree of all entries, with one false claim about its last child."""
    node = read_node(store, build_tree(store, ENTRIES).id)
    assert isinstance(node, Fork)
    last = node.children[-1]._replace(**claims)  # type: ignore[arg-type]
    return write_nodes(store, [Fork.of(node.level, (*node.children[:-1], last))])[0]


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"size": 1}, "the size is"),
        ({"length": 999}, "the number of entries is"),
        ({"last": b"name-9999"}, "the last name is"),
    ],
)
def test_readers_refuse_a_fork_that_lies(
    store: MemoryObjects, claims: dict[str, int | bytes | Oid], message: str
) -> None:
    tree = _forged(store, **claims)
    name = ENTRIES[-1].name
    with pytest.raises(MalformedError, match=message):
        list(iter_entries(store, tree))
    with pytest.raises(MalformedError, match=message):
        find_entry(store, tree, name)
    with pytest.raises(MalformedError, match=message):
        find_entries(store, tree, [name])


def test_find_entry_reads_one_node_a_level(store: MemoryObjects) -> None:
    """What no lookup needs is not read, even if it is not there."""
    root = build_tree(store, ENTRIES)
    node = read_node(store, root.id)
    assert isinstance(node, Fork)
    forged = Fork.of(node.level, (*node.children[:-1], node.children[-1]._replace(id=numbered_id(1))))
    (tree,) = write_nodes(store, [forged])
    assert ENTRIES[0] == find_entry(store, tree, ENTRIES[0].name)
    with pytest.raises(MissingObjectError):
        find_entry(store, tree, ENTRIES[-1].name)
