"""What became of conflicts: kept in the commit that a resolved merge ends in, and looked up for those who meet the same
conflict again.
"""

from __future__ import annotations

from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, UnsupportedError
from casvault.limits import RESOLUTIONS_WITHIN
from casvault.merge.trees import ConflictKind, TreeConflict
from casvault.objects import canonical
from casvault.objects.commit import check_signature, decode_signature
from casvault.oid import ID_SIZE, Oid
from casvault.pending.codec import decode_conflict, decode_moment, decode_state, known_word, read_pending
from casvault.pending.merge import DETECTED, How, Moment, Settled, check_path, open_paths
from casvault.pending.names import MERGES
from casvault.refs import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import Commit, Field, ObjectReader, Root
    from casvault.pending.merge import PendingMerge
    from casvault.refs import Operation

STRATEGY = b"strategy"
SIDES = b"sides"
RESOLVED = b"resolved"
CONTINUE = "merge continue"
"""The operation that ends a resolved merge."""
WHAT = "resolved conflict"


class Strategy(Enum):
    """How a conflict was brought to its end as a whole."""

    MERGE = "merge"
    """By choices among what was there."""
    MANUAL = "manual"
    """The same, with at least one path written by hand."""
    OVERWRITE = "overwrite"
    """Theirs was taken as it is."""
    FORK = "fork"
    """Theirs went its own way, as something new."""


class Sides(NamedTuple):
    """Between what the conflict was. Ids are facts and no references: what they name may be gone."""

    direction: bytes
    project: bytes
    root: bytes
    base: Root | None
    ours: Oid | None
    """The commits that were merged; None for a side that was absent."""
    theirs: Oid | None


class Resolved(NamedTuple):
    """A conflict, and what settled it."""

    conflict: TreeConflict
    settled: Settled
    hunks: int = 0
    """How many places of the text clashed; 0 where no lines did."""


class Record(NamedTuple):
    """All that is kept of the conflicts that one merge met."""

    strategy: Strategy
    detected: Moment
    sides: Sides
    resolved: tuple[Resolved, ...]


class Earlier(NamedTuple):
    """What settled the same conflict the last time."""

    operation: int
    """The number of the one in which it was brought to its end."""
    settled: Settled


def record_fields(record: Record) -> tuple[Field, ...]:
    """The fields of the commit that the merge ends in."""
    facts = (
        (STRATEGY, record.strategy.value.encode()),
        (DETECTED, b"%d %s" % record.detected),
        (SIDES, canonical.encode([*record.sides])),
    )
    return (*facts, *((RESOLVED, _encode(each)) for each in record.resolved))


def _encode(resolved: Resolved) -> bytes:
    conflict, settled, hunks = resolved
    names = [] if conflict.renamed is None else [conflict.renamed]
    parts = [conflict.path, conflict.kind.value.encode(), *conflict[2:5], *names]
    return canonical.encode([parts, settled.how.value.encode(), settled.state, settled.by, hunks])


def find_record(fields: Iterable[Field]) -> Record | None:
    """The record in the fields of a commit; None for most, MalformedError for one that is not whole."""
    values: dict[bytes, list[bytes]] = {}
    for key, value in fields:
        values.setdefault(key, []).append(value)
    resolved = tuple(map(_decode, values.get(RESOLVED, ())))
    if not resolved:
        return None
    strategy, detected, sides = (_single(values, key) for key in (STRATEGY, DETECTED, SIDES))
    return Record(known_word(Strategy, strategy), decode_moment(detected), _decode_sides(sides), resolved)


def _single(values: dict[bytes, list[bytes]], key: bytes) -> bytes:
    found = values.get(key, [])
    if len(found) != 1:
        raise MalformedError(f"{WHAT}: the field {key.decode()} stands {len(found)} times, not once")
    return found[0]


def _decode_sides(data: bytes) -> Sides:
    value = canonical.decode(data, WHAT)
    if len(value) > len(Sides._fields):
        raise UnsupportedError(f"{WHAT}: sides of {len(value)} parts", remedy="use a later version of casvault")
    if len(value) < len(Sides._fields) or [type(part) for part in value[:3]] != [bytes] * 3:
        canonical.refuse(data, WHAT, "not [direction, project, root, base, ours, theirs]")
    ours, theirs = (_decode_id(data, part) for part in value[4:])
    direction, project, root, base = value[:4]
    return Sides(direction, project, root, decode_state(data, base), ours, theirs)


