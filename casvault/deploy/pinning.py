"""Pins: deployments that stay at their version until somebody says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.deploy.actions import Action, Planned
from casvault.errors import StaleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.state import Place


def plan_pin(comparison: Comparison, places: Iterable[Place], *, pinned: bool) -> list[Planned]:
    """Plan to pin deployments to the versions that were deployed, or to let them go. No file is touched."""
    rows = []
    for place in places:
        drift = comparison.read(place)
        deployment = comparison.deployments.get(place)
        if deployment is None:
            raise StaleError("somebody else has just undeployed it", place=show(place.file_path))
        label = deployment.deployed.hex()[:12].encode()
        changes = pinned != (deployment.pin is not None)
        if changes:
            comparison.settle(place, deployment._replace(pin=label if pinned else None))
        done = Action.PINNED if pinned else Action.UNPINNED
        rows.append(Planned(place, drift.status, done if changes else Action.NOTHING, deployment.deployed))
    comparison.finish()
    return rows
