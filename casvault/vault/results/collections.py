"""Collections, their directories, snapshots and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.run import Outcome
    from casvault.oid import Oid
    from casvault.vault.results.changes import ChangeKind


class CollectionInfo(NamedTuple):
    name: str
    tip: Oid
    directory: Path | None
    artifacts: int


class ArtifactChange(NamedTuple):
    """One line of a status: an artifact or a plain file of a collection's directory that is not as in its snapshot."""

    path: str
    kind: str
    """"skill", "command", …; "file" for what is in no artifact."""
    change: ChangeKind
    tags: tuple[str, ...] = ()
    """Of the version that was recorded last, the highest first."""


class CollectionStatus(NamedTuple):
    """A collection's directory against the snapshot that it was last at."""

    collection: str
    directory: Path | None
    snapshot: Oid | None
    """What the directory was last at."""
    tip: Oid | None
    """The collection's newest snapshot."""
    changes: tuple[ArtifactChange, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    interrupted: bool


class SnapshotResult(NamedTuple):
    collection: str
    snapshot: Oid | None
    """The newest snapshot; the old one if there was nothing to record."""
    created: bool
    changes: tuple[ArtifactChange, ...]
    outcome: Outcome


class TransferResult(NamedTuple):
    """A move or a copy of an artifact."""

    collection: str
    artifact: str
    """Its path there."""
    new_collection: str
    new_artifact: str
    version: Oid
    """At the new path."""
    outcome: Outcome


class RemoveResult(NamedTuple):
    collection: str
    artifacts: tuple[str, ...]
    """The paths that were removed."""
    outcome: Outcome
