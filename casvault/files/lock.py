"""Advisory locks that the kernel drops with the process, so that no lock outlives its holder."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from casvault.files.durable import explained, on_failure

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Lock:
    """A held lock; released by `release`, by leaving the `with` block, or by the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_directory(path: Path) -> Lock:
    """Wait for the only writer's lock on a directory. It is on the directory itself and leaves no file behind."""
    with explained(path):
        return _lock(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), fcntl.LOCK_EX)


def lock_file(path: Path) -> Lock:
    """Wait for the lock on a file, which is created if it is not there."""
    with explained(path):
        return _lock(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), fcntl.LOCK_EX)


def share_file(path: Path) -> Lock | None:
    """Wait for a share of the lock on a file, which is created if it is not there; many hold one at a time.

    None where the file can be neither opened nor created: whoever takes the lock alone could not do so here either.
    """
    try:
        with suppress(FileNotFoundError):
            return _lock(os.open(path, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_SH)
        return _lock(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666), fcntl.LOCK_SH)
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT):
            return None
        with explained(path):
            raise


def try_lock_file(path: Path) -> Lock | None:
    """The lock on a file, or None if somebody holds it."""
    with explained(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            return _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None


def try_lock_existing(path: Path) -> Lock | None:
    """The lock on a file that need not be writable; None if somebody holds it, or it is not there any more."""
    with explained(path):
        try:
            return _lock(os.open(path, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):
            return None


def _lock(descriptor: int, how: int) -> Lock:
    with on_failure(lambda: os.close(descriptor)):
        fcntl.flock(descriptor, how)
    return Lock(descriptor)
