"""What is on disk at one name of an open directory, without following it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from casvault.files.durable import explained
from casvault.objects import SYMLINK, TREE, Root
from casvault.oid import NULL_ID, blob_id
from casvault.trees import empty_root
from casvault.worktree.reading import OPEN_FLAGS, TRIES, hash_descriptor, mode_of, stat_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from casvault.oid import Oid
    from casvault.worktree.reading import Stat


class Found(NamedTuple):
    state: Root
    """The null id where it is none of the states that a change can name: a directory with something in it, a FIFO, a
    file that is being written, a file of a size that was not asked for."""
    stat: Stat


def find_stat(descriptor: int, name: bytes) -> Stat | None:
    try:
        return stat_of(os.stat(name, dir_fd=descriptor, follow_symlinks=False))
    except FileNotFoundError:
        return None


def look(descriptor: int, name: bytes, place: str, sizes: Collection[int] | None = None) -> Found | None:
    """What is there, or None. With `sizes`, files of other sizes are not read."""
    with explained(place):
        found = find_stat(descriptor, name)
        for _ in range(TRIES):
            if found is None:
                return None
            before, state = found, _state(descriptor, name, found, sizes)
            found = find_stat(descriptor, name)
            if found == before:
                return Found(state, before)
        return Found(Root(stat.S_IFREG, 0, NULL_ID), before)


def _state(descriptor: int, name: bytes, found: Stat, sizes: Collection[int] | None) -> Root:
    mode, size = found[0], found[1]
    if stat.S_ISDIR(mode):
        return empty_root() if _is_empty(descriptor, name) else Root(TREE, 0, NULL_ID)
    if stat.S_ISLNK(mode):
        target = os.readlink(name, dir_fd=descriptor)
        return Root(SYMLINK, len(target), blob_id(target))
    if not stat.S_ISREG(mode):
        return Root(stat.S_IFMT(mode), 0, NULL_ID)
    unread = sizes is not None and size not in sizes
    return Root(mode_of(mode, name), size, NULL_ID if unread else _hash(descriptor, name, size))


def _hash(descriptor: int, name: bytes, size: int) -> Oid:
    opened = os.open(name, OPEN_FLAGS, dir_fd=descriptor)
    try:
        return hash_descriptor(opened, size, name)
    finally:
        os.close(opened)


def _is_empty(descriptor: int, name: bytes) -> bool:
    opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
    try:
        return not os.listdir(opened)
    finally:
        os.close(opened)
