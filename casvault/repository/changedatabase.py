"""The database of a change index: a file of the vault's cache that is asked where it lies, or else one in memory.

The file is believed as long as nobody but its writers touched it. Whoever writes it gives it a modification time in the
past, which it also notes inside; every other write leaves another time. A file that is not as it was left, belongs to
another vault or cannot be read is not repaired: it follows from the commits, and is made again.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from typing import TYPE_CHECKING, Any, Final

from casvault.errors import FailureError
from casvault.files import write_file
from casvault.files.durable import on_failure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

VERSION: Final = 2
_SCHEMA = f"""
CREATE TABLE about (owner BLOB NOT NULL, stamp INTEGER NOT NULL);
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
PRAGMA user_version = {VERSION};
"""
_SECOND: Final = 1_000_000_000
_HOUR: Final = 3600


class ChangeDatabase:
    """Not safe from several threads at once; safe from several processes."""

    def __init__(self, path: Path | None, owner: bytes) -> None:
        """`owner` says whose it is: another vault's database is not believed."""
        # Its import would be a large part of the start of every command, and few of them ask.
        import sqlite3

        self._sqlite = sqlite3
        self._path = path
        self._owner = owner
        self._process = os.getpid()
        self._inode: int | None = None
        """Of the file that is asked; None for a database in memory."""
        self._connection = self._open_file() or self._make()

    def is_current(self) -> bool:
        """Whether the file still is the one that is asked, and as its writers left it."""
        if self._process != os.getpid():
            return False  # SQLite's connections do not survive a fork
        return self._inode is None or self._is_sound(self._connection, self._inode)

    def rows(self, query: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except self._sqlite.Error as error:
            raise self._given_up(error) from error

    def write(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Do all of it or nothing; it is done again, on a copy in memory, if the file cannot take it."""
        if self._inode is not None:
            try:
                return self._transact(action)
            except self._sqlite.Error:
                self._leave_file()
        return self._transact(action)

    def keep(self) -> None:
        """Put a database in memory into the cache and go on with that; one that is sound is left there."""
        if self._path is None or self._inode is not None or not hasattr(self._connection, "serialize"):
            return
        if (found := self._open_file()) is not None:
            self._inode = None
            found.close()
            return
        stamp = _stamp()
        self._connection.execute("UPDATE about SET stamp = ?", (stamp,))
        with contextlib.suppress(OSError, FailureError):
            # The whole cache may have been removed, but nothing above it is made anew.
            self._path.parent.mkdir(exist_ok=True)
            # What a writer left when it was cut off belongs to the old file.
            self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)
            write_file(self._path, self._connection.serialize())
            os.utime(self._path, ns=(stamp, stamp))
            if (found := self._open_file()) is not None:
                self._connection.close()
                self._connection = found

    def _open_file(self) -> sqlite3.Connection | None:
        """The database in the cache, if it is there and as it was left."""
        if self._path is None or not self._path.is_file():
            return None
        connection = None
        with contextlib.suppress(self._sqlite.Error, OSError):
            inode = self._path.stat().st_ino
            connection = self._connect(f"{self._path.absolute().as_uri()}?mode=rw")
            if self._is_sound(connection, inode):
                connection.execute("PRAGMA synchronous = NORMAL")
                self._inode = inode
                return connection
        if connection is not None:
            connection.close()
        return None

    def _connect(self, name: str) -> sqlite3.Connection:
        return self._sqlite.connect(name, uri=True, check_same_thread=False, isolation_level=None)

    def _is_sound(self, connection: sqlite3.Connection, inode: int) -> bool:
        assert self._path is not None
        try:
            version = connection.execute("PRAGMA user_version").fetchone()
            about = connection.execute("SELECT owner, stamp FROM about").fetchall()
            # Looked at last: whatever SQLite had to take back in the file gives it another time.
            found = self._path.stat()
        except (self._sqlite.Error, OSError):
            return False
        return found.st_ino == inode and version == (VERSION,) and about == [(self._owner, found.st_mtime_ns)]

    def _make(self) -> sqlite3.Connection:
        connection = self._connect(":memory:")
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO about VALUES (?, 0)", (self._owner,))
        return connection

    def _transact(self, action: Callable[[sqlite3.Connection], None]) -> None:
        connection = self._connection
        stamp = _stamp()
        connection.execute("BEGIN IMMEDIATE")
        with on_failure(connection.rollback):
            action(connection)
            connection.execute("UPDATE about SET stamp = ?", (stamp,))
            connection.execute("COMMIT")
        if self._inode is not None and self._path is not None:
            with contextlib.suppress(OSError):
                os.utime(self._path, ns=(stamp, stamp))

    def _leave_file(self) -> None:
        """Go on with a copy in memory."""
        copy = self._connect(":memory:")
        try:
            self._connection.backup(copy)
        except self._sqlite.Error as error:
            raise self._given_up(error) from error
        self._connection.close()
        self._connection, self._inode = copy, None

    def _given_up(self, error: sqlite3.Error) -> FailureError:
        """The error for a database that cannot be asked any more; its file goes away, unless it is only busy."""
        if self._inode is not None and self._path is not None and error.sqlite_errorcode != self._sqlite.SQLITE_BUSY:
            with contextlib.suppress(OSError):
                self._path.unlink()
        return FailureError(
            f"the index of changes cannot be read: {error}",
            place=str(self._path or "memory"),
            remedy="run the command again: the index is made anew",
        )


def _stamp() -> int:
    """A time that no write gives a file any more, in whole seconds, which every file system can keep."""
    return (int(time.time()) // 2 - random.randrange(2, _HOUR)) * 2 * _SECOND
