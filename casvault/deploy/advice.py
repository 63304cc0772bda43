"""What to do about a status: one recommendation for each row of the table, out of a closed list."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from casvault.deploy.drift import Status

if TYPE_CHECKING:
    from casvault.deploy.drift import Drift


class DriftType(Enum):
    """The five classic words."""

    MODIFIED = "modified"
    OUTDATED = "outdated"
    CONFLICT = "conflict"
    ADDED = "added"
    REMOVED = "removed"


class Recommendation(Enum):
    """The next command. The values are what people read."""

    NOTHING = "nothing to do"
    PULL = "pull takes the edits home"
    DEPLOY = "deploy takes the update"
    PUT_BACK = "deploy puts it back; pull --delete takes the deletion home"
    SETTLE = "the same edit on both sides; pull or deploy settles it"
    MERGE = "both sides changed; pull, or deploy --strategy merge, unites them"
    RESOLVE = "both sides changed the same; pull, then resolve the merge"
    CONTINUE = "a merge waits to be resolved: see `casvault merges list`"
    RESTORE = "gone from the collection: pull restores it there, undeploy removes it here"
    CHOOSE = "removed here, changed in the collection: deploy --strategy overwrite, pull --delete, or undeploy"
    FORGET = "gone on both sides; deploy or pull forgets it"
    ADOPT = "adopt makes it a deployment"
    COMPARE = "no known version: adopt --version V, or name a strategy"
    ADD = "deploy puts it here"
    IMPORT = "pull imports it into the collection"


_TYPES = {
    Status.MODIFIED: DriftType.MODIFIED,
    Status.AHEAD: DriftType.MODIFIED,
    Status.OUTDATED: DriftType.OUTDATED,
    Status.CONFLICT: DriftType.CONFLICT,
    Status.DELETION_CONFLICT: DriftType.CONFLICT,
    Status.DIFFERS: DriftType.CONFLICT,
    Status.ADDED: DriftType.ADDED,
    Status.PROJECT_ONLY: DriftType.ADDED,
    Status.REMOVED: DriftType.REMOVED,
    Status.REMOVED_MODIFIED: DriftType.REMOVED,
    Status.MISSING: DriftType.REMOVED,
}

_RECOMMENDATIONS = {
    Status.IN_SYNC: Recommendation.NOTHING,
    Status.MODIFIED: Recommendation.PULL,
    Status.AHEAD: Recommendation.PULL,
    Status.OUTDATED: Recommendation.DEPLOY,
    Status.CONVERGED: Recommendation.SETTLE,
    Status.CONFLICT: Recommendation.MERGE,
    Status.REMOVED: Recommendation.RESTORE,
    Status.REMOVED_MODIFIED: Recommendation.RESTORE,
    Status.MISSING: Recommendation.PUT_BACK,
    Status.DELETION_CONFLICT: Recommendation.CHOOSE,
    Status.STALE: Recommendation.FORGET,
    Status.ADDED: Recommendation.ADD,
    Status.IDENTICAL: Recommendation.ADOPT,
    Status.DIFFERS: Recommendation.COMPARE,
    Status.PROJECT_ONLY: Recommendation.IMPORT,
}


class MergeForecast(Enum):
    """What a merge of the two sides would do now."""

    NONE = "nothing to merge"
    FAST_FORWARD = "fast-forward"
    CLEAN = "clean"
    CONFLICT = "conflict"
    UNKNOWN = "not known before the edits are recorded"


def drift_type(status: Status) -> DriftType | None:
    """None for what is in sync, or differs in nothing but what is recorded of it."""
    return _TYPES.get(status)


def recommend(drift: Drift, forecast: MergeForecast, *, is_waiting: bool = False) -> Recommendation:
    if is_waiting:
        return Recommendation.CONTINUE
    if drift.status is Status.CONFLICT and forecast is MergeForecast.CONFLICT:
        return Recommendation.RESOLVE
    if drift.status is Status.DIFFERS and drift.project_version is not None:
        return Recommendation.ADOPT
    pinned = drift.deployment is not None and drift.deployment.pin is not None
    if drift.status is Status.OUTDATED and pinned:
        return Recommendation.NOTHING
    if drift.status is Status.IN_SYNC and drift.has_moved:
        return Recommendation.DEPLOY
    return _RECOMMENDATIONS[drift.status]
