"""The change index: for lines of commits, which commit changed which paths of its root.

What it holds follows from commits alone, and those never change, so it cannot be out of date: it only lacks commits
that nobody has asked about yet. A question names the tip that it is about; what is missing below that tip is read
first. What an undo took away stays in the index and is not met: answers are sought along the parents of the tip.

It is a database in memory, taken from a file of the vault's cache and put there again when it has grown.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.files.durable import on_failure
from casvault.objects import LINK, Kind, read_commit, read_commits
from casvault.oid import Oid, trusted_oid
from casvault.trees import diff_paths

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import ObjectReader, Root
    from casvault.repository.changefile import ChangeFile

    _Facts = tuple[Sequence[Oid], Root]
    """Parents and root of a commit."""

SAVE_AT: Final = 64
"""So many new commits are worth writing the file anew, instead of reading them again in the next command."""

_SCHEMA = """
CREATE TABLE ids (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE paths (n INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
CREATE TABLE commits (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, parent INTEGER, depth INTEGER, jump INTEGER);
CREATE TABLE further (n INTEGER, k INTEGER, parent INTEGER, PRIMARY KEY (n, k)) WITHOUT ROWID;
CREATE TABLE changes (
  path INTEGER, n INTEGER, k INTEGER, old_mode INTEGER, old INTEGER, new_mode INTEGER, new INTEGER,
  PRIMARY KEY (path, n, k)
) WITHOUT ROWID;
CREATE TABLE contents (link INTEGER PRIMARY KEY, content INTEGER);
CREATE INDEX commits_by_parent ON commits (parent);
CREATE INDEX further_by_parent ON further (parent);
CREATE INDEX changes_by_new ON changes (new);
CREATE INDEX links_by_content ON contents (content);
"""
_CHANGES = """
SELECT p.path, c.n, c.k, c.old_mode, o.id, c.new_mode, i.id FROM changes c JOIN paths p ON p.n = c.path
LEFT JOIN ids o ON o.n = c.old LEFT JOIN ids i ON i.n = c.new
"""


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


_FLOOR = Place(0, 0, 0)


class ChangeIndex:
    """Safe from several threads, which wait for each other."""

    def __init__(self, reader: ObjectReader, file: ChangeFile | None = None) -> None:
        self._reader = reader
        self._file = file
        self._lock = threading.RLock()
        self._places: dict[int, Place] = {0: _FLOOR}
        self._unsaved = 0
        self._replaces_file = False
        """Whether the file is to be replaced, however many commits it has."""
        self._database = self._open()

    def catch_up(self, tips: Iterable[Oid]) -> list[int]:
        """The positions of these commits, after reading what is missing of the histories that they end."""
        with self._lock:
            positions = [self._find(tip) or self._add_history(tip) for tip in tips]
            self._save()
            return positions

    def find(self, oid: Oid) -> int | None:
        """The position of a commit that some history held."""
        with self._lock:
            return self._find(oid)

    def id_of(self, commit: int) -> Oid:
        with self._lock:
            return trusted_oid(self._one("SELECT id FROM commits WHERE n = ?", commit))

    def place(self, commit: int) -> Place:
        found = self._places.get(commit)
        if found is None:
            with self._lock:
                row = self._database.execute(
                    "SELECT parent, depth, jump FROM commits WHERE n = ?", (commit,)
                ).fetchone()
            found = self._places[commit] = Place(*row)
        return found

    def parents(self, commit: int) -> list[int]:
        """First parent first."""
        first = self.place(commit).parent
        with self._lock:
            rows = self._database.execute("SELECT parent FROM further WHERE n = ? ORDER BY k", (commit,))
            return [first, *(parent for (parent,) in rows)] if first else []

    def ancestor_at(self, commit: int, depth: int) -> int:
        """The one of a commit's first parents, or itself, that is at this depth; itself if it is not deeper."""
        while (place := self.place(commit)).depth > depth:
            commit = place.jump if self.place(place.jump).depth >= depth else place.parent
        return commit

    def merges(self) -> list[int]:
        """All commits of more than one parent."""
        with self._lock:
            return [n for (n,) in self._database.execute("SELECT DISTINCT n FROM further")]

    def children(self, commit: int) -> list[int]:
        """The commits that have this one for a parent, of all histories that are known."""
        query = "SELECT n FROM commits WHERE parent = ? UNION SELECT n FROM further WHERE parent = ? ORDER BY 1"
        with self._lock:
            return [n for (n,) in self._database.execute(query, (commit, commit))]

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
            rows = self._database.execute(
                "SELECT l.id FROM contents c JOIN ids l ON l.n = c.link"
                " WHERE c.content = (SELECT n FROM ids WHERE id = ?) ORDER BY c.link",
                (content,),
            )
            return [trusted_oid(oid) for (oid,) in rows]

    def _open(self) -> sqlite3.Connection:
        # Its import would be a large part of the start of every command, and few of them ask.
        import sqlite3

        if not hasattr(sqlite3.Connection, "serialize"):
            self._file = None  # a Python that was built without it cannot keep the index, but can make it
        saved = None if self._file is None else self._file.load()
        if saved is not None:
            database = sqlite3.connect(":memory:", check_same_thread=False)
            # One that another SQLite cannot read is made again like any that is damaged.
            with contextlib.suppress(sqlite3.Error):
                database.deserialize(bytes(saved.database))
                if database.execute("SELECT count(*) FROM commits").fetchone() == (saved.commits,):
                    return database
            database.close()
            self._replaces_file = True
        database = sqlite3.connect(":memory:", check_same_thread=False)
        database.executescript(_SCHEMA)
        return database

    def _save(self) -> None:
        if self._file is not None and self._unsaved >= SAVE_AT:
            self._file.save(self._database.serialize(), self._count(), instead=self._replaces_file)
            self._unsaved, self._replaces_file = 0, False

    def _one(self, query: str, value: object) -> bytes:
        found: bytes = self._database.execute(query, (value,)).fetchone()[0]
        return found

    def _count(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM commits").fetchone()[0]
        return count

    def _find(self, oid: Oid) -> int | None:
        row = self._database.execute("SELECT n FROM commits WHERE id = ?", (oid,)).fetchone()
        return None if row is None else row[0]

    def _changes(self, where: str, *values: bytes) -> list[Change]:
        with self._lock:
            rows = self._database.execute(_CHANGES + where, values).fetchall()
        return [
            Change(path, commit, parent, _stand(old_mode, old), _stand(new_mode, new))
            for path, commit, parent, old_mode, old, new_mode, new in rows
        ]

    def _add_history(self, tip: Oid) -> int:
        """Add a commit and what is missing of those that it comes from, parents first."""
        facts: dict[Oid, _Facts] = {}
        stack = [tip]
        added = 0
        with on_failure(self._forget_places), self._database:
            while stack:
                oid = stack[-1]
                if self._find(oid) is not None:
                    stack.pop()
                    continue
                if oid not in facts:
                    commit = read_commit(self._reader, oid)
                    parents = () if oid in self._reader.boundary else commit.parents
                    facts[oid] = parents, commit.root
                missing = [parent for parent in facts[oid][0] if self._find(parent) is None]
                if missing:
                    stack += missing
                else:
                    self._add(oid, facts)
                    added += 1
        self._unsaved += added
        return self._find(tip) or 0

    def _forget_places(self) -> None:
        """What was added is taken back, and its positions will be those of others."""
        self._places = {0: _FLOOR}

    def _add(self, oid: Oid, facts: dict[Oid, _Facts]) -> None:
        parents, root = facts[oid]
        numbers = [self._find(parent) or 0 for parent in parents]
        place = self._place_above(numbers[0] if numbers else 0)
        row = self._database.execute("INSERT INTO commits (id, parent, depth, jump) VALUES (?, ?, ?, ?)", (oid, *place))
        commit = row.lastrowid
        assert commit is not None
        self._places[commit] = place
        further = [(commit, at, number) for at, number in enumerate(numbers) if at]
        changes = [
            (self._number("paths", "path", path), commit, at, *self._numbers(old), *self._numbers(new))
            for at, parent in enumerate(parents or (None,))
            for path, old, new in diff_paths(self._reader, self._root(parent, facts), root)
        ]
        self._database.executemany("INSERT INTO further VALUES (?, ?, ?)", further)
        self._database.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", changes)

    def _place_above(self, first: int) -> Place:
        below = self.place(first)
        far = self.place(below.jump)
        # As in casvault.graph.dominance: the lengths of jumps depend on the depth alone.
        is_even = below.depth - far.depth == far.depth - self.place(far.jump).depth
        return Place(first, below.depth + 1, far.jump if is_even else first)

    def _root(self, oid: Oid | None, facts: dict[Oid, _Facts]) -> Root | None:
        if oid is None:
            return None
        return facts[oid][1] if oid in facts else read_commit(self._reader, oid).root

    def _numbers(self, state: Root | None) -> tuple[int, int]:
        return (0, 0) if state is None else (state.mode, self._number("ids", "id", state.id))

    def _number(self, table: str, column: str, value: bytes) -> int:
        row = self._database.execute(f"SELECT n FROM {table} WHERE {column} = ?", (value,)).fetchone()
        if row is None:
            made = self._database.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (value,)).lastrowid
            assert made is not None
            return made
        number: int = row[0]
        return number

    def _read_contents(self) -> None:
        """Note the roots of all linked commits of which that was not done."""
        rows = self._database.execute(
            "SELECT DISTINCT i.n, i.id FROM changes c JOIN ids i ON i.n = c.new"
            " WHERE c.new_mode = ? AND c.new NOT IN (SELECT link FROM contents) ORDER BY i.n",
            (LINK,),
        ).fetchall()
        ids = [trusted_oid(oid) for _, oid in rows]
        infos = self._reader.find_infos(ids)
        links = [
            (number, oid)
            for (number, _), oid, info in zip(rows, ids, infos, strict=True)
            if info is not None and info.kind is Kind.COMMIT
        ]
        commits = read_commits(self._reader, (oid for _, oid in links))
        contents = [
            (number, self._number("ids", "id", commit.root.id))
            for (number, _), commit in zip(links, commits, strict=True)
        ]
        with self._database:
            self._database.executemany("INSERT INTO contents VALUES (?, ?)", contents)
        if len(contents) >= SAVE_AT:
            # As many commits as there are, and more known of them.
            self._unsaved, self._replaces_file = SAVE_AT, True
        self._save()


def _stand(mode: int, oid: bytes | None) -> Stand | None:
    return None if not mode or oid is None else Stand(mode, trusted_oid(oid))


def iter_chain(index: ChangeIndex, top: int, bottom: int) -> Iterator[int]:
    """A commit and its first parents, down to a depth."""
    while top and index.place(top).depth >= bottom:
        yield top
        top = index.place(top).parent
