"""Which projects have a version, and as what."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import PROJECTS
from casvault.deploy.state import find_deployments, read_deployments, state_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.artifacts.moves import Address
    from casvault.deploy.state import Deployment, Place
    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.repository.changeindex import ChangeIndex


class Role(Enum):
    """As what a project has a version."""

    DEPLOYED = "deployed"
    """It was put there last."""
    SETTLED = "settled"
    """Edits are measured from it."""
    OBSERVED = "observed"
    """It is the edit that was seen there."""


class Held(NamedTuple):
    project: bytes
    place: Place
    roles: tuple[Role, ...]

    @property
    def is_settled(self) -> bool:
        return Role.SETTLED in self.roles


def find_all_holders(reader: ObjectReader, view: View) -> dict[Oid, list[Held]]:
    """The places in projects by the versions that they have."""
    known: dict[Oid, Deployment] = {}
    found: dict[Oid, list[Held]] = {}
    for ref, state in view.iter_refs(PROJECTS.rstrip(b"/")):
        _add_held(found, ref, read_deployments(reader, state, known).items())
    return found


def find_holders(reader: ObjectReader, view: View, addresses: Iterable[Address]) -> dict[Oid, list[Held]]:
    """The places in projects that have one of these artifacts, by the versions that they have of it."""
    wanted = set(addresses)
    found: dict[Oid, list[Held]] = {}
    for ref, state in view.iter_refs(PROJECTS.rstrip(b"/")):
        _add_held(found, ref, find_deployments(reader, state, wanted))
    return found


def _add_held(found: dict[Oid, list[Held]], ref: bytes, deployments: Iterable[tuple[Place, Deployment]]) -> None:
    for place, deployment in deployments:
        for version, roles in _roles(deployment).items():
            found.setdefault(version, []).append(Held(ref.removeprefix(PROJECTS), place, tuple(roles)))


def _roles(deployment: Deployment) -> dict[Oid, list[Role]]:
    roles: dict[Oid, list[Role]] = {}
    for version, role in zip((deployment.deployed, deployment.settled, deployment.observed), Role, strict=True):
        if version is not None:
            roles.setdefault(version, []).append(role)
    return roles


def iter_deployed(index: ChangeIndex, state: Oid | None, places: Iterable[Place]) -> Iterator[Oid]:
    """The versions that were deployed at a place and at those where its artifact was before, the newest first.

    One that came again after another is told of again.
    """
    if state is None:
        return
    (here,) = index.catch_up([state])
    found = [change for place in places for change in index.changes_at(state_path(place) + b"/deployed")]
    last = None
    for change in sorted(found, key=lambda change: change.commit, reverse=True):
        if index.ancestor_at(here, index.place(change.commit).depth) != change.commit:
            continue
        if change.new is not None and change.new.id != last:
            last = change.new.id
            yield last
