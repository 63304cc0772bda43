"""Reading trees: one directory, one path, everything below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casvault.objects import (
    EMPTY_TREE,
    TREE,
    Entry,
    Fork,
    Kind,
    Leaf,
    Root,
    encode_leaf,
    object_id,
    read_node,
    read_nodes,
)
from casvault.objects.tree import check_child, check_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import Child, Node, ObjectReader
    from casvault.oid import Oid

EMPTY_ID = object_id(Kind.TREE, encode_leaf(()))
"""The empty tree, which every reader knows: it need not be stored."""


READ_AHEAD: Final = 256
"""Directories that are read together where many are to be looked at: much less than what is remembered."""


def read_roots_ahead(reader: ObjectReader, states: Iterable[Root | Entry | None]) -> None:
    """Read and remember the root nodes of those states that are directories: many at once are cheaper."""
    directories = (state.id for state in states if state is not None and state.mode == TREE)
    read_nodes(reader, [oid for oid in directories if oid != EMPTY_ID])


def read_root(reader: ObjectReader, tree: Oid) -> Node:
    """The root node of a tree, checked to be one."""
    if tree == EMPTY_ID:
        return EMPTY_TREE
    node = read_node(reader, tree)
    check_root(node)
    return node


def read_children(reader: ObjectReader, fork: Fork, children: Sequence[Child]) -> list[Node]:
    """These nodes below a fork, each checked against what the fork claims of it."""
    nodes = read_nodes(reader, [child.id for child in children])
    for child, node in zip(children, nodes, strict=True):
        _check(reader, fork, child, node)
    return nodes


def read_child(reader: ObjectReader, fork: Fork, child: Child) -> Node:
    """One node below a fork, checked against what the fork claims of it."""
    node = read_node(reader, child.id)
    _check(reader, fork, child, node)
    return node


def _check(reader: ObjectReader, fork: Fork, child: Child, node: Node) -> None:
    # What follows from a leaf alone is checked once, as long as the leaf is remembered.
    check_child(child, fork.level, node, is_uncut=child.id in reader.memo.uncut)
    reader.memo.uncut.add(child.id)


def iter_entries(reader: ObjectReader, tree: Oid) -> Iterator[Entry]:
    """The entries of one directory in the order of their names."""
    yield from iter_node_entries(reader, read_root(reader, tree))


def iter_node_entries(reader: ObjectReader, node: Node) -> Iterator[Entry]:
    if isinstance(node, Leaf):
        yield from node.entries
        return
    for child in node.children:
        yield from iter_node_entries(reader, read_child(reader, node, child))


def find_entry(reader: ObjectReader, tree: Oid, name: bytes) -> Entry | None:
    """The entry of this name in the directory."""
    node = read_root(reader, tree)
    while isinstance(node, Fork):
        position = node.find(name)
        if position is None:
            return None
        node = read_child(reader, node, node.child(position))
    found = node.find(name)
    return None if found is None else node.entry(found)


def find_entries(reader: ObjectReader, tree: Oid, names: Iterable[bytes]) -> dict[bytes, Entry]:
    """Those of the names that the directory has; each node is read once."""
    found: dict[bytes, Entry] = {}
    _find_in(reader, read_root(reader, tree), sorted(set(names)), found)
    return found


def _find_in(reader: ObjectReader, node: Node, names: list[bytes], found: dict[bytes, Entry]) -> None:
    if isinstance(node, Leaf):
        wanted = set(names)
        found.update((name, node.entry(at)) for at, name in enumerate(node.names) if name in wanted)
        return
    touched: dict[int, list[bytes]] = {}
    for name in names:
        position = node.find(name)
        if position is not None:
            touched.setdefault(position, []).append(name)
    for position, below_names in touched.items():
        _find_in(reader, read_child(reader, node, node.child(position)), below_names, found)


def find_path(reader: ObjectReader, root: Root, path: bytes) -> Root | None:
    """What stands at a path of names joined by slashes; the empty path is the root itself."""
    state = root
    for name in path.split(b"/") if path else ():
        if state.mode != TREE:
            return None
        entry = find_entry(reader, state.id, name)
        if entry is None:
            return None
        state = Root(*entry[1:])
    return state


def walk(reader: ObjectReader, tree: Oid, prefix: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
    """Every entry below the tree with its path: a directory first, then what is in it. Links are not followed."""
    open_directories = [(prefix, iter_entries(reader, tree))]
    while open_directories:
        above, entries = open_directories[-1]
        entry = next(entries, None)
        if entry is None:
            open_directories.pop()
            continue
        path = above + entry.name
        yield path, entry
        if entry.mode == TREE:
            open_directories.append((path + b"/", iter_entries(reader, entry.id)))
