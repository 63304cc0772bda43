"""Walking down from a root, component by component, without following symlinks: nothing outside it is ever reached."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from casvault.errors import NotFoundError, RefusedError
from casvault.files.durable import explained
from casvault.worktree.names import is_control_name, join, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Descent:
    """Descriptors of the directories on the way to the one asked for last, so that neighbours cost one step.

    A path in `follow` may be a symlink and is then followed, once; the caller has been told to.
    """

    def __init__(self, root: Path, follow: frozenset[bytes]) -> None:
        self.root = os.fsencode(os.path.abspath(root))
        self._follow = follow
        try:
            self._descriptor = os.open(self.root, _FLAGS)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError("not a directory", place=os.fspath(root)) from error
        except OSError:
            with explained(root):
                raise
        self._stack: list[tuple[bytes, int]] = []
        self._followed: dict[bytes, tuple[int, bytes]] = {}

    def close(self) -> None:
        self._leave(0)
        for descriptor, _ in self._followed.values():
            os.close(descriptor)
        self._followed.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def place(self, path: bytes) -> str:
        """The path as the user knows it."""
        return shown(join(self.root, path) if path else self.root)

    def open(self, directory: bytes, *, create: bool = False) -> int | None:
        """A descriptor of the directory, good until the next call; None if it is not there or something is in the way.

        With `create`, missing directories are made.
        """
        parts = directory.split(b"/") if directory else []
        depth = 0
        while depth < min(len(parts), len(self._stack)) and self._stack[depth][0] == parts[depth]:
            depth += 1
        self._leave(depth)
        for part in parts[depth:]:
            opened = self._enter(part, create=create)
            if opened is None:
                return None
            self._stack.append((part, opened))
        return self._top()

    def locate(self, path: bytes, *, create: bool = False) -> tuple[int, bytes] | None:
        """The directory and the name under which the path is to be read and written; None as for `open`."""
        directory, _, name = path.rpartition(b"/")
        descriptor = self.open(directory, create=create)
        if descriptor is None:
            return None
        if path in self._followed:
            return self._followed[path]
        if path in self._follow and _is_link(descriptor, name):
            target = self._resolve(path)
            with explained(shown(target)):
                opened = os.open(os.path.dirname(target), _FLAGS | os.O_NOFOLLOW)
            self._followed[path] = opened, os.path.basename(target)
            return self._followed[path]
        return descriptor, name

    def sync_followed(self) -> None:
        """Make names durable in the directories to which symlinks led."""
        for descriptor, _ in self._followed.values():
            os.fsync(descriptor)

    def find_link(self, directory: bytes) -> bytes | None:
        """The first component on the way to the directory that is a symlink and may not be followed, as a path."""
        if self.open(directory) is not None:
            return None
        for path in _prefixes(directory):
            above, _, name = path.rpartition(b"/")
            descriptor = self.open(above)
            if descriptor is None:
                return None
            if path not in self._follow and _is_link(descriptor, name):
                return path
        return None

    def _top(self) -> int:
        return self._stack[-1][1] if self._stack else self._descriptor

    def _leave(self, depth: int) -> None:
        while len(self._stack) > depth:
            os.close(self._stack.pop()[1])

    def _enter(self, name: bytes, *, create: bool) -> int | None:
        path = b"/".join((*(part for part, _ in self._stack), name))
        with explained(self.place(path)):
            try:
                return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=self._top())
            except FileNotFoundError:
                return self._make(name) if create else None
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                if path not in self._follow or not _is_link(self._top(), name):
                    return None
                return os.open(self._resolve(path), _FLAGS | os.O_NOFOLLOW)

    def _make(self, name: bytes) -> int:
        with contextlib.suppress(FileExistsError):  # somebody was faster; opening says if it is no directory
            os.mkdir(name, dir_fd=self._top())
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=self._top())

    def _resolve(self, path: bytes) -> bytes:
        """Where a symlink that may be followed leads; RefusedError into a control directory."""
        with explained(self.place(path)):
            target = os.path.realpath(join(self.root, path), strict=True)
        if any(map(is_control_name, target.split(b"/"))):
            raise RefusedError(
                f"a symlink into a control directory, {shown(target)}",
                place=self.place(path),
                remedy="remove the symlink",
            )
        return target


def _prefixes(path: bytes) -> Iterator[bytes]:
    parts = path.split(b"/")
    return (b"/".join(parts[: count + 1]) for count in range(len(parts)))


def _is_link(descriptor: int, name: bytes) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
