"""Where artifacts went: the links of `former`, read.

    former/<path> -> the last version at the path             it was removed
                  -> the rename's version, at its new path     it was renamed, or moved to another collection

A rename's version has the last version at the old path as its first parent, so neither case needs a walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.snapshot import find_former, find_version
from casvault.artifacts.version import COLLECTION, ORIGIN, PATH, Origin
from casvault.objects import read_commit, read_commits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casvault.artifacts.snapshot import Snapshot
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid

Address = tuple[bytes, bytes]
"""A collection and a path in it."""


def find_last_versions(
    reader: ObjectReader, snapshot: Snapshot, collection: bytes, paths: Iterable[bytes]
) -> dict[bytes, Oid]:
    """The last versions at those of the paths that a snapshot of the collection has no artifact at any more."""
    links = find_former(reader, snapshot, paths)
    commits = read_commits(reader, links.values())
    return {
        path: link if _destination(commit, (collection, path)) is None else commit.parents[0]
        for (path, link), commit in zip(links.items(), commits, strict=True)
    }


def find_moved(
    reader: ObjectReader, snapshots: Callable[[bytes], Snapshot | None], collection: bytes, path: bytes
) -> Address | None:
    """Where the artifact that was at this path of a collection is now, after any number of moves.

    None if it was removed, or if it moved to a collection for which `snapshots` answers None. A path that was given to
    another artifact meanwhile is the end of the way: that one continues the lineage there. Where an artifact still is
    at the path, that is the answer.
    """
    here: Address = (collection, path)
    seen: set[Address] = set()
    while here not in seen:
        seen.add(here)
        snapshot = snapshots(here[0])
        if snapshot is None:
            return None
        if find_version(reader, snapshot, here[1]) is not None:
            return here
        link = find_former(reader, snapshot, [here[1]]).get(here[1])
        there = None if link is None else _destination(read_commit(reader, link), here)
        if there is None:
            return None
        here = there
    return None


def is_move(reader: ObjectReader, collection: bytes, path: bytes, link: Oid) -> bool:
    """Whether the link that `former` has for a path says that the artifact lives on elsewhere."""
    return _destination(read_commit(reader, link), (collection, path)) is not None


def _destination(commit: Commit, here: Address) -> Address | None:
    """The new address, if this version is a rename away from `here`; None for a version that was there itself."""
    if commit.field(ORIGIN) != Origin.RENAME.value.encode() or not commit.parents:
        return None
    there = (commit.field(COLLECTION) or b"", commit.field(PATH) or b"")
    return None if there == here else there
