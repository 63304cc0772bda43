"""Writes that survive a crash, in one order everywhere: the content is synced, then the name, then the directory.

After a crash at any point a file is there whole or not at all; what can be left over is a file whose name starts with
`TEMPORARY`, which nobody reads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from casvault.errors import FailureError, ReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

TEMPORARY = ".casvault-tmp-"
"""A control name, so that what a crash leaves in a directory that is scanned is never taken for content."""


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses into casvault's errors, with the place and the remedy."""
    try:
        yield
    except OSError as error:
        place = os.fspath(path)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FailureError(
                "no space left on the device", place=place, remedy="free some space and run the command again"
            ) from error
        if error.errno == errno.EROFS:
            raise ReadOnlyError("the file system is read-only", place=place) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise FailureError("permission denied", place=place, remedy="check who owns it") from error
        raise FailureError(os.strerror(error.errno or 0), place=place) from error


@contextlib.contextmanager
def on_failure(clean_up: Callable[[], object]) -> Iterator[None]:
    """Clean up if the block raises, whatever it is; the error goes on."""
    with contextlib.ExitStack() as stack:
        stack.callback(clean_up)
        yield
        stack.pop_all()


def temporary_path(directory: Path) -> Path:
    return directory / f"{TEMPORARY}{os.urandom(8).hex()}"


def sync_directory(directory: Path) -> None:
    """Make names that were created, renamed or removed in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_temporary(directory: Path, content: bytes) -> Path:
    path = temporary_path(directory)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with on_failure(path.unlink), os.fdopen(descriptor, "wb", buffering=0) as out:
        view = memoryview(content)
        while view:
            view = view[out.write(view) or 0 :]
        os.fsync(descriptor)
    return path


def create_file(path: Path, content: bytes) -> bool:
    """Create the file durably if nothing has its name: the one primitive on which writers agree.

    Whole or not at all, also for a reader at the same moment. False if the name is taken.
    """
    with explained(path):
        temporary = _write_temporary(path.parent, content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
    return True


def write_file(path: Path, content: bytes) -> None:
    """Create or replace the file durably; a reader sees the old content or the new, whole."""
    with explained(path):
        temporary = _write_temporary(path.parent, content)
        with on_failure(temporary.unlink):
            temporary.replace(path)
        sync_directory(path.parent)


def replace_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Create or replace a file that can be made again: whole for its readers, but not synced.

    After a crash it may be torn, so it carries a checksum and its readers can do without it.
    """
    with explained(path):
        temporary = temporary_path(path.parent)
        with on_failure(lambda: temporary.unlink(missing_ok=True)):
            with temporary.open("xb") as out:
                out.writelines(pieces)
            temporary.replace(path)


def publish_file(temporary: Path, path: Path) -> None:
    """Give a finished, synced temporary file its name, durably."""
    with explained(path):
        temporary.rename(path)
        sync_directory(path.parent)


def find_file(path: Path) -> bytes | None:
    """The content of a small regular file; None if it is not there.

    Anything else in its place, such as a FIFO that would never answer, is a FailureError.
    """
    with explained(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FailureError("not a regular file", place=os.fspath(path), remedy="remove it")
            return stream.readall()


def remove_file(path: Path) -> bool:
    """Remove the file durably; False if it was not there."""
    with explained(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync_directory(path.parent)
    return True


def make_directory(path: Path) -> None:
    """Create the directory and the missing ones above it, durably."""
    with explained(path):
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for directory in reversed(missing):
            directory.mkdir(exist_ok=True)
            sync_directory(directory.parent)
