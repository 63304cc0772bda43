"""Bringing trees and blobs in: all that a batch of commits refers to and the vault does not have yet.

Most entries of a tree stand in the tree that was there before it, byte by byte. So an entry that was understood once is
remembered by its bytes, and a tree costs what is new in it.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, cast

from casvault.errors import DamageError, RefusedError
from casvault.interop.git.mapping import Known
from casvault.interop.git.trees import (
    MODES,
    format_entry,
    oddity,
    pad_id,
    parse_tree,
    plan_mode,
    plan_names,
    sort_key,
    split_entry,
)
from casvault.limits import BATCH_BYTES, MAX_SIZE
from casvault.objects import FILE, FOREIGN, TREE, Entry, Kind, check_name, join_entries, pack_entry
from casvault.objects.tree import WHOLE_ENTRIES
from casvault.oid import trusted_oid
from casvault.trees import build_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.intake import Intake
    from casvault.interop.git.reader import GitObject
    from casvault.interop.git.trees import ParsedTree

REMEMBERED = 1 << 17
"""Entries that are remembered before they are forgotten all at once."""


class _Understood(NamedTuple):
    """An entry that says the same here and there."""

    name: bytes
    key: bytes
    """What git sorts it by."""
    size: int
    packed: bytes
    """As it stands in the encoding of a tree."""
    entry: Entry


_NAME_OF, _KEY_OF, _SIZE_OF, _PACKED_OF, _ENTRY_OF = map(itemgetter, range(5))
_CONTENT = (Kind.BLOB, Kind.TREE)
_TREE_DIGITS = b"40"
"""With what the mode of a tree may begin."""


class ContentImport:
    """Brings trees and blobs in, batch after batch of one import."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._form = intake.form
        self._entries: dict[bytes, _Understood] = {}
        """By their bytes in git."""
        self._met: set[bytes] = set()
        """Entries of the batch that were looked at."""
        self._known: dict[GitId, Known] = {}
        """What the batch has met, by git id."""
        self._trees: dict[GitId, ParsedTree] = {}
        """Trees of the batch that are still to be written."""
        self._blobs: dict[GitId, None] = {}
        self._has_disguised = False
        """Whether trees were met where a mode says that there is a file."""

    def bring(self, roots: Iterable[GitId]) -> None:
        """Bring in these trees and blobs with all that is below them; what the source does not have is noted."""
        self._read_trees(roots)
        while self._blobs:
            self._read_trees(self._read_blobs())
        self._intake.check_missing()
        for git_id in self._ordered():
            parsed = self._trees.pop(git_id)
            self._known[git_id] = self._write_exactly(git_id, parsed) or self._write_odd(git_id, parsed)
        self._known, self._met, self._has_disguised = {}, set(), False

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
            fresh = set(parsed.entries).difference(self._entries, self._met)
            self._met.update(fresh)
            for entry in [entry for entry in parsed.entries if entry in fresh] if fresh else ():
                text, _, child = split_entry(entry, self._form)
                mode = _mode(text)
                if mode != FOREIGN:
                    (wanted if mode == TREE else self._blobs)[child] = None
            self._trees[found.id] = parsed

    def _read_blobs(self) -> list[GitId]:
        """Read the blobs that trees name; those of them that are trees."""
        blobs, self._blobs = self._blobs, {}
        self._learn(blobs)
        known, missing, disguised = self._known, self._intake.missing, [each for each in blobs if each in self._trees]
        self._has_disguised |= bool(disguised)
        wanted = [each for each in blobs if not (each in known or each in missing or each in self._trees)]
        gathered: list[tuple[GitId, bytes]] = []
        size = 0
        for found in self._intake.read_many(wanted):
            if found.kind is Kind.TREE:
                self._has_disguised = True
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

    def _ordered(self) -> Iterator[GitId]:
        """The trees that were read, each behind those below it."""
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
                    below = self._below(self._trees[git_id])
                    stack += [(child, False) for child in below if child in self._trees and child not in done]

    def _below(self, parsed: ParsedTree) -> list[GitId]:
        """The trees in a tree, and perhaps others of its entries."""
        size = self._form.size
        if self._has_disguised:
            return [entry[-size:] for entry in parsed.entries]
        return [entry[-size:] for entry in parsed.entries if entry[0] in _TREE_DIGITS]

    def _write_exactly(self, git_id: GitId, parsed: ParsedTree) -> Known | None:
        """The tree of casvault from which git's follows byte by byte; None if there is none.

        It does if each entry does, the entries are in git's order, and nothing else is there.
        """
        found = list(map(self._entries.get, parsed.entries))
        if None in found:
            found = [entry or self._understand(raw) for entry, raw in zip(found, parsed.entries, strict=True)]
        if None in found or parsed.rest:
            return None
        entries = cast("list[_Understood]", found)
        keys = list(map(_KEY_OF, entries))
        if keys != sorted(set(keys)) or len(set(map(_NAME_OF, entries))) != len(entries):
            return None
        entries.sort(key=_NAME_OF)
        size = sum(map(_SIZE_OF, entries))
        if len(entries) > WHOLE_ENTRIES or size > MAX_SIZE:
            root = build_tree(self._intake.stage, list(map(_ENTRY_OF, entries)))
            return self._intake.put(git_id, Known(root.id, size, Kind.TREE))
        return self._intake.write(git_id, Kind.TREE, join_entries(list(map(_PACKED_OF, entries))), size)

    def _understand(self, raw: bytes) -> _Understood | None:
        """The entry of casvault that says the same as one of git; None if there is none."""
        text, name, child = split_entry(raw, self._form)
        mode = MODES.get(text)
        if mode is None or check_name(name) is not None:
            return None
        if mode == FOREIGN:
            entry = Entry(name, FOREIGN, 0, trusted_oid(pad_id(child)))
        else:
            known = self._find(child)
            if known is None or known.is_kept or known.kind is not (Kind.TREE if mode == TREE else Kind.BLOB):
                return None
            entry = Entry(name, mode, known.size, known.id)
        if format_entry(name, mode, child) != raw:
            return None
        understood = _Understood(name, sort_key(name, mode), entry.size, pack_entry(entry), entry)
        if len(self._entries) >= REMEMBERED:
            self._entries.clear()
        self._entries[raw] = understood
        return understood

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
