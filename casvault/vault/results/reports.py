"""What reports tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.reports.audit import AuditEntry as AuditEntry
from casvault.reports.changes import Kind as AuditKind
from casvault.reports.conflicts import ConflictPath as ConflictPath
from casvault.reports.conflicts import ConflictRecord as ConflictRecord
from casvault.reports.figures import Figures as Figures
from casvault.reports.patterns import Patterns as Patterns
from casvault.reports.patterns import Suggestion as Suggestion
from casvault.reports.patterns import Tally as Tally
from casvault.reports.timeline import Ending as Ending
from casvault.reports.timeline import Episode as Episode
from casvault.reports.timeline import Event as Event
from casvault.reports.timeline import EventKind as EventKind
from casvault.reports.verification import Break as Break
from casvault.reports.verification import Verification as Verification
from casvault.reports.when import When as When

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.drift import Status
    from casvault.oid import Oid
    from casvault.vault.results.projects import DriftRow

__all__ = [
    "ArtifactTimeline",
    "AuditEntry",
    "AuditKind",
    "Break",
    "ConflictPath",
    "ConflictRecord",
    "Ending",
    "Episode",
    "Event",
    "EventKind",
    "Figures",
    "FleetResult",
    "FleetRow",
    "MissingProject",
    "Patterns",
    "Suggestion",
    "Tally",
    "Verification",
    "When",
]


class ArtifactTimeline(NamedTuple):
    """An artifact in one project."""

    project: str
    directory: Path | None
    """None if the project is not where it is registered."""
    collection: str
    artifact: str
    root: str
    status: Status | None
    """None if the project cannot be looked at, or the artifact is not deployed any more."""
    modified: bool | None
    """Whether it has local edits now, likewise."""
    deployed_at: When | None
    first_seen: When | None
    """When the edits that it has were seen first; None also for edits that nobody has recorded yet."""
    last_checked: When | None
    deployed: Oid | None
    settled: Oid | None
    observed: Oid | None
    parent: Oid | None
    """The version that what is in the project was made from."""
    pin: str | None
    events: tuple[Event, ...]
    """The oldest first, as the episodes."""
    episodes: tuple[Episode, ...]


class FleetRow(NamedTuple):
    """One artifact in one project."""

    drift: DriftRow
    directory: Path
    tags: tuple[str, ...]
    """The labels of the version that is deployed."""


class MissingProject(NamedTuple):
    """A project that is not where it was registered."""

    project: str
    directory: Path | None
    deployments: int


class FleetResult(NamedTuple):
    rows: tuple[FleetRow, ...]
    missing: tuple[MissingProject, ...]
    notes: tuple[str, ...]
