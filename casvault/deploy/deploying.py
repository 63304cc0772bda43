"""Deploying: putting versions of collections into a project, never over edits that it does not take along."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import merge_contents
from casvault.artifacts.names import show
from casvault.artifacts.version import COLLECTION, PATH, Origin, write_version
from casvault.deploy.actions import Action, Planned, decline
from casvault.deploy.concluding import find_passed_over, keep_in_operation
from casvault.deploy.drift import EQUAL, NO_BASE, Drift, Status
from casvault.deploy.pinning import pin_label
from casvault.deploy.projects import find_owner_refusal
from casvault.deploy.state import Deployment, Place
from casvault.deploy.subject import Direction
from casvault.deploy.waiting import forget_waiting, wait_for_decision
from casvault.errors import LocalEditsError, NotFoundError, RefusedError, UsageError
from casvault.pending import Strategy
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.objects import Root
    from casvault.oid import Oid


class DeployStrategy(Enum):
    """What to do where the project has content of its own."""

    REFUSE = "refuse"
    MERGE = "merge"
    """Put the update and the edits together in the project; the collection does not move."""
    OVERWRITE = "overwrite"
    """Record the edits in the vault, then replace them."""


class Request(NamedTuple):
    """One artifact to deploy."""

    place: Place
    named: bool = True
    """Asked for by name, and not just because it is deployed already."""
    version: Oid | None = None
    """A certain version, instead of the collection's."""
    label: bytes = b""
    """The tag by which the version was named; its id stands for it if there is none."""
    pinned: bool = False
    """Pin it there."""
    assumed: bool = False
    """What is there and was never deployed was made from the version, as a lock file says."""


class DeployOptions(NamedTuple):
    strategy: DeployStrategy = DeployStrategy.REFUSE
    prune: bool = False
    """Remove what is gone from the collection."""
    pin: bool = False
    """Stay at this version until somebody says otherwise."""


_WRITE = {
    Status.OUTDATED: Action.UPDATED,
    Status.ADDED: Action.DEPLOYED,
    Status.MISSING: Action.PUT_BACK,
}
_GONE = frozenset({Status.REMOVED, Status.REMOVED_MODIFIED})


def plan_deploy(comparison: Comparison, requests: Iterable[Request], options: DeployOptions) -> list[Planned]:
    """Plan to deploy these artifacts. Rows that are refused or left change nothing."""
    planned = [_Deploying(comparison, request, options).plan() for request in requests]
    comparison.finish()
    return planned


