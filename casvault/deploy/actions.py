"""What a command does to one artifact, as data: planned first, shown in a preview, carried out as planned."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.drift import Status
    from casvault.deploy.state import Place
    from casvault.errors import RefusedError
    from casvault.merge.trees import TreeConflict
    from casvault.objects import Root
    from casvault.oid import Oid


class Action(Enum):
    """What is done to an artifact. The values are what people read."""

    NOTHING = "up to date"
    SETTLED = "settled"
    """Both sides hold the same already; that is recorded, so that later edits are measured from it."""
    ADOPTED = "adopted"
    """What is in the project was recognised as a version, and counts as deployed from now on."""
    DEPLOYED = "deployed"
    UPDATED = "updated"
    PUT_BACK = "put back"
    MOVED = "moved"
    """It follows its artifact to another path."""
    KEPT = "edits kept"
    MERGED = "merged"
    REPLACED = "replaced"
    """The edits were recorded first."""
    REMOVED = "removed"
    FORGOTTEN = "forgotten"
    """It is no longer deployed, and no file was touched."""
    TAKEN = "fast-forward"
    OVERWRITTEN = "overwritten"
    """The project's content won; both sides are parents."""
    FORKED = "forked"
    RESTORED = "restored"
    DELETED = "deletion taken"
    IMPORTED = "imported"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    GONE = "gone from the collection"
    ABSENT = "gone from the project"
    PENDING = "conflict"
    """Neither side was touched; the merge waits to be resolved."""
    LEFT = "left"
    """Nobody asked for it by name, and it needs a decision."""
    REFUSED = "refused"
    """It was asked for by name, and needs a decision: then nothing at all is done."""


class Planned(NamedTuple):
    """One artifact in one command."""

    place: Place
    status: Status
    """Before."""
    action: Action
    version: Oid | None = None
    """Of a deploy: the version in the project afterwards. Of a pull: the collection's new one, None if it keeps its."""
    base: Root | None = None
    path: bytes = b""
    """Where files change, in the collection or in the project's root."""
    old: Root | None = None
    """What is there before and after."""
    new: Root | None = None
    conflicts: tuple[TreeConflict, ...] = ()
    merge: str | None = None
    """The handle of the merge that waits."""
    refusal: RefusedError | None = None
    """Why it was left or refused, and what to do."""


def check_refusals(rows: Iterable[Planned]) -> None:
    """Raise the first refusal, with the names of all others."""
    refused = [row for row in rows if row.action is Action.REFUSED and row.refusal is not None]
    if not refused:
        return
    first = refused[0].refusal
    assert first is not None
    if len(refused) == 1:
        raise first
    others = ", ".join(show(row.place.path) for row in refused[1:])
    raise type(first)(f"{first.message}; and so it is with {others}", place=first.place, remedy=first.remedy)


def decline(refusal: RefusedError, *, named: bool) -> tuple[Action, RefusedError]:
    """What needs a decision stops a command that named it, and is passed over by one that took everything."""
    return (Action.REFUSED if named else Action.LEFT), refusal
