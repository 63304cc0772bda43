from __future__ import annotations

from casvault.maintenance.holders import Holders
from casvault.objects import (
    EXECUTABLE,
    FILE,
    FOREIGN,
    LINK,
    SYMLINK,
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
from casvault.oid import Oid, blob_id
from casvault.trees import build_tree
from tests.support.objects import WHO, numbered_entries

SECRET = blob_id(b"secret")


def file(store: MemoryObjects, content: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(content), write_blob(store, content))


def commit(store: MemoryObjects, root: Root, *parents: Oid) -> Oid:
    return write_commit(store, Commit(root, parents, WHO, WHO, b""))


def test_paths_of_every_mode_and_depth() -> None:
    store = MemoryObjects()
    deep = build_tree(store, [Entry(b"k", *file(store, b"secret", EXECUTABLE))])
    root = build_tree(
        store,
        [
            Entry(b"a", *file(store, b"other")),
            Entry(b"b", *file(store, b"secret")),
            Entry(b"c", *deep),
            Entry(b"d", FOREIGN, 0, SECRET),
            Entry(b"e", *file(store, b"secret", SYMLINK)),
        ],
    )
    holders = Holders(store, [SECRET])
    assert [path for path, _ in holders.iter_paths(root)] == [b"b", b"c/k", b"e"]
    assert [path for path, _ in holders.iter_paths(file(store, b"secret"), b"x")] == [b"x"]
    assert list(holders.iter_paths(None)) == []


def test_links_are_followed_and_parents_are_not() -> None:
    store = MemoryObjects()
    bad = commit(store, file(store, b"secret"))
    good = commit(store, file(store, b"good"), bad)
    tree = build_tree(store, [Entry(b"link", LINK, 6, bad), Entry(b"z", LINK, 4, good)])
    holders = Holders(store, [SECRET])
    assert [holders.holds_commit(oid) for oid in (bad, good, commit(store, tree))] == [True, False, True]
    assert [path for path, _ in holders.iter_paths(tree)] == [b"link"]
    assert list(holders.iter_paths(tree, through_links=False)) == []


def test_tags_on_everything() -> None:
    store = MemoryObjects()
    secret = file(store, b"secret")
    tree = build_tree(store, [Entry(b"k", *secret)])
    bad = commit(store, secret)
    tags = [
        write_tag(store, Tag(kind, target, b"v", None, b""))
        for kind, target in ((Kind.BLOB, SECRET), (Kind.TREE, tree.id), (Kind.COMMIT, bad))
    ]
    tags.append(write_tag(store, Tag(Kind.TAG, tags[-1], b"v", None, b"")))
    tags.append(write_tag(store, Tag(Kind.COMMIT, commit(store, file(store, b"good")), b"v", None, b"")))
    holders = Holders(store, [SECRET])
    assert [holders.holds_commit(tag) for tag in tags] == [True, True, True, True, False]


def test_tree_of_many_nodes() -> None:
    store = MemoryObjects()
    entries = numbered_entries(1000)
    entries[700] = entries[700]._replace(id=SECRET)
    holders = Holders(store, [SECRET])
    assert [path for path, _ in holders.iter_paths(build_tree(store, entries))] == [b"name-0700"]
    assert not holders.holds(build_tree(store, numbered_entries(1000)))


def test_directories_deeper_than_any_recursion() -> None:
    store = MemoryObjects()
    state = file(store, b"secret")
    for _ in range(3000):
        state = build_tree(store, [Entry(b"d", *state)])
    assert Holders(store, [SECRET]).holds(state)
    assert not Holders(store, [blob_id(b"other")]).holds(state)
    assert state.mode == TREE
