"""Which of the files that a side removed it has under another name: exactly by id, then by similarity."""

from __future__ import annotations

from collections import Counter, defaultdict
from stat import S_IFMT
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.errors import PurgedError
from casvault.limits import MERGE_BYTES, RENAME_BYTES, RENAME_PAIRS
from casvault.merge.similarity import WHOLE, cut, iter_alike, similarity
from casvault.objects import BLOB_MODES, FILE_MODES, read_blob
from casvault.trees import diff_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from casvault.merge.similarity import Pieces
    from casvault.objects import ObjectReader, Root

SIMILAR: Final = WHOLE // 2
"""Files that share half of the larger one are taken for one file; git's default."""
SIMILAR_SAME_NAME: Final = 3 * WHOLE // 4
"""A file that moved to another directory under its own name needs no comparison with all others if it is so similar."""

Files = dict[bytes, "Root"]


class Moves(NamedTuple):
    """What one side did to names: files that it removed and that it added, with their states."""

    removed: Files
    added: Files


class Pairing(NamedTuple):
    pairs: dict[bytes, bytes]
    """Old path → new path."""
    too_many: tuple[int, int] | None = None
    """How many old and new files were left and not compared, where that was too much."""


def read_moves(reader: ObjectReader, base: Root, side: Root) -> Moves:
    """The files and symlinks that a side removed and added."""
    moves = Moves({}, {})
    for path, old, new in diff_paths(reader, base, side, edits=False):
        if new is None and old is not None and old.mode in BLOB_MODES:
            moves.removed[path] = old
        elif old is None and new is not None and new.mode in BLOB_MODES:
            moves.added[path] = new
    return moves


def pair(reader: ObjectReader, moves: Moves, relevant: Set[bytes]) -> Pairing:
    """Find what became of the removed files; of those that are not relevant only what costs nothing to find."""
    search = _Search(reader, moves)
    search.pair_equal()
    wanted = search.olds() & relevant
    if wanted and search.news():
        if search.is_too_much(wanted):
            return Pairing(search.pairs, (len(wanted), len(search.news())))
        search.pair_same_names(wanted)
        search.pair_similar(wanted)
    return Pairing(search.pairs)


class _Search:
    def __init__(self, reader: ObjectReader, moves: Moves) -> None:
        self.pairs: dict[bytes, bytes] = {}
        self._reader = reader
        self._removed = {path: state for path, state in moves.removed.items() if state.size}
        self._added = {path: state for path, state in moves.added.items() if state.size}
        self._taken: set[bytes] = set()
        self._pieces: dict[bytes, Pieces] = {}

    def olds(self) -> set[bytes]:
        """Files that are gone and could still be found elsewhere; empty ones are all alike, and never looked for."""
        return {path for path in self._removed if path not in self.pairs}

    def news(self) -> set[bytes]:
        return self._added.keys() - self._taken

    def pair_equal(self) -> None:
        """Files of one content: first those that kept the last part of their names, the others in order."""
        groups: defaultdict[tuple[int, bytes], tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
        for number, files in enumerate((self._removed, self._added)):
            for path, state in files.items():
                groups[S_IFMT(state.mode), state.id][number].append(path)
        for olds, news in groups.values():
            self._pair_group(sorted(olds), sorted(news))

    def _pair_group(self, olds: list[bytes], news: list[bytes]) -> None:
        by_name: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for new in reversed(news):
            by_name[_name(new)].append(new)
        for old in olds:
            if same := by_name.get(_name(old)):
                self._take(old, same.pop())
        free = [new for new in news if new not in self._taken]
        for old, new in zip([old for old in olds if old not in self.pairs], free, strict=False):
            self._take(old, new)

    def is_too_much(self, wanted: set[bytes]) -> bool:
        news = self.news()
        sizes = [self._removed[path].size for path in wanted] + [self._added[path].size for path in news]
        return (
            len(wanted) * len(news) > RENAME_PAIRS or sum(size for size in sizes if size <= MERGE_BYTES) > RENAME_BYTES
        )

    def pair_same_names(self, wanted: set[bytes]) -> None:
        """Files whose names, without their directories, are the only ones of their kind on either side."""
        old_names, new_names = (_unique_names(paths) for paths in (self.olds(), self.news()))
        for name in sorted(old_names.keys() & new_names.keys()):
            old, new = old_names[name], new_names[name]
            if old in wanted and self._similarity(old, new) >= SIMILAR_SAME_NAME:
                self._take(old, new)

    def pair_similar(self, wanted: set[bytes]) -> None:
        """The most similar first; among equally similar ones those of the same name, then the first in order."""
        olds = {path: self._cut(self._removed, path) for path in self.olds() & wanted if self._is_file(path)}
        news = ((path, self._cut(self._added, path)) for path in self.news() if self._is_file(path, new=True))
        found = iter_alike(olds, news, SIMILAR)
        ranked = sorted((-each.score, _name(each.old) != _name(each.new), each.old, each.new) for each in found)
        for _, _, old, new in ranked:
            if old not in self.pairs and new not in self._taken:
                self._take(old, new)

    def _take(self, old: bytes, new: bytes) -> None:
        self.pairs[old] = new
        self._taken.add(new)

    def _is_file(self, path: bytes, *, new: bool = False) -> bool:
        state = (self._added if new else self._removed)[path]
        return state.mode in FILE_MODES and state.size <= MERGE_BYTES

    def _similarity(self, old: bytes, new: bytes) -> int:
        if not self._is_file(old) or not self._is_file(new, new=True):
            return 0
        return similarity(self._cut(self._removed, old), self._cut(self._added, new))

    def _cut(self, files: Files, path: bytes) -> Pieces:
        """A path is in one of the two tables only, so that it can be the key."""
        found = self._pieces.get(path)
        if found is None:
            try:
                content = read_blob(self._reader, files[path].id)
            except PurgedError:
                content = files[path].id  # what is gone on purpose is like nothing else
            found = self._pieces[path] = cut(content)
        return found


def _unique_names(paths: Iterable[bytes]) -> dict[bytes, bytes]:
    """The paths by their last parts, without those of which there are several."""
    known = list(paths)
    counts = Counter(map(_name, known))
    return {_name(path): path for path in known if counts[_name(path)] == 1}


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
