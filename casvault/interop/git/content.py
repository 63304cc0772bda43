"""Bringing trees and blobs in: all that a batch of commits refers to and the vault does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, MalformedError, RefusedError
from casvault.interop.git.mapping import Known
from casvault.interop.git.trees import MODES, format_tree, oddity, pad_id, parse_tree, plan_mode, plan_names
from casvault.limits import BATCH_BYTES
from casvault.objects import FILE, FOREIGN, TREE, Entry, Kind
from casvault.oid import Oid, trusted_oid
from casvault.trees import build_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.intake import Intake
    from casvault.interop.git.reader import GitObject
    from casvault.interop.git.trees import ParsedTree

_CONTENT = (Kind.BLOB, Kind.TREE)


class _Tree(NamedTuple):
    content: bytes
    parsed: ParsedTree


class _Batch:
    """What is known of all that a batch needs, by git id, and the trees of it that are still to be written."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._known: dict[GitId, Known] = {}
        self._trees: dict[GitId, _Tree] = {}
        self._blobs: dict[GitId, None] = {}

    def read(self, roots: Iterable[GitId]) -> None:
        """Read the roots and every tree below them, level by level, then the blobs."""
        wanted = dict.fromkeys(roots)
        while wanted:
            fresh = wanted.keys() - self._known.keys()
            self._known.update(self._intake.find_many(fresh))
            level = [git_id for git_id in wanted if git_id not in self._known and git_id not in self._trees]
            wanted = {}
            for found in self._intake.read_many(level):
                self._take(found, wanted)
        fresh = self._blobs.keys() - self._known.keys()
        self._known.update(self._intake.find_many(fresh))
        self._read_blobs([git_id for git_id in self._blobs if git_id not in self._known])

    def _take(self, found: GitObject, below: dict[GitId, None]) -> None:
        """A tree, to be looked into; a blob, to be read with the others; nothing else belongs here."""
        if found.kind is Kind.BLOB:
            self._blobs[found.id] = None
        elif found.kind is Kind.TREE and found.content is not None:
            parsed = parse_tree(found.content, self._intake.form)
            self._trees[found.id] = _Tree(found.content, parsed)
            for text, _, git_id in parsed.entries:
                if text == b"40000":
                    below[git_id] = None
                elif text == b"100644":
                    self._blobs[git_id] = None
                elif (mode := _mode(text)) != FOREIGN:
                    (below if mode == TREE else self._blobs)[git_id] = None
        else:
            self._intake.missing[found.id] = None

    def _read_blobs(self, ids: list[GitId]) -> None:
        gathered: list[tuple[GitId, bytes]] = []
        size = 0
        for found in self._intake.read_many(ids):
            if found.content is None:
                self._stream(found)
            elif found.kind is not Kind.BLOB:
                self._intake.missing[found.id] = None
            else:
                gathered.append((found.id, found.content))
                size += len(found.content)
                if size > BATCH_BYTES:
                    self._write_blobs(gathered)
                    gathered, size = [], 0
        self._write_blobs(gathered)

    def _write_blobs(self, blobs: list[tuple[GitId, bytes]]) -> None:
        ids = self._intake.stage.write_many([(Kind.BLOB, content) for _, content in blobs])
        for (git_id, content), oid in zip(blobs, ids, strict=True):
            self._known[git_id] = self._intake.put(git_id, Known(oid, len(content), Kind.BLOB))

    def _stream(self, found: GitObject) -> None:
        """A blob that is larger than what is held in memory."""
        if found.kind is not Kind.BLOB:
            raise RefusedError(f"a git {found.kind} of {found.size:,} bytes", place=found.id.hex())
        try:
            oid, size = self._intake.stage.write_blob_pieces(self._intake.reader.iter_pieces(found))
        except DamageError:
            self._intake.missing[found.id] = None
            return
        self._known[found.id] = self._intake.put(found.id, Known(oid, size, Kind.BLOB))

    def write_trees(self) -> None:
        """Write the trees, each behind those below it."""
        for git_id in self._ordered():
            tree = self._trees.pop(git_id)
            self._known[git_id] = self._write_exactly(git_id, tree) or self._write_odd(git_id, tree)

    def _ordered(self) -> Iterator[GitId]:
        done: set[GitId] = set()
        for start in list(self._trees):
            stack = [(start, False)]
            while stack:
                git_id, is_ready = stack.pop()
                if is_ready:
                    yield git_id
                elif git_id not in done:
                    done.add(git_id)
                    stack.append((git_id, True))
                    entries = self._trees[git_id].parsed.entries
                    below = [child for _, _, child in entries if child in self._trees and child not in done]
                    stack += [(child, False) for child in below]

    def _write_exactly(self, git_id: GitId, tree: _Tree) -> Known | None:
        """The tree of casvault from which git's follows byte by byte; None if there is none."""
        entries: list[Entry] = []
        again: list[tuple[bytes, int, GitId]] = []
        known_of = self._known.get
        for text, name, child in tree.parsed.entries:
            mode = MODES.get(text)
            if mode is None:
                return None
            if mode == FOREIGN:
                entries.append(Entry(name, FOREIGN, 0, Oid(pad_id(child))))
            else:
                known = known_of(child)
                if known is None or known[3] or (known[2] is Kind.TREE) != (mode == TREE):
                    return None
                entries.append(Entry(name, mode, known[1], known[0]))
            again.append((name, mode, child))
        names = {entry[0] for entry in entries}
        if len(names) != len(entries) or format_tree(again) != tree.content:
            return None
        entries.sort()
        try:
            root = build_tree(self._intake.stage, entries)
        except MalformedError:
            return None
        return self._intake.put(git_id, Known(root.id, root.size, Kind.TREE))

    def _write_odd(self, git_id: GitId, tree: _Tree) -> Known:
        """The nearest tree of casvault; whoever refers to it keeps git's."""
        intake = self._intake
        is_incomplete = self._note_missing(tree)
        if not (is_incomplete or intake.options.keep_raw):
            raise RefusedError(
                oddity(tree.parsed), place=f"git tree {git_id.hex()}", remedy="--keep-raw keeps such trees as they are"
            )
        entries = []
        for name, (text, _, child) in zip(plan_names(tree.parsed.entries), tree.parsed.entries, strict=True):
            mode, known = _mode(text), self._known.get(child)
            if mode == FOREIGN:
                entries.append(Entry(name, FOREIGN, 0, trusted_oid(pad_id(child))))
            elif known is not None:
                entries.append(Entry(name, _mode_of(mode, known.kind), known.size, known.id))
        root = build_tree(intake.stage, sorted(entries))
        return intake.put(git_id, Known(root.id, root.size, Kind.TREE, is_kept=True), is_incomplete)

    def _note_missing(self, tree: _Tree) -> bool:
        """Whether something is missing below a tree."""
        children = [child for text, _, child in tree.parsed.entries if _mode(text) != FOREIGN]
        return any(child not in self._known or child in self._intake.incomplete for child in children)


def import_content(intake: Intake, roots: Iterable[GitId]) -> None:
    """Bring in these trees and blobs with all that is below them; what the source does not have is noted."""
    batch = _Batch(intake)
    batch.read(roots)
    intake.check_missing()
    batch.write_trees()


def _mode(text: bytes) -> int:
    mode = MODES.get(text)
    return plan_mode(text) if mode is None else mode


def _mode_of(mode: int, kind: Kind) -> int:
    """The mode with which an entry can stand for what it names: git trusts neither."""
    if kind is Kind.TREE:
        return TREE
    return FILE if mode == TREE else mode
