"""The stat cache: which files need not be read again, and which directories need not be made into trees again.

An entry is trusted only if mode, size, mtime, ctime and inode are what they were, and if both times were older than the
moment the scan that made the entry began. A file that changed within that moment could change once more without any of
the five moving (a *racy* entry), so it is put into the cache as one to be read again. The moment is told by the file
system's own clock, not by the machine's, and a margin covers timestamps that are coarse.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from casvault.errors import MalformedError, UnsupportedError
from casvault.files.durable import replace_file, temporary_path
from casvault.formats.statcache import OWNER_SIZE, STAT, UNTRUSTED, Directory, decode_cache, encode_cache
from casvault.worktree.names import join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECOND = 1_000_000_000
FINE_MARGIN = _SECOND // 50
"""Kernels take timestamps from a clock that ticks every 1 to 10 ms."""
COARSE_MARGIN = 2 * _SECOND
"""For times in whole seconds: FAT counts in steps of two."""


class StatCache:
    """What is remembered of one directory tree. It belongs to one transaction: after a scan that stores, save it only
    once the objects are published, and drop it if they are not.

    Not safe from several threads; processes replace each other's whole file, and the last one wins.
    """

    def __init__(self, path: Path | None = None, owner: bytes = bytes(OWNER_SIZE)) -> None:
        """An empty cache; without a path it cannot be saved, and trusts nothing that it is given."""
        self._path = path
        self._owner = owner
        self._directories: dict[bytes, Directory] = {}
        self._changed = False
        self.damage: str | None = None
        """Why the file that was there is not used, if it is not."""

    @classmethod
    def load(cls, path: Path, owner: bytes) -> Self:
        """The cache in this file; an empty one if there is none, or it is damaged, of a later version, or not of this
        owner: 32 bytes that name the vault and the epoch in which the entries hold.
        """
        cache = cls(path, owner)
        try:
            cache._directories = decode_cache(path.read_bytes(), owner)
        except FileNotFoundError:
            pass
        except (MalformedError, UnsupportedError, OSError) as error:
            cache.damage = str(error)
        return cache

    def __len__(self) -> int:
        """The number of directories in it."""
        return len(self._directories)

    def find(self, path: bytes) -> Directory | None:
        return self._directories.get(path)

    def read_clock(self) -> int:
        """The file system's time now, in nanoseconds since 1970; 0 if it cannot be told: nothing is older than that."""
        if self._path is None:
            return 0
        probe = temporary_path(self._path.parent)
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            # A vault that cannot be written will not take the cache either.
            return 0
        try:
            return os.fstat(descriptor).st_mtime_ns
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)

    def replace(self, found: Mapping[bytes, Directory]) -> None:
        """Take the directories of a scan of everything instead of all that was there."""
        if len(found) != len(self._directories) or any(self.find(path) is not new for path, new in found.items()):
            self._changed = True
        self._directories = dict(found)

    def update(self, found: Mapping[bytes, Directory]) -> None:
        """Take the directories of a scan of some paths; what they no longer have is forgotten."""
        for path, new in found.items():
            old = self._directories.get(path)
            if old is new:
                continue
            if old is not None and old.directories != new.directories:
                kept = new.directories.split(b"\0")
                for name in set(old.directories.split(b"\0")).difference(kept):
                    self.forget(join(path, name))
            self._directories[path] = new
            self._changed = True

    def forget(self, path: bytes) -> None:
        """Forget the path and everything below it."""
        pending = [path]
        while pending:
            path = pending.pop()
            old = self._directories.pop(path, None)
            if old is not None:
                self._changed = True
                pending.extend(join(path, name) for name in old.directories.split(b"\0") if name)

    def save(self) -> None:
        """Write the cache, if a scan changed it; ReadOnlyError or FailureError where that is not possible."""
        if self._path is not None and self._changed:
            replace_file(self._path, encode_cache(self._owner, self._directories))
            self._changed = False


def distrust_racy(stats: bytes, began: int) -> bytes:
    """The stats of files with those blanked that may have changed after the scan began at `began`."""
    latest = began - FINE_MARGIN
    racy = [
        index
        for index, (_, _, mtime, ctime, _) in enumerate(STAT.iter_unpack(stats))
        if mtime >= latest or ctime >= latest or _is_racy_if_coarse(mtime, ctime, began)
    ]
    if not racy:
        return stats
    blanked = bytearray(stats)
    for index in racy:
        blanked[STAT.size * index : STAT.size * (index + 1)] = UNTRUSTED
    return bytes(blanked)


def _is_racy_if_coarse(mtime: int, ctime: int, began: int) -> bool:
    coarse = mtime % _SECOND == 0 or ctime % _SECOND == 0
    return coarse and max(mtime, ctime) >= began - COARSE_MARGIN
