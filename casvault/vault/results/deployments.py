"""What deploys and pulls did."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.names import show
from casvault.deploy.actions import Action
from casvault.objects import read_commit
from casvault.vault.results.changes import FileChange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from casvault.deploy.actions import Planned
    from casvault.deploy.drift import Status
    from casvault.deploy.run import Outcome
    from casvault.deploy.subject import Direction
    from casvault.merge.trees import ConflictKind, TreeConflict
    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid


class ConflictRow(NamedTuple):
    """A path that needs a decision, with its three contents; None where it is absent."""

    path: str
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None


class DeployRow(NamedTuple):
    artifact: str
    root: str
    collection: str
    status: Status
    """Before."""
    action: Action
    version: Oid | None
    """In the project afterwards."""
    files: tuple[FileChange, ...]
    """What changes in the project."""
    conflicts: tuple[ConflictRow, ...]
    merge: str | None
    """The merge that waits to be resolved."""
    reason: str | None
    """Why it was left as it is, and what to do about it."""
    remedy: str | None

    @property
    def wrote(self) -> bool:
        return bool(self.files) or self.action is Action.MOVED


class DeployResult(NamedTuple):
    project: str
    directory: Path
    dry_run: bool
    artifacts: tuple[DeployRow, ...]
    outcome: Outcome
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything was done that there was to do; else rows wait for a decision."""
        return all(row.action not in UNDECIDED for row in self.artifacts)


class PullRow(NamedTuple):
    artifact: str
    root: str
    collection: str
    path: str
    """Where in the collection it went."""
    status: Status
    """Before."""
    action: Action
    base: Oid | None
    version: Oid | None
    """The collection's new version; None if it did not change."""
    parents: tuple[Oid, ...]
    files: tuple[FileChange, ...]
    """What changes in the collection."""
    conflicts: tuple[ConflictRow, ...]
    merge: str | None
    reason: str | None
    remedy: str | None

    @property
    def fast_forward(self) -> bool:
        return self.action is Action.TAKEN


class PullResult(NamedTuple):
    project: str
    preview: bool
    artifacts: tuple[PullRow, ...]
    outcome: Outcome

    @property
    def is_complete(self) -> bool:
        return all(row.action not in UNDECIDED for row in self.artifacts)


class ContinueResult(NamedTuple):
    merge: str
    direction: Direction
    project: str
    artifact: PullRow
    """What changed in the collection, or in the project if the merge was that of a deploy."""
    outcome: Outcome

    @property
    def is_complete(self) -> bool:
        return self.artifact.action not in UNDECIDED


UNDECIDED = frozenset({Action.PENDING, Action.LEFT, Action.REFUSED})


def deploy_row(reader: ObjectReader, row: Planned) -> DeployRow:
    return DeployRow(
        show(row.place.path),
        show(row.place.root),
        show(row.place.collection),
        row.status,
        row.action,
        row.version,
        file_changes(reader, row.old, row.new, row.path),
        conflict_rows(row.conflicts),
        row.merge,
        *_why(row),
    )


def pull_row(reader: ObjectReader, row: Planned) -> PullRow:
    parents = () if row.version is None else read_commit(reader, row.version).parents
    return PullRow(
        show(row.place.path),
        show(row.place.root),
        show(row.place.collection),
        show(row.path),
        row.status,
        row.action,
        None if row.base is None else row.base.id,
        row.version,
        parents,
        file_changes(reader, row.old, row.new, row.path),
        conflict_rows(row.conflicts),
        row.merge,
        *_why(row),
    )


def file_changes(reader: ObjectReader, old: Root | None, new: Root | None, path: bytes) -> tuple[FileChange, ...]:
    """The files that differ between two states of what is at a path."""
    if old == new:
        return ()
    changes = iter_file_changes(reader, old, new, path)
    return tuple(FileChange(show(change.path), change.old, change.new) for change in changes)


def conflict_rows(conflicts: Iterable[TreeConflict]) -> tuple[ConflictRow, ...]:
    return tuple(ConflictRow(show(each.path), each.kind, each.base, each.ours, each.theirs) for each in conflicts)


def _why(row: Planned) -> tuple[str | None, str | None]:
    return (None, None) if row.refusal is None else (row.refusal.message, row.refusal.remedy)
