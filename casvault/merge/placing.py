"""Putting files into a merged tree where there is room for them, and a conflict where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.merge.directories import directories_above
from casvault.objects import TREE, Root
from casvault.trees import edit_paths, find_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.merge.conflict import TreeConflict
    from casvault.objects import ObjectStage


class Placed(NamedTuple):
    """A file that merged, and the conflict that it is if its path is taken."""

    state: Root
    otherwise: TreeConflict


class Places:
    """The paths of a tree that are taken: by files, by directories above them, by either side of a conflict.

    Where a conflict stands nothing else may go, even if the tree, which has ours there, has room: whether something
    merges must not depend on which side is called ours.
    """

    def __init__(self, stage: ObjectStage, root: Root, prefix: bytes) -> None:
        self._stage = stage
        self._root = root
        self._start = len(prefix)
        self._edits: dict[bytes, Root | None] = {}
        self._files: set[bytes] = set()
        self._directories: set[bytes] = set()
        self.conflicts: list[TreeConflict] = []

    def note(self, conflict: TreeConflict) -> None:
        self.conflicts.append(conflict)
        paths = (conflict.path,) * 2 if conflict.renamed is None else conflict.renamed[1:]
        for path, state in zip(paths, conflict[3:5], strict=True):
            if path is not None and state is not None:
                self._take(path[self._start :])

    def put(self, files: Iterable[tuple[bytes, Placed]]) -> None:
        """Put files that merged, the shortest paths first."""
        for path, placed in sorted(files):
            if self._is_taken(path) or not self._has_room(path):
                self.note(placed.otherwise)
            else:
                self._edits[path] = placed.state
                self._take(path)

    def put_contested(self, files: Iterable[tuple[bytes, Root]]) -> None:
        """Put files of conflicts, of which the tree has as many as it has room for."""
        directories = {above for path in self._edits for above in directories_above(path)}
        for path, state in sorted(files):
            if path in directories or self._edits.keys() & {path, *directories_above(path)} or not self._has_room(path):
                continue
            self._edits[path] = state
            directories.update(directories_above(path))

    def finish(self) -> Root:
        return edit_paths(self._stage, self._root, self._edits) if self._edits else self._root

    def _take(self, path: bytes) -> None:
        self._files.add(path)
        self._directories.update(directories_above(path))

    def _is_taken(self, path: bytes) -> bool:
        return path in self._files or path in self._directories or not self._files.isdisjoint(directories_above(path))

    def _has_room(self, path: bytes) -> bool:
        """Whether the tree has nothing at the path, and directories above it, if anything."""
        if find_path(self._stage, self._root, path) is not None:
            return False
        found = (find_path(self._stage, self._root, above) for above in directories_above(path))
        return all(state is None or state.mode == TREE for state in found)
