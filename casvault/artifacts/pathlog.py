"""Which commits changed a path: of a collection through its change index, of any other history by a walk.

Both go by git's rule. A commit is told of if the path differs from what it was in each of its parents; where one parent
has the path as the commit has it, the history of the path is that parent's, and the others are not looked at. An
artifact's path is followed to where it was before a rename, because its lineage says so; nothing else is.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.revision import find_state
from casvault.artifacts.snapshot import CONTENT, find_content, open_snapshot
from casvault.artifacts.version import COLLECTION, ORIGIN, PATH, Origin
from casvault.objects import LINK, read_commit
from casvault.trees import find_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.history import CommitGraph
    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid
    from casvault.repository.changeindex import Change, ChangeIndex, Stand

_UNDER = CONTENT + b"/"


class PathHistory:
    """What the index says of one path of a collection: the commits that touched it, against which parent."""

    def __init__(self, index: ChangeIndex, reader: ObjectReader, path: bytes) -> None:
        self._index = index
        self._reader = reader
        self.path = path
        self._touched: dict[tuple[int, int], list[Change]] = {}
        for change in _related(index, path):
            self._touched.setdefault((change.commit, change.parent), []).append(change)
        commits = {commit for commit, parent in self._touched if parent == 0}
        self._by_depth = sorted(((index.place(commit).depth, commit) for commit in commits), reverse=True)

    def nearest(self, start: int) -> int | None:
        """The first commit, from `start` along first parents, that touched the path against its first parent."""
        depth = self._index.place(start).depth
        for at, commit in self._by_depth:
            if at <= depth:
                start = self._index.ancestor_at(start, at)
                if start == commit:
                    return commit
        return None

    def is_changed(self, commit: int, parent: int) -> bool:
        touching = self._touched.get((commit, parent), [])
        around = [change for change in touching if _is_link_above(change, self.path)]
        if not around:
            return bool(touching)
        if len(touching) == 1:
            rest = self.path[len(_tail(around[0].path)) + 1 :]
            old, new = (_inside(self._reader, stand, rest) for stand in (around[0].old, around[0].new))
            return old != new
        return self._differs(commit, parent)

    def _differs(self, commit: int, parent: int) -> bool:
        """The same, where an artifact and something else took each other's place above the path."""
        parents = self._index.parents(commit)
        before = self._index.id_of(parents[parent]) if parents else None
        old, new = (
            find_content(self._reader, open_snapshot(self._reader, oid), self.path)
            for oid in (before, self._index.id_of(commit))
        )
        return next(iter_file_changes(self._reader, old, new), None) is not None

    def before(self, commit: int, collection: bytes) -> bytes:
        """The path in the first parent: another one if the commit renamed the artifact."""
        for change in self._touched.get((commit, 0), []):
            at = _tail(change.path)
            is_mine = at == self.path or self.path.startswith(at + b"/")
            if is_mine and change.old is None and change.new is not None and change.new.mode == LINK:
                version = read_commit(self._reader, change.new.id)
                if version.field(ORIGIN) == Origin.RENAME.value.encode() and version.parents:
                    source = read_commit(self._reader, version.parents[0])
                    if source.field(COLLECTION) == collection:
                        return (source.field(PATH) or at) + self.path[len(at) :]
        return self.path


def iter_changed(
    index: ChangeIndex, reader: ObjectReader, collection: bytes, tip: Oid, paths: Iterable[bytes]
) -> Iterator[Oid]:
    """The snapshots, from a tip down, that changed one of the paths; children before parents, each once."""
    histories: dict[bytes, PathHistory] = {}

    def history(path: bytes) -> PathHistory:
        if path not in histories:
            histories[path] = PathHistory(index, reader, path)
        return histories[path]

    queue: list[tuple[int, bytes]] = []
    seen: set[tuple[int, bytes]] = set()

    def push(start: int, path: bytes) -> None:
        found = history(path).nearest(start)
        if found is not None and (found, path) not in seen:
            seen.add((found, path))
            heappush(queue, (-found, path))

    (top,) = index.catch_up([tip])
    for path in paths:
        push(top, path)
    told = 0
    while queue:
        negative, path = heappop(queue)
        commit = -negative
        parents = index.parents(commit)
        changed = [history(path).is_changed(commit, number) for number in range(max(len(parents), 1))]
        if all(changed) and commit != told:
            told = commit
            yield index.id_of(commit)
        if all(changed):
            before = history(path).before(commit, collection)
            following = [(parent, before if number == 0 else path) for number, parent in enumerate(parents)]
        else:
            following = [(parents[changed.index(False)], path)] if parents else []
        for parent, older in following:
            push(parent, older)


def iter_changed_by_walk(graph: CommitGraph, reader: ObjectReader, tip: Oid, paths: Iterable[bytes]) -> Iterator[Oid]:
    """The same in any history; it reads every commit down to the last one that it tells of."""
    wanted = list(paths)
    states: dict[Oid, list[Root | None]] = {}

    def state(oid: Oid) -> list[Root | None]:
        if oid not in states:
            states[oid] = [find_state(reader, oid, path) for path in wanted]
        return states[oid]

    parents_of: dict[Oid, list[Oid]] = {}
    live = {tip}
    for oid, commit in graph.iter_children_first([tip]):
        if oid not in live:
            continue
        same = [parent for parent in commit.parents if state(parent) == state(oid)]
        parents_of[oid] = same[:1] or list(commit.parents)
        live.update(parents_of[oid])
        if not same and (commit.parents or any(each is not None for each in state(oid))):
            yield oid
        states.pop(oid, None)


def _related(index: ChangeIndex, path: bytes) -> list[Change]:
    """What happened at a path, below it, and to artifacts above it."""
    above = [path[:end] for end, sign in enumerate(path) if sign == 0x2F]
    found = index.changes_at(_UNDER + path) + index.changes_below(_UNDER + path)
    return found + [
        change for prefix in above for change in index.changes_at(_UNDER + prefix) if _is_link_above(change, path)
    ]


def _is_link_above(change: Change, path: bytes) -> bool:
    if not path.startswith(_tail(change.path) + b"/"):
        return False
    return LINK in (0 if stand is None else stand.mode for stand in (change.old, change.new))


def _tail(path: bytes) -> bytes:
    return path.removeprefix(_UNDER)


def _inside(reader: ObjectReader, stand: Stand | None, rest: bytes) -> Root | None:
    if stand is None or stand.mode != LINK:
        return None
    return find_path(reader, read_commit(reader, stand.id).root, rest)
