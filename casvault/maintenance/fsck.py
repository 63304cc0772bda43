"""Checking a vault: every pack, every object, every reference, the operation chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, UnsupportedError
from casvault.objects import FOREIGN, LINK, TREE, Fork, Kind, Leaf, Root, decode_commit, decode_node, decode_tag
from casvault.objects.tree import check_child, check_root
from casvault.progress import silent
from casvault.trees import EMPTY_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from casvault.objects import Node, ObjectReader
    from casvault.oid import Oid
    from casvault.progress import Progress
    from casvault.store import PackDatabase


NOTHING: Mapping[Oid, int] = {}


class Problem(NamedTuple):
    """One thing that is wrong; `place` is an object, a pack or a record."""

    place: str
    message: str


def check_packs(database: PackDatabase, progress: Progress = silent) -> tuple[int, list[Problem]]:
    """Read every byte of every pack: how many objects were right, and what is wrong."""
    problems = [_problem(error, name) for name, error in database.damaged.items()]
    done = 0
    total = sum(len(pack) for pack in database.packs)
    for pack in database.packs:
        try:
            for _ in pack.verify():
                done += 1
                progress("verify", done, total)
        except (DamageError, UnsupportedError) as error:
            problems.append(_problem(error, pack.name))
    return done, problems


def check_objects(
    reader: ObjectReader,
    starts: list[Oid],
    progress: Progress = silent,
    purged: Mapping[Oid, int] = NOTHING,
) -> tuple[int, list[Problem]]:
    """Follow every reference from the commits or tags `starts`: how many objects are reachable, and what is wrong.

    `purged` are blobs that may be gone, with their sizes.
    """
    walk = _Walk(reader, progress, purged)
    for start in starts:
        walk.expect(start, None, "the operation chain")
    walk.run()
    return len(walk.seen), walk.problems


class _Walk:
    """A walk over all references without recursion; each object is looked at once."""

    def __init__(self, reader: ObjectReader, progress: Progress, purged: Mapping[Oid, int]) -> None:
        self._reader = reader
        self._purged = purged
        self._progress = progress
        self._pending: list[tuple[Oid, Kind | None, str]] = []
        self.seen: set[Oid] = set()
        self.problems: list[Problem] = []

    def expect(self, oid: Oid, kind: Kind | None, whence: str) -> None:
        if oid not in self.seen and oid != EMPTY_ID:
            self.seen.add(oid)
            self._pending.append((oid, kind, whence))

    def run(self) -> None:
        while self._pending:
            oid, kind, whence = self._pending.pop()
            self._progress("walk", len(self.seen) - len(self._pending), None)
            try:
                self._look(oid, kind, whence)
            except (DamageError, UnsupportedError) as error:
                problem = _problem(error, str(oid))
                self.problems.append(problem._replace(message=f"{problem.message} (referred to by {whence})"))

    def _look(self, oid: Oid, expected: Kind | None, whence: str) -> None:
        if expected is Kind.BLOB or oid in self._purged:
            info = self._reader.find_infos([oid])[0]
            found = None if info is None else info.kind
        else:
            found, data = next(self._reader.read_many([oid]))
        if found is None:
            if oid in self._purged:
                return
            raise DamageError("no pack holds this object", place=str(oid))
        if expected is not None and found is not expected:
            raise DamageError(f"this object is a {found}, where a {expected} is referred to", place=str(oid))
        if found is Kind.COMMIT:
            self._look_at_commit(oid, data)
        elif found is Kind.TREE:
            self._look_at_node(oid, decode_node(data), is_root=True)
        elif found is Kind.TAG:
            tag = decode_tag(data)
            self.expect(tag.target, tag.kind, f"tag {oid.short}")

    def _look_at_commit(self, oid: Oid, data: bytes) -> None:
        commit = decode_commit(data)
        self._expect_state(commit.root, f"commit {oid.short}")
        for parent in () if oid in self._reader.boundary else commit.parents:
            self.expect(parent, Kind.COMMIT, f"commit {oid.short}")

    def _expect_state(self, state: Root, whence: str) -> None:
        """Queue what a root or an entry refers to, and check the size that it claims."""
        mode, size, oid = state
        if mode == FOREIGN:
            return
        if mode == LINK:
            self.expect(oid, None, whence)
            return
        kind = Kind.TREE if mode == TREE else Kind.BLOB
        self.expect(oid, kind, whence)
        found = 0 if oid == EMPTY_ID else self._size(oid, kind)
        if found is not None and found != size:
            self.problems.append(Problem(str(oid), f"{whence} claims a size of {size}, it is {found}"))

    def _size(self, oid: Oid, kind: Kind) -> int | None:
        info = self._reader.find_infos([oid])[0]
        if info is None and kind is Kind.BLOB:
            return self._purged.get(oid)
        if info is None or info.kind is not kind:
            return None
        if kind is Kind.BLOB:
            return info.size
        return decode_node(next(self._reader.read_many([oid]))[1]).size

    def _look_at_node(self, oid: Oid, node: Node, *, is_root: bool) -> None:
        if is_root:
            check_root(node)
        if isinstance(node, Leaf):
            for _, mode, size, target in node.entries:
                self._expect_state(Root(mode, size, target), f"tree {oid.short}")
            return
        for child, below in self._children(node):
            self.seen.add(child)
            self._look_at_node(child, below, is_root=False)

    def _children(self, fork: Fork) -> Iterator[tuple[Oid, Node]]:
        for child in fork.children:
            below = decode_node(next(self._reader.read_many([child.id]))[1])
            check_child(child, fork.level, below)
            yield child.id, below


def _problem(error: DamageError | UnsupportedError, place: str) -> Problem:
    return Problem(error.place or place, error.message)
