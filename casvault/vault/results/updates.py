"""Updates from upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.vault.results.deployments import UNDECIDED

if TYPE_CHECKING:
    from casvault.deploy.actions import Action
    from casvault.oid import Oid
    from casvault.vault.results.changes import FileChange
    from casvault.vault.results.deployments import ConflictRow
    from casvault.vault.results.upkeep import Outcome


class UpdateRow(NamedTuple):
    collection: str
    artifact: str
    source: str
    """Where it came from, without secrets."""
    revision: str
    """What upstream calls the state that it has: the id of a commit of git; empty for a directory."""
    action: Action
    upstream: Oid | None
    """The version of what upstream has."""
    version: Oid | None
    """The collection's afterwards; None where it waits or was refused."""
    files: tuple[FileChange, ...]
    """What changes in the collection."""
    conflicts: tuple[ConflictRow, ...]
    merge: str | None
    """The merge that waits to be resolved."""
    reason: str | None
    remedy: str | None


class UpdateResult(NamedTuple):
    preview: bool
    artifacts: tuple[UpdateRow, ...]
    outcome: Outcome
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return all(row.action not in UNDECIDED for row in self.artifacts)


class UpstreamInfo(NamedTuple):
    """Where an artifact comes from, and what came last."""

    collection: str
    artifact: str
    source: str
    location: str | None
    """The directory or repository on this machine or on the net; None where this machine was never told."""
    wanted: str
    """The branch or tag of git that is followed; empty for what the repository itself holds for the newest."""
    revision: str
    version: Oid
    seconds: int
    zone: str


class UpstreamCheck(NamedTuple):
    """An artifact against what its upstream has now."""

    upstream: UpstreamInfo
    is_behind: bool
    is_edited: bool
    """Whether the collection has changes of its own."""
    revision: str
    """What upstream has now."""
    files: tuple[FileChange, ...]
    """What changed upstream since it was last taken."""
    problem: str | None
    """Why nobody can say; then it counts as not behind."""
