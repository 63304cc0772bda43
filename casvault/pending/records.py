"""What became of conflicts: kept in the commit that a resolved merge ends in, and looked up for those who meet the same
conflict again.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import UnsupportedError
from casvault.limits import RESOLUTIONS_WITHIN
from casvault.merge.trees import ConflictKind, TreeConflict
from casvault.objects import canonical
from casvault.objects.commit import check_signature, decode_signature
from casvault.pending.codec import decode_conflict, decode_state, known_word, read_pending
from casvault.pending.merge import DETECTED, How, Settled, check_path, open_paths
from casvault.pending.names import MERGES
from casvault.refs import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.objects import Commit, Field, ObjectReader, Root
    from casvault.oid import Oid
    from casvault.pending.merge import PendingMerge
    from casvault.refs import Operation

STRATEGY = b"strategy"
RESOLVED = b"resolved"
CONTINUE = "merge continue"
"""The operation that ends a resolved merge."""
WHAT = "resolved conflict"


class Resolved(NamedTuple):
    """A conflict, and what settled it."""

    conflict: TreeConflict
    settled: Settled


class Earlier(NamedTuple):
    """What settled the same conflict the last time."""

    operation: int
    """The number of the one in which it was brought to its end."""
    settled: Settled


def record_fields(merge: PendingMerge, strategy: bytes) -> tuple[Field, ...]:
    """The fields of the commit that a merge of which every conflict is settled ends in."""
    facts = ((STRATEGY, strategy), (DETECTED, b"%d %s" % merge.detected))
    return (*facts, *((RESOLVED, _encode(each, merge.settled[each.path])) for each in merge.conflicts))


def _encode(conflict: TreeConflict, settled: Settled) -> bytes:
    names = [] if conflict.renamed is None else [conflict.renamed]
    parts = [conflict.path, conflict.kind.value.encode(), *conflict[2:5], *names]
    return canonical.encode([parts, settled.how.value.encode(), settled.state, settled.by])


def read_records(commit: Commit) -> list[Resolved]:
    """The conflicts that were resolved on the way to a commit; none for most."""
    return [_decode(data) for data in commit.fields_of(RESOLVED)]


def _decode(data: bytes) -> Resolved:
    value = canonical.decode(data, WHAT)
    if len(value) > 4:
        raise UnsupportedError(f"{WHAT}: one of {len(value)} parts", remedy="use a later version of casvault")
    if len(value) < 4 or [type(part) for part in value[:2]] != [list, bytes]:
        canonical.refuse(data, WHAT, "not [conflict, how, result, who]")
    conflict = decode_conflict(canonical.encode(value[0]))
    check_path(conflict.path)
    who = None if value[3] is None else decode_signature(data, _list(data, value[3]), WHAT)
    if who is not None:
        check_signature(who, WHAT)
    return Resolved(conflict, Settled(known_word(How, value[1]), decode_state(data, value[2]), who))


def _list(data: bytes, value: object) -> list[object]:
    if not isinstance(value, list):
        canonical.refuse(data, WHAT, "not [conflict, how, result, who]")
    return value


def find_earlier(
    reader: ObjectReader, chain: Iterable[tuple[Oid, Operation]], conflicts: Sequence[TreeConflict]
) -> list[Earlier | None]:
    """What settled each of the conflicts before, by whichever merge in the chain came to its end last.

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


_Key = tuple["Root | None", frozenset["Root | None"]]


def _key(conflict: TreeConflict) -> _Key:
    return conflict.base, frozenset((conflict.ours, conflict.theirs))


def _iter_continued(reader: ObjectReader, chain: Iterable[tuple[Oid, Operation]]) -> Iterator[tuple[int, PendingMerge]]:
    """The merges that came to their ends, the latest first, with the numbers of the operations that ended them.

    They stand in the view before that operation, with every choice that was made.
    """
    later: Operation | None = None
    for _, operation in islice(chain, RESOLUTIONS_WITHIN):
        if later is not None and later.kind == CONTINUE:
            for merge in _ended(reader, operation, later):
                yield later.number, merge
        later = operation


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
