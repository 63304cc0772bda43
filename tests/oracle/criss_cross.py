"""Histories whose last two commits have several merge bases; seed and generator are fixed.

Two or three branches go their ways, and are merged with each other in both directions, by hands that settle clashes
differently. Commits are numbered as they come; the last two are to be merged.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from tests.oracle.tree_changes import File, Files, edited, text

SEED = 20_261_123
HISTORIES = 400
SIZE = 12
"""No more commits than these."""

START: Files = {path: File(text(path)) for path in ("a", "b", "dir/c", "dir/d", "dir/sub/e", "other/f")}
PLACES = ("", "dir/", "dir/sub/", "other/", "new/")


class State(NamedTuple):
    """A commit: what it holds, and the numbers of its parents."""

    files: Files
    parents: tuple[int, ...]


def history(number: int) -> list[State]:
    """History `number` of the series."""
    return _Writer(random.Random(SEED * 1_000_003 + number)).write()


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.commits = [State(START, ())]
        self.heads = [0] * rng.choice((2, 2, 3))
        self.names = 0

    def write(self) -> list[State]:
        for branch in range(len(self.heads)):
            self.change(branch)
        rounds = self.rng.choice((1, 1, 1, 2))
        for turn in range(rounds):
            self.cross()
            if turn + 1 < rounds and len(self.commits) + 6 > SIZE:
                break
            for branch in (0, 1):
                if turn + 1 == rounds or self.rng.random() < 0.7:
                    self.change(branch)
        if self.heads[:2] != [len(self.commits) - 2, len(self.commits) - 1]:
            for branch in (0, 1):
                self.change(branch)
        return self.commits

    def change(self, branch: int) -> None:
        files = dict(self.commits[self.heads[branch]].files)
        for _ in range(self.rng.choice((1, 2, 3))):
            self.edit(files)
        self.commit(branch, files, (self.heads[branch],))

    def commit(self, branch: int, files: Files, parents: tuple[int, ...]) -> None:
        self.commits.append(State(files, parents))
        self.heads[branch] = len(self.commits) - 1

    def cross(self) -> None:
        """The first two branches merge each other; a third one is merged by both, on the way."""
        before = list(self.heads)
        for branch in (0, 1):
            for other in [*before[2:], before[1 - branch]] if self.rng.random() < 0.5 else before[1 - branch :]:
                if other != before[branch]:
                    self.merge(branch, other)

    def merge(self, branch: int, other: int) -> None:
        """File by file: what only one side changed is taken; what both changed is taken from either."""
        ours, theirs = self.commits[self.heads[branch]].files, self.commits[other].files
        files: Files = {}
        for path in sorted(ours.keys() | theirs.keys()):
            old, mine, new = START.get(path), ours.get(path), theirs.get(path)
            chosen = new if mine == old else mine if new == old else self.rng.choice((mine, new))
            if chosen is not None:
                files[path] = chosen
        self.commit(branch, files, (self.heads[branch], other))

    def edit(self, files: Files) -> None:
        """One of many edits, the frequent ones often."""
        paths = sorted(files)
        path = self.rng.choice(paths)
        match self.rng.choices(("line", "more", "rename", "delete", "add", "move"), (8, 2, 3, 1, 2, 1))[0]:
            case "line":
                at = self.rng.choice((0, 1, 10, 19))
                line = b"edit %d" % self.rng.randrange(3)
                size = len(files[path].content.splitlines())
                files[path] = files[path]._replace(content=edited(files[path].content, min(at, size - 1), line))
            case "more":
                more = b"more %d\n" % self.rng.randrange(3)
                files[path] = files[path]._replace(content=files[path].content + more)
            case "rename":
                files[self.fresh()] = files.pop(path)
            case "delete":
                del files[path]
            case "add":
                files[self.fresh()] = File(text(self.rng.choice(("x", "y"))))
            case _:
                self.move_directory(files)
        if not files:
            files["last"] = File(text("last"))

    def fresh(self) -> str:
        """A name; now and then two branches think of the same one."""
        return self.rng.choice(PLACES) + self.rng.choice(("n", "m", "o"))

    def move_directory(self, files: Files) -> None:
        old, new = self.rng.choice((("dir/", "folder/"), ("dir/sub/", "sub/"), ("other/", "folder/")))
        for path in [path for path in files if path.startswith(old)]:
            files[new + path.removeprefix(old)] = files.pop(path)
