"""Putting one file, symlink or directory in place, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from casvault.objects import EXECUTABLE, SYMLINK
from casvault.worktree.look import find_stat
from casvault.worktree.names import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.worktree.reading import Stat

_WITHOUT_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})


def write_temporary(descriptor: int, mode: int, pieces: Iterable[bytes], *, sync: bool) -> bytes:
    """Make a temporary file or symlink with this content beside its future place; its name."""
    name = TEMPORARY + os.urandom(8).hex().encode()
    if mode == SYMLINK:
        os.symlink(b"".join(pieces), name, dir_fd=descriptor)
        return name
    permissions = 0o777 if mode == EXECUTABLE else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open(name, flags, permissions, dir_fd=descriptor)
    finished = False
    try:
        for piece in pieces:
            _write_all(opened, piece)
        if sync:
            os.fsync(opened)
        finished = True
    finally:
        os.close(opened)
        if not finished:
            remove_temporary(descriptor, name)
    return name


def _write_all(opened: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(opened, view) :]


def put_in_place(descriptor: int, temporary: bytes, name: bytes, expected: Stat | None) -> bool:
    """Give a finished temporary file its name, where `expected` is what stands there; None is nothing.

    False, with nothing changed but the temporary gone, if something else stands there by now.
    """
    if expected is None:
        return _create(descriptor, temporary, name)
    if find_stat(descriptor, name) != expected:
        remove_temporary(descriptor, temporary)
        return False
    os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    return True


def _create(descriptor: int, temporary: bytes, name: bytes) -> bool:
    try:
        os.link(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_HARD_LINKS:
            raise
        return _create_without_links(descriptor, temporary, name)
    finally:
        remove_temporary(descriptor, temporary)
    return True


def _create_without_links(descriptor: int, temporary: bytes, name: bytes) -> bool:
    # The placeholder takes the name if nobody has it; only then is it replaced.
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=descriptor))
    except FileExistsError:
        return False
    os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    return True


def remove_temporary(descriptor: int, name: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=descriptor)


def sweep(descriptor: int) -> int:
    """Remove the temporary files that a crash left in a directory; how many there were.

    The caller holds the target's lock: no other process is writing there.
    """
    names = [os.fsencode(name) for name in os.listdir(descriptor)]
    left = [name for name in names if name.startswith(TEMPORARY)]
    for name in left:
        remove_temporary(descriptor, name)
    return len(left)
