"""What an operation changed: the refs of two views, then what lies behind these.

Trees are compared by the ids of their parts, so an operation costs what it changed, however much there is besides.
"""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS, PROJECTS
from casvault.artifacts.snapshot import open_snapshot
from casvault.artifacts.tags import VERSION_TAGS
from casvault.deploy.subject import BRANCHES
from casvault.objects import LINK, read_commit
from casvault.objects.names import unescape
from casvault.pending import MERGES
from casvault.refs import PURGED
from casvault.trees import diff_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid
    from casvault.refs import Operation, OperationLog
    from casvault.trees import PathChange

TAGS = b"tags/"


class Kind(Enum):
    """What was changed."""

    SNAPSHOT = "snapshot"
    """A collection is at another snapshot."""
    VERSION = "version"
    """An artifact of a collection is at another version."""
    DEPLOYMENT = "deployment"
    """Another version was put into a project, or one was removed there."""
    PULL = "pull"
    """Edits in a project are measured from another version, as after a pull."""
    OBSERVATION = "observation"
    """Local edits were recorded, or are over."""
    PIN = "pin"
    CONFLICT = "conflict"
    """A merge began to wait, was settled in part, or ended."""
    TAG = "tag"
    BRANCH = "branch"
    PURGE = "purge"
    """A content was purged, or allowed again; the name is its id."""
    REF = "ref"
    """Any other name."""
    NOTHING = "nothing"
    """The operation changed files alone, or nothing that has a name."""


class Change(NamedTuple):
    """One thing that one operation changed; names are None where they do not apply, ids where there is nothing."""

    kind: Kind
    before: Oid | None
    after: Oid | None
    collection: bytes | None = None
    path: bytes | None = None
    project: bytes | None = None
    root: bytes | None = None
    name: bytes | None = None
    """Of a tag, a branch, or another ref."""


class Step(NamedTuple):
    """An operation with the view that it was made on."""

    id: Oid
    operation: Operation
    before: Root | None


def iter_steps(log: OperationLog) -> Iterator[Step]:
    """The operations, the newest first."""
    for oid, operation, below in log.iter_pairs():
        yield Step(oid, operation, None if below is None else below.view)


def iter_steps_forward(log: OperationLog) -> Iterator[Step]:
    """The operations, the oldest first; each is read twice, for the chain leads back only."""
    ids = [oid for oid, _ in log.iter_chain()]
    before = find_start(log)
    for oid in reversed(ids):
        operation = log.read_operation(oid)
        yield Step(oid, operation, before)
        before = operation.view


def find_start(log: OperationLog) -> Root | None:
    """The view on which the oldest operation that was kept was made; None if that is the first of all."""
    floor = None if log.horizon is None else log.horizon.floor
    return None if floor is None else log.read_operation(floor.id).view


def iter_ref_changes(reader: ObjectReader, step: Step) -> Iterator[tuple[bytes, Oid | None, Oid | None]]:
    """The refs that an operation changed, with what they pointed to and what they point to."""
    for path, old, new in diff_paths(reader, step.before, step.operation.view):
        before, after = _link(old), _link(new)
        if before != after:
            yield path, before, after


def iter_changes(reader: ObjectReader, step: Step, kinds: frozenset[Kind] = frozenset(Kind)) -> Iterator[Change]:
    """What an operation changed, of these kinds."""
    found = False
    for ref, before, after in iter_ref_changes(reader, step):
        found = True
        for change in _iter_behind(reader, ref, before, after, kinds):
            if change.kind in kinds:
                yield change
    if not found and Kind.NOTHING in kinds:
        yield Change(Kind.NOTHING, None, None)


def _iter_behind(
    reader: ObjectReader, ref: bytes, before: Oid | None, after: Oid | None, kinds: frozenset[Kind]
) -> Iterator[Change]:
    space, _, rest = ref.partition(b"/")
    space += b"/"
    if space == COLLECTIONS:
        yield Change(Kind.SNAPSHOT, before, after, rest)
        if Kind.VERSION in kinds:
            yield from iter_version_changes(reader, rest, before, after)
    elif space == PROJECTS:
        yield from _iter_deployments(reader, rest, before, after)
    elif space == MERGES:
        yield _conflict(rest, before, after)
    elif space == VERSION_TAGS:
        collection, path, label = (*map(unescape, rest.split(b"/")), b"", b"")[:3]
        yield Change(Kind.TAG, before, after, collection, path, name=label)
    elif space == PURGED:
        yield Change(Kind.PURGE, before, after, name=rest)
    elif space in (TAGS, BRANCHES):
        yield Change(Kind.TAG if space == TAGS else Kind.BRANCH, before, after, name=rest)
    else:
        yield Change(Kind.REF, before, after, name=ref)


def iter_version_changes(
    reader: ObjectReader, collection: bytes, before: Oid | None, after: Oid | None
) -> Iterator[Change]:
    """The artifacts that are at other versions in one snapshot than in another."""
    old, new = (None if oid is None else open_snapshot(reader, oid).content for oid in (before, after))
    for path, was, now in diff_paths(reader, old, new):
        one, other = _link(was), _link(now)
        if one != other:
            yield Change(Kind.VERSION, one, other, collection, path)


def _iter_deployments(reader: ObjectReader, project: bytes, before: Oid | None, after: Oid | None) -> Iterator[Change]:
    old, new = (None if oid is None else read_commit(reader, oid).root for oid in (before, after))
    for place, group in groupby(diff_paths(reader, old, new), lambda change: change.path.rpartition(b"/")[0]):
        parts = [unescape(name) for name in place.split(b"/")]
        if len(parts) == 3:
            root, collection, path = parts
            for kind, one, other in _kinds_of({each.path.rpartition(b"/")[2]: each for each in group}):
                yield Change(kind, one, other, collection, path, project, root)


def _kinds_of(parts: dict[bytes, PathChange]) -> Iterator[tuple[Kind, Oid | None, Oid | None]]:
    """What happened to one deployment. Whatever else comes with another deployed version is a part of that."""
    kinds = {b"deployed": Kind.DEPLOYMENT, b"settled": Kind.PULL, b"observed": Kind.OBSERVATION, b"pin": Kind.PIN}
    for name, kind in kinds.items():
        if name in parts and not (kind in (Kind.PULL, Kind.OBSERVATION) and b"deployed" in parts):
            _, old, new = parts[name]
            yield kind, None if old is None else old.id, None if new is None else new.id


def _conflict(rest: bytes, before: Oid | None, after: Oid | None) -> Change:
    parts = [unescape(name) for name in rest.split(b"/")]
    if len(parts) == 4:
        project, root, collection, path = parts
        return Change(Kind.CONFLICT, before, after, collection, path, project, root)
    return Change(Kind.CONFLICT, before, after, name=parts[1] if len(parts) > 1 else rest)


def _link(state: Root | None) -> Oid | None:
    return state.id if state is not None and state.mode == LINK else None