class _Deploying:
    """One artifact."""

    def __init__(self, comparison: Comparison, request: Request, options: DeployOptions) -> None:
        self._comparison = comparison
        self._request = request
        self._options = options
        deployed = comparison.deployments.get(request.place)
        self._pin = None if deployed is None or request.version is not None else deployed.pin
        self._version = deployed.deployed if deployed is not None and self._pin is not None else request.version
        """A pinned artifact stays at its version, unless another one is asked for."""
        self._drift = self._recognised(comparison.read(request.place, self._version))
        self._target = _target_of(self._drift)

    def plan(self) -> Planned:
        drift = self._drift
        if drift.status is Status.STALE:
            self._comparison.settle(drift.place, None)
            return self._row(Action.FORGOTTEN)
        if drift.status in _GONE:
            return self._gone()
        if drift.collection_version is None or drift.collection is None:
            raise NotFoundError(
                f"it is not in collection {show(drift.source.collection)}",
                place=show(drift.place.path),
                remedy=f"`casvault pull {show(drift.place.path)}` takes it there",
            )
        obstacle = self._find_obstacle(drift.collection)
        if obstacle is not None:
            return self._decline(obstacle)
        return self._deploy(drift.collection_version, drift.collection)

    def _find_obstacle(self, content: Root) -> RefusedError | None:
        """What stands where the artifact belongs, and is not its own."""
        drift, target = self._drift, self._target
        if drift.has_moved and target in self._comparison.deployments:
            name = show(drift.place.path)
            return RefusedError(
                f"the artifact was moved to {show(target.path)}, which is deployed here too",
                place=name,
                remedy=f"`casvault undeploy {name}`, which records what was edited there",
            )
        owned = find_owner_refusal(self._comparison.deployments, target, drift.place)
        if owned is not None:
            return owned
        there = self._comparison.project.states.get(target.file_path)
        if target.file_path == drift.place.file_path or same_state(there, content):
            return None
        if there is None and not self._is_something(target):
            return None
        return LocalEditsError(
            "the artifact was moved to this path, and files that were never deployed are in the way",
            place=show(target.file_path),
            remedy="move them away",
        )

    def _is_something(self, place: Place) -> bool:
        """Whether anything is at a path of the project, be it ignored or nothing that a version could hold."""
        directory = self._comparison.project.directory
        return directory is not None and os.path.lexists(os.path.join(os.fsencode(directory), place.file_path))

    def _deploy(self, version: Oid, content: Root) -> Planned:
        drift = self._drift
        if drift.status in EQUAL:
            return self._settle(version)
        if drift.status in _WRITE:
            return self._write(_WRITE[drift.status], content, self._fresh(version), version)
        if self._request.version is not None and drift.status is Status.AHEAD:
            # An older version was asked for, and the project has nothing that is not in the vault.
            return self._write(Action.UPDATED, content, self._fresh(version), version)
        strategy = self._options.strategy
        if strategy is DeployStrategy.OVERWRITE:
            mine = None if drift.project is None else self._comparison.record(drift)
            # No version comes of this, so the operation says what gave way.
            record = find_passed_over(self._comparison, drift, Direction.DEPLOY, Strategy.OVERWRITE, mine, version)
            keep_in_operation(self._comparison.draft, *drift.source, record)
            action = Action.PUT_BACK if drift.project is None else Action.REPLACED
            return self._write(action, content, self._fresh(version), version)
        if drift.status in (Status.MODIFIED, Status.AHEAD) and drift.deployment is not None:
            return self._keep(drift.deployment)
        if strategy is DeployStrategy.MERGE and drift.project is not None:
            return self._merge(version, content, drift.project)
        return self._decline(_edits_refusal(drift))

    def _settle(self, version: Oid) -> Planned:
        """Equal on both sides: it is recorded from which version on edits are measured, and files may have to move."""
        drift = self._drift
        old = drift.deployment
        action = Action.NOTHING if old is not None and old.settled == version else Action.SETTLED
        if old is None:
            action = Action.ADOPTED
        fresh = self._fresh(version)
        if action is Action.NOTHING and old is not None:
            # The version last deployed stays what it was: this may be a merge that was made in the project.
            fresh = old._replace(observed=None, pin=fresh.pin)
            action = action if fresh.pin is None else Action.PINNED
        if drift.has_moved:
            return self._write(Action.MOVED, drift.project, fresh, version)
        self._settled(fresh)
        return self._row(action, version)

    def _keep(self, deployment: Deployment) -> Planned:
        """The project has all that the collection has, and more."""
        on_this_version = self._request.version in (None, deployment.settled)
        asked = self._options.strategy is DeployStrategy.MERGE and on_this_version
        if asked or not self._request.named:
            kept = self._drift.project_version or deployment.settled
            if self._drift.has_moved:
                # Its files are touched, so the edits are recorded first.
                kept = self._comparison.observe(self._drift)
                deployment = deployment._replace(observed=None if kept == deployment.settled else kept)
                return self._write(Action.MOVED, self._drift.project, deployment, kept)
            if self._comparison.deployments.get(self._drift.place) is None:
                self._settled(deployment)
            return self._row(Action.KEPT, kept)
        if not on_this_version:
            return self._decline(
                LocalEditsError(
                    f"local edits ({self._drift.status.value}) are in the way of an earlier version",
                    place=show(self._drift.place.file_path),
                    remedy=f"pull them first; or {_OVERWRITE}",
                )
            )
        return self._decline(_edits_refusal(self._drift))

    def _merge(self, version: Oid, content: Root, project: Root) -> Planned:
        """A version with the edits and the update as parents, in this project only."""
        drift, draft = self._drift, self._comparison.draft
        if drift.base is None and drift.deployment is not None:
            return self._decline(RefusedError(NO_BASE, place=show(drift.place.path), remedy=_OVERWRITE))
        merged = merge_contents(
            draft, drift.base, project, content, path=drift.place.path, collection=drift.source.collection
        )
        mine = self._comparison.observe(drift)
        if not merged.is_clean or merged.state is None:
            if drift.deployment is not None:
                self._comparison.record(drift)
            handle = wait_for_decision(
                self._comparison, drift, Direction.DEPLOY, mine, version, merged, drift.place.path
            )
            return self._row(Action.PENDING, conflicts=merged.conflicts, merge=handle)
        united = write_version(
            draft.stage,
            draft.draftsman,
            merged.state,
            (mine, version),
            collection=drift.source.collection,
            path=drift.source.path,
            origin=Origin.MERGE,
        )
        return self._write(Action.MERGED, merged.state, self._fresh(version)._replace(settled=united), united)

    def _gone(self) -> Planned:
        """It is in no collection any more: `prune` removes it, unless that would take edits along."""
        drift = self._drift
        if self._options.prune and drift.status is Status.REMOVED:
            self._comparison.draft.write_file(self._comparison.project.ref, drift.place.file_path, drift.project, None)
            self._settled(None)
            return self._row(Action.REMOVED, new=None)
        if not self._request.named:
            return self._row(Action.GONE)
        edited = " and has local edits" if drift.status is Status.REMOVED_MODIFIED else ""
        name = show(drift.place.path)
        return self._decline(
            RefusedError(
                f"it is not in collection {show(drift.source.collection)} any more{edited}",
                place=name,
                remedy=f"`casvault pull {name}` restores it there, `casvault undeploy {name}` removes it here",
            )
        )

    def _write(self, action: Action, content: Root | None, deployment: Deployment, version: Oid) -> Planned:
        drift, draft, ref = self._drift, self._comparison.draft, self._comparison.project.ref
        if drift.has_moved:
            # Also what was never deployed here: a lock file may name a path that the artifact has left since.
            there = self._comparison.project.states.get(self._target.file_path)
            draft.write_file(ref, drift.place.file_path, drift.project, None)
            draft.write_file(ref, self._target.file_path, there, content)
            self._settled(None)
        else:
            draft.write_file(ref, drift.place.file_path, drift.project, content)
        self._settled(deployment, self._target)
        return self._row(action, version, new=content)

    def _fresh(self, version: Oid) -> Deployment:
        old = self._drift.deployment
        pin = None if old is None else old.pin
        if self._options.pin or self._request.pinned or (pin is not None and self._request.version is not None):
            pin = self._request.label or pin_label(self._comparison.draft, self._drift.source, version)
        return Deployment(version, version, None, pin)

    def _settled(self, deployment: Deployment | None, place: Place | None = None) -> None:
        place = place or self._drift.place
        self._comparison.settle(place, deployment)
        forget_waiting(self._comparison, self._drift.place)

    def _decline(self, refusal: RefusedError) -> Planned:
        action, why = decline(refusal, named=self._request.named)
        return self._row(action, refusal=why)

    def _row(self, action: Action, version: Oid | None = None, **more: object) -> Planned:
        drift = self._drift
        old = drift.project
        row = Planned(drift.place, drift.status, action, version, drift.base, self._target.path, old, old)
        return row._replace(**more)  # type: ignore[arg-type]

    def _recognised(self, drift: Drift) -> Drift:
        """What was never deployed, but is a version, counts as that version deployed: then there is a true base."""
        version = self._version if self._request.assumed else drift.project_version
        if drift.status is not Status.DIFFERS or version is None:
            return drift
        deployment = Deployment(version, version)
        found = self._comparison.find(drift.place, self._version, deployment)
        return drift if found is None else found


