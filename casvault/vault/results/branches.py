"""Branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.deploy.branching import Merging
    from casvault.deploy.run import Outcome
    from casvault.oid import Oid
    from casvault.vault.results.deployments import ConflictRow


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
