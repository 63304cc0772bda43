"""When things happened in a project, read off the chain of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.deploy.state import Place
from casvault.objects import LINK, read_commit
from casvault.objects.names import escape, unescape
from casvault.trees import diff_paths, find_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.deploy.state import Deployments
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid


def last_deployed(reader: ObjectReader, state: Oid | None, deployments: Deployments) -> dict[Place, int]:
    """For each deployment, when its deployed version was put there: seconds since 1970.

    The chain is walked back until all are known; a state that did not touch any of them costs the comparison of two
    trees.
    """
    found: dict[Place, int] = {}
    wanted = dict(deployments)
    while state is not None and wanted:
        commit = read_commit(reader, state)
        parent = commit.parents[0] if commit.parents else None
        before = None if parent is None else read_commit(reader, parent)
        changed = set(wanted) if before is None else set(_iter_changed(reader, before, commit)) & wanted.keys()
        for place in changed:
            if before is None or _deployed(reader, before, place) != wanted[place].deployed:
                found[place] = commit.committer.seconds
                del wanted[place]
        state = parent
    return found


def _iter_changed(reader: ObjectReader, before: Commit, after: Commit) -> Iterator[Place]:
    """The places that a state changed."""
    for path, _, _ in diff_paths(reader, before.root, after.root):
        parts = path.split(b"/")
        yield Place(*map(unescape, parts[: len(Place._fields)]))


def _deployed(reader: ObjectReader, state: Commit, place: Place) -> Oid | None:
    found = find_path(reader, state.root, b"/".join((*map(escape, place), b"deployed")))
    return found.id if found is not None and found.mode == LINK else None
