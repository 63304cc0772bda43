"""The audit: everything that was changed, by whom and when, with the ids before and after."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.reports.changes import Change, Kind, Step, iter_changes, iter_steps
from casvault.reports.when import When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import OperationLog


class AuditEntry(NamedTuple):
    """One thing that one operation changed; None for what does not apply."""

    operation: int
    id: Oid
    """Of the operation."""
    command: str
    kind: Kind
    collection: str | None
    artifact: str | None
    project: str | None
    root: str | None
    name: str | None
    """Of a tag, branch or other ref."""
    before: Oid | None
    """The snapshot, version, merge, tag or commit before; of a pin the blob with its text."""
    after: Oid | None
    author: str
    mail: str
    at: When
    message: str


class AuditFilter(NamedTuple):
    """What an audit is about; None takes everything."""

    kinds: frozenset[Kind] | None = None
    since: int | None = None
    """Seconds since 1970, both ends included."""
    until: int | None = None
    concerns: Callable[[Change], bool] | None = None
    in_projects: bool = False
    """Nothing but what happens in projects concerns it, so collections need not be compared."""


def iter_audit(
    log: OperationLog, reader: ObjectReader, wanted: AuditFilter | None = None, *, limit: int | None = None
) -> Iterator[AuditEntry]:
    """The changes, the newest first. Times are asked of each operation, for clocks go back at times."""
    return islice(_iter_all(log, reader, wanted or AuditFilter()), limit)


def _iter_all(log: OperationLog, reader: ObjectReader, wanted: AuditFilter) -> Iterator[AuditEntry]:
    kinds = frozenset(Kind) if wanted.kinds is None else wanted.kinds
    if wanted.in_projects:
        kinds -= {Kind.SNAPSHOT, Kind.VERSION}
    for step in iter_steps(log):
        seconds = step.operation.who.seconds
        if (wanted.since is not None and seconds < wanted.since) or (
            wanted.until is not None and seconds > wanted.until
        ):
            continue
        for change in iter_changes(reader, step, kinds):
            if wanted.concerns is None or wanted.concerns(change):
                yield _entry(step, change)


def _entry(step: Step, change: Change) -> AuditEntry:
    operation = step.operation
    names = (change.collection, change.path, change.project, change.root, change.name)
    collection, artifact, project, root, name = (None if each is None else show(each) for each in names)
    return AuditEntry(
        operation.number,
        step.id,
        operation.kind,
        change.kind,
        collection,
        artifact,
        project,
        root,
        name,
        change.before,
        change.after,
        show(operation.who.name),
        show(operation.who.mail),
        When.of(operation.who),
        show(operation.message),
    )
