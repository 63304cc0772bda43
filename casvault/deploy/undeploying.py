"""Undeploying: taking artifacts out of a project. What was edited there is recorded first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.deploy.actions import Action, Planned
from casvault.deploy.waiting import forget_waiting
from casvault.errors import LocalEditsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.state import Place


def plan_undeploy(
    comparison: Comparison, places: Iterable[Place], *, keep_files: bool = False, keep_edited: bool = False
) -> list[Planned]:
    """Plan to remove deployed artifacts; with `keep_files` they only stop being deployments, and with `keep_edited`
    those are left that have local edits, which nobody has asked for by name.
    """
    rows = []
    for place in places:
        drift = comparison.read(place)
        if keep_edited and drift.is_edited and drift.project is not None:
            rows.append(Planned(place, drift.status, Action.LEFT, refusal=_edited(place)))
            continue
        if drift.is_edited and drift.project is not None:
            comparison.record(drift)
        removes = drift.project is not None and not keep_files
        if removes:
            comparison.draft.write_file(comparison.project.ref, place.file_path, drift.project, None)
        comparison.settle(place, None)
        forget_waiting(comparison, place)
        action = Action.REMOVED if removes else Action.FORGOTTEN
        new = None if removes else drift.project
        rows.append(Planned(place, drift.status, action, None, drift.base, place.path, drift.project, new))
    comparison.finish()
    return rows


def _edited(place: Place) -> LocalEditsError:
    name = show(place.path)
    return LocalEditsError(
        "local edits are in the way",
        place=show(place.file_path),
        remedy=f"`casvault pull {name}` takes them home, `casvault undeploy {name}` records and removes them",
    )
