"""Projects and how their artifacts stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.advice import DriftType, MergeForecast, Recommendation
    from casvault.deploy.drift import Status
    from casvault.oid import Oid
    from casvault.vault.results.changes import ChangeKind


class ProjectInfo(NamedTuple):
    name: str
    directory: Path | None
    deployments: int


class DriftRow(NamedTuple):
    """One artifact in one project. Ids are contents, versions are commits; None where absent or unknown."""

    project: str
    artifact: str
    kind: str
    root: str
    collection: str
    status: Status
    drift: DriftType | None
    """The same in five words; None where there is nothing to look at."""
    recommendation: Recommendation
    base: Oid | None
    collection_content: Oid | None
    project_content: Oid | None
    base_version: Oid | None
    collection_version: Oid | None
    project_version: Oid | None
    deployed: Oid | None
    settled: Oid | None
    observed: Oid | None
    pin: str | None
    moved_to: str | None
    """Where the artifact is in the collections now, as COLLECTION:PATH, if it was moved since."""
    ahead: int
    """Versions that the project has and the collection has not; edits that are no version yet count as one."""
    behind: int
    forecast: MergeForecast
    """What a merge would do."""
    conflicts: int
    """How many paths would be in conflict."""
    merge: str | None
    """The merge that waits to be resolved."""
    last_deployed: int | None
    """Seconds since 1970, as the next two."""
    first_seen: int | None
    """When the edits were seen first."""
    last_checked: int | None
    """When somebody looked before."""
    deployed_tags: tuple[str, ...]
    """Of the version that was deployed, the highest first."""
    collection_tags: tuple[str, ...]
    """Of the collection's version."""


class DriftResult(NamedTuple):
    rows: tuple[DriftRow, ...]
    recorded: int
    """How many edits were recorded in the vault by looking."""
    operation: int | None
    notes: tuple[str, ...]
    """What was not recorded, and what could not be looked at."""
    skipped: tuple[str, ...]
    """Of all projects, those that could not be looked at."""


class Where(NamedTuple):
    """What a path belongs to; None for what does not apply."""

    path: Path
    project: str | None
    collection: str | None
    artifact: str | None
    kind: str | None
    root: str | None
    version: Oid | None
    """The one that is deployed in the project, or the collection's."""
    status: Status | None
    """In a project."""
    change: ChangeKind | None
    """In a collection: how it differs from the snapshot that the directory was at."""