def _decode_id(data: bytes, value: object) -> Oid | None:
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) != ID_SIZE:
        canonical.refuse(data, WHAT, "a side is not nil or an id of 32 bytes")
    return Oid(value)


def read_records(commit: Commit) -> list[Resolved]:
    """The conflicts that were resolved on the way to a commit; none for most."""
    return [_decode(data) for data in commit.fields_of(RESOLVED)]


def _decode(data: bytes) -> Resolved:
    value = canonical.decode(data, WHAT)
    if len(value) > 5:
        raise UnsupportedError(f"{WHAT}: one of {len(value)} parts", remedy="use a later version of casvault")
    if len(value) < 5 or [type(part) for part in (*value[:2], value[4])] != [list, bytes, int]:
        canonical.refuse(data, WHAT, _SHAPE)
    if value[4] < 0:
        canonical.refuse(data, WHAT, "fewer than no hunks")
    conflict = decode_conflict(canonical.encode(value[0]))
    check_path(conflict.path)
    who = None if value[3] is None else decode_signature(data, _list(data, value[3]), WHAT)
    if who is not None:
        check_signature(who, WHAT)
    return Resolved(conflict, Settled(known_word(How, value[1]), decode_state(data, value[2]), who), value[4])


def _list(data: bytes, value: object) -> list[object]:
    if not isinstance(value, list):
        canonical.refuse(data, WHAT, _SHAPE)
    return value


_SHAPE = "not [conflict, how, result, who, hunks]"


def find_earlier(
    reader: ObjectReader, chain: Iterable[_Pair], conflicts: Sequence[TreeConflict]
) -> list[Earlier | None]:
    """What settled each of the conflicts before, by whichever merge in the chain came to its end last. The chain has
    each operation with the one that it was made on.

    A conflict is the same if base, ours and theirs are, whatever its path; with the sides swapped, too. One that is
    about names is not: no content says what they should be.
    """
    wanted = {_key(conflict) for conflict in conflicts if conflict.kind is not ConflictKind.RENAME}
    found: dict[_Key, Earlier] = {}
    for number, merge in _iter_continued(reader, chain) if wanted else ():
        for conflict in merge.conflicts:
            key, settled = _key(conflict), merge.settled[conflict.path]
            if key in wanted and _is_there(reader, settled.state):
                found.setdefault(key, Earlier(number, settled))
        if len(found) == len(wanted):
            break
    return [None if each.kind is ConflictKind.RENAME else found.get(_key(each)) for each in conflicts]


_Pair = tuple["Oid", "Operation", "Operation | None"]
_Key = tuple["Root | None", frozenset["Root | None"]]


def _key(conflict: TreeConflict) -> _Key:
    return conflict.base, frozenset((conflict.ours, conflict.theirs))


def _iter_continued(reader: ObjectReader, chain: Iterable[_Pair]) -> Iterator[tuple[int, PendingMerge]]:
    """The merges that came to their ends, the latest first, with the numbers of the operations that ended them.

    They stand in the view before that operation, with every choice that was made.
    """
    for _, operation, below in islice(chain, RESOLUTIONS_WITHIN):
        if below is not None and operation.kind == CONTINUE:
            for merge in _ended(reader, below, operation):
                yield operation.number, merge


def _ended(reader: ObjectReader, before: Operation, after: Operation) -> Iterator[PendingMerge]:
    left = set(_iter_merges(reader, after))
    for oid in _iter_merges(reader, before):
        if oid not in left:
            try:
                merge = read_pending(reader, oid)
            except UnsupportedError:
                continue  # settled in a way that only a later version knows, which is none that could be offered
            if not open_paths(merge):
                yield merge


def _iter_merges(reader: ObjectReader, operation: Operation) -> Iterator[Oid]:
    view = View(reader, operation.view)
    return (oid for _, oid in view.iter_refs(MERGES.rstrip(b"/")))


def _is_there(reader: ObjectReader, state: Root | None) -> bool:
    return state is None or reader.find_infos([state.id])[0] is not None
