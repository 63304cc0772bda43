"""Deploying: putting versions of a collection into a project, never over edits that it does not take along."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.drift import NO_BASE, Drift, Status
from casvault.deploy.projects import Project, check_not_owned, deployments_of, find_one_drift, observe
from casvault.deploy.snapshots import Line, bring_up_to_date
from casvault.deploy.state import Deployment, Place, set_deployments
from casvault.errors import ConflictError, LocalEditsError, NotFoundError, RefusedError
from casvault.merge.trees import merge_states, show_conflicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.artifacts.draft import Draft
    from casvault.objects import Root
    from casvault.oid import Oid


class DeployStrategy(Enum):
    """What to do where the project has edits of its own."""

    REFUSE = "refuse"
    MERGE = "merge"
    """Put the update and the edits together in the project; the collection does not move."""
    OVERWRITE = "overwrite"
    """Record the edits in the vault, then replace them."""


class Deployed(NamedTuple):
    """What a deploy does to one artifact."""

    place: Place
    status: Status
    """Before."""
    version: Oid
    """In the project afterwards."""
    wrote: bool


_UNEDITED = frozenset({Status.OUTDATED, Status.ADDED, Status.MISSING})
_EQUAL = frozenset({Status.IN_SYNC, Status.CONVERGED, Status.IDENTICAL})


def plan_deploy(
    draft: Draft, line: Line, project: Project, places: Sequence[Place], strategy: DeployStrategy
) -> list[Deployed]:
    """Plan to deploy the collection's versions of these artifacts."""
    snapshot = bring_up_to_date(draft, line)
    deployments = deployments_of(draft, project)
    changes: dict[Place, Deployment | None] = {}
    result = []
    for place in places:
        check_not_owned(deployments, place)
        drift = find_one_drift(draft, project, deployments, place, snapshot)
        deployed, deployment = _plan_one(draft, line, project, drift, strategy)
        result.append(deployed)
        changes[place] = deployment
    set_deployments(draft, project.ref, changes)
    return result


def _plan_one(
    draft: Draft, line: Line, project: Project, drift: Drift, strategy: DeployStrategy
) -> tuple[Deployed, Deployment]:
    version, content = drift.collection_version, drift.collection
    if version is None or content is None:
        raise NotFoundError(
            f"it is not in collection {show(line.name)} any more",
            place=show(drift.place.path),
            remedy="`casvault lineage` shows its versions",
        )
    pin = drift.deployment.pin if drift.deployment else None
    fresh = Deployment(version, version, None, pin)
    if drift.status in _EQUAL:
        same = drift.deployment is not None and drift.deployment.settled == version
        settled = drift.deployment if same and drift.deployment else fresh
        return Deployed(drift.place, drift.status, version, wrote=False), settled
    if drift.status in _UNEDITED:
        draft.write_file(project.ref, drift.place.file_path, drift.project, content)
        return Deployed(drift.place, drift.status, version, wrote=True), fresh
    return _plan_over_edits(draft, project, drift, strategy, fresh, content)


def _plan_over_edits(
    draft: Draft, project: Project, drift: Drift, strategy: DeployStrategy, fresh: Deployment, content: Root
) -> tuple[Deployed, Deployment]:
    """What to do where the project has content of its own."""
    name = show(drift.place.file_path)
    if strategy is DeployStrategy.REFUSE or drift.deployment is None or drift.project is None:
        if drift.deployment is None:
            raise LocalEditsError("files that were never deployed are in the way", place=name, remedy="move them away")
        raise LocalEditsError(
            f"local edits ({drift.status.value}) are in the way",
            place=name,
            remedy="pull them, or name what is to become of them: --strategy merge or --strategy overwrite",
        )
    if strategy is DeployStrategy.MERGE and drift.status in (Status.MODIFIED, Status.AHEAD):
        # Nothing to put together: the project has all that the collection has.
        kept = drift.project_version or drift.deployment.settled
        return Deployed(drift.place, drift.status, kept, wrote=False), drift.deployment
    mine = observe(draft, project, drift)
    if strategy is DeployStrategy.OVERWRITE:
        # The observed version goes into one state of the project, so that its history keeps what was replaced.
        set_deployments(draft, project.ref, {drift.place: drift.deployment._replace(observed=mine)})
        draft.write_file(project.ref, drift.place.file_path, drift.project, content)
        return Deployed(drift.place, drift.status, fresh.deployed, wrote=True), fresh
    return _plan_merge(draft, project, drift, mine, fresh)


def _plan_merge(
    draft: Draft, project: Project, drift: Drift, mine: Oid, fresh: Deployment
) -> tuple[Deployed, Deployment]:
    """A version with the edits and the update as parents, in this project only."""
    if drift.base is None:
        raise ConflictError(NO_BASE, place=show(drift.place.file_path), remedy="deploy with --strategy overwrite")
    merged = merge_states(draft.stage, drift.base, drift.project, drift.collection, path=drift.place.path)
    if not merged.is_clean or merged.state is None:
        raise ConflictError(
            "the update and the local edits clash; neither was touched",
            conflicts=show_conflicts(merged.conflicts),
            place=show(drift.place.file_path),
            remedy="pull the edits and settle the conflict there, or deploy with --strategy overwrite",
        )
    version = write_version(
        draft.stage,
        draft.draftsman,
        merged.state,
        (mine, fresh.deployed),
        collection=drift.place.collection,
        path=drift.place.path,
        origin=Origin.MERGE,
    )
    draft.write_file(project.ref, drift.place.file_path, drift.project, merged.state)
    deployment = Deployment(fresh.deployed, version, None, fresh.pin)
    return Deployed(drift.place, drift.status, version, wrote=True), deployment


def check_places(places: Sequence[Place]) -> None:
    """RefusedError if two of the artifacts to be deployed would write the same path."""
    seen: dict[bytes, Place] = {}
    for place in places:
        if place.file_path in seen and seen[place.file_path] != place:
            raise RefusedError("two artifacts would be written to one path", place=show(place.file_path))
        seen[place.file_path] = place
