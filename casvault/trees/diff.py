"""Comparing trees: what two of them share by id is never read."""

from __future__ import annotations

from itertools import chain, compress, count
from operator import ne, not_
from typing import TYPE_CHECKING, NamedTuple

from casvault.objects import BLOB_MODES, TREE, Entry, Fork, Leaf, Root
from casvault.oid import trusted_oid
from casvault.trees.read import READ_AHEAD, read_children, read_root, read_roots_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import Node, ObjectReader
    from casvault.oid import Oid


class PathChange(NamedTuple):
    """A path and its states on both sides; None where it is absent."""

    path: bytes
    old: Root | None
    new: Root | None


def diff_entries(
    reader: ObjectReader, old: Oid | None, new: Oid | None, *, edits: bool = True
) -> list[tuple[bytes, Entry | None, Entry | None]]:
    """The names whose entries differ between two directories, sorted, with both entries.

    Without `edits`, those that differ in the content of a file or symlink only may be left out.
    """
    if old == new:
        return []
    before, after = _differing(*_unshared_leaves(reader, old, new), edits=edits)
    return [(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())]


def iter_unshared(
    reader: ObjectReader, old: Oid | None, new: Oid | None
) -> tuple[dict[bytes, Entry], dict[bytes, Entry]]:
    """The entries of two directories by name, without those in nodes that both have."""
    first, second = _unshared_leaves(reader, old, new)
    return _entries(first), _entries(second)


def _differing(first: list[Leaf], second: list[Leaf], *, edits: bool) -> tuple[dict[bytes, Entry], dict[bytes, Entry]]:
    """The entries that are in the leaves of one side only."""
    before: dict[bytes, Entry] = {}
    after: dict[bytes, Entry] = {}
    alone: list[Leaf] = []
    facing = {leaf.last: leaf for leaf in first}
    for leaf in second:
        other = facing.get(leaf.last)
        if other is None or other.names != leaf.names:
            alone.append(leaf)
            continue
        # Most often the same names are there, and the columns are compared as they stand.
        del facing[leaf.last]
        if not edits and leaf.modes == other.modes and BLOB_MODES.issuperset(leaf.modes):
            continue
        for position in compress(count(), map(ne, _states(other), _states(leaf))):
            name = leaf.names[position]
            before[name], after[name] = other.entry(position), leaf.entry(position)
    if facing or alone:
        olds, news = _rows(facing.values()), _rows(alone)
        before |= {name: Entry(name, mode, size, trusted_oid(oid)) for name, mode, size, oid in olds - news}
        after |= {name: Entry(name, mode, size, trusted_oid(oid)) for name, mode, size, oid in news - olds}
    return before, after


def _states(leaf: Leaf) -> Iterator[tuple[int, int, bytes]]:
    return zip(leaf.modes, leaf.sizes, leaf.ids, strict=True)


def _rows(leaves: Iterable[Leaf]) -> set[tuple[bytes, int, int, bytes]]:
    rows = (zip(leaf.names, leaf.modes, leaf.sizes, leaf.ids, strict=True) for leaf in leaves)
    return set(chain.from_iterable(rows))


def _unshared_leaves(reader: ObjectReader, old: Oid | None, new: Oid | None) -> tuple[list[Leaf], list[Leaf]]:
    first: list[Node] = [] if old is None else [read_root(reader, old)]
    second: list[Node] = [] if new is None else [read_root(reader, new)]
    while (below := _descend_together(reader, first, second)) is not None:
        first, second = below
    while (level := max((node.level for node in (*first, *second)), default=0)) > 0:
        # Nodes of one level and id hold the same names on both sides; the rest is taken apart, highest level first.
        shared = _child_ids(first, level) & _child_ids(second, level)
        first = _descend(reader, first, level, shared)
        second = _descend(reader, second, level, shared)
    return _leaves(first), _leaves(second)


