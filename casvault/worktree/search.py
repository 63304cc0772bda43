"""Finding certain contents on disk, wherever they are, ignored files too."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from casvault.errors import FailureError
from casvault.oid import blob_id
from casvault.worktree.reading import hash_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from casvault.oid import Oid


def iter_copies(directory: Path, wanted: Mapping[Oid, int], skipped: frozenset[str]) -> Iterator[tuple[Path, Oid]]:
    """The files and symlinks below a directory with one of these contents; `wanted` has their sizes.

    Only files of such a size are read. Directories named in `skipped` are passed over, and so is what cannot be read.
    """
    sizes = set(wanted.values())
    for place, directories, names in os.walk(directory):
        # Symlinks to directories are listed among these, and are not entered.
        links = [name for name in directories if os.path.islink(os.path.join(place, name))]
        directories[:] = sorted(name for name in directories if name not in skipped)
        for name in sorted((*names, *links)):
            path = os.path.join(place, name)
            found = _find_id(path, sizes)
            if found is not None and found in wanted:
                yield directory / os.path.relpath(path, directory), found


def _find_id(path: str, sizes: set[int]) -> Oid | None:
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            return blob_id(os.fsencode(os.readlink(path)))
        if stat.S_ISREG(found.st_mode) and found.st_size in sizes:
            return hash_place(os.fsencode(path))
    except (OSError, FailureError):
        pass
    return None
