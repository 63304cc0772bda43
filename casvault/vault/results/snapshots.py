"""Snapshots: what they are for, what they hold, and how the artifacts of two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.artifacts.version import Origin
    from casvault.deploy.purposes import Purpose
    from casvault.oid import Oid
    from casvault.vault.results.changes import ChangeKind
    from casvault.vault.results.lineage import ProjectHolding


class ArtifactInfo(NamedTuple):
    """One artifact of a snapshot."""

    path: str
    name: str
    """The short one: skill/pdf."""
    kind: str
    version: Oid
    content: Oid
    mode: int
    size: int
    origin: Origin | None
    source: str
    """The collection that the version was made in."""
    tags: tuple[str, ...]
    projects: tuple[ProjectHolding, ...]
    """Where this version is now."""


class SnapshotInfo(NamedTuple):
    id: Oid
    parents: tuple[Oid, ...]
    collection: str
    author: str
    mail: str
    seconds: int
    zone: str
    message: str
    purposes: tuple[Purpose, ...]
    """Why it was made; and merge base, if projects' edits are measured from what it brought."""
    operation: int | None
    """The one that made it."""
    command: str | None
    artifacts: tuple[ArtifactInfo, ...] | None
    """None if nobody asked."""


class ArtifactDiff(NamedTuple):
    """An artifact that differs between two states of a collection; ids are None where it is absent."""

    path: str
    kind: str
    change: ChangeKind
    moved_from: str | None
    """Its old path, if it was renamed in between: what is old is then what it was there."""
    old_version: Oid | None
    new_version: Oid | None
    """None, too, for what is in a directory and in no snapshot yet."""
    old_content: Oid | None
    new_content: Oid | None
    added: int
    """Files, as the next two."""
    modified: int
    removed: int
