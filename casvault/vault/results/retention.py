"""Retention: the policy, and what it would let go."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.deploy.run import Outcome as Outcome
    from casvault.refs import Limit as Limit
    from casvault.refs import Policy as Policy


class Kept(Enum):
    """What the objects of a vault are to whoever asks how long to keep them."""

    OPERATION = "operation"
    STATE = "project state"
    OBSERVATION = "observed version"
    """Edits in a project, as they were seen."""
    VERSION = "version"
    SNAPSHOT = "snapshot"
    COMMIT = "other commit"
    TREE = "tree"
    BLOB = "blob"
    TAG = "tag"


class RetentionRow(NamedTuple):
    """One kind of object; what is in none of the last three columns cannot be reached, and is nobody's business."""

    what: Kept
    total: int
    beyond: int
    """Operations and states that the policy does not ask to keep; 0 for the others, which go or stay with them."""
    going: int
    bytes_going: int
    """As they are stored."""
    kept_by_refs: int
    """Reachable from a collection, a branch, a tag, a merge in progress or what is deployed now."""
    kept_by_operations: int
    """Reachable from an operation that is kept, and from nothing else."""


class RetentionPlan(NamedTuple):
    policy: Policy
    rows: tuple[RetentionRow, ...]
    first_kept: int | None
    """The number of the oldest operation that is kept; undo would reach back to it. None in an empty vault."""
    always_kept: int
    """Operations that are kept whatever the policy says: the newest, of which the records stand."""

    @property
    def bytes_going(self) -> int:
        return sum(row.bytes_going for row in self.rows)


class RetentionResult(NamedTuple):
    """What was let go."""

    policy: Policy
    objects: int
    bytes_before: int
    """Of all packs."""
    bytes_after: int
    first_kept: int | None
    """The number of the oldest operation that is kept; None in an empty vault."""
    outcome: Outcome
