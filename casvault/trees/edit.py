"""Building and editing trees in their canonical nodes.

The builder takes entries, or whole untouched nodes, in the order of their names and cuts them where the rule says. An
edit feeds it the old tree: nodes that no edit touches pass through whole, at the highest level that is possible, so
that one change reads and rewrites one node per level.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from casvault.errors import RefusedError
from casvault.objects import (
    TREE,
    Child,
    Entry,
    Fork,
    Kind,
    Leaf,
    Root,
    encode_node,
    is_boundary,
    object_id,
    read_node,
)
from casvault.objects.tree import MAX_LEVEL, WHOLE_ENTRIES, check_child, find_boundaries
from casvault.trees.read import EMPTY_ID, find_entries, iter_node_entries, read_child, read_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casvault.objects import Memo, Node, ObjectStage, ObjectWriter
    from casvault.oid import Oid

Edits = dict[bytes, Entry | None]

FLUSH_NODES = 1024


def empty_root() -> Root:
    """The state of an empty directory."""
    return Root(TREE, 0, EMPTY_ID)


def build_tree(writer: ObjectWriter, entries: Sequence[Entry], memo: Memo | None = None) -> Root:
    """Write the tree of these entries, which are sorted by name, and return its mode, total size and id.

    A memo takes the nodes that are likely to be read again soon.
    """
    if len(entries) <= WHOLE_ENTRIES:
        return _write_leaf(writer, Leaf.of(entries), memo)
    builder = _Builder(writer, memo)
    builder.add_entries(entries)
    return builder.finish()


def _write_leaf(writer: ObjectWriter, leaf: Leaf, memo: Memo | None) -> Root:
    """A leaf that is a whole tree."""
    oid = writer.write_many([(Kind.TREE, encode_node(leaf))])[0]
    if memo is not None:
        memo.put(oid, leaf)
    return Root(TREE, leaf.size, oid)


def edit_tree(stage: ObjectStage, tree: Oid, edits: Mapping[bytes, Entry | None]) -> Root:
    """The directory with these names set, or removed where the entry is None. To remove what is not there is fine."""
    node = read_root(stage, tree)
    renewed = _renewed(node, edits) if isinstance(node, Leaf) else None
    if renewed is not None:
        return _write_leaf(stage, renewed, stage.memo)
    removals = sum(entry is None for entry in edits.values())
    if isinstance(node, Leaf) or node.length - removals <= WHOLE_ENTRIES:
        return build_tree(stage, _merged(iter_node_entries(stage, node), edits), stage.memo)
    builder = _Builder(stage, stage.memo, stage)
    _feed(stage, builder, node, sorted(edits), edits, rightmost=True)
    return builder.finish()


def edit_paths(stage: ObjectStage, root: Root, edits: Mapping[bytes, Root | None]) -> Root:
    """The tree with the states at these paths set or removed.

    Directories on the way are created; those that a removal leaves empty go too. RefusedError where a path runs through
    something that is not a directory and that no edit removes.
    """
    edited = _edit_below(stage, root, {tuple(path.split(b"/")): state for path, state in edits.items()}, b"")
    return edited or empty_root()


def _edit_below(
    stage: ObjectStage, root: Root, edits: Mapping[tuple[bytes, ...], Root | None], at: bytes
) -> Root | None:
    """None where nothing is left."""
    here: dict[bytes, Root | None] = {}
    below: dict[bytes, dict[tuple[bytes, ...], Root | None]] = {}
    for path, state in edits.items():
        if len(path) == 1:
            here[path[0]] = state
        else:
            below.setdefault(path[0], {})[path[1:]] = state
    present = find_entries(stage, root.id, below)
    for name, deeper in below.items():
        if here.get(name) is not None:
            if all(state is None for state in deeper.values()):
                continue  # what was below goes with the directory that the name replaces
            raise RefusedError(
                "a path cannot be both a file and a directory", place=(at + name).decode(errors="replace")
            )
        old = None if name in here else present.get(name)
        if old is not None and old.mode != TREE:
            if any(state is not None for state in deeper.values()):
                raise RefusedError("not a directory", place=(at + name).decode(errors="replace"))
            continue
        start = empty_root() if old is None else Root(*old[1:])
        here[name] = _edit_below(stage, start, deeper, at + name + b"/")
    edited = edit_tree(stage, root.id, {n: None if s is None else Entry(n, *s) for n, s in here.items()})
    return None if edited.id == EMPTY_ID else edited


def _renewed(leaf: Leaf, edits: Mapping[bytes, Entry | None]) -> Leaf | None:
    """The leaf after edits that neither add nor remove a name, as most do; None if one does."""
    modes, sizes, ids = list(leaf.modes), list(leaf.sizes), list(leaf.ids)
    for name, entry in edits.items():
        position = leaf.find(name)
        if entry is None or position is None:
            return None
        _, modes[position], sizes[position], ids[position] = entry
    return Leaf(leaf.names, tuple(modes), tuple(sizes), b"".join(ids))


def _merged(entries: Iterable[Entry], edits: Mapping[bytes, Entry | None]) -> list[Entry]:
    """The entries after the edits, in order."""
    result = {entry.name: entry for entry in entries}
    for name, entry in edits.items():
        if entry is None:
            result.pop(name, None)
        else:
            result[name] = entry
    return [result[name] for name in sorted(result)]


def _feed(
    stage: ObjectStage,
    builder: _Builder,
    node: Node,
    names: list[bytes],
    edits: Mapping[bytes, Entry | None],
    *,
    rightmost: bool,
) -> None:
    """Pass a node of the old tree to the builder, edited at `names`, all of which fall into it."""
    if isinstance(node, Leaf):
        own = {name: edits[name] for name in names}
        renewed = _renewed(node, own)
        if renewed is None:
            builder.add_entries(_merged(node.entries, own))
        else:
            builder.add_leaf(renewed)
        return
    start = 0
    children = node.children
    for position, child in enumerate(children):
        # The end of the whole tree may stand at no boundary, so what is rightmost is always taken apart.
        last = rightmost and position == len(children) - 1
        end = len(names) if last else bisect_right(names, child.last)
        if last or end > start:
            below = read_child(stage, node, child)
            _feed(stage, builder, below, names[start:end], edits, rightmost=last)
        else:
            builder.add_node(node.level - 1, child, stage)
        start = end


class _Builder:
    """Cuts a stream of entries into nodes, level by level.

    `_open[0]` holds the entries of the leaf that is being filled, `_open[n]` the children of the fork of level n.
    """

    def __init__(self, writer: ObjectWriter, memo: Memo | None, stage: ObjectStage | None = None) -> None:
        self._writer = writer
        self._memo = memo
        self._stage = stage
        """Where whole nodes that were added can be read; None if there are none."""
        self._only_child: dict[Oid, Child] = {}
        self._open: list[list[Entry] | list[Child]] = [[] for _ in range(MAX_LEVEL + 2)]
        self._finished: dict[Oid, bytes] = {}

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Add entries that follow one another."""
        start = 0
        for boundary in find_boundaries([entry[0] for entry in entries], 0):
            self._open[0].extend(entries[start : boundary + 1])  # type: ignore[arg-type]
            self._close(0)
            start = boundary + 1
        self._open[0].extend(entries[start:])  # type: ignore[arg-type]

    def add_leaf(self, leaf: Leaf) -> None:
        """Add the entries of a leaf that is cut only where it ends, if there; as they are, if nothing is open."""
        if self._open[0] or not is_boundary(leaf.last, 0):
            self.add_entries(leaf.entries)
        else:
            self._finish_node(leaf, cut=True)

    def add_node(self, level: int, child: Child, stage: ObjectStage) -> None:
        """Add a whole node that ends at a boundary; it is taken apart if what came before has left an open node."""
        if not any(self._open[: level + 1]):
            self._add_child(level + 1, child)
            return
        node = read_node(stage, child.id)
        check_child(child, level + 1, node)
        if isinstance(node, Leaf):
            self.add_entries(node.entries)
        else:
            for below in node.children:
                self.add_node(level - 1, below, stage)

    def finish(self) -> Root:
        """Close what is open and return the root."""
        for level in range(MAX_LEVEL + 1):
            if self._open[level]:
                self._close(level, cut=False)
            above = self._open[level + 1]
            if len(above) == 1 and not any(self._open[level + 2 :]):
                return self._root(above[0])  # type: ignore[arg-type]
        raise AssertionError("the highest level is never cut, so it ends in one node")

    def _add_child(self, level: int, child: Child) -> None:
        self._open[level].append(child)  # type: ignore[arg-type]
        if level < MAX_LEVEL and is_boundary(child.last, level):
            self._close(level)

    def _close(self, level: int, *, cut: bool = True) -> None:
        items = self._open[level]
        self._open[level] = []
        if level > 0:
            self._finish_node(Fork.of(level, items), cut=cut)  # type: ignore[arg-type]
        else:
            self._finish_node(Leaf.of(items), cut=cut)  # type: ignore[arg-type]

    def _finish_node(self, node: Node, *, cut: bool) -> None:
        data = encode_node(node)
        oid = object_id(Kind.TREE, data)
        self._finished[oid] = data
        if self._memo is not None:
            self._memo.put(oid, node)
        if isinstance(node, Fork) and len(node.lasts) == 1:
            self._only_child[oid] = node.child(0)
        child = Child(node.last, node.length, node.size, oid)
        if cut:
            self._add_child(node.level + 1, child)
        else:
            self._open[node.level + 1].append(child)  # type: ignore[arg-type]
        if len(self._finished) > FLUSH_NODES and cut:
            self._flush()

    def _root(self, top: Child) -> Root:
        """The highest node that has more than one child: cuts at the very end of the tree made forks of single ones."""
        while (child := self._only(top)) is not None:
            self._finished.pop(top.id, None)
            top = child
        self._flush()
        return Root(TREE, top.size, top.id)

    def _only(self, node: Child) -> Child | None:
        """The only child of a fork that has one."""
        if node.id in self._only_child or self._stage is None or node.id in self._finished:
            return self._only_child.get(node.id)
        found = read_node(self._stage, node.id)
        return found.child(0) if isinstance(found, Fork) and len(found.lasts) == 1 else None

    def _flush(self) -> None:
        self._writer.write_many((Kind.TREE, data) for data in self._finished.values())
        self._finished = {}
