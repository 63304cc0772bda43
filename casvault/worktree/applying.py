"""One run over a list of changes: first what goes, deepest first, then what comes, then everything is made durable."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from casvault.files.durable import explained
from casvault.limits import STREAM_THRESHOLD
from casvault.objects import Kind, read_kind
from casvault.worktree.look import find_stat, look
from casvault.worktree.plan import Change, is_directory, same_state
from casvault.worktree.write import put_in_place, remove_temporary, sweep, write_temporary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import ObjectReader, Root
    from casvault.progress import Progress
    from casvault.worktree.descent import Descent
    from casvault.worktree.reading import Stat

FEW = 64
"""Up to this many changes, each file and directory is synced; above, the whole system twice a batch."""
BATCH = 1000


class Applied(NamedTuple):
    """What a run did, as sorted paths. What was already as it should be is in none of the lists."""

    written: list[bytes]
    removed: list[bytes]
    kept: list[bytes]
    """Neither the old state nor the new one was there; nothing was touched."""
    left: list[bytes]
    """Directories that were to go, but have something in them that no change names."""


class _Pending(NamedTuple):
    """A file to be written, and what stands in its place: None for nothing."""

    change: Change
    new: Root
    expected: Stat | None


class _Staged(NamedTuple):
    pending: _Pending
    temporary: bytes


class Applying:
    """Used once. A crash at any point leaves each path old or new, and temporary files that the next run removes."""

    def __init__(self, descent: Descent, changes: Sequence[Change], reader: ObjectReader, progress: Progress) -> None:
        self._descent = descent
        self._changes = changes
        self._reader = reader
        self._progress = progress
        self._few = len(changes) <= FEW
        self._swept: set[bytes] = set()
        self._touched: set[bytes] = set()
        self._done = Applied([], [], [], [])

    def run(self) -> Applied:
        for change in reversed(self._changes):
            if change.old is not None and (change.new is None or _crosses(change)):
                self._remove(change)
        coming = [change for change in self._changes if change.new is not None]
        for start in range(0, len(coming), BATCH):
            self._bring(coming[start : start + BATCH])
            self._progress("write", min(start + BATCH, len(coming)), len(coming))
        self._sync()
        written, removed, kept, left = self._done
        return Applied(sorted(written), sorted(removed), sorted(set(kept)), sorted(left))

    def _locate(self, path: bytes, *, create: bool = False) -> tuple[int, bytes] | None:
        where = self._descent.locate(path, create=create)
        directory = path.rpartition(b"/")[0]
        if where is not None and directory not in self._swept:
            self._swept.add(directory)
            with explained(self._descent.place(directory)):
                sweep(where[0])
        return where

    def _remove(self, change: Change) -> None:
        where = self._locate(change.path)
        if where is None:
            return
        with explained(self._descent.place(change.path)):
            if is_directory(change.old):
                self._remove_directory(change)
            else:
                self._remove_file(change, *where)

    def _remove_file(self, change: Change, descriptor: int, name: bytes) -> None:
        assert change.old is not None
        found = look(descriptor, name, self._descent.place(change.path), (change.old.size,))
        if found is None or (is_directory(change.new) and is_directory(found.state)):
            return
        if not same_state(found.state, change.old) or find_stat(descriptor, name) != found.stat:
            self._done.kept.append(change.path)
            return
        # Where the path is a symlink that is followed, the link goes and what it leads to stays.
        directory, _, own_name = change.path.rpartition(b"/")
        os.unlink(own_name, dir_fd=self._descent.open(directory))
        self._note(change.path, self._done.removed)

    def _remove_directory(self, change: Change) -> None:
        inside = self._descent.open(change.path)
        if inside is not None:
            sweep(inside)
        directory, _, name = change.path.rpartition(b"/")
        descriptor = self._descent.open(directory)
        assert descriptor is not None
        found = find_stat(descriptor, name)
        if found is None:
            return
        if not stat.S_ISDIR(found[0]):
            if change.new is None:
                (self._done.kept if inside is None else self._done.left).append(change.path)
            return
        try:
            os.rmdir(name, dir_fd=descriptor)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            self._done.left.append(change.path)
            return
        self._note(change.path, self._done.removed)

    def _bring(self, changes: Sequence[Change]) -> None:
        pending = []
        for change in changes:
            with explained(self._descent.place(change.path)):
                if is_directory(change.new):
                    self._bring_directory(change)
                elif (found := self._examine(change)) is not None:
                    pending.append(found)
        with contextlib.ExitStack() as undo:
            staged = list(self._stage(pending, undo))
            if staged and not self._few:
                os.sync()
            for item in staged:
                self._finish(item)
            undo.pop_all()

    def _bring_directory(self, change: Change) -> None:
        directory, _, name = change.path.rpartition(b"/")
        descriptor = self._descent.open(directory, create=True)
        if descriptor is not None and find_stat(descriptor, name) is None and (change.old is None or _crosses(change)):
            os.mkdir(name, dir_fd=descriptor)
            self._note(change.path, self._done.written)
        elif self._descent.open(change.path) is None:
            self._done.kept.append(change.path)

    def _examine(self, change: Change) -> _Pending | None:
        """The change, if the disk is as it says; None if there is nothing to do or nothing may be done."""
        old, new = change.old, change.new
        assert new is not None
        where = self._locate(change.path, create=True)
        if where is not None:
            sizes = (new.size,) if old is None else (old.size, new.size)
            found = look(*where, self._descent.place(change.path), sizes)
            if found is None and (old is None or is_directory(old)):
                return _Pending(change, new, None)
            if found is not None and same_state(found.state, new):
                return None
            if found is not None and same_state(found.state, old) and not is_directory(old):
                return _Pending(change, new, found.stat)
        self._done.kept.append(change.path)
        return None

    def _stage(self, pending: Sequence[_Pending], undo: contextlib.ExitStack) -> Iterator[_Staged]:
        """Write the temporary files; `undo` removes those that have not got their names."""
        small = [item.new.id for item in pending if item.new.size <= STREAM_THRESHOLD]
        contents = read_kind(self._reader, small, Kind.BLOB)
        for item in pending:
            is_small = item.new.size <= STREAM_THRESHOLD
            pieces: Iterable[bytes] = (next(contents),) if is_small else self._reader.iter_blob(item.new.id)
            where = self._descent.locate(item.change.path)
            with explained(self._descent.place(item.change.path)):
                if where is None:
                    raise FileNotFoundError(errno.ENOENT, "its directory vanished")
                temporary = write_temporary(where[0], item.new.mode, pieces, sync=self._few)
            undo.callback(self._discard, item.change.path, temporary)
            yield _Staged(item, temporary)

    def _discard(self, path: bytes, temporary: bytes) -> None:
        where = self._descent.locate(path)
        if where is not None:
            remove_temporary(where[0], temporary)

    def _finish(self, staged: _Staged) -> None:
        path = staged.pending.change.path
        with explained(self._descent.place(path)):
            where = self._descent.locate(path)
            if where is None or not put_in_place(where[0], staged.temporary, where[1], staged.pending.expected):
                self._done.kept.append(path)
            else:
                self._note(path, self._done.written)

    def _note(self, path: bytes, done: list[bytes]) -> None:
        done.append(path)
        # Directories above may have been made for it, so their names must last too.
        directory = path.rpartition(b"/")[0]
        while directory and directory not in self._touched:
            self._touched.add(directory)
            directory = directory.rpartition(b"/")[0]
        self._touched.add(b"")

    def _sync(self) -> None:
        if not self._few:
            os.sync()
            return
        for directory in sorted(self._touched):
            descriptor = self._descent.open(directory)
            if descriptor is not None:
                os.fsync(descriptor)
        self._descent.sync_followed()


def _crosses(change: Change) -> bool:
    """Whether a directory meets something else: then the path is absent for a moment, also after a crash."""
    return is_directory(change.old) != is_directory(change.new)
