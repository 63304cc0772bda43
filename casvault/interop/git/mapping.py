"""Which object of casvault each object of git has become: what lets an import go on where an earlier one ended.

The map is a cache of the vault, in SQLite, so that it need not fit into memory. It is never trusted further than the
vault itself can be: what an import that was finished has mapped counts while the refs that it set hold what it
mapped, and what one that was cut off has mapped counts if nothing has happened in the vault since. All else is
forgotten, and read from git again, which costs time and changes nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Self

from casvault.errors import FailureError
from casvault.objects import Kind
from casvault.oid import Oid, trusted_oid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from casvault.interop.git.ids import GitId

VERSION = 1
HOT = 1 << 18
"""Mappings of either generation in memory."""

ASKED = 500
"""Ids in one question to SQLite."""

_KEPT = 8
_SCHEMA = """
CREATE TABLE objects (git BLOB PRIMARY KEY, kind INTEGER, id BLOB, size INTEGER, run INTEGER) WITHOUT ROWID;
CREATE TABLE roots (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE state (finished INTEGER, operation BLOB);
INSERT INTO state VALUES (0, x'');
"""


class Known(NamedTuple):
    """What an object of git has become."""

    id: Oid
    size: int
    """As an entry of a tree has it."""
    kind: Kind
    is_kept: bool = False
    """Whether it cannot be written again from `id` alone, and its bytes are kept."""


class GitMap:
    """The map of one vault; held by one import at a time."""

    def __init__(self, path: Path | None) -> None:
        """The map in this file, a new one if there is none that can be read; in memory without a path."""
        self._path = path
        try:
            self._database = _open(path)
        except sqlite3.DatabaseError:
            if path is None:
                raise
            remove_map(path)
            with self._explained():
                self._database = _open(path)
        self._young: dict[GitId, Known] = {}
        self._old: dict[GitId, Known] = {}
        self._unsaved: dict[GitId, Known] = {}
        self._run = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def begin(self, operation: bytes, held: set[Oid]) -> None:
        """Forget what cannot be trusted any more. `held` is what the refs hold at the operation."""
        with self._explained(), self._database:
            finished, at = self._database.execute("SELECT finished, operation FROM state").fetchone()
            self._run = finished + 1
            roots = {Oid(root) for (root,) in self._database.execute("SELECT id FROM roots")}
            if not roots <= held:
                self._forget()
            elif at != operation:
                self._database.execute("DELETE FROM objects WHERE run > ?", (finished,))
            self._database.execute("UPDATE state SET operation = ?", (operation,))

    def find_many(self, ids: Iterable[GitId]) -> dict[GitId, Known]:
        """Those of the ids that are mapped."""
        found: dict[GitId, Known] = {}
        cold: list[GitId] = []
        for git_id in ids:
            known = self._young.get(git_id) or self._old.get(git_id) or self._unsaved.get(git_id)
            if known is None:
                cold.append(git_id)
            else:
                found[git_id] = known
        with self._explained():
            for start in range(0, len(cold), ASKED):
                some = cold[start : start + ASKED]
                marks = ",".join("?" * len(some))
                rows = self._database.execute(f"SELECT git, id, size, kind FROM objects WHERE git IN ({marks})", some)
                for row in rows:
                    found[row[0]] = _known(*row[1:])
                    self._heat(row[0], found[row[0]])
        return found

    def put(self, git_id: GitId, known: Known) -> None:
        self._heat(git_id, known)
        self._unsaved[git_id] = known
        if len(self._unsaved) >= HOT:
            self._write()

    def save(self) -> None:
        """Let what was put outlive this process; the objects have been published."""
        with self._explained(), self._database:
            self._write()

    def _write(self) -> None:
        """Hand what was put to SQLite, without committing it."""
        rows = [
            (git_id, known.kind | (_KEPT if known.is_kept else 0), known.id, known.size, self._run)
            for git_id, known in sorted(self._unsaved.items())
        ]
        with self._explained():
            self._database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", rows)
        self._unsaved.clear()

    def finish(self, new: Iterable[Oid], replaced: Iterable[Oid]) -> None:
        """The import is done: from here on the map counts while refs hold `new`, which came after `replaced`."""
        with self._explained(), self._database:
            self._database.executemany("DELETE FROM roots WHERE id = ?", ((root,) for root in replaced))
            self._database.executemany("INSERT OR IGNORE INTO roots VALUES (?)", ((root,) for root in new))
            self._database.execute("UPDATE state SET finished = ?", (self._run,))

    def forget(self) -> None:
        """Forget everything."""
        with self._explained(), self._database:
            self._forget()

    def iter_ids(self) -> Iterator[tuple[GitId, Oid]]:
        """All that is saved, sorted by the ids of git."""
        with self._explained():
            for git_id, oid in self._database.execute("SELECT git, id FROM objects ORDER BY git"):
                yield git_id, trusted_oid(oid)

    def _forget(self) -> None:
        self._database.execute("DELETE FROM objects")
        self._database.execute("DELETE FROM roots")

    def _heat(self, git_id: GitId, known: Known) -> None:
        if len(self._young) >= HOT:
            self._old, self._young = self._young, {}
        self._young[git_id] = known

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            place = None if self._path is None else str(self._path)
            raise FailureError(
                f"the cache of git ids: {error}", place=place, remedy="remove the file, and run the command again"
            ) from error


def remove_map(path: Path) -> None:
    """Remove the file and what SQLite has beside it."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _open(path: Path | None) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:" if path is None else path)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    if version not in (0, VERSION):
        database.close()
        raise sqlite3.DatabaseError(f"version {version}")
    if version == 0:
        database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    return database


def _known(raw: bytes, size: int, kind: int) -> Known:
    return Known(trusted_oid(raw), size, Kind(kind & ~_KEPT), bool(kind & _KEPT))
