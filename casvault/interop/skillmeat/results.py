"""What imports and exports answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.interop.skillmeat.kept import Legacy
    from casvault.oid import Oid
    from casvault.vault.results.upkeep import Outcome


class ImportedCollection(NamedTuple):
    name: str
    directory: Path
    snapshots: tuple[str, ...]
    """Ids in SkillMeat of what was taken over now, the oldest first."""
    missing: tuple[str, ...]
    """Ids of snapshots that are listed and whose archive is not there."""


class ImportedDeployment(NamedTuple):
    """A deployment that was recorded in a project's file."""

    project: str
    root: str
    collection: str
    artifact: str
    deployed: Oid
    settled: Oid
    """From which edits are measured: the version that has the recorded merge base."""
    recognised: bool
    """No recorded hash led to it, but the project has exactly its content."""
    tag: str | None
    """What the record calls the version deployed."""


class LeftOut(NamedTuple):
    """A record that no deployment was made of; it is kept, and written back."""

    file: str
    artifact: str
    reason: str


class ImportResult(NamedTuple):
    collections: tuple[ImportedCollection, ...]
    projects: tuple[str, ...]
    deployments: tuple[ImportedDeployment, ...]
    """What was taken over now; what earlier imports have taken over is not among them."""
    legacy: tuple[Legacy, ...]
    left_out: tuple[LeftOut, ...]
    outcome: Outcome


class ExportedFile(NamedTuple):
    path: Path
    changed: bool
    """Whether it was written; it said the same before if not."""


class ExportResult(NamedTuple):
    files: tuple[ExportedFile, ...]
    outcome: Outcome
