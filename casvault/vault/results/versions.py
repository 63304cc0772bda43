"""Versions of one artifact against each other, and new ones made of old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.artifacts.contents import ContentKind
    from casvault.deploy.run import Outcome
    from casvault.objects import Root
    from casvault.oid import Oid
    from casvault.vault.results.changes import FileChange
    from casvault.vault.results.deployments import ConflictRow


class VersionChange(NamedTuple):
    """A file that differs between two versions; its path begins with that of the artifact."""

    change: ContentKind
    path: str
    old_path: str | None
    """Where it was, if it was renamed."""
    old: Root | None
    new: Root | None


class VersionComparison(NamedTuple):
    collection: str
    artifact: str
    old: Oid
    new: Oid
    old_tags: tuple[str, ...]
    new_tags: tuple[str, ...]
    changes: tuple[VersionChange, ...]
    notes: tuple[str, ...]
    """What was not looked at."""


class VersionResult(NamedTuple):
    """A version that was made of older ones."""

    collection: str
    artifact: str
    source: Oid
    """The version that was reverted, or restored."""
    version: Oid
    """The artifact's newest version; the old one if there was nothing to do."""
    created: bool
    files: tuple[FileChange, ...]
    """What changed in the artifact."""
    conflicts: tuple[ConflictRow, ...]
    merge: str | None
    """The handle of the merge that waits for them to be settled; the artifact stays as it is until then."""
    outcome: Outcome

    @property
    def is_complete(self) -> bool:
        return self.merge is None
