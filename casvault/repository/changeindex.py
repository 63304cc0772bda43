"""The change index: for lines of commits, which commit changed which paths of its root.

What it holds follows from commits alone, and those never change, so it cannot be out of date: it only lacks commits
that nobody has asked about yet. A question names the tip that it is about; what is missing below that tip is read
first. What an undo took away stays in the index and is not met: answers are sought along the parents of the tip.

It is kept in the vault's cache, where it is asked without being loaded. It grows when it is asked, not when something
is committed: a transaction would pay for it with the start of SQLite and a sync, more than a question pays for one
commit.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.files.durable import on_failure
from casvault.objects import LINK, Kind, read_commit
from casvault.oid import Oid, trusted_oid
from casvault.repository.changedatabase import ChangeDatabase
from casvault.trees import diff_paths

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from casvault.objects import ObjectReader, Root
    from casvault.trees import PathChange

    _Facts = tuple[tuple[Oid, ...], Root]
    """Parents and root of a commit."""

SAVE_AT: Final = 64
"""So many commits are worth a file, instead of reading them again in the next command."""

_TOGETHER: Final = 4096
"""Commits that are written in one transaction: what was done of a long history stays when the rest is cut off."""

_CHANGES = """
SELECT p.path, c.n, c.k, c.old_mode, o.id, c.new_mode, i.id FROM changes c JOIN paths p ON p.n = c.path
LEFT JOIN ids o ON o.n = c.old LEFT JOIN ids i ON i.n = c.new
"""
_WAY = """
WITH RECURSIVE way (n, parent, depth, jump) AS (
  SELECT n, parent, depth, jump FROM commits WHERE n = ?
  UNION ALL
  SELECT c.n, c.parent, c.depth, c.jump FROM way w JOIN commits c ON c.n =
    CASE WHEN ifnull((SELECT depth FROM commits WHERE n = w.jump), 0) >= ? THEN w.jump ELSE w.parent END
  WHERE w.depth > ?
)
SELECT n, parent, depth, jump FROM way
"""
"""From a commit down to the one of its first parents that is at a depth, by jumps where they do not lead too far."""


class Stand(NamedTuple):
    """What stands at a path; the size is left out."""

    mode: int
    id: Oid


class Change(NamedTuple):
    """A path that differs between a commit and one of its parents; below no link, for a link is compared as such."""

    path: bytes
    commit: int
    """Positions: parents have smaller ones than their children."""
    parent: int
    """Which of the parents, from 0; a root has changed everything against a parent 0 that held nothing."""
    old: Stand | None
    new: Stand | None


class Place(NamedTuple):
    """Where a commit is in the forest that first parents make."""

    parent: int
    """0 below a root."""
    depth: int
    jump: int


class _Added(NamedTuple):
    """A commit that is to be added, and what it changed against each of its parents."""

    id: Oid
    parents: tuple[Oid, ...]
    changes: list[tuple[int, PathChange]]


_FLOOR = Place(0, 0, 0)


class ChangeIndex:
    """Safe from several threads, which wait for each other."""

    def __init__(self, reader: ObjectReader, path: Path | None = None, owner: bytes = b"") -> None:
        """`path` is that of its file, if it has one; `owner` says whose file it is."""
        self._reader = reader
        self._lock = threading.RLock()
        self._places: dict[int, Place] = {0: _FLOOR}
        self._database = ChangeDatabase(path, owner)

    def is_current(self) -> bool:
        """Whether it may be asked; if not, another one is to be made. Positions are good for one index only."""
        with self._lock:
            return self._database.is_current()

    def catch_up(self, tips: Iterable[Oid]) -> list[int]:
        """The positions of these commits, after reading what is missing of the histories that they end."""
        with self._lock:
            wanted = list(tips)
            missing = [tip for tip in wanted if self._find(tip) is None]
            if missing:
                self._add_histories(missing)
                (count,) = self._database.rows("SELECT count(*) FROM commits")[0]
                if count >= SAVE_AT:
                    self._database.keep()
            return [self._find(tip) or 0 for tip in wanted]

    def find(self, oid: Oid) -> int | None:
        """The position of a commit that some history held."""
        with self._lock:
            return self._find(oid)

    def id_of(self, commit: int) -> Oid:
        with self._lock:
            return trusted_oid(self._database.rows("SELECT id FROM commits WHERE n = ?", commit)[0][0])

    def place(self, commit: int) -> Place:
        found = self._places.get(commit)
        if found is None:
            with self._lock:
                rows = self._database.rows("SELECT parent, depth, jump FROM commits WHERE n = ?", commit)
            found = self._places[commit] = Place(*rows[0])
        return found

    def parents(self, commit: int) -> list[int]:
        """First parent first."""
        first = self.place(commit).parent
        with self._lock:
            rows = self._database.rows("SELECT parent FROM further WHERE n = ? ORDER BY k", commit)
            return [first, *(parent for (parent,) in rows)] if first else []

    def ancestor_at(self, commit: int, depth: int) -> int:
        """The one of a commit's first parents, or itself, that is at this depth; itself if it is not deeper."""
        if depth <= 0:
            return 0
        known = self._places
        while (place := known.get(commit)) is not None and place.depth > depth and place.jump in known:
            commit = place.jump if known[place.jump].depth >= depth else place.parent
        if place is not None and place.depth <= depth:
            return commit
        # The rest of the way in one question, for each question costs more than each step.
        with self._lock:
            rows = self._database.rows(_WAY, commit, depth, depth)
        known.update((n, Place(*row)) for n, *row in rows)
        return rows[-1][0] if rows else commit

    def merges(self) -> list[int]:
        """All commits of more than one parent."""
        with self._lock:
            return [n for (n,) in self._database.rows("SELECT DISTINCT n FROM further")]

    def children(self, commit: int) -> list[int]:
        """The commits that have this one for a parent, of all histories that are known."""
        query = "SELECT n FROM commits WHERE parent = ? UNION SELECT n FROM further WHERE parent = ? ORDER BY 1"
        with self._lock:
            return [n for (n,) in self._database.rows(query, commit, commit)]

    def changes_at(self, path: bytes) -> list[Change]:
        """What happened to exactly this path, in any history, oldest first."""
        return self._changes("WHERE p.path = ? ORDER BY c.n, c.k", path)

    def changes_below(self, path: bytes) -> list[Change]:
        """What happened below this path."""
        return self._changes("WHERE p.path > ? AND p.path < ? ORDER BY c.n, c.k", path + b"/", path + b"0")

    def changes_to(self, oid: Oid) -> list[Change]:
        """Where this came to stand, under any path."""
        return self._changes("WHERE c.new = (SELECT n FROM ids WHERE id = ?) ORDER BY c.n, c.k", oid)

    def links_with(self, content: Oid) -> list[Oid]:
        """The commits that were ever linked to and have this root, the one that was met first coming first."""
        with self._lock:
            self._read_contents()
            rows = self._database.rows(
                "SELECT l.id FROM contents c JOIN ids l ON l.n = c.link"
                " WHERE c.content = (SELECT n FROM ids WHERE id = ?) ORDER BY c.link",
                content,
            )
            return [trusted_oid(oid) for (oid,) in rows]

    def _find(self, oid: Oid) -> int | None:
        rows = self._database.rows("SELECT n FROM commits WHERE id = ?", oid)
        return rows[0][0] if rows else None

    def _changes(self, where: str, *values: bytes) -> list[Change]:
        with self._lock:
            rows = self._database.rows(_CHANGES + where, *values)
        return [
            Change(path, commit, parent, _stand(old_mode, old), _stand(new_mode, new))
            for path, commit, parent, old_mode, old, new_mode, new in rows
        ]

    def _add_histories(self, tips: list[Oid]) -> None:
        """Add commits and what is missing of those that they come from, parents first."""
        missing = self._missing(tips)
        order = list(missing)
        for start in range(0, len(order), _TOGETHER):
            # Compared before anything is locked, so that other processes wait for writing only.
            added = [self._compared(oid, missing) for oid in order[start : start + _TOGETHER]]
            # If it is taken back, these positions will be those of others.
            with on_failure(self._forget_places):
                self._database.write(partial(self._insert, added=added))

    def _missing(self, tips: list[Oid]) -> dict[Oid, _Facts]:
        """The commits that are not in the index, parents first."""
        found: dict[Oid, _Facts] = {}
        ordered: dict[Oid, _Facts] = {}
        stack = list(tips)
        while stack:
            oid = stack[-1]
            if oid in ordered or (oid not in found and self._find(oid) is not None):
                stack.pop()
            elif oid in found:
                ordered[stack.pop()] = found[oid]
            else:
                commit = read_commit(self._reader, oid)
                parents = () if oid in self._reader.boundary else commit.parents
                found[oid] = parents, commit.root
                stack += [parent for parent in parents if parent not in ordered]
        return ordered

    def _compared(self, oid: Oid, missing: Mapping[Oid, _Facts]) -> _Added:
        parents, root = missing[oid]
        known = (missing[each][1] if each in missing else read_commit(self._reader, each).root for each in parents)
        olds: list[Root | None] = [*known] or [None]
        changes = [(at, change) for at, old in enumerate(olds) for change in diff_paths(self._reader, old, root)]
        return _Added(oid, parents, changes)

    def _insert(self, connection: sqlite3.Connection, added: Iterable[_Added]) -> None:
        """Number and insert them, those left out that another process has inserted meanwhile."""
        self._forget_places()
        ids, paths, commits = (_Numbers(connection, *names) for names in _NUMBERED)
        rows, further, changes, links = [], [], [], []
        for oid, parents, changed in added:
            numbers = [commits.of(parent) for parent in parents]
            if not commits.is_new(oid):
                continue
            commit = commits.of(oid)
            self._places[commit] = place = self._place_above(numbers[0] if numbers else 0)
            rows.append((commit, oid, *place))
            further += [(commit, at, number) for at, number in enumerate(numbers) if at]
            for at, (path, old, new) in changed:
                sides = [(0, 0) if side is None else (side.mode, ids.of(side.id)) for side in (old, new)]
                changes.append((paths.of(path), commit, at, *sides[0], *sides[1]))
                if new is not None and new.mode == LINK:
                    links.append((sides[1][1],))
        connection.executemany("INSERT INTO ids VALUES (?, ?)", ids.added)
        connection.executemany("INSERT INTO paths VALUES (?, ?)", paths.added)
        connection.executemany("INSERT INTO commits VALUES (?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO further VALUES (?, ?, ?)", further)
        connection.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", changes)
        connection.executemany("INSERT OR IGNORE INTO contents VALUES (?, NULL)", links)

    def _forget_places(self) -> None:
        self._places = {0: _FLOOR}

    def _place_above(self, first: int) -> Place:
        below = self.place(first)
        far = self.place(below.jump)
        # As in casvault.graph.dominance: the lengths of jumps depend on the depth alone.
        is_even = below.depth - far.depth == far.depth - self.place(far.jump).depth
        return Place(first, below.depth + 1, far.jump if is_even else first)

    def _read_contents(self) -> None:
        """Note the roots of all linked commits of which that was not done."""
        links = self._database.rows("SELECT i.n, i.id FROM contents c JOIN ids i ON i.n = c.link WHERE content IS NULL")
        if not links:
            return
        infos = self._reader.find_infos([trusted_oid(oid) for _, oid in links])
        # What is no commit has no content; 0 is the number of nothing.
        roots = {
            number: read_commit(self._reader, trusted_oid(oid)).root.id
            for (number, oid), info in zip(links, infos, strict=True)
            if info is not None and info.kind is Kind.COMMIT
        }

        def note(connection: sqlite3.Connection) -> None:
            ids = _Numbers(connection, "ids", "id")
            found = [(ids.of(roots[link]) if link in roots else 0, link) for link, _ in links]
            connection.executemany("INSERT INTO ids VALUES (?, ?)", ids.added)
            connection.executemany("UPDATE contents SET content = ? WHERE link = ?", found)

        self._database.write(note)


