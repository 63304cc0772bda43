"""Tombstones: what stands in a vault for blobs that were purged, by whom, when and why.

Objects cannot be changed, so what refers to a purged blob goes on referring to it. That its bytes are gone on purpose
is said by a ref, `purged/` and the id, so it is recorded by an operation like every change, before any byte goes.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, PurgedError
from casvault.limits import MAX_SIZE
from casvault.objects import Commit, Signature, read_commit, write_commit
from casvault.objects.canonical import decode, encode
from casvault.oid import ID_SIZE, Oid
from casvault.trees import empty_root, find_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from casvault.objects import ObjectStage
    from casvault.refs.view import View

PURGED = b"purged/"
TYPE = b"type"
OBJECT = b"object"
TOMBSTONE = b"tombstone"
ALLOWANCE = b"allowance"
OBJECTS_EACH = 10_000
"""A commit has no more than 65,536 fields."""

_HEX = re.compile(rb"[0-9a-f]{64}\Z")


class Tombstone(NamedTuple):
    """What is known of one purged blob."""

    id: Oid
    size: int
    who: Signature
    reason: bytes
    commit: Oid
    """That the ref points to: the tombstone, or the allowance on top of it."""
    allowed: bool
    """Whether the vault may have it again."""


def purged_ref(oid: Oid) -> bytes:
    return PURGED + oid.hex().encode()


def purged_tree(view: View) -> Oid | None:
    """The directory of the refs; None where nothing was ever purged. As long as it is the same, so are they."""
    state = find_path(view.reader, view.root, PURGED.rstrip(b"/"))
    return None if state is None else state.id


def read_tombstones(view: View) -> dict[Oid, Tombstone]:
    """All that were ever purged; MalformedError for a ref that does not lead to what it must."""
    found: dict[Oid, Tombstone] = {}
    known: dict[Oid, dict[Oid, Tombstone]] = {}
    for name, target in view.iter_refs(PURGED.rstrip(b"/")) if purged_tree(view) is not None else ():
        digits = name.removeprefix(PURGED)
        if target not in known:
            known[target] = {each.id: each for each in _iter_tombstones(view, target)}
        oid = Oid.from_hex(digits.decode()) if _HEX.match(digits) else None
        if oid is None or oid not in known[target]:
            raise MalformedError("the tombstone does not name its object", place=name.decode(errors="replace"))
        found[oid] = known[target][oid]
    return found


def read_purged(view: View) -> dict[Oid, int]:
    """The blobs that must not be taken again, with their sizes."""
    return {oid: each.size for oid, each in read_tombstones(view).items() if not each.allowed}


def write_tombstones(stage: ObjectStage, who: Signature, reason: bytes, sizes: Mapping[Oid, int]) -> dict[Oid, Oid]:
    """Commits that say by whom and why these blobs were purged; for each blob the one that names it."""
    return _write(stage, who, reason, TOMBSTONE, (), sorted(sizes.items()))


def write_allowances(
    stage: ObjectStage, who: Signature, reason: bytes, tombstones: Iterable[Tombstone]
) -> dict[Oid, Oid]:
    """Commits on top of tombstones that say that the vault may have these blobs again."""
    found: dict[Oid, Oid] = {}
    by_commit: dict[Oid, list[tuple[Oid, int]]] = {}
    for each in tombstones:
        by_commit.setdefault(each.commit, []).append((each.id, each.size))
    for commit, objects in sorted(by_commit.items()):
        found |= _write(stage, who, reason, ALLOWANCE, (commit,), sorted(objects))
    return found


def purged_error(tombstone: Tombstone) -> PurgedError:
    """What whoever asks for the bytes is told."""
    name = tombstone.who.name.decode(errors="replace")
    reason = tombstone.reason.decode(errors="replace").strip()
    return PurgedError(
        f"these bytes were purged by {name} on {_day(tombstone.who)}{f': {reason}' if reason else ''}",
        place=str(tombstone.id),
        remedy="name another version, or a path in which it is not",
    )


def _write(
    stage: ObjectStage,
    who: Signature,
    reason: bytes,
    kind: bytes,
    parents: tuple[Oid, ...],
    objects: Sequence[tuple[Oid, int]],
) -> dict[Oid, Oid]:
    found: dict[Oid, Oid] = {}
    for start in range(0, len(objects), OBJECTS_EACH):
        some = objects[start : start + OBJECTS_EACH]
        fields = ((TYPE, kind), *((OBJECT, encode([oid, size])) for oid, size in some))
        commit = write_commit(stage, Commit(empty_root(), parents, who, who, reason, fields=fields))
        found |= dict.fromkeys((oid for oid, _ in some), commit)
    return found


def _iter_tombstones(view: View, target: Oid) -> Iterator[Tombstone]:
    commit = read_commit(view.reader, target)
    kind = commit.field(TYPE)
    parents = 1 if kind == ALLOWANCE else 0
    if kind not in (TOMBSTONE, ALLOWANCE) or commit.root != empty_root() or len(commit.parents) != parents:
        raise MalformedError("this commit is no tombstone", place=str(target))
    for value in commit.fields_of(OBJECT):
        yield Tombstone(*_decode(value, target), commit.committer, commit.message, target, kind == ALLOWANCE)


def _decode(value: bytes, target: Oid) -> tuple[Oid, int]:
    items = decode(value, "tombstone")
    if len(items) != 2 or type(items[0]) is not bytes or len(items[0]) != ID_SIZE or type(items[1]) is not int:
        raise MalformedError("an object is not [id, size]", place=str(target))
    if not 0 < items[1] <= MAX_SIZE:
        raise MalformedError(f"the size {items[1]} is out of range", place=str(target))
    return Oid(items[0]), items[1]


def _day(who: Signature) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(who.seconds))
    except (OverflowError, OSError, ValueError):  # a time that no calendar has
        return f"second {who.seconds}"
