"""Merges in progress as commits.

    parents = ours, theirs
    root    = { merged:  the merged state, with ours at the paths of the conflicts
                base:    the base
                settled: { escaped path: the chosen state } }
    fields  = type, at, detected, conflict …, settled …, then those of the caller

Each entry of the root is left out where there is nothing to hold.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from casvault.errors import MalformedError, RefusedError, UnsupportedError
from casvault.limits import MAX_FIELDS, MAX_SIZE
from casvault.merge.trees import ConflictKind, Renamed, TreeConflict
from casvault.objects import ALL_MODES, TREE, Entry, Root, canonical, read_commit
from casvault.objects.commit import decode_signature
from casvault.objects.names import escape, unescape
from casvault.oid import ID_SIZE, Oid
from casvault.pending.merge import (
    AT,
    CONFLICT,
    DETECTED,
    OWN_FIELDS,
    SETTLED,
    TYPE,
    WHAT,
    How,
    Moment,
    PendingMerge,
    Settled,
    check_pending,
)
from casvault.trees import build_tree, iter_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import Commit, Field, ObjectReader, ObjectStage

PENDING_MERGE = b"pending-merge"
MERGED, BASE = b"merged", b"base"
ROOT_NAME = b"%"
"""What stands for the empty path among the settled ones; no path is escaped to it."""
_MOMENT = re.compile(rb"(0|-?[1-9][0-9]{0,18}) ([+-][0-9]{4,8})\Z")

E = TypeVar("E", bound=Enum)


class Signer(Protocol):
    """Writes commits that say who makes them, and when."""

    def write(
        self,
        stage: ObjectStage,
        root: Root,
        parents: Iterable[Oid],
        fields: Iterable[Field],
        message: str | None = None,
    ) -> Oid: ...


def write_pending(stage: ObjectStage, signer: Signer, merge: PendingMerge) -> Oid:
    """Write the merge as a commit; MalformedError where it contradicts itself, RefusedError where it is too large."""
    check_pending(merge)
    own = [(TYPE, PENDING_MERGE), *(((AT, merge.path),) if merge.path else ())]
    own.append((DETECTED, b"%d %s" % merge.detected))
    own += [(CONFLICT, _encode_conflict(conflict)) for conflict in merge.conflicts]
    own += [(SETTLED, _encode_settled(path, merge.settled[path])) for path in sorted(merge.settled)]
    if len(own) + len(merge.fields) > MAX_FIELDS:
        raise RefusedError(
            f"{len(merge.conflicts):,} conflicts are more than a merge in progress can hold",
            remedy="let one side win as a whole",
        )
    return signer.write(stage, _write_root(stage, merge), (merge.ours, merge.theirs), (*own, *merge.fields))


def _write_root(stage: ObjectStage, merge: PendingMerge) -> Root:
    chosen = {_settled_name(path): settled.state for path, settled in merge.settled.items()}
    states = {MERGED: merge.merged, BASE: merge.base}
    if any(chosen.values()):
        states[SETTLED] = build_tree(stage, _entries(chosen))
    return build_tree(stage, _entries(states))


def _entries(states: dict[bytes, Root | None]) -> list[Entry]:
    return [Entry(name, *state) for name, state in sorted(states.items()) if state is not None]


def _settled_name(path: bytes) -> bytes:
    return escape(path) if path else ROOT_NAME


def _encode_conflict(conflict: TreeConflict) -> bytes:
    kind = conflict.kind.value.encode()
    renamed = () if conflict.renamed is None else (conflict.renamed,)
    return canonical.encode([conflict.path, kind, conflict.base, conflict.ours, conflict.theirs, *renamed])


def _encode_settled(path: bytes, settled: Settled) -> bytes:
    who = () if settled.by is None else (settled.by,)
    return canonical.encode([path, settled.how.value.encode(), *who])


def read_pending(reader: ObjectReader, oid: Oid) -> PendingMerge:
    """The merge in progress that a commit holds; MalformedError for what is none, UnsupportedError for one that only a
    later version understands.
    """
    commit = read_commit(reader, oid)
    try:
        merge = _parse(reader, commit)
        check_pending(merge)
    except MalformedError as error:
        raise MalformedError(error.message, place=str(oid), remedy="run `casvault fsck`") from error
    except UnsupportedError as error:
        raise UnsupportedError(error.message, place=str(oid), remedy="use a later version of casvault") from error
    return merge


def _parse(reader: ObjectReader, commit: Commit) -> PendingMerge:
    if commit.fields_of(TYPE) != [PENDING_MERGE]:
        raise MalformedError(f"{WHAT}: this commit is none")
    if len(commit.parents) != 2:
        raise MalformedError(f"{WHAT}: it has {len(commit.parents)} parents, not 2")
    states = _read_states(reader, commit.root, "root")
    if unknown := states.keys() - {MERGED, BASE, SETTLED}:
        raise UnsupportedError(f"{WHAT}: unknown entries in its root: {sorted(unknown)}")
    chosen = _read_states(reader, states[SETTLED], "list of what is settled") if SETTLED in states else {}
    return PendingMerge(
        _single(commit, AT) or b"",
        *commit.parents,
        states.get(BASE),
        states.get(MERGED),
        tuple(decode_conflict(value) for value in commit.fields_of(CONFLICT)),
        _decode_choices(commit.fields_of(SETTLED), chosen),
        tuple(field for field in commit.fields if field[0] not in OWN_FIELDS),
        decode_moment(_single(commit, DETECTED)),
    )


def _read_states(reader: ObjectReader, root: Root, what: str) -> dict[bytes, Root]:
    if root.mode != TREE:
        raise MalformedError(f"{WHAT}: its {what} is not a directory")
    return {entry.name: Root(*entry[1:]) for entry in iter_entries(reader, root.id)}


def _single(commit: Commit, key: bytes) -> bytes | None:
    values = commit.fields_of(key)
    if len(values) > 1:
        raise MalformedError(f"{WHAT}: the field {key.decode()} stands more than once")
    return values[0] if values else None


def decode_moment(value: bytes | None) -> Moment:
    match = _MOMENT.match(value or b"")
    if match is None:
        raise MalformedError(f"{WHAT}: no seconds and zone in the field detected: {value!r}")
    return Moment(int(match[1]), match[2])


def decode_conflict(data: bytes) -> TreeConflict:
    value = canonical.decode(data, f"{WHAT}, conflict")
    if len(value) > 6:
        raise UnsupportedError(f"{WHAT}: a conflict of {len(value)} parts")
    if [type(part) for part in value[:2]] != [bytes, bytes] or len(value) < 5:
        canonical.refuse(data, f"{WHAT}, conflict", "not [path, kind, base, ours, theirs]")
    base, ours, theirs = (decode_state(data, state) for state in value[2:5])
    renamed = _decode_renamed(data, value[5]) if len(value) == 6 else None
    return TreeConflict(value[0], known_word(ConflictKind, value[1]), base, ours, theirs, renamed)


def _decode_renamed(data: bytes, value: object) -> Renamed:
    if not isinstance(value, list) or len(value) != 3 or not all(part is None or type(part) is bytes for part in value):
        canonical.refuse(data, f"{WHAT}, conflict", "the names of a rename are not three paths or nil")
    return Renamed(*value)


def decode_state(data: bytes, value: list[Any] | None) -> Root | None:
    if value is None:
        return None
    if type(value) is not list or [type(part) for part in value] != [int, int, bytes]:
        canonical.refuse(data, f"{WHAT}, conflict", "a state is not nil or [mode, size, id]")
    mode, size, raw = value
    if mode not in ALL_MODES or not 0 <= size <= MAX_SIZE or len(raw) != ID_SIZE:
        raise MalformedError(f"{WHAT}: a state with a wrong mode, size or id")
    return Root(mode, size, Oid(raw))


def _decode_choices(fields: list[bytes], states: dict[bytes, Root]) -> dict[bytes, Settled]:
    """What was chosen, each with its state, of which none may be left over."""
    settled: dict[bytes, Settled] = {}
    for data in fields:
        value = canonical.decode(data, f"{WHAT}, settled")
        if len(value) > 3:
            raise UnsupportedError(f"{WHAT}: a choice of {len(value)} parts")
        if [type(part) for part in value] not in ([bytes, bytes], [bytes, bytes, list]):
            canonical.refuse(data, f"{WHAT}, settled", "not [path, how] or [path, how, who]")
        path, how = value[:2]
        if path in settled:
            raise MalformedError(f"{WHAT}: {path!r} is settled twice")
        who = decode_signature(data, value[2], WHAT) if len(value) == 3 else None
        settled[path] = Settled(known_word(How, how), states.get(_settled_name(path)), who)
    if left := states.keys() - set(map(_settled_name, settled)):
        names = sorted(map(unescape, left))
        raise MalformedError(f"{WHAT}: states that nothing says how they were chosen: {names}")
    return settled


def known_word(kinds: type[E], value: bytes) -> E:
    found = next((kind for kind in kinds if kind.value.encode() == value), None)
    if found is None:
        raise UnsupportedError(f"{WHAT}: the unknown word {value!r}")
    return found