_NUMBERED = (("ids", "id"), ("paths", "path"), ("commits", "id"))


class _Numbers:
    """The numbers of a table, in one transaction: new values get the next ones, and are inserted together."""

    def __init__(self, connection: sqlite3.Connection, table: str, column: str) -> None:
        self._connection = connection
        self._query = f"SELECT n FROM {table} WHERE {column} = ?"
        self._known: dict[bytes, int] = {}
        (last,) = connection.execute(f"SELECT max(n) FROM {table}").fetchone()
        self._first = self._next = (last or 0) + 1
        self.added: list[tuple[int, bytes]] = []

    def is_new(self, value: bytes) -> bool:
        """Whether it has no number yet."""
        return self._find(value) is None

    def of(self, value: bytes) -> int:
        found = self._find(value)
        if found is None:
            found = self._known[value] = self._next
            self.added.append((found, value))
            self._next += 1
        return found

    def _find(self, value: bytes) -> int | None:
        found = self._known.get(value)
        if found is None and self._first > 1:
            row = self._connection.execute(self._query, (value,)).fetchone()
            if row is not None:
                found = self._known[value] = row[0]
        return found


def _stand(mode: int, oid: bytes | None) -> Stand | None:
    return None if not mode or oid is None else Stand(mode, trusted_oid(oid))


def iter_chain(index: ChangeIndex, top: int, bottom: int) -> Iterator[int]:
    """A commit and its first parents, down to a depth."""
    while top and index.place(top).depth >= bottom:
        yield top
        top = index.place(top).parent
