"""The one choke point through which every file of a checkout is written.

A path is resolved component by component from a descriptor of the root and no symlink is followed, so nothing outside
the root can be reached; control names are refused; each file is replaced atomically, and only while it holds what the
change says it holds. Everything else on disk is left alone and named.
"""

from __future__ import annotations

import os
from operator import itemgetter
from typing import TYPE_CHECKING, NoReturn, Self

from casvault.errors import DamageError, MissingObjectError, PurgedError, RefusedError, UsageError
from casvault.files import make_directory
from casvault.files.durable import explained
from casvault.objects import ROOT_MODES, TREE, Kind, Root
from casvault.progress import silent
from casvault.worktree.applying import Applied, Applying
from casvault.worktree.descent import Descent
from casvault.worktree.look import look
from casvault.worktree.names import check_path, shown
from casvault.worktree.plan import Change, is_directory, plan_changes
from casvault.worktree.write import sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.progress import Progress


class Target:
    """A directory that is written to. The caller holds the lock that makes it the only writer.

    `follow` names the paths that may be symlinks and are then written through. NotFoundError if the root is not a
    directory. Paths are relative to the root, bytes, with `/` between the components.
    """

    def __init__(self, root: Path, *, follow: frozenset[bytes] = frozenset()) -> None:
        self._descent = Descent(root, follow)

    def close(self) -> None:
        self._descent.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find_state(self, path: bytes) -> Root | None:
        """What is on disk at a path, read and hashed, not followed; None if it is absent.

        A directory is the empty tree if nothing is in it. What no change can name, such as a directory with something
        in it or a FIFO, has the null id and so equals no state. RefusedError where a symlink is on the way.
        """
        check_path(path)
        self._refuse_link(path, frozenset())
        where = self._descent.locate(path)
        if where is None:
            return None
        found = look(*where, self._descent.place(path))
        return None if found is None else found.state

    def apply(self, changes: Iterable[Change], reader: ObjectReader, progress: Progress = silent) -> Applied:
        """Bring the disk from the old states to the new ones, where it has the old or already the new.

        May be repeated, also after a crash at any point, with the same result. Durable when it returns. RefusedError,
        before anything is written, for paths that may not be written and symlinks on the way; MissingObjectError,
        before anything is written, for content that the reader does not have. After any other error some changes are
        done and the others not.
        """
        planned = sorted(changes, key=itemgetter(0))
        self.check(planned, reader)
        return Applying(self._descent, planned, reader, progress).run()

    def check(self, changes: Iterable[Change], reader: ObjectReader) -> None:
        """Raise what `apply` would raise before it writes anything."""
        planned = sorted(changes, key=itemgetter(0))
        self._check(planned)
        _check_contents(planned, reader)

    def clean_temporaries(self, directories: Iterable[bytes]) -> int:
        """Remove what a crash left unfinished in these directories (b"" is the root); how many files that were."""
        removed = 0
        for directory in sorted(set(directories)):
            descriptor = self._descent.open(directory)
            if descriptor is not None:
                with explained(self._descent.place(directory)):
                    removed += sweep(descriptor)
        return removed

    def _check(self, changes: Sequence[Change]) -> None:
        paths = frozenset(change.path for change in changes)
        if len(paths) != len(changes):
            raise UsageError("a path has two changes at once")
        longest = os.pathconf(self._descent.place(b""), "PC_NAME_MAX")
        for change in changes:
            check_path(change.path)
            if len(change.path) > longest and max(map(len, change.path.split(b"/"))) > longest:
                raise RefusedError(
                    f"a name of more than {longest} bytes, which the file system there does not take",
                    place=shown(change.path),
                    remedy="give it a shorter one",
                )
            if any(state is not None and state.mode not in ROOT_MODES for state in change[1:]):
                raise UsageError("neither a file nor a symlink nor a directory", place=shown(change.path))
        seen = set()
        for change in changes:
            directory = change.path.rpartition(b"/")[0]
            if directory not in seen:
                seen.add(directory)
                self._refuse_link(change.path, paths)

    def _refuse_link(self, path: bytes, changing: frozenset[bytes]) -> None:
        """Raise RefusedError if a symlink is on the way, unless it has a change of its own."""
        link = self._descent.find_link(path.rpartition(b"/")[0])
        if link is not None and link not in changing:
            raise RefusedError(
                "a symlink is on the way, and nothing is written through it",
                place=self._descent.place(link),
                remedy="replace it by a directory; --follow writes through the symlink at the root of a unit",
            )


def _check_contents(changes: Sequence[Change], reader: ObjectReader) -> None:
    paths = {state.id: path for path, _, state in changes if state is not None and state.mode != TREE}
    ids = list(paths)
    for oid, info in zip(ids, reader.find_infos(ids), strict=True):
        if info is None:
            _raise_missing(reader, oid, paths[oid])
        if info.kind is not Kind.BLOB:
            raise DamageError(f"this object is a {info.kind}, where a blob is referred to", place=str(oid))


def _raise_missing(reader: ObjectReader, oid: Oid, path: bytes) -> NoReturn:
    """Raise what reading the object raises; where it was purged, with the path that cannot be written."""
    try:
        next(reader.iter_blob(oid), None)
    except PurgedError as error:
        error.place = shown(path)
        error.remedy = "choose a version without it, or paths without it; an undo with --refs-only leaves files alone"
        raise
    raise MissingObjectError("no such object", place=str(oid), remedy="run `casvault fsck`")


def checkout_tree(reader: ObjectReader, root: Root, directory: Path, progress: Progress = silent) -> Applied:
    """Lay a tree out in a directory that is new or empty; RefusedError if it is not."""
    if not is_directory(root):
        raise UsageError("only a directory can be laid out in a directory")
    changes = plan_changes(reader, b"", None, root)
    for change in changes:
        check_path(change.path)
    make_directory(directory)
    with explained(directory):
        if os.listdir(directory):
            raise RefusedError("the directory is not empty", place=os.fspath(directory), remedy="name a new one")
    with Target(directory) as target:
        return target.apply(changes, reader, progress)
