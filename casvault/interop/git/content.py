"""Bringing trees and blobs in: all that a batch of commits refers to and the vault does not have yet.

Most entries of a tree stand in the tree that was there before it, byte by byte. So an entry that was understood once is
remembered by its bytes, and a tree costs what is new in it.
"""

from __future__ import annotations

from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, RefusedError
from casvault.interop.git.mapping import Known
from casvault.interop.git.shapes import Recent, Shapes
from casvault.interop.git.trees import MODES, oddity, pad_id, parse_tree, plan_mode, plan_names, split_entry
from casvault.limits import BATCH_BYTES
from casvault.objects import FILE, FOREIGN, TREE, Entry, Kind
from casvault.oid import trusted_oid
from casvault.trees import build_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.intake import Intake
    from casvault.interop.git.reader import GitObject
    from casvault.interop.git.shapes import Shape, Version
    from casvault.interop.git.trees import ParsedTree
    from casvault.oid import Oid

REMEMBERED = 1 << 17
"""Entries that are remembered before they are forgotten all at once."""


_CONTENT = (Kind.BLOB, Kind.TREE)


class _Unwritten(NamedTuple):
    """A tree that was read."""

    parsed: ParsedTree
    shape: Shape | None


class ContentImport:
    """Brings trees and blobs in, batch after batch of one import."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._form = intake.form
        self._shapes = Shapes(self._form)
        self._entries: dict[bytes, tuple[int, Oid]] = {}
        """Sizes and ids of entries that say the same here and there, by their bytes in git."""
        self._met: set[bytes] = set()
        """Entries of the batch that were looked at."""
        self._known: dict[GitId, Known] = {}
        """What the batch has met, by git id."""
        self._met_trees: Recent[list[bytes]] = Recent()
        """The entries of trees of the batch, all of which were looked at."""
        self._versions: Recent[Version] = Recent()
        self._trees: dict[GitId, _Unwritten] = {}
        """Trees of the batch that are still to be written."""
        self._blobs: dict[GitId, None] = {}

    def bring(self, roots: Iterable[GitId]) -> None:
        """Bring in these trees and blobs with all that is below them; what the source does not have is noted."""
        self._read_trees(roots)
        while self._blobs:
            self._read_trees(self._read_blobs())
        self._intake.check_missing()
        for git_id in list(self._trees):
            self._write_with_those_below(git_id)
        self._known, self._met = {}, set()
        self._met_trees.clear()

    def _read_trees(self, roots: Iterable[GitId]) -> None:
        """Read the roots and every new tree below them, level by level."""
        wanted = dict.fromkeys(roots)
        while wanted:
            self._learn(wanted)
            known, missing = self._known, self._intake.missing
            level = [each for each in wanted if not (each in known or each in self._trees or each in missing)]
            wanted = {}
            for found in self._intake.read_many(level):
                self._take(found, wanted)

    def _learn(self, ids: Iterable[GitId]) -> None:
        """What the vault has of these; a commit or tag is of no use where content is referred to."""
        for git_id, known in self._intake.find_many(ids).items():
            if known.kind in _CONTENT:
                self._known[git_id] = known
            else:
                self._intake.missing[git_id] = None

    def _take(self, found: GitObject, wanted: dict[GitId, None]) -> None:
        """A tree, to be looked into; a blob, to be read with the others; nothing else belongs here."""
        if found.kind is Kind.BLOB:
            self._blobs[found.id] = None
        elif found.kind is not Kind.TREE or found.content is None:
            self._intake.missing[found.id] = None
        else:
            parsed = parse_tree(found.content, self._form)
            unwritten = self._trees[found.id] = _Unwritten(parsed, self._shapes.find(parsed))
            for entry in self._new_entries(unwritten):
                text, _, child = split_entry(entry, self._form)
                mode = _mode(text)
                if mode != FOREIGN:
                    (wanted if mode == TREE else self._blobs)[child] = None

    def _new_entries(self, tree: _Unwritten) -> list[bytes]:
        """The entries that the batch has not met, and that were not understood before it."""
        entries = tree.parsed.entries
        changed: Iterable[bytes] = entries
        if tree.shape is not None:
            last = self._met_trees.find(tree.shape, entries)
            changed = entries if last is None else compress(entries, map(ne, entries, last))
            self._met_trees.put(tree.shape, entries, entries)
        fresh = [entry for entry in changed if entry not in self._entries and entry not in self._met]
        self._met.update(fresh)
        return fresh

    def _read_blobs(self) -> list[GitId]:
        """Read the blobs that trees name; those of them that are trees."""
        blobs, self._blobs = self._blobs, {}
        self._learn(blobs)
        known, missing, disguised = self._known, self._intake.missing, [each for each in blobs if each in self._trees]
        wanted = [each for each in blobs if not (each in known or each in missing or each in self._trees)]
        gathered: list[tuple[GitId, bytes]] = []
        size = 0
        for found in self._intake.read_many(wanted):
            if found.kind is Kind.TREE:
                disguised.append(found.id)
            elif found.kind is not Kind.BLOB:
                missing[found.id] = None
            elif found.content is None:
                self._stream(found)
            else:
                gathered.append((found.id, found.content))
                size += len(found.content)
                if size > BATCH_BYTES:
                    self._write_blobs(gathered)
                    gathered, size = [], 0
        self._write_blobs(gathered)
        return disguised

    def _write_blobs(self, blobs: list[tuple[GitId, bytes]]) -> None:
        ids = self._intake.stage.write_many([(Kind.BLOB, content) for _, content in blobs])
        for (git_id, content), oid in zip(blobs, ids, strict=True):
            self._known[git_id] = self._intake.put(git_id, Known(oid, len(content), Kind.BLOB))

    def _stream(self, found: GitObject) -> None:
        """A blob that is larger than what is held in memory."""
        try:
            oid, size = self._intake.stage.write_blob_pieces(self._intake.reader.iter_pieces(found))
        except DamageError:
            self._intake.missing[found.id] = None
            return
        self._known[found.id] = self._intake.put(found.id, Known(oid, size, Kind.BLOB))

    def _write_with_those_below(self, start: GitId) -> None:
        """Write a tree that was read, behind those in it that are not written yet."""
        stack = [start]
        while stack:
            git_id = stack[-1]
            tree = self._trees.get(git_id)
            if tree is None:
                stack.pop()  # several trees were waiting for it
                continue
            entries = tree.parsed.entries
            last = self._last_version(tree)
            changes = list(range(len(entries))) if last is None else last.changes(entries)
            below = [child for at in changes if (child := entries[at][-self._form.size :]) in self._trees]
            if below:
                stack += below
                continue
            stack.pop()
            del self._trees[git_id]
            known = self._write_exactly(git_id, tree, last, changes) or self._write_odd(git_id, tree.parsed)
            self._known[git_id] = known

    def _last_version(self, tree: _Unwritten) -> Version | None:
        """The tree that this one is most likely a change of; None if casvault cannot have one of its shape."""
        if tree.shape is None:
            return None
        return self._versions.find(tree.shape, tree.parsed.entries) or tree.shape.blank

    def _write_exactly(self, git_id: GitId, tree: _Unwritten, last: Version | None, changes: list[int]) -> Known | None:
        """The tree of casvault from which git's follows byte by byte; None if there is none.

        It does if it has a shape that casvault has, too, and each entry says the same here and there.
        """
        shape, entries = tree.shape, tree.parsed.entries
        if shape is None or last is None:
            return None
        states: dict[int, tuple[int, Oid]] = {}
        for at in changes:
            state = self._entries.get(entries[at]) or self._understand(entries[at])
            if state is None:
                return None
            states[at] = state
        version = last.changed(entries, states)
        self._versions.put(shape, entries, version)
        encoded = shape.encode(version)
        if encoded is not None:
            return self._intake.write(git_id, Kind.TREE, encoded, sum(version.sizes))
        root = build_tree(self._intake.stage, shape.entries(version))
        return self._intake.put(git_id, Known(root.id, root.size, Kind.TREE))

    def _understand(self, raw: bytes) -> tuple[int, Oid] | None:
        """Size and id of an entry, if it says the same here and there; its mode and name do."""
        text, _, child = split_entry(raw, self._form)
        mode = MODES[text]
        if mode == FOREIGN:
            state = (0, trusted_oid(pad_id(child)))
        else:
            known = self._find(child)
            if known is None or known.is_kept or known.kind is not (Kind.TREE if mode == TREE else Kind.BLOB):
                return None
            state = (known.size, known.id)
        if len(self._entries) >= REMEMBERED:
            self._entries.clear()
        self._entries[raw] = state
        return state

    def _find(self, git_id: GitId) -> Known | None:
        """What an object has become; one whose entry was remembered, and forgotten since, is looked up."""
        if (met := self._known.get(git_id)) is not None:
            return met
        known = self._intake.find(git_id)
        return known if known is not None and known.kind in _CONTENT else None

    def _write_odd(self, git_id: GitId, parsed: ParsedTree) -> Known:
        """The nearest tree of casvault; whoever refers to it keeps git's."""
        intake = self._intake
        raws = parsed.split(self._form)
        modes = [_mode(text) for text, _, _ in raws]
        found = [None if mode == FOREIGN else self._find(raw[2]) for mode, raw in zip(modes, raws, strict=True)]
        is_incomplete = any(
            mode != FOREIGN and (known is None or raw[2] in intake.incomplete)
            for mode, known, raw in zip(modes, found, raws, strict=True)
        )
        if not (is_incomplete or intake.options.keep_raw):
            raise RefusedError(
                oddity(parsed, self._form),
                place=f"git tree {git_id.hex()}",
                remedy="--keep-raw keeps such trees as they are",
            )
        entries = []
        for name, mode, known, raw in zip(plan_names(raws), modes, found, raws, strict=True):
            if mode == FOREIGN:
                entries.append(Entry(name, FOREIGN, 0, trusted_oid(pad_id(raw[2]))))
            elif known is not None:
                entries.append(Entry(name, _mode_of(mode, known.kind), known.size, known.id))
        root = build_tree(intake.stage, sorted(entries))
        return intake.put(git_id, Known(root.id, root.size, Kind.TREE, is_kept=True), is_incomplete)


def _mode(text: bytes) -> int:
    mode = MODES.get(text)
    return plan_mode(text) if mode is None else mode


def _mode_of(mode: int, kind: Kind) -> int:
    """The mode with which an entry can stand for what it names: git trusts neither."""
    if kind is Kind.TREE:
        return TREE
    return FILE if mode == TREE else mode
