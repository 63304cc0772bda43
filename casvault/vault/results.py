"""What the façade answers: frozen values with names for everything, ids as Oid, paths as str (surrogates keep any
bytes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.drift import Status
    from casvault.deploy.run import Outcome as Outcome
    from casvault.merge.trees import ConflictKind
    from casvault.objects import Root
    from casvault.oid import Oid


class CollectionInfo(NamedTuple):
    name: str
    tip: Oid
    directory: Path | None
    artifacts: int


class ProjectInfo(NamedTuple):
    name: str
    directory: Path | None
    deployments: int


class ArtifactChange(NamedTuple):
    """One line of a status: an artifact or a plain file of a collection's directory that is not as in its snapshot."""

    path: str
    kind: str
    """"skill", "command", …; "file" for what is in no artifact."""
    change: str
    """"added", "modified" or "removed"."""


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


class CommitInfo(NamedTuple):
    id: Oid
    parents: tuple[Oid, ...]
    author: str
    mail: str
    seconds: int
    zone: str
    message: str
    type: str
    """"snapshot", "version", "project-state", "operation" or "commit"."""
    collection: str
    path: str
    origin: str


class FileChange(NamedTuple):
    """A file that differs between two states; None where it is absent."""

    path: str
    old: Root | None
    new: Root | None

    @property
    def change(self) -> str:
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "modified"


class TreeLine(NamedTuple):
    mode: int
    kind: str
    id: Oid
    size: int
    path: str


class ConflictInfo(NamedTuple):
    """A path that two sides changed differently; ids and paths are None where the file is absent."""

    path: str
    kind: ConflictKind
    base: Oid | None
    ours: Oid | None
    theirs: Oid | None
    base_path: str | None
    our_path: str | None
    their_path: str | None


class MergedTree(NamedTuple):
    """What a merge of two revisions would give."""

    ours: str
    theirs: str
    tree: Oid
    """With conflicted files as they would be marked up."""
    clean: bool
    conflicts: tuple[ConflictInfo, ...]
    notes: tuple[str, ...]


class DriftRow(NamedTuple):
    """One artifact in one project. Ids are contents, versions are commits; None where absent."""

    project: str
    artifact: str
    kind: str
    root: str
    collection: str
    status: Status
    base: Oid | None
    collection_content: Oid | None
    project_content: Oid | None
    deployed: Oid | None
    settled: Oid | None
    collection_version: Oid | None


class DeployRow(NamedTuple):
    artifact: str
    status: Status
    """Before the deploy."""
    version: Oid
    """In the project afterwards."""
    wrote: bool
    """Whether files were written."""


class DeployResult(NamedTuple):
    project: str
    directory: Path
    artifacts: tuple[DeployRow, ...]
    outcome: Outcome


class PullRow(NamedTuple):
    artifact: str
    status: Status
    """Before the pull."""
    base: Oid | None
    version: Oid | None
    """The collection's new version; None if it did not change."""
    parents: tuple[Oid, ...]
    fast_forward: bool
    files: tuple[FileChange, ...]
    """What changes in the collection."""


class PullResult(NamedTuple):
    project: str
    collection: str
    preview: bool
    artifacts: tuple[PullRow, ...]
    outcome: Outcome


class OperationInfo(NamedTuple):
    number: int
    id: Oid
    kind: str
    arguments: tuple[str, ...]
    author: str
    seconds: int
    zone: str
    message: str
    undone: bool


class UndoResult(NamedTuple):
    kind: str
    """"undo" or "redo"."""
    number: int
    """Of the operation that was taken back."""
    undone: str
    """Its kind."""
    arguments: tuple[str, ...]
    """And what it was given."""
    outcome: Outcome


class FsckResult(NamedTuple):
    packs: int
    objects: int
    reachable: int
    operations: int
    problems: tuple[tuple[str, str], ...]
    """Place and message each."""


class RecoverResult(NamedTuple):
    directory: Path
    operation: int
    taken_back: bool
    written: int
    removed: int
    kept: tuple[str, ...]
