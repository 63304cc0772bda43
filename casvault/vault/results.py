"""What the façade answers: frozen values with names for everything, ids as Oid, paths as str (surrogates keep any
bytes).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.names import show
from casvault.deploy.actions import Action
from casvault.objects import read_commit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from casvault.deploy.actions import Planned
    from casvault.deploy.advice import DriftType, MergeForecast, Recommendation
    from casvault.deploy.branching import Merging
    from casvault.deploy.drift import Status
    from casvault.deploy.run import Outcome as Outcome
    from casvault.deploy.subject import Direction
    from casvault.merge.trees import ConflictKind, TreeConflict
    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid
    from casvault.pending import How
    from casvault.pending.marking import Marked as Marked


class CollectionInfo(NamedTuple):
    name: str
    tip: Oid
    directory: Path | None
    artifacts: int


class ProjectInfo(NamedTuple):
    name: str
    directory: Path | None
    deployments: int


class ChangeKind(Enum):
    """How something differs from what was there before."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"

    @classmethod
    def of(cls, old: Root | None, new: Root | None) -> ChangeKind:
        if old is None:
            return cls.ADDED
        return cls.REMOVED if new is None else cls.MODIFIED


class ArtifactChange(NamedTuple):
    """One line of a status: an artifact or a plain file of a collection's directory that is not as in its snapshot."""

    path: str
    kind: str
    """"skill", "command", …; "file" for what is in no artifact."""
    change: ChangeKind


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
    def change(self) -> ChangeKind:
        return ChangeKind.of(self.old, self.new)


class PairBases(NamedTuple):
    """Two revisions, as they were given, and all their best common ancestors."""

    one: str
    other: str
    bases: list[Oid]


class TreeLine(NamedTuple):
    mode: int
    kind: str
    id: Oid
    size: int
    path: str


class TreeConflictInfo(NamedTuple):
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
    conflicts: tuple[TreeConflictInfo, ...]
    notes: tuple[str, ...]


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


class DriftResult(NamedTuple):
    rows: tuple[DriftRow, ...]
    recorded: int
    """How many edits were recorded in the vault by looking."""
    operation: int | None
    notes: tuple[str, ...]
    """What was not recorded, and which collections could not be looked at."""


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
        _files(reader, row),
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
        _files(reader, row),
        conflict_rows(row.conflicts),
        row.merge,
        *_why(row),
    )


def _files(reader: ObjectReader, row: Planned) -> tuple[FileChange, ...]:
    if row.old == row.new:
        return ()
    changes = iter_file_changes(reader, row.old, row.new, row.path)
    return tuple(FileChange(show(change.path), change.old, change.new) for change in changes)


def conflict_rows(conflicts: Iterable[TreeConflict]) -> tuple[ConflictRow, ...]:
    return tuple(ConflictRow(show(each.path), each.kind, each.base, each.ours, each.theirs) for each in conflicts)


def _why(row: Planned) -> tuple[str | None, str | None]:
    return (None, None) if row.refusal is None else (row.refusal.message, row.refusal.remedy)


class ConflictInfo(NamedTuple):
    """One path of a merge in progress; states are None where it is absent."""

    path: str
    """With the artifact's own path."""
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None
    how: How | None
    """What settled it; None while it is open."""
    chosen: Root | None


class EarlierChoice(NamedTuple):
    """What settled the same conflict before."""

    operation: int
    """The number of the operation that ended the merge in which it was settled."""
    how: How
    chosen: Root | None
    """None where it was to be absent."""
    author: str
    seconds: int
    zone: str


class ResolvedConflict(NamedTuple):
    """A conflict that was resolved on the way to a version."""

    path: str
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None
    how: How
    result: Root | None
    author: str
    """Who resolved it; empty where nobody says."""


class ConflictFiles(NamedTuple):
    """The three versions of a file that clashes; None where it is absent."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    marked: Marked | None
    """All of them in one text with markers; None where no lines clash."""


class BranchInfo(NamedTuple):
    name: str
    tip: Oid
    seconds: int
    zone: str
    subject: str
    """The first line of the newest commit's message."""


class BranchResult(NamedTuple):
    branch: str
    tip: Oid
    created: bool
    """Whether a commit was made, or the branch itself."""
    ignored: tuple[str, ...]
    """What the ignore rules left out; a directory stands for everything in it."""
    notes: tuple[str, ...]
    outcome: Outcome


class BranchMerge(NamedTuple):
    """What a merge into a branch came to."""

    into: str
    source: str
    action: Merging
    tip: Oid
    """Where the branch stands now."""
    conflicts: tuple[ConflictRow, ...]
    merge: str | None
    """The handle of the merge that waits."""
    outcome: Outcome

    @property
    def is_complete(self) -> bool:
        return self.merge is None


class MergeInfo(NamedTuple):
    """A pull, deploy or merge of branches that met conflicts, and waits for them to be settled."""

    handle: str
    ref: str
    direction: Direction
    project: str
    root: str
    collection: str
    artifact: str
    """The branch that is merged into, of a merge of branches; project, root and collection are empty then."""
    strategy: str
    ours_name: str
    """What ours is, for people: "collection lib"."""
    theirs_name: str
    ours: Oid
    theirs: Oid
    seconds: int
    """When it met the conflicts."""
    zone: str
    conflicts: tuple[ConflictInfo, ...]

    @property
    def open(self) -> tuple[ConflictInfo, ...]:
        return tuple(conflict for conflict in self.conflicts if conflict.how is None)


class MergeResult(NamedTuple):
    merge: MergeInfo
    """After the command; before it, where it ended the merge."""
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
