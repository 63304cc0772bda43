"""What lies between the two sides of an artifact: how far they have gone apart, and what a merge would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.drivers import drivers_of
from casvault.deploy.advice import MergeForecast
from casvault.deploy.drift import Drift, Status
from casvault.errors import CasvaultError, MissingObjectError
from casvault.merge.trees import merge_states
from casvault.objects import Overlay

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectReader
    from casvault.oid import Oid

_ONE_SIDED = frozenset({Status.MODIFIED, Status.AHEAD, Status.OUTDATED})


class Distance(NamedTuple):
    """How far the project's copy and the collection's version have gone apart."""

    ahead: int
    """Versions that only the project's side has; edits that are no version yet count as one."""
    behind: int
    base: Oid | None
    """The version that both come from; None if there is none, or no single one."""


def measure(draft: Draft, drift: Drift) -> Distance:
    deployment, theirs = drift.deployment, drift.collection_version
    if deployment is None or theirs is None:
        return Distance(0, 0, None)
    mine = drift.project_version or deployment.settled
    unrecorded = drift.project_version is None and drift.project is not None
    if mine == theirs:
        return Distance(int(unrecorded), 0, mine)
    ahead, behind = draft.graph.count_ahead_behind(mine, theirs)
    bases = draft.graph.merge_bases(mine, theirs)
    return Distance(ahead + unrecorded, behind, bases[0] if len(bases) == 1 else None)


class Forecast(NamedTuple):
    outcome: MergeForecast
    conflicts: int = 0
    """How many paths would be in conflict."""


def forecast_without_contents(drift: Drift) -> Forecast | None:
    """What a merge would do, where that can be told from the status; None where the contents decide."""
    if drift.status is Status.CONFLICT:
        return None if drift.base is not None else Forecast(MergeForecast.CONFLICT, 1)
    return Forecast(MergeForecast.FAST_FORWARD if drift.status in _ONE_SIDED else MergeForecast.NONE)


def forecast(draft: Draft, reader: ObjectReader, drift: Drift) -> Forecast | None:
    """What a merge would do; None if the reader does not have the contents that it takes."""
    try:
        merged = merge_states(
            Overlay(reader),
            drift.base,
            drift.collection,
            drift.project,
            path=drift.source.path,
            drivers=drivers_of(draft, drift.source.collection),
        )
    except MissingObjectError:
        return None
    except CasvaultError:
        return Forecast(MergeForecast.CONFLICT, 1)
    if merged.is_clean:
        return Forecast(MergeForecast.CLEAN)
    return Forecast(MergeForecast.CONFLICT, len(merged.conflicts))
