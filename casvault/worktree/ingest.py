"""The second half of a scan: read what must be read, in a pipeline, and make the trees."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from casvault.limits import BATCH_BYTES, STREAM_THRESHOLD
from casvault.objects import TREE, Entry, Kind, Root, object_id
from casvault.oid import blob_id
from casvault.trees import build_tree
from casvault.worktree.node import Node, Role
from casvault.worktree.reading import hash_place, read_content, store_large

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

    from casvault.objects import ObjectReader, ObjectStage, ObjectWriter
    from casvault.oid import Oid
    from casvault.progress import Progress
    from casvault.worktree.hashonly import HashOnly

BATCH_FILES = 1000
BATCHES_AHEAD = 2
BATCHES_PER_CALL = 16
"""The writer gets this many batches in one call, so that its own threads are kept busy across batches."""
THREAD_FROM = 200
"""Below this many files, starting a thread takes longer than it saves."""
_TREES_AT_ONCE = 1024

Job = tuple[Node, int, bytes]
"""An entry of a node, and its place."""
Piece = tuple[Node, int, bytes]
"""An entry of a node, and its content."""


def doubt_cache(nodes: list[Node], reader: ObjectReader) -> None:
    """Read again, in directories that have changed, what the cache says is stored and the store does not have.

    Their trees are written anew, and nothing that is written may refer to a blob that is lost.
    """
    for node in nodes:
        if not node.reused and 0 < len(node.pending) < len(node.held):
            pending = set(node.pending)
            trusted = [index for index in range(len(node.held)) if index not in pending]
            infos = reader.find_infos([node.id_of(index) for index in trusted])
            lost = {index for index, info in zip(trusted, infos, strict=True) if info is None}
            node.pending = sorted(pending | lost)


def doubt_purged(nodes: list[Node], doubted: Set[Oid]) -> None:
    """Read again what the cache says is a blob that was purged, so that it is met, and not only referred to."""
    for node in nodes:
        if any(node.ids.find(oid) >= 0 for oid in doubted):
            node.doubt([index for index in range(len(node.held)) if node.id_of(index) in doubted])


def ingest(nodes: list[Node], writer: ObjectStage, *, storing: bool, progress: Progress) -> None:
    """Read every pending entry of the nodes into the writer, and note the ids."""
    total = sum(len(node.pending) for node in nodes)
    if not total:
        return
    large: list[Job] = []
    batches = _iter_batches(_iter_small(nodes, large))
    if storing and total >= THREAD_FROM:
        batches = _ahead(batches)
    done = 0
    while written := _write_some(islice(batches, BATCHES_PER_CALL), writer, storing=storing):
        done += written
        progress("read", done, total)
    for node, index, place in large:
        if writer.purged and (oid := hash_place(place)) in writer.purged:
            node.settle(index, oid, storing=False)
            writer.withheld.add(oid)
            continue
        oid, found = store_large(writer, place)
        node.correct(index, found)
        node.settle(index, oid, storing=storing)
        done += 1
        progress("read", done, total)


def _iter_small(nodes: list[Node], large: list[Job]) -> Iterator[Piece]:
    """The contents that can be held whole; the other files are put on the list."""
    for node in nodes:
        for index, place, expected in node.iter_pending():
            if expected[1] > STREAM_THRESHOLD:
                large.append((node, index, place))
                continue
            content, found = read_content(place, expected)
            if found is not expected:
                node.correct(index, found)
            yield node, index, content


def _iter_batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece[2])
        if size >= BATCH_BYTES or len(batch) == BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _ahead(batches: Iterator[list[Piece]]) -> Iterator[list[Piece]]:
    """The same batches, read by a thread of their own, a few ahead."""
    from concurrent.futures import ThreadPoolExecutor  # brings logging along, which only large scans should wait for

    with ThreadPoolExecutor(1, "casvault-read") as pool:
        coming = deque(pool.submit(next, batches, None) for _ in range(BATCHES_AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, batches, None))
            yield batch


def _write_some(batches: Iterable[list[Piece]], writer: ObjectStage, *, storing: bool) -> int:
    """Write a few batches in one call; how many files they held. Purged blobs are left out, and noted."""
    slots: list[tuple[Node, int]] = []
    withheld: list[tuple[Node, int, Oid]] = []
    ids = writer.write_many(_iter_contents(batches, slots, withheld, writer.purged))
    for (node, index), oid in zip(slots, ids, strict=True):
        node.settle(index, oid, storing=storing)
    for node, index, oid in withheld:
        node.settle(index, oid, storing=False)
        writer.withheld.add(oid)
    return len(slots) + len(withheld)


def _iter_contents(
    batches: Iterable[list[Piece]],
    slots: list[tuple[Node, int]],
    withheld: list[tuple[Node, int, Oid]],
    purged: Mapping[Oid, int],
) -> Iterator[tuple[Kind, bytes]]:
    sizes = set(purged.values())
    for batch in batches:
        for node, index, content in batch:
            if len(content) in sizes and (oid := blob_id(content)) in purged:
                withheld.append((node, index, oid))
            else:
                slots.append((node, index))
                yield Kind.BLOB, content


def make_trees(nodes: list[Node], writer: ObjectWriter) -> None:
    """Give each directory in a unit its tree, and each single file its state; `nodes` are parents before children."""
    buffer = _NodeBuffer(writer)
    for node in reversed(nodes):
        if node.role is not Role.UNIT:
            continue
        if node.single:
            node.root = Root(*node.entries()[0][1:])
        elif _is_tree_known(node):
            assert node.old is not None
            node.root, node.tree_reused = node.old.tree, True
        else:
            node.root = build_tree(buffer, _tree_entries(node))
    buffer.flush()


def recognise_trees(nodes: Iterable[Node], stage: HashOnly) -> None:
    """Note which trees the vault has, after a scan that only hashed: the next one need not make them again."""
    made = [node for node in nodes if node.root is not None and node.root.mode == TREE and not node.tree_reused]
    for node, is_stored in zip(made, stage.are_stored([_root_of(node).id for node in made]), strict=True):
        node.tree_held = is_stored


def _is_tree_known(node: Node) -> bool:
    """Whether the vault holds the tree that the cache remembers, and nothing below has changed.

    A tree that was only hashed is made again even by a scan that only hashes: whoever walks it needs its nodes.
    """
    old = node.old
    if not node.reused or old is None or old.tree is None or not old.tree_held or old.directories != node.directories:
        return False
    return all(child.tree_reused for child in node.children)


def _tree_entries(node: Node) -> list[Entry]:
    entries = node.entries()
    if node.children:
        entries += [Entry(_last(child.path), *_root_of(child)) for child in node.children]
        entries.sort()
    return entries


def _last(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _root_of(node: Node) -> Root:
    assert node.root is not None
    return node.root


class _NodeBuffer:
    """A writer that gathers tree nodes and writes many at once: a call for each would cost more than the node."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer
        self._waiting: list[tuple[Kind, bytes]] = []

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        for kind, data in objects:
            ids.append(object_id(kind, data))
            self._waiting.append((kind, data))
        if len(self._waiting) >= _TREES_AT_ONCE:
            self.flush()
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        return self._writer.write_blob_pieces(pieces)

    def flush(self) -> None:
        if self._waiting:
            self._writer.write_many(self._waiting)
            self._waiting = []
