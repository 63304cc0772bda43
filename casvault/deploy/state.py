"""The state of a project: a commit whose tree says what is deployed where.

root = { escaped root: { escaped collection: { escaped path: { deployed, settled, observed: links; pin: blob } } } }
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.version import TYPE
from casvault.errors import DamageError
from casvault.objects import FILE, LINK, TREE, Root, read_blob, read_commit, write_blob
from casvault.objects.names import escape, unescape
from casvault.trees import edit_paths, empty_root, find_path, iter_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.moves import Address
    from casvault.objects import ObjectReader, ObjectStage
    from casvault.oid import Oid

PROJECT_STATE = b"project-state"
DEFAULT_ROOT = b".claude"


class Place(NamedTuple):
    """Where something is deployed: which root of the project, from which collection, at which path of it."""

    root: bytes
    collection: bytes
    path: bytes

    @property
    def file_path(self) -> bytes:
        """Relative to the project's directory."""
        return self.root + b"/" + self.path


class Deployment(NamedTuple):
    deployed: Oid
    """The version that was put there."""
    settled: Oid
    """The version that local edits are measured from: last deployed or last pulled."""
    observed: Oid | None = None
    """Local edits, as a version whose one parent is the settled one."""
    pin: bytes | None = None


Deployments = dict[Place, Deployment]


def read_deployments(
    reader: ObjectReader, state: Oid | None, known: dict[Oid, Deployment] | None = None
) -> Deployments:
    """What is deployed in a project by the state commit; nothing for None.

    `known` is where several calls tell each other what they have read: one version that is deployed in many places is
    one object.
    """
    if state is None:
        return {}
    commit = read_commit(reader, state)
    if commit.field(TYPE) != PROJECT_STATE:
        raise DamageError("this commit is not the state of a project", place=str(state))
    known = {} if known is None else known
    found: Deployments = {}
    for root, collections in _iter_directories(reader, commit.root.id):
        for collection, paths in _iter_directories(reader, collections):
            for path, leaf in _iter_directories(reader, paths):
                if leaf not in known:
                    known[leaf] = _deployment(reader, leaf)
                found[Place(root, collection, path)] = known[leaf]
    return found


def read_deployment(reader: ObjectReader, state: Oid | None, place: Place) -> Deployment | None:
    """What is deployed at one place, without a look at the others."""
    if state is None:
        return None
    found = find_path(reader, read_commit(reader, state).root, state_path(place))
    return None if found is None or found.mode != TREE else _deployment(reader, found.id)


def find_deployments(
    reader: ObjectReader, state: Oid, addresses: Iterable[Address]
) -> Iterator[tuple[Place, Deployment]]:
    """What a project has of some artifacts, in any of its roots, without reading the rest."""
    wanted = list(addresses)
    for root, collections in _iter_directories(reader, read_commit(reader, state).root.id):
        for collection, path in wanted:
            leaf = find_path(reader, Root(TREE, 0, collections), b"/".join(map(escape, (collection, path))))
            if leaf is not None and leaf.mode == TREE:
                yield Place(root, collection, path), _deployment(reader, leaf.id)


def state_path(place: Place) -> bytes:
    """Where in the tree of a state a deployment is."""
    return b"/".join(map(escape, place))


def _iter_directories(reader: ObjectReader, tree: Oid) -> Iterator[tuple[bytes, Oid]]:
    for entry in iter_entries(reader, tree):
        if entry.mode == TREE:
            yield unescape(entry.name), entry.id


def _deployment(reader: ObjectReader, leaf: Oid) -> Deployment:
    parts = {entry.name: entry for entry in iter_entries(reader, leaf)}
    if not {b"deployed", b"settled"} <= parts.keys():
        raise DamageError("a deployment without its version", place=str(leaf))
    observed, pin = parts.get(b"observed"), parts.get(b"pin")
    return Deployment(
        parts[b"deployed"].id,
        parts[b"settled"].id,
        None if observed is None else observed.id,
        None if pin is None else read_blob(reader, pin.id),
    )


def set_deployments(draft: Draft, ref: bytes, changes: Mapping[Place, Deployment | None]) -> None:
    """Write the project's next state, on top of the one that the draft has; nothing if nothing changes."""
    old = draft.ref(ref)
    root = empty_root() if old is None else read_commit(draft.stage, old).root
    edits: dict[bytes, Root | None] = {}
    for place, deployment in changes.items():
        edits[state_path(place)] = None if deployment is None else _write_deployment(draft, deployment)
    new_root = edit_paths(draft.stage, root, edits)
    if old is None or new_root != root:
        parents = () if old is None else (old,)
        draft.set_ref(ref, draft.draftsman.write(draft.stage, new_root, parents, ((TYPE, PROJECT_STATE),)))


def _write_deployment(draft: Draft, deployment: Deployment) -> Root:
    stage: ObjectStage = draft.stage
    links = {b"deployed": deployment.deployed, b"settled": deployment.settled, b"observed": deployment.observed}
    parts: dict[bytes, Root | None] = {
        name: Root(LINK, draft.graph.commit(oid).root.size, oid) for name, oid in links.items() if oid is not None
    }
    if deployment.pin is not None:
        parts[b"pin"] = Root(FILE, len(deployment.pin), write_blob(stage, deployment.pin))
    return edit_paths(stage, empty_root(), parts)
