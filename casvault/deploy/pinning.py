"""Pins: deployments that stay at their version until somebody says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show, typed
from casvault.artifacts.tags import Labels
from casvault.deploy.actions import Action, Planned
from casvault.errors import StaleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.artifacts.draft import Draft
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Source
    from casvault.deploy.state import Place
    from casvault.oid import Oid


def pin_label(draft: Draft, source: Source, version: Oid) -> bytes:
    """What a deployment is said to be pinned to: the highest tag of the version, or the beginning of its id."""
    labels = Labels(draft.stage, draft).of(*source, version)
    return typed(labels[0]) if labels else version.hex()[:12].encode()


def plan_pin(comparison: Comparison, places: Iterable[Place], *, pinned: bool) -> list[Planned]:
    """Plan to pin deployments to the versions that were deployed, or to let them go. No file is touched."""
    rows = []
    for place in places:
        drift = comparison.read(place)
        deployment = comparison.deployments.get(place)
        if deployment is None:
            raise StaleError("somebody else has just undeployed it", place=show(place.file_path))
        label = pin_label(comparison.draft, drift.source, deployment.deployed)
        changes = pinned != (deployment.pin is not None)
        if changes:
            comparison.settle(place, deployment._replace(pin=label if pinned else None))
        done = Action.PINNED if pinned else Action.UNPINNED
        rows.append(Planned(place, drift.status, done if changes else Action.NOTHING, deployment.deployed))
    comparison.finish()
    return rows
