"""Reading one file as it was at one moment: the stat before and after must agree."""

from __future__ import annotations

import errno
import os
import stat
from operator import attrgetter
from typing import TYPE_CHECKING, NoReturn

from casvault.errors import FailureError
from casvault.files.durable import explained
from casvault.limits import PIECE, STREAM_THRESHOLD
from casvault.objects import EXECUTABLE, FILE, SYMLINK
from casvault.oid import BlobHasher
from casvault.worktree.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casvault.objects import ObjectWriter
    from casvault.oid import Oid

Stat = tuple[int, int, int, int, int]
"""Mode, size in bytes, mtime and ctime in nanoseconds, inode."""

stat_of: Callable[[os.stat_result], Stat] = attrgetter("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")

TRIES = 3
# Without O_NONBLOCK, opening a FIFO that took the file's place would wait for a writer.
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

_SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def raise_scan_error(error: OSError, place: bytes) -> NoReturn:
    """Raise casvault's error for what the operating system refused during a scan."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        raise FailureError("it vanished during the scan", place=shown(place), remedy="run the command again") from error
    with explained(shown(place)):
        raise error
    raise AssertionError


def mode_of(st_mode: int, place: bytes) -> int:
    """The mode of a tree entry for a file's st_mode; FailureError for what cannot be an entry."""
    if stat.S_ISREG(st_mode):
        return EXECUTABLE if st_mode & stat.S_IXUSR else FILE
    if stat.S_ISLNK(st_mode):
        return SYMLINK
    what = _SPECIAL.get(stat.S_IFMT(st_mode), "neither a file nor a symlink")
    raise FailureError(f"it is {what}", place=shown(place), remedy="remove it, or name it in .casvaultignore")


def read_content(place: bytes, expected: Stat) -> tuple[bytes, Stat]:
    """The content of a file of at most STREAM_THRESHOLD bytes, or the target of a symlink, and the stat it had.

    `expected` is what lstat said before. FailureError if it goes on changing while it is read.
    """
    for _ in range(TRIES):
        mode = mode_of(expected[0], place)
        try:
            content = _read_link(place, expected) if mode == SYMLINK else _read_file(place, expected)
            if content is not None:
                return content, expected if len(content) == expected[1] else _with_length(expected, content)
            expected = stat_of(os.lstat(place))
        except OSError as error:
            raise_scan_error(error, place)
        if expected[1] > STREAM_THRESHOLD:
            break
    raise _changing(place)


def _with_length(found: Stat, target: bytes) -> Stat:
    # Some file systems state another size for a symlink than its target has. The tree needs the true one; that it never
    # equals what lstat says only means that the link is read again.
    return (found[0], len(target), *found[2:])


def _read_link(place: bytes, expected: Stat) -> bytes | None:
    target = os.readlink(place)
    return target if stat_of(os.lstat(place)) == expected else None


def _read_file(place: bytes, expected: Stat) -> bytes | None:
    """The content, or None if the file is not what was expected."""
    size = expected[1]
    try:
        descriptor = os.open(place, OPEN_FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:  # it became a symlink
            return None
        raise
    try:
        content = os.read(descriptor, size + 1)
        while len(content) < size and (more := os.read(descriptor, size + 1 - len(content))):
            content += more
        after = stat_of(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    return content if after == expected and len(content) == size else None


def _changing(place: bytes) -> FailureError:
    return FailureError(
        "it changed each time while it was read",
        place=shown(place),
        remedy="run the command again when nothing writes to it",
    )


def store_large(writer: ObjectWriter, place: bytes) -> tuple[Oid, Stat]:
    """Write a file of any size as a blob, in pieces; its id and the stat it had."""
    for _ in range(TRIES):
        try:
            descriptor = os.open(place, OPEN_FLAGS)
        except OSError as error:
            raise_scan_error(error, place)
        try:
            before = stat_of(os.fstat(descriptor))
            mode_of(before[0], place)
            oid, size = writer.write_blob_pieces(iter_pieces(descriptor, before[1], place))
            if stat_of(os.fstat(descriptor)) == before and size == before[1]:
                return oid, before
        finally:
            os.close(descriptor)
    raise _changing(place)


def hash_place(place: bytes) -> Oid:
    """The blob id of what a file of any size holds now."""
    try:
        descriptor = os.open(place, OPEN_FLAGS)
    except OSError as error:
        raise_scan_error(error, place)
    try:
        return hash_descriptor(descriptor, os.fstat(descriptor).st_size, place)
    finally:
        os.close(descriptor)


def iter_pieces(descriptor: int, size: int, place: bytes) -> Iterator[bytes]:
    """What an open file holds, but hardly more than the given size: one that grows as fast as it is read has no end."""
    try:
        while size >= 0 and (piece := os.read(descriptor, PIECE)):
            size -= len(piece)
            yield piece
    except OSError as error:
        raise_scan_error(error, place)


def hash_descriptor(descriptor: int, size: int, place: bytes) -> Oid:
    """The blob id of what an open file of this size holds."""
    hasher = BlobHasher()
    for piece in iter_pieces(descriptor, size, place):
        hasher.update(piece)
    return hasher.oid()
