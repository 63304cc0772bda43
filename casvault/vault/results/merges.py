"""Merges in progress, and what became of conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.deploy.run import Outcome
    from casvault.deploy.subject import Direction
    from casvault.merge.trees import ConflictKind
    from casvault.objects import Root
    from casvault.oid import Oid
    from casvault.pending import How
    from casvault.pending.marking import Marked as Marked


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
