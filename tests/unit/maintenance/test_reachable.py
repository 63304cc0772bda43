from __future__ import annotations

from casvault.maintenance.reachable import link_to, reach
from casvault.objects import (
    FILE,
    FOREIGN,
    LINK,
    TREE,
    Commit,
    Entry,
    Kind,
    MemoryObjects,
    Root,
    Tag,
    write_blob,
    write_commit,
    write_tag,
)
from casvault.oid import Oid
from casvault.trees import build_tree, empty_root
from tests.support.objects import WHO, numbered_entries, numbered_id


def commit(store: MemoryObjects, root: Root, *parents: Oid) -> Oid:
    return write_commit(store, Commit(root, parents, WHO, WHO, b""))


def blob(store: MemoryObjects, content: bytes) -> Root:
    return Root(FILE, len(content), write_blob(store, content))


def test_everything_behind_a_state_with_its_kind() -> None:
    store = MemoryObjects()
    file = blob(store, b"x")
    first = commit(store, file)
    tree = build_tree(store, [Entry(b"a", *file), Entry(b"b", LINK, 1, first), Entry(b"c", FOREIGN, 0, numbered_id(9))])
    second = commit(store, tree, first)
    tag = write_tag(store, Tag(Kind.COMMIT, second, b"v", None, b""))
    assert reach(store, [link_to(tag)]) == {
        tag: Kind.TAG,
        second: Kind.COMMIT,
        first: Kind.COMMIT,
        tree.id: Kind.TREE,
        file.id: Kind.BLOB,
    }


def test_blobs_are_not_read() -> None:
    """They may be gone on purpose, and be large."""
    store = MemoryObjects()
    tree = build_tree(store, [Entry(b"a", FILE, 3, numbered_id(1))])
    assert reach(store, [tree, Root(FILE, 3, numbered_id(2))]) == {
        tree.id: Kind.TREE,
        numbered_id(1): Kind.BLOB,
        numbered_id(2): Kind.BLOB,
    }


def test_parents_behind_a_cut() -> None:
    """
    one <- two <- three      cut behind two
    """
    store = MemoryObjects()
    one = commit(store, blob(store, b"1"))
    two = commit(store, blob(store, b"2"), one)
    three = commit(store, blob(store, b"3"), two)
    assert len(reach(store, [link_to(three)])) == 6
    assert one not in reach(store, [link_to(three)], {two})
    assert one in reach(store, [link_to(three), link_to(one)], {two})


def test_trees_of_many_nodes_and_long_lines() -> None:
    store = MemoryObjects()
    tree = build_tree(store, numbered_entries(1000))
    oid = commit(store, tree)
    for number in range(2500):
        oid = commit(store, blob(store, b"%d" % number), oid)
    found = reach(store, [link_to(oid)])
    kinds = [sum(each is kind for each in found.values()) for kind in (Kind.TREE, Kind.COMMIT, Kind.BLOB)]
    assert kinds == [36, 2501, 3500]
    assert tree.mode == TREE
    assert empty_root().id not in found
