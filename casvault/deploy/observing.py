"""Observing: local edits recorded as versions, when somebody looks and before anything could happen to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.deploy.drift import find_project_version
from casvault.deploy.state import set_deployments
from casvault.objects import TREE
from casvault.trees import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Drift
    from casvault.deploy.state import Deployment, Place
    from casvault.objects import ObjectReader, Root


def needs_record(drift: Drift) -> bool:
    """Whether the vault does not know yet what the project's copy of a deployment is: edits, or that they are over."""
    deployment = drift.deployment
    if deployment is None or drift.project is None:
        return False
    if drift.project_version is None:
        return True
    return deployment.observed is not None and drift.project_version == deployment.settled


def plan_observe(comparison: Comparison, places: Iterable[Place]) -> None:
    """Plan to record what these deployments hold now. A file is as it was scanned, whatever it has become since."""
    draft = comparison.draft
    changes: dict[Place, Deployment | None] = {}
    for place in places:
        deployment = comparison.deployments.get(place)
        state = comparison.project.states.get(place.file_path)
        if deployment is None or state is None:
            continue
        if find_project_version(draft, deployment, state) == deployment.settled:
            changes[place] = deployment._replace(observed=None)
            continue
        drift = comparison.read(place)
        changes[place] = deployment._replace(observed=comparison.observe(drift))
    set_deployments(draft, comparison.project.ref, changes)


def iter_large(reader: ObjectReader, path: bytes, state: Root, limit: int) -> Iterator[bytes]:
    """The files of a state that are larger than `limit` bytes."""
    if state.mode != TREE:
        if state.size > limit:
            yield path
    elif state.size > limit:
        yield from (
            found for found, entry in walk(reader, state.id, path + b"/") if entry.size > limit and entry.mode != TREE
        )
