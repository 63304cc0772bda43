"""Pulling: bringing edits from a project home, as versions whose base the commit graph knows."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.recording import link_to, record_changes
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.drift import NO_BASE, Drift, Status
from casvault.deploy.projects import Project, deployments_of, find_one_drift, observe
from casvault.deploy.snapshots import Line, bring_up_to_date
from casvault.deploy.state import Deployment, Place, set_deployments
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.merge.trees import merge_states, show_conflicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.recording import Change
    from casvault.objects import Root
    from casvault.oid import Oid


class PullStrategy(Enum):
    """How local edits and the collection's own changes come together."""

    MERGE = "merge"
    """Line by line; a version with both as parents."""
    OVERWRITE = "overwrite"
    """The project's content wins; both are parents, so that the base advances."""


class Pulled(NamedTuple):
    """What a pull does to one artifact."""

    place: Place
    status: Status
    """Before."""
    base: Root | None
    version: Oid | None
    """The collection's afterwards; None where it does not change."""
    fast_forward: bool
    old: Root | None
    """The collection's content before and after."""
    new: Root | None


def plan_pull(
    draft: Draft, line: Line, project: Project, places: Sequence[Place], strategy: PullStrategy
) -> list[Pulled]:
    """Plan to bring the project's edits of these artifacts into the collection.

    ConflictError, with every conflict of every artifact, if one of them cannot be merged: then nothing is pulled.
    """
    snapshot = bring_up_to_date(draft, line)
    deployments = deployments_of(draft, project)
    pulled: list[Pulled] = []
    settled: dict[Place, Deployment | None] = {}
    conflicts: list[str] = []
    for place in places:
        drift = find_one_drift(draft, project, deployments, place, snapshot)
        result = _plan_one(draft, project, drift, strategy, conflicts)
        if result is not None:
            one, deployment = result
            pulled.append(one)
            settled[place] = deployment
    if conflicts:
        raise ConflictError(
            "both sides changed the same; neither the collection nor the project was touched",
            conflicts=tuple(conflicts),
            remedy="change one side so that they do not clash, or pull with --strategy overwrite",
        )
    changes: dict[bytes, Change] = {one.place.path: link_to(draft, one.version) for one in pulled if one.version}
    new = record_changes(draft, line.name, snapshot, changes)
    draft.set_ref(line.ref, new.id)
    for one in pulled:
        if line.scan is not None and one.old != one.new:
            draft.write_file(line.ref, one.place.path, one.old, one.new)
    set_deployments(draft, project.ref, settled)
    return pulled


def _plan_one(
    draft: Draft, project: Project, drift: Drift, strategy: PullStrategy, conflicts: list[str]
) -> tuple[Pulled, Deployment] | None:
    deployment, version = drift.deployment, drift.collection_version
    if deployment is None:
        raise NotFoundError(
            f"it was not deployed to {show(project.name)}",
            place=show(drift.place.path),
            remedy=f"deploy it first: casvault deploy {show(drift.place.path)}",
        )
    if version is None or drift.project is None:
        raise RefusedError(
            f"it is absent on one side ({drift.status.value})",
            place=show(drift.place.path),
            remedy="deploy puts a missing artifact back; restore brings a removed one back into the collection",
        )
    unchanged = Pulled(drift.place, drift.status, drift.base, None, False, drift.collection, drift.collection)
    match drift.status:
        case Status.OUTDATED:
            return unchanged, deployment
        case Status.IN_SYNC | Status.CONVERGED:
            return unchanged, deployment._replace(settled=version, observed=None)
    mine = observe(draft, project, drift)
    taken = deployment._replace(settled=mine, observed=None)
    if draft.graph.is_ancestor(version, mine):
        result = unchanged._replace(version=mine, fast_forward=True, new=drift.project)
        return result, taken
    content = _united(draft, drift, strategy, conflicts)
    if content is None:
        return None
    origin = Origin.OVERWRITE if strategy is PullStrategy.OVERWRITE else Origin.MERGE
    merged = write_version(
        draft.stage,
        draft.draftsman,
        content,
        (version, mine),
        collection=drift.place.collection,
        path=drift.place.path,
        origin=origin,
    )
    return unchanged._replace(version=merged, new=content), taken


def _united(draft: Draft, drift: Drift, strategy: PullStrategy, conflicts: list[str]) -> Root | None:
    """The content that has both sides' changes; None, with the conflicts noted, if there is none."""
    if strategy is PullStrategy.OVERWRITE:
        return drift.project
    if drift.base is None:
        conflicts.append(f"{show(drift.place.path)}: {NO_BASE}")
        return None
    merged = merge_states(draft.stage, drift.base, drift.collection, drift.project, path=drift.place.path)
    if merged.is_clean and merged.state is not None:
        return merged.state
    conflicts += show_conflicts(merged.conflicts)
    return None
