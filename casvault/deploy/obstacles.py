"""What stands in the way of files that are about to be written, found while the command can still be refused."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.errors import RefusedError
from casvault.objects import SYMLINK
from casvault.worktree.names import TEMPORARY
from casvault.worktree.plan import is_directory, same_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from casvault.artifacts.draft import FileWrite
    from casvault.worktree.plan import Change
    from casvault.worktree.target import Target

NAMED = 5
"""Files in the way that a message names."""


def check_way(directory: Path, writes: Iterable[FileWrite], changes: Sequence[Change], *, follow: bool) -> None:
    """RefusedError for a symlink that would be written through, unless that was asked for with `follow`, and for files
    under a directory that must go.
    """
    root = os.fsencode(directory)
    for write in writes:
        followed = write.old is not None and write.old.mode != SYMLINK
        if followed and not follow and os.path.islink(os.path.join(root, write.path)):
            raise RefusedError(
                "a symlink, and nothing is written through it",
                place=os.path.join(os.fspath(directory), show(write.path)),
                remedy="replace it by what it leads to; commands that deploy and pull write through it with --follow",
            )
    going = {change.path for change in changes}
    for change in changes:
        if change.new is not None and not is_directory(change.new):
            for path in _iter_files(root, change.path):
                if path not in going:
                    raise RefusedError(
                        f"a file is to be written at {show(change.path)}, and this is in the way",
                        place=os.path.join(os.fspath(directory), show(path)),
                        remedy="move it away",
                    )


def check_vacant(directory: Path, target: Target, changes: Iterable[Change]) -> None:
    """RefusedError for something else at a path that is planned to be new: it would be left as it is, and the directory
    would be interrupted.
    """
    root = os.fsencode(directory)
    for path, old, new in changes:
        if old is None and not is_directory(new) and os.path.lexists(os.path.join(root, path)):
            found = target.find_state(path)
            if found is not None and not is_directory(found) and not same_state(found, new):
                raise RefusedError(
                    "something is there that does not belong to what is to be written",
                    place=os.path.join(os.fspath(directory), show(path)),
                    remedy="move it away",
                )


def check_free(directory: Path, path: bytes) -> None:
    """RefusedError, naming files, if anything is at a path of a directory, be it ignored or not."""
    root = os.fsencode(directory)
    if os.path.lexists(os.path.join(root, path)):
        found = [show(file) for file in islice(_iter_files(root, path), NAMED + 1)]
        listed = f": {', '.join(found[:NAMED])}" if found else ""
        raise RefusedError(
            f"files are in the way{listed}{', …' if len(found) > NAMED else ''}",
            place=os.path.join(os.fspath(directory), show(path)),
            remedy="move them away, or choose another path",
        )


def _iter_files(root: bytes, path: bytes) -> Iterator[bytes]:
    """The files and symlinks below a path, if it is a directory; not what a run that was cut off has left, which the
    next one sweeps away.
    """
    place = os.path.join(root, path)
    if os.path.isdir(place) and not os.path.islink(place):
        for above, directories, names in os.walk(place):
            links = [name for name in directories if os.path.islink(os.path.join(above, name))]
            for name in (name for name in (*names, *links) if not name.startswith(TEMPORARY)):
                yield os.path.relpath(os.path.join(above, name), root)
