"""Running a command: plan on the newest view, journal, record, write files, in this order.

    locks of the directories → journals looked at → objects published → journals written → record created (the commit
    point) → files written → markers → journals removed

A crash before the record leaves everything as it was, but for a journal that nobody needs; a crash after it leaves an
interrupted directory, which `recover` finishes or takes back.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.draft import Draft, FileWrite
from casvault.artifacts.names import COLLECTIONS, PROJECTS, show
from casvault.deploy.journal import (
    Journal,
    decode_writes,
    encode_writes,
    forget_journal,
    read_journal,
    remove_journal,
    write_journal,
)
from casvault.deploy.locks import LOCK_FILE, LockWrite, plan_lock_file
from casvault.deploy.marker import COLLECTION_MARKER, marker_snapshot, read_marker, write_marker
from casvault.deploy.obstacles import check_vacant, check_way
from casvault.errors import DamageError, FailureError, InterruptedTargetError, MalformedError, NotFoundError
from casvault.files import lock_directory
from casvault.objects.canonical import decode, encode
from casvault.oid import Oid
from casvault.progress import silent
from casvault.refs import Context, Plan
from casvault.trees import empty_root
from casvault.worktree.applying import Applied
from casvault.worktree.plan import Change, is_directory, plan_changes
from casvault.worktree.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from casvault.artifacts.version import Draftsman
    from casvault.formats.record import Record
    from casvault.objects import Field, ObjectPublisher, ObjectReader, ObjectStage
    from casvault.progress import Progress
    from casvault.refs import Operation, Tip, View
    from casvault.repository import Repository

FILES = b"files"
REPLACED = b"replaced"


class Command(NamedTuple):
    """What is run, as the operation will record it."""

    kind: str
    arguments: Sequence[bytes] = ()
    fields: Sequence[Field] = ()


class Outcome(NamedTuple):
    """What a command did; `operation` is None where there was nothing to do."""

    operation: Operation | None
    written: int = 0
    removed: int = 0
    kept: tuple[str, ...] = ()
    """Paths that somebody changed while the command ran, and that were left as they are."""
    left: tuple[str, ...] = ()
    """Directories that could not be removed because something else is in them."""
    notes: tuple[str, ...] = ()
    """What else the user should know."""


class Session(NamedTuple):
    """What every command needs: where, who, and the directories that it may write into, by ref."""

    repository: Repository
    draftsman: Draftsman
    new_transaction_id: Callable[[], bytes]
    directories: dict[bytes, Path]
    progress: Progress = silent
    interrupted: dict[Path, bytes] = {}  # noqa: RUF012
    """Journals that this command takes back, by directory; they stand until its own operation is recorded."""
    follow: bool = False
    """Write through symlinks at the roots of artifacts."""


class _Attempt(NamedTuple):
    """What is about to be recorded."""

    draft: Draft
    locks: dict[bytes, LockWrite]
    """The lock files that have to be written, by the ref of their project."""

    def writes(self, ref: bytes) -> tuple[FileWrite, ...]:
        lock = self.locks.get(ref)
        return (*self.draft.files.get(ref, ()), *(() if lock is None else (lock.write,)))


@contextlib.contextmanager
def locked(session: Session) -> Iterator[None]:
    """Hold the directories of a session, and be sure that none of them is interrupted.

    The locks are taken in the order of their paths, so that two commands never wait for each other.
    """
    with contextlib.ExitStack() as stack:
        for directory in sorted(set(session.directories.values())):
            if not directory.is_dir():
                raise NotFoundError(
                    "the directory is not there",
                    place=str(directory),
                    remedy="mount or restore it; if a collection has moved: `casvault collection add DIR --name NAME`",
                )
            stack.enter_context(lock_directory(directory))
        for directory in session.directories.values():
            check_not_interrupted(session.repository, directory)
        yield


def check_not_interrupted(repository: Repository, directory: Path) -> None:
    """Remove a journal of something that never happened; InterruptedTargetError for one of something that did."""
    journal = find_interrupted(repository, directory)
    if journal is not None:
        raise InterruptedTargetError(
            f"operation {journal.number} was cut off while it wrote files here",
            place=str(directory),
            remedy="run `casvault recover` to finish it, or `casvault recover --back` to take it back",
        )


def find_interrupted(repository: Repository, directory: Path) -> Journal | None:
    """The journal of an operation that was recorded and whose files are not all written.

    Journals of what never happened are removed on the way, and those without files finished.
    """
    while (journal := read_journal(directory)) is not None:
        if repository.log.find_in_chain(journal.number, journal.transaction) is None:
            forget_journal(directory)
        elif not journal.writes:
            finish_journal(directory, journal)
        else:
            return journal
    return None


def run(session: Session, stage: ObjectPublisher, command: Command, plan: Callable[[Draft], None]) -> Outcome:
    """Run a command while its directories are locked. `plan` fills a draft; it runs again if the view has moved."""
    latest: list[_Attempt] = []

    def plan_on(view: View) -> Plan | None:
        draft = Draft(stage, view, session.draftsman, session.repository.graph_cache)
        plan(draft)
        attempt = _Attempt(draft, _plan_locks(session, draft))
        latest[:] = [attempt]
        edits = draft.edits()
        if not (edits or any(draft.files.values()) or attempt.locks or session.interrupted):
            return None
        fields = (*command.fields, *draft.fields, *_file_fields(session, attempt))
        message = session.draftsman.message.encode(errors="surrogateescape")
        return Plan(edits, command.kind, command.arguments, message, fields, always=True)

    def prepare(record: Record) -> None:
        _check_writes(session, latest[0], stage)
        _write_journals(session, latest[0], record)

    context = Context(session.draftsman.who, session.new_transaction_id)
    tip = session.repository.log.commit(stage, context, plan_on, prepare)
    if tip is None:
        _forget_attempts(session)
        return Outcome(None)
    applied = [_apply(session, directory) for _, directory in _touched(session, latest[0])]
    outcome = _outcome(tip, applied, (*_lock_notes(tip, latest[0]), *_roll_up(session.repository)))
    if outcome.kept:
        raise InterruptedTargetError(
            f"changed while operation {tip.operation.number} wrote files, and left alone: {', '.join(outcome.kept)}",
            remedy="move them away and run `casvault recover`, or take the command back: `casvault recover --back`",
        )
    return outcome


def rehearse(session: Session, stage: ObjectStage, view: View, plan: Callable[[Draft], None]) -> None:
    """Plan on a view, and refuse what `run` would refuse; nothing is changed anywhere."""
    draft = Draft(stage, view, session.draftsman)
    plan(draft)
    _check_writes(session, _Attempt(draft, _plan_locks(session, draft)), stage)


def _lock_notes(tip: Tip, attempt: _Attempt) -> Iterator[str]:
    """A lock file that came from elsewhere is replaced by the truth about this checkout, and that is said."""
    for lock in attempt.locks.values():
        if lock.replaced is not None:
            yield (
                "casvault.lock said something else than what is deployed here, and was written again; what it said is "
                f"in operation {tip.operation.number}"
            )


def _plan_locks(session: Session, draft: Draft) -> dict[bytes, LockWrite]:
    planned = {
        ref: plan_lock_file(draft, ref, directory)
        for ref, directory in session.directories.items()
        if ref.startswith(PROJECTS)
    }
    return {ref: write for ref, write in planned.items() if write is not None}


def _check_writes(session: Session, attempt: _Attempt, reader: ObjectReader) -> None:
    """Refuse what could not be written while nothing has happened yet: control names, symlinks, what is in the way."""
    for ref, directory in _touched(session, attempt):
        writes = attempt.writes(ref)
        changes = plan_writes(reader, writes)
        if changes:
            with Target(directory, follow=followed(writes, follow=session.follow)) as target:
                target.check(changes, reader)
                check_vacant(directory, target, changes)
            check_way(directory, writes, changes, follow=session.follow)


def _write_journals(session: Session, attempt: _Attempt, record: Record) -> None:
    draft = attempt.draft
    for ref, directory in _touched(session, attempt):
        marker = draft.markers.get(ref, draft.ref(ref)) if ref.startswith(COLLECTIONS) else None
        previous = session.interrupted.get(directory)
        write_journal(
            directory,
            Journal(
                record.transaction, record.number, ref, marker, attempt.writes(ref), previous, follow=session.follow
            ),
        )


def _touched(session: Session, attempt: _Attempt) -> list[tuple[bytes, Path]]:
    """The directories that need a journal: those that are written into, whose collection moves, or whose journal is
    taken back.
    """
    edits = attempt.draft.edits()
    moved = {edit.name for edit in edits if edit.new is not None and edit.name.startswith(COLLECTIONS)}
    return [
        (ref, directory)
        for ref, directory in session.directories.items()
        if attempt.writes(ref) or ref in moved or directory in session.interrupted
    ]


def _forget_attempts(session: Session) -> None:
    """Remove journals of attempts that lost their race, when the newer view left nothing to do."""
    for directory in session.directories.values():
        if directory not in session.interrupted:
            remove_journal(directory)


def _apply(session: Session, directory: Path) -> Applied:
    journal = read_journal(directory)
    if journal is None:
        raise MalformedError("the journal has vanished", place=str(directory), remedy="run `casvault status`")
    applied = apply_journal(session.repository.objects, directory, journal, session.progress)
    if not applied.kept:
        finish_journal(directory, journal)
    return applied


def plan_writes(reader: ObjectReader, writes: Iterable[FileWrite]) -> list[Change]:
    """The changes of single files. One in the place of what other writes remove below it replaces a directory."""
    changes = [change for write in writes for change in plan_changes(reader, *write)]
    above = {change.path[:end] for change in changes for end, sign in enumerate(change.path) if sign == 0x2F}
    return [
        change._replace(old=empty_root())
        if change.old is None and change.path in above and not is_directory(change.new)
        else change
        for change in changes
    ]


def apply_journal(reader: ObjectReader, directory: Path, journal: Journal, progress: Progress = silent) -> Applied:
    """Bring the files of a directory from the old states to the new ones; what is neither is left and named."""
    changes = plan_writes(reader, journal.writes)
    if not changes:
        return Applied([], [], [], [])
    with Target(directory, follow=followed(journal.writes, follow=journal.follow)) as target:
        return target.apply(changes, reader, progress)


def followed(writes: Iterable[FileWrite], *, follow: bool) -> frozenset[bytes]:
    return frozenset(write.path for write in writes) if follow else frozenset()


def finish_journal(directory: Path, journal: Journal) -> None:
    """Set the marker to what the directory holds now, and only then forget the journal."""
    if journal.marker is not None:
        marker = read_marker(directory, COLLECTION_MARKER)
        if marker is not None:
            write_marker(directory, COLLECTION_MARKER, marker._replace(snapshot=journal.marker))
    remove_journal(directory)


def _roll_up(repository: Repository) -> tuple[str, ...]:
    """Upkeep after a command that has won: what fails here is said, but does not make the command a failure."""
    try:
        repository.finish_purges()
    except (DamageError, FailureError) as error:
        return (f"purged bytes are still in the packs: {error}; `casvault purge` takes them out",)
    try:
        repository.roll_up()
    except (DamageError, FailureError) as error:
        return (f"small packs were not rolled up: {error}",)
    return ()


def _outcome(tip: Tip, applied: list[Applied], notes: tuple[str, ...]) -> Outcome:
    return Outcome(
        tip.operation,
        sum(path != LOCK_FILE for each in applied for path in each.written),
        sum(path != LOCK_FILE for each in applied for path in each.removed),
        tuple(show(path) for each in applied for path in each.kept),
        tuple(show(path) for each in applied for path in each.left),
        notes,
    )


def _file_fields(session: Session, attempt: _Attempt) -> list[Field]:
    """What the operation remembers of the files it writes and of their directory, so that it can be undone.

    Lock files follow from the states of projects, so only what others had written into one is kept.
    """
    fields = []
    for ref, writes in sorted(attempt.draft.files.items()):
        directory = session.directories.get(ref)
        marker = None if directory is None or not ref.startswith(COLLECTIONS) else marker_snapshot(directory)
        fields.append((FILES, encode([ref, encode_writes(writes), marker, int(session.follow)])))
    for ref, lock in sorted(attempt.locks.items()):
        if lock.replaced is not None:
            fields.append((REPLACED, encode([ref, LOCK_FILE, lock.replaced])))
    return fields


class Written(NamedTuple):
    """What an operation wrote into one directory."""

    writes: tuple[FileWrite, ...]
    marker: Oid | None
    """The snapshot that the directory of a collection was at before."""
    follow: bool
    """Whether it wrote through symlinks at the roots of artifacts."""


def read_written(operation: Operation) -> dict[bytes, Written]:
    """The files that an operation wrote, by the ref whose directory they are in."""
    found = {}
    for key, value in operation.fields:
        if key == FILES:
            ref, writes, marker, follow = decode(value, f"operation {operation.number}")
            found[ref] = Written(decode_writes(writes), None if marker is None else Oid(marker), bool(follow))
    return found


def written_files(operation: Operation) -> dict[bytes, tuple[FileWrite, ...]]:
    """The same, without the markers."""
    return {ref: written.writes for ref, written in read_written(operation).items()}