_OVERWRITE = "deploy with --strategy overwrite, which records what is there first"


def _target_of(drift: Drift) -> Place:
    """Where the artifact belongs in the project; for one that has moved in its collections that is another place."""
    return Place(drift.place.root, *drift.source)


def _edits_refusal(drift: Drift) -> RefusedError:
    name = show(drift.place.file_path)
    if drift.deployment is None:
        return LocalEditsError(
            "files that were never deployed, and are no version of the artifact, are in the way",
            place=name,
            remedy="adopt them as edits of a version: casvault adopt --version V; or name a --strategy",
        )
    if drift.project is None:
        return RefusedError(
            "it was removed here and changed in the collection",
            place=name,
            remedy="deploy with --strategy overwrite to have it again, or undeploy it",
        )
    return LocalEditsError(
        f"local edits ({drift.status.value}) are in the way",
        place=name,
        remedy="pull them, or name what is to become of them: --strategy merge or --strategy overwrite",
    )


def check_places(requests: Iterable[Request]) -> None:
    """RefusedError if two of the artifacts to be deployed would write the same path."""
    seen: dict[bytes, Place] = {}
    for request in requests:
        place = request.place
        if seen.setdefault(place.file_path, place) != place:
            raise RefusedError("two artifacts would be written to one path", place=show(place.file_path))


def check_version_of(comparison: Comparison, request: Request) -> None:
    """UsageError unless the version that is asked for is one of this artifact."""
    if request.version is None:
        return
    place, source, graph = request.place, comparison.source(request.place), comparison.draft.graph
    commit = graph.commit(request.version)
    home = (commit.field(COLLECTION), commit.field(PATH))
    tip = comparison.version(source)
    is_ancestor = tip is not None and graph.is_ancestor(request.version, tip)
    if home not in (source, (place.collection, place.path)) and not is_ancestor:
        raise UsageError(
            f"{request.version.short} is no version of this artifact",
            place=show(place.path),
            remedy=f"see `casvault lineage {show(place.path)}`",
        )
