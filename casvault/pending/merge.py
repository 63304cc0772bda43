"""A merge in progress as a value: settling its conflicts one by one, and the state that comes out in the end."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from casvault.merge.trees import ConflictKind
from casvault.objects import TREE, Field, Root, Signature, check_name
from casvault.objects.commit import check_signature
from casvault.trees import EMPTY_ID, edit_paths, empty_root, find_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casvault.merge.trees import TreeConflict
    from casvault.objects import ObjectReader, ObjectStage
    from casvault.oid import Oid


class How(Enum):
    """Where the state that settles a conflict comes from."""

    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"
    FILE = "file"
    """A file that was given as a whole."""
    EDIT = "edit"
    """An editor, in which both sides were to be seen."""
    TOOL = "tool"
    """A merge tool, which was given the three versions."""
    HUNKS = "hunks"
    """Put together of the sides, with a choice for each hunk."""
    REUSE = "reuse"
    """What settled the same conflict before."""


WRITTEN = frozenset({How.FILE, How.EDIT, How.TOOL, How.HUNKS})
"""The ways in which a content is given that is none of the sides."""


class Settled(NamedTuple):
    """What was chosen for one path; the state is None where it is to be absent."""

    how: How
    state: Root | None
    by: Signature | None = None
    """Who chose, and when."""


class Moment(NamedTuple):
    """Seconds since 1970 in UTC, and the zone as git writes it."""

    seconds: int
    zone: bytes


class PendingMerge(NamedTuple):
    """Two commits that could not be merged by themselves.

    All states are of one path, with which the paths of the conflicts begin; it is empty where they are the states of
    the root. What the conflicts hold must be reachable from the two commits, the base or the merged state: a ref to the
    merge keeps it by them.
    """

    path: bytes
    ours: Oid
    theirs: Oid
    base: Root | None
    merged: Root | None
    """What was merged cleanly, with ours at the paths of the conflicts; None where ours is absent as a whole."""
    conflicts: tuple[TreeConflict, ...]
    settled: Mapping[bytes, Settled]
    """By the path of the conflict."""
    fields: tuple[Field, ...]
    """Further facts, of whoever asked for the merge."""
    detected: Moment


WHAT = "merge in progress"
TYPE, AT, DETECTED, CONFLICT, SETTLED = b"type", b"at", b"detected", b"conflict", b"settled"
OWN_FIELDS = frozenset({TYPE, AT, DETECTED, CONFLICT, SETTLED})
"""What the commit of the merge says itself; the fields of the caller have other keys."""


def check_pending(merge: PendingMerge) -> None:
    """Raise MalformedError for the first thing in which the parts of the merge are wrong or contradict each other."""
    check_signature(Signature(b"", b"", *merge.detected), WHAT)
    check_path(merge.path)
    conflicts: dict[bytes, TreeConflict] = {}
    for conflict in merge.conflicts:
        check_path(conflict.path)
        if conflict.path in conflicts:
            raise MalformedError(f"{WHAT}: the conflict {conflict.path!r} stands twice")
        if not _is_within(conflict.path, merge.path):
            raise MalformedError(f"{WHAT}: the conflict {conflict.path!r} is not within {merge.path!r}")
        conflicts[conflict.path] = conflict
    for path, settled in merge.settled.items():
        if path not in conflicts:
            raise MalformedError(f"{WHAT}: {path!r} is settled, but is no conflict")
        _check_choice(conflicts[path], settled)
    for key, _ in merge.fields:
        if key in OWN_FIELDS:
            raise MalformedError(f"{WHAT}: the field {key.decode()} has a meaning of its own")


def check_path(path: bytes) -> None:
    for name in path.split(b"/") if path else ():
        if wrong := check_name(name):
            raise MalformedError(f"{WHAT}: {wrong} in the path {path!r}")


def _check_choice(conflict: TreeConflict, settled: Settled) -> None:
    sides = {How.OURS: conflict.ours, How.THEIRS: conflict.theirs, How.BASE: conflict.base}
    if settled.how in sides and settled.state != sides[settled.how]:
        raise MalformedError(f"{WHAT}: {conflict.path!r} is not settled by {settled.how.value}, as it says")
    if settled.how in WRITTEN and settled.state is None:
        raise MalformedError(f"{WHAT}: {conflict.path!r} is settled by nothing")
    if settled.by is not None:
        check_signature(settled.by, WHAT)


def find_conflict(merge: PendingMerge, path: bytes) -> TreeConflict | None:
    return next((conflict for conflict in merge.conflicts if conflict.path == path), None)


def settle(merge: PendingMerge, path: bytes, settled: Settled) -> PendingMerge:
    """The merge with one path settled, or settled anew; NotFoundError if nothing clashes there."""
    conflict = find_conflict(merge, path)
    if conflict is None:
        raise NotFoundError("this path is no conflict of the merge", place=_shown(path))
    _check_choice(conflict, settled)
    return merge._replace(settled={**merge.settled, path: settled})


def open_paths(merge: PendingMerge) -> list[bytes]:
    """The paths that are still to be settled, in the order of the conflicts."""
    return [conflict.path for conflict in merge.conflicts if conflict.path not in merge.settled]


def carry_over(old: PendingMerge, new: PendingMerge) -> PendingMerge:
    """The new merge with what was settled in the old one, where the conflict is still the same on all three sides."""
    before = {conflict.path: _sides(conflict) for conflict in old.conflicts if conflict.path in old.settled}
    kept = {
        conflict.path: old.settled[conflict.path]
        for conflict in new.conflicts
        if before.get(conflict.path) == _sides(conflict)
    }
    return new._replace(settled={**kept, **new.settled})


def _sides(conflict: TreeConflict) -> tuple[Root | None, ...]:
    return conflict.base, conflict.ours, conflict.theirs


def result_of(stage: ObjectStage, merge: PendingMerge) -> Root | None:
    """The merged state with what was chosen at each path; None if nothing is left of it.

    ConflictError that names the paths if some are open. A directory that the choices leave empty goes with its last
    name, as everywhere in `edit_paths`.
    """
    left = open_paths(merge)
    if left:
        raise ConflictError(
            "the merge has open conflicts",
            conflicts=tuple(f"{_shown(path)}: not settled" for path in left),
            remedy="settle each of them first",
        )
    chosen: dict[bytes, Root | None] = {}
    for conflict in merge.conflicts:
        places = _places(conflict, merge.settled[conflict.path])
        chosen |= {_below(path, merge.path): state for path, state in places.items()}
    state = merge.merged
    for edits in _in_order(chosen):
        state = _edited(stage, state, edits)
    return state


def _places(conflict: TreeConflict, settled: Settled) -> dict[bytes, Root | None]:
    """What becomes of the paths that a conflict is about. Whoever chooses a side of a rename chooses its name, too."""
    renamed = conflict.renamed
    if conflict.kind is not ConflictKind.RENAME or renamed is None:
        return {conflict.path: settled.state}
    places: dict[bytes, Root | None] = {path: None for path in renamed if path is not None}
    names = {How.THEIRS: renamed.theirs, How.BASE: renamed.base}
    return {**places, names.get(settled.how) or conflict.path: settled.state}


def _in_order(chosen: Mapping[bytes, Root | None]) -> Iterator[dict[bytes, Root | None]]:
    """The choices in groups: one for a path inside another that is chosen too comes behind it."""
    depths = {path: sum(above in chosen for above in _above(path)) for path in chosen}
    for depth in sorted(set(depths.values())):
        yield {path: chosen[path] for path in sorted(chosen) if depths[path] == depth}


def _above(path: bytes) -> Iterable[bytes]:
    """The paths that this one lies in, the root of all among them."""
    if path:
        yield b""
    for at, sign in enumerate(path):
        if sign == 0x2F:
            yield path[:at]


def _edited(stage: ObjectStage, state: Root | None, edits: Mapping[bytes, Root | None]) -> Root | None:
    if b"" in edits:
        return edits[b""]
    # What is there already is no edit: a directory that was empty before is not taken for one that became so.
    changed = {path: new for path, new in edits.items() if _find(stage, state, path) != new}
    if not changed:
        return state
    if state is not None and state.mode != TREE:
        raise RefusedError(
            "what was chosen for these paths needs a directory, where a file was chosen",
            place=", ".join(map(_shown, changed)),
            remedy="settle the path above them otherwise",
        )
    edited = edit_paths(stage, empty_root() if state is None else state, changed)
    return None if edited.id == EMPTY_ID else edited


def _find(reader: ObjectReader, state: Root | None, path: bytes) -> Root | None:
    return None if state is None else find_path(reader, state, path)


def _is_within(path: bytes, above: bytes) -> bool:
    return not above or path == above or path.startswith(above + b"/")


def _below(path: bytes, above: bytes) -> bytes:
    """The path as seen from one that it is within."""
    return path[len(above) :].lstrip(b"/")


def _shown(path: bytes) -> str:
    return path.decode(errors="replace")
