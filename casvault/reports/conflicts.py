"""The conflicts that merges met: how each was brought to its end, and which wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.version import COLLECTION, PATH
from casvault.deploy.concluding import ENDING, iter_kept
from casvault.deploy.subject import Branching, Direction, read_subject
from casvault.deploy.undoing import REDO, UNDO, UNDOES
from casvault.errors import UnsupportedError
from casvault.objects import read_commit, read_parents
from casvault.pending import MERGES, find_record, handle_of, read_pending
from casvault.pending.marking import count_hunks
from casvault.reports.changes import Kind, Step, iter_changes, iter_steps_forward
from casvault.reports.when import When

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.merge.trees import ConflictKind
    from casvault.objects import Commit, ObjectReader, Root, Signature
    from casvault.oid import Oid
    from casvault.pending import How, Record, Strategy
    from casvault.refs import OperationLog, View


class ConflictPath(NamedTuple):
    """One path that clashed; states are None where it is absent."""

    path: str
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None
    hunks: int
    """In how many places lines clash; 0 where none do."""
    how: How | None
    """What settled it; None while it is open."""
    result: Root | None
    by: str
    at: When | None
    """When it was settled."""


class ConflictRecord(NamedTuple):
    """A merge that met conflicts."""

    collection: str
    artifact: str
    """The branch, of a merge of branches."""
    project: str
    """The branch that was merged, likewise."""
    root: str
    direction: Direction
    strategy: Strategy | None
    """None while it waits."""
    detected: When
    completed: When | None
    by: str
    """Who completed it."""
    base: Oid | None
    """The content that the merge had as base."""
    ours: Oid | None
    """Versions; None for a side that was absent."""
    theirs: Oid | None
    result: Oid | None
    """The version that it ended in; None if it waits, or ended in none."""
    operation: int | None
    """The number of the operation that completed it; None while it waits, and once that was let go."""
    undone: bool
    merge: str | None
    """The handle, while it waits."""
    paths: tuple[ConflictPath, ...]

    @property
    def open(self) -> tuple[ConflictPath, ...]:
        return tuple(path for path in self.paths if path.how is None)


def iter_waiting(reader: ObjectReader, view: View) -> Iterator[ConflictRecord]:
    """The merges that wait to be resolved, in the order of their refs."""
    for ref, oid in view.iter_refs(MERGES.rstrip(b"/")):
        merge = read_pending(reader, oid)
        subject = read_subject(merge, str(oid))
        about = (b"", subject.into, subject.source, b"") if isinstance(subject, Branching) else _about(*subject[1:5])
        collection, artifact, project, root = map(show, about)
        paths = []
        for conflict in merge.conflicts:
            settled = merge.settled.get(conflict.path)
            how, result, who = (None, None, None) if settled is None else settled
            hunks = count_hunks(reader, conflict)
            paths.append(ConflictPath(show(conflict.path), *conflict[1:5], hunks, how, result, *_who(who)))
        yield ConflictRecord(
            collection,
            artifact,
            project,
            root,
            subject.direction,
            None,
            When.of(merge.detected),
            None,
            "",
            None if merge.base is None else merge.base.id,
            merge.ours,
            merge.theirs,
            None,
            None,
            False,
            handle_of(ref),
            tuple(paths),
        )


def _about(project: bytes, root: bytes, collection: bytes, path: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    return collection, path, project, root


def iter_ended(log: OperationLog, reader: ObjectReader, since: int | None = None) -> Iterator[ConflictRecord]:
    """The conflicts that came to their end, the oldest first; with `since` those of that second or later.

    Each version is read once, in the operation that brought it.
    """
    undone = _find_undone(log)
    seen: set[Oid] = set()
    yield from _iter_older(log, reader, seen, since)
    for step in iter_steps_forward(log):
        if step.operation.kind not in ENDING or (since is not None and step.operation.who.seconds < since):
            continue
        for collection, path, record in iter_kept(step.operation):
            yield _ended(collection, path, record, step, step.operation.who, None, undone=step.id in undone)
        for oid, commit in _iter_new_versions(reader, step, seen):
            found = find_record(commit.fields)
            if found is not None and (since is None or commit.author.seconds >= since):
                where = commit.field(COLLECTION) or b"", commit.field(PATH) or b""
                yield _ended(*where, found, step, commit.author, oid, undone=step.id in undone)


def _iter_older(log: OperationLog, reader: ObjectReader, seen: set[Oid], since: int | None) -> Iterator[ConflictRecord]:
    """Those on versions that are there still, though the operations that brought these were let go."""
    floor = None if log.horizon is None else log.horizon.floor
    if floor is not None:
        step = Step(floor.id, log.read_operation(floor.id), None)
        records = []
        for oid, commit in _iter_new_versions(reader, step, seen):
            found = find_record(commit.fields)
            if found is not None and (since is None or commit.author.seconds >= since):
                where = commit.field(COLLECTION) or b"", commit.field(PATH) or b""
                record = _ended(*where, found, step, commit.author, oid, undone=False)
                records.append(record._replace(operation=None))
        yield from sorted(records, key=lambda record: record.completed or record.detected)


_LEADING = frozenset({Kind.VERSION, Kind.DEPLOYMENT, Kind.PULL, Kind.OBSERVATION, Kind.CONFLICT})
"""Changes that bring versions: a resolved merge that clashed anew is a parent of the merge that waits."""


def _iter_new_versions(reader: ObjectReader, step: Step, seen: set[Oid]) -> Iterator[tuple[Oid, Commit]]:
    """The versions that an operation brought, parents that nobody has seen included."""
    for change in iter_changes(reader, step, _LEADING):
        pending = [change.after] if change.after is not None and change.path is not None else []
        while pending:
            oid = pending.pop()
            if oid not in seen:
                seen.add(oid)
                commit = read_commit(reader, oid)
                yield oid, commit
                pending += read_parents(reader, oid)


def _find_undone(log: OperationLog) -> set[bytes]:
    """The operations that do not stand; those that took them back may have been taken back themselves."""
    closed: set[bytes] = set()
    for oid, operation in log.iter_chain():
        if oid not in closed and operation.kind in (UNDO, REDO):
            closed.add(operation.field(UNDOES) or b"")
    return closed


def _ended(
    collection: bytes, path: bytes, record: Record, step: Step, who: Signature, result: Oid | None, *, undone: bool
) -> ConflictRecord:
    sides = record.sides
    paths = (
        ConflictPath(show(conflict.path), *conflict[1:5], hunks, settled.how, settled.state, *_who(settled.by))
        for conflict, settled, hunks in record.resolved
    )
    return ConflictRecord(
        show(collection),
        show(path),
        show(sides.project),
        show(sides.root),
        _direction(sides.direction),
        record.strategy,
        When.of(record.detected),
        When.of(who),
        show(who.name),
        None if sides.base is None else sides.base.id,
        sides.ours,
        sides.theirs,
        result,
        step.operation.number,
        undone,
        None,
        tuple(paths),
    )


def _direction(word: bytes) -> Direction:
    found = next((each for each in Direction if each.value.encode() == word), None)
    if found is None:
        raise UnsupportedError(f"resolved conflict: the unknown direction {word!r}", remedy="use a later version")
    return found


def _who(who: Signature | None) -> tuple[str, When | None]:
    return ("", None) if who is None else (show(who.name), When.of(who))
