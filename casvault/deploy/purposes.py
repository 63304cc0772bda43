"""What a snapshot is for: read off the operation that made it, and off the projects that will merge from it.

Nothing of the kind is recorded beside the snapshots. The operation that made one is the first whose view had it; one
that no view ever had was made on the way to another, as the state that a command met before it did its work.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS
from casvault.artifacts.snapshot import CONTENT
from casvault.pending import CONTINUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.oid import Oid
    from casvault.refs import OperationLog
    from casvault.repository.changeindex import ChangeIndex


class Purpose(Enum):
    """What a snapshot is for."""

    MANUAL = "manual"
    """Somebody changed the collection: a snapshot, a restore, a move, a transaction."""
    IMPORT = "import"
    """It brought in what was there before: a new collection, another tool's history."""
    DEPLOY = "deploy"
    """A deploy took it of what it was about to deploy."""
    PULL = "pull"
    """A pull, a fork or a continued merge made it of what a project had."""
    ROLLBACK_POINT = "rollback point"
    """What a command found in the directory and recorded before it changed it."""
    MERGE_BASE = "merge base"
    """It brought a version that a project's edits are measured from, which the next merge will start from."""


_DEPLOYS = frozenset({"deploy", "undeploy", "adopt", "pin", "unpin", "observe"})
_PULLS = frozenset({"pull", "fork", CONTINUE})
_IMPORTS = frozenset({"init", "collection add"})


class Maker(NamedTuple):
    """The operation that made a snapshot."""

    number: int
    kind: str
    is_direct: bool
    """Whether a view had the snapshot, which was not just made on the way to another."""


class Makers:
    """The operations that made the snapshots of a vault."""

    def __init__(self, index: ChangeIndex, log: OperationLog) -> None:
        self._index = index
        self._log = log
        tip = log.tip()
        self._boundary = frozenset[bytes]() if log.horizon is None else log.horizon.boundary
        self._here = 0 if tip is None else index.catch_up([tip.record.operation])[0]

    def find(self, snapshot: Oid) -> Maker | None:
        """The operation that made it; None for one that no operation of the chain led to."""
        start = self._index.find(snapshot)
        front = [] if start is None else [start]
        seen = set(front)
        is_direct = True
        while front:
            numbers = [number for number in map(self._first_view, front) if number is not None]
            if numbers:
                first = self._index.id_of(min(numbers))
                if first in self._boundary:
                    # It was there when the oldest operation was made that is left.
                    return None
                operation = self._log.read_operation(first)
                return Maker(operation.number, operation.kind, is_direct)
            front = [child for commit in front for child in self._index.children(commit) if child not in seen]
            seen.update(front)
            is_direct = False
        return None

    def _first_view(self, commit: int) -> int | None:
        """The first operation of the chain whose view had a snapshot as the tip of a collection."""
        index = self._index
        for change in index.changes_to(index.id_of(commit)):
            in_chain = index.ancestor_at(self._here, index.place(change.commit).depth) == change.commit
            if in_chain and change.path.startswith(COLLECTIONS):
                return change.commit
        return None


def purposes_of(maker: Maker | None, *, is_base: bool) -> tuple[Purpose, ...]:
    """What a snapshot was made for, and whether it serves as a base."""
    return (_made_for(maker), *((Purpose.MERGE_BASE,) if is_base else ()))


def _made_for(maker: Maker | None) -> Purpose:
    if maker is None:
        return Purpose.MANUAL
    if not maker.is_direct:
        return Purpose.ROLLBACK_POINT
    if maker.kind in _DEPLOYS:
        return Purpose.DEPLOY
    if maker.kind in _PULLS:
        return Purpose.PULL
    return Purpose.IMPORT if maker.kind in _IMPORTS or maker.kind.endswith("import") else Purpose.MANUAL


def find_bases(index: ChangeIndex, settled: Iterable[Oid]) -> set[int]:
    """The snapshots in which these versions came, by position: where they are and no parent had them."""
    found: set[int] = set()
    for version in settled:
        came: dict[tuple[bytes, int], int] = {}
        for change in index.changes_to(version):
            if change.path.startswith(CONTENT + b"/"):
                key = change.path, change.commit
                came[key] = came.get(key, 0) + 1
        found.update(commit for (_, commit), count in came.items() if count == max(len(index.parents(commit)), 1))
    return found