def _descend_together(
    reader: ObjectReader, first: list[Node], second: list[Node]
) -> tuple[list[Node], list[Node]] | None:
    """What differs below two forks whose children end at the same names, as after most edits; else None."""
    if len(first) != 1 or len(second) != 1:
        return None
    old, new = first[0], second[0]
    if isinstance(old, Leaf) or isinstance(new, Leaf) or (old.level, old.lasts) != (new.level, new.lasts):
        return None
    differing = list(compress(count(), map(ne, old.ids, new.ids)))
    first, second = (read_children(reader, fork, list(map(fork.child, differing))) for fork in (old, new))
    return first, second


def _child_ids(nodes: list[Node], level: int) -> set[bytes]:
    return set().union(*(node.ids for node in nodes if isinstance(node, Fork) and node.level == level))


def _descend(reader: ObjectReader, nodes: list[Node], level: int, shared: set[bytes]) -> list[Node]:
    """The nodes with those of `level` replaced by their children that are not shared."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Leaf) or node.level < level:
            result.append(node)
        else:
            own = compress(count(), map(not_, map(shared.__contains__, node.ids)))
            result += read_children(reader, node, list(map(node.child, own)))
    return result


def _leaves(nodes: list[Node]) -> list[Leaf]:
    return [node for node in nodes if isinstance(node, Leaf)]


def _entries(leaves: list[Leaf]) -> dict[bytes, Entry]:
    return {entry.name: entry for leaf in leaves for entry in leaf.entries}


def diff_paths(
    reader: ObjectReader, old: Root | None, new: Root | None, path: bytes = b"", *, edits: bool = True
) -> Iterator[PathChange]:
    """The paths that differ between two states of one path, down to what is not a directory on either side.

    A directory that exists on one side only is reported by its contents; an empty one by itself. Where a directory
    meets something else, the contents and the other thing are reported as changes of their own. Links are compared by
    id. Without `edits`, files and symlinks that are on both sides may be left out.
    """
    pending = [PathChange(path, old, new)]
    while pending:
        if len(pending) > 1:
            _read_ahead(reader, pending)
        change = pending.pop()
        if change.old == change.new:
            continue
        before, after = tree_of(change.old), tree_of(change.new)
        if before is None and after is None:
            yield change
            continue
        entries = diff_entries(reader, before, after, edits=edits)
        old_gone = before is not None and not any(entry for _, entry, _ in entries)
        new_gone = after is not None and not any(entry for _, _, entry in entries)
        yield from _ends(change, before, after, empty=(old_gone, new_gone))
        prefix = change.path + b"/" if change.path else b""
        pending.extend(PathChange(prefix + name, state_of(a), state_of(b)) for name, a, b in reversed(entries))


def _read_ahead(reader: ObjectReader, pending: Sequence[PathChange]) -> None:
    """If the last change needs a tree that has to be read, read those of the changes that come next along with it."""
    if any(reader.memo.get(tree) is None for state in pending[-1][1:] if (tree := tree_of(state)) is not None):
        coming = (change for change in pending[-READ_AHEAD:] if change.old != change.new)
        read_roots_ahead(reader, (state for change in coming for state in change[1:]))


def _ends(
    change: PathChange, before: Oid | None, after: Oid | None, *, empty: tuple[bool, bool]
) -> Iterator[PathChange]:
    """The change of the path itself, where it is not a directory on both sides."""
    if before is not None and after is not None:
        return
    old = change.old if before is None or empty[0] else None
    new = change.new if after is None or empty[1] else None
    if old is not None or new is not None:
        yield PathChange(change.path, old, new)


def tree_of(state: Root | None) -> Oid | None:
    """The tree of a state that is a directory."""
    return state.id if state is not None and state.mode == TREE else None


def state_of(entry: Entry | None) -> Root | None:
    """What stands under an entry's name; None where there is none."""
    return None if entry is None else Root(*entry[1:])
