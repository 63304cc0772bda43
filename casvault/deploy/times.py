"""When things happened in a project, read off the chain of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.deploy.state import Place, read_deployments
from casvault.objects import LINK, read_commit, read_parents
from casvault.objects.names import escape, unescape
from casvault.trees import diff_paths, find_path

if TYPE_CHECKING:
    from casvault.deploy.state import Deployments
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid


def last_deployed(reader: ObjectReader, state: Oid | None, deployments: Deployments) -> dict[Place, int]:
    """For each deployment, when its deployed version was put there: seconds since 1970.

    The chain is walked back until all are known, or to where it was let go, which says of the rest what it was.
    A state that did not touch any of them costs the comparison of two
    trees.
    """
    found: dict[Place, int] = {}
    wanted = dict(deployments)
    while state is not None and wanted:
        commit = read_commit(reader, state)
        parent = next(iter(read_parents(reader, state)), None)
        if parent is None and state in reader.boundary:
            times = reader.boundary.since.get(state, {})
            return found | {place: times[path] for place in wanted if (path := path_of(place)) in times}
        before = None if parent is None else read_commit(reader, parent)
        changed = set(wanted) if before is None else places_that_differ(reader, before, commit) & wanted.keys()
        for place in changed:
            if before is None or deployed_at(reader, before, place) != wanted[place].deployed:
                found[place] = commit.committer.seconds
                del wanted[place]
        state = parent
    return found


def times_before(reader: ObjectReader, state: Oid) -> dict[bytes, int]:
    """What has to be kept of the states before one that these are cut behind."""
    found = last_deployed(reader, state, read_deployments(reader, state))
    return {path_of(place): seconds for place, seconds in found.items()}


def path_of(place: Place) -> bytes:
    """Where a deployment is in the root of a state."""
    return b"/".join(map(escape, place))


def places_that_differ(reader: ObjectReader, before: Commit, after: Commit) -> set[Place]:
    """The places at which two states of a project are not the same."""
    paths = (path.split(b"/")[: len(Place._fields)] for path, _, _ in diff_paths(reader, before.root, after.root))
    return {Place(*map(unescape, parts)) for parts in paths}


def deployed_at(reader: ObjectReader, state: Commit, place: Place) -> Oid | None:
    """The version that a state has at a place."""
    found = find_path(reader, state.root, b"/".join((*map(escape, place), b"deployed")))
    return found.id if found is not None and found.mode == LINK else None
