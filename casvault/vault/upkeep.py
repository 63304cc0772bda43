"""The façade's part for operations: ops, undo, redo, recover, fsck."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS, PROJECTS, show
from casvault.deploy.ignores import ignores_of
from casvault.deploy.journal import read_journal
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, find_upwards, marker_snapshot
from casvault.deploy.recovery import finish, raw_journal
from casvault.deploy.run import check_not_interrupted, find_interrupted, locked, read_written, run, written_files
from casvault.deploy.scanning import scan_project
from casvault.deploy.state import Place, read_deployments
from casvault.deploy.undoing import (
    REDO,
    UNDO,
    OnClash,
    Step,
    find_redo,
    find_undo,
    iter_invertible,
    iter_standing,
    plan_inverse,
    stands,
    touched_refs,
    undo_command,
)
from casvault.errors import DamageError, NotFoundError, StaleError, UnsupportedError, UsageError
from casvault.files import lock_directory
from casvault.maintenance.fsck import check_objects, check_packs
from casvault.oid import ID_SIZE
from casvault.refs import View
from casvault.store import PackDatabase
from casvault.vault.results.upkeep import FsckResult, OperationInfo, RecoverResult, UndoResult
from casvault.vault.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectPublisher, Root
    from casvault.oid import Oid
    from casvault.refs import Operation
    from casvault.worktree.ignore import IgnoreRules


class Upkeep(Subjects):
    def operations(self, limit: int | None = None) -> list[OperationInfo]:
        """What was done in the vault, the newest first."""
        steps = islice(iter_standing(self._repository.log), limit)
        return [_operation_info(*step, undone=not stands) for step, stands in steps]

    def undo(self, *, force: bool = False, refs_only: bool = False) -> UndoResult:
        """Take back the latest step that stands; what came later in other places stays.

        Files that the step wrote go back too, with later edits of them kept. ConflictError, with nothing changed, where
        these clash: `force` records them and goes back all the same, `refs_only` leaves all files alone.
        """
        self._check_not_interrupted()
        return self._invert(UNDO, find_undo(self._repository.log), _on_clash(force=force), refs_only=refs_only)

    def redo(self, *, force: bool = False, refs_only: bool = False) -> UndoResult:
        """Take back the latest undo."""
        self._check_not_interrupted()
        return self._invert(REDO, find_redo(self._repository.log), _on_clash(force=force), refs_only=refs_only)

    def interrupted(self) -> list[Path]:
        """The known directories in which a command was cut off while it wrote files."""
        return [place for place in self._known_directories() if self._is_interrupted(place)]

    def _known_directories(self) -> list[Path]:
        places = {Path(place) for place in self._repository.places.all().values()}
        marker = self._marker_here()
        if marker is not None:
            places.add(marker[0])
        return sorted(place for place in places if place.is_dir())

    def _check_not_interrupted(self) -> None:
        """What was cut off comes first: until then it is not clear which step is the latest."""
        for directory in self._known_directories():
            with lock_directory(directory):
                check_not_interrupted(self._repository, directory)

    def recover(self, directory: Path | str | None = None, *, back: bool = False) -> list[RecoverResult]:
        """Finish, or with `back` take back, what commands were cut off from, in one directory or in all known ones."""
        directories = self.interrupted() if directory is None else [Path(os.path.realpath(directory))]
        nearest = None if directory is None else find_upwards(directories[0], (COLLECTION_MARKER, PROJECT_MARKER))
        if directory is not None and nearest != directories[0]:
            raise UsageError("neither a collection nor a project", place=str(directory))
        results = [self._recover(place, back=back) for place in directories]
        return [result for result in results if result is not None]

    def fsck(self) -> FsckResult:
        """Check every pack, object and reference, and the operation chain. Finds what is wrong, mends nothing."""
        objects = self._repository.objects
        packs, count, problems = 0, 0, []
        if isinstance(objects, PackDatabase):
            objects.refresh()
            packs = len(objects.packs)
            count, found = check_packs(objects, self._progress)
            problems += found
        operations, starts, broken = self._check_chain()
        purged, unsound = self._check_purged()
        reachable, found = check_objects(self.reader, starts, self._progress, purged)
        lines = broken + unsound + [(problem.place, problem.message) for problem in (*problems, *found)]
        return FsckResult(packs, count, reachable, operations, len(purged), tuple(lines))

    def _check_purged(self) -> tuple[dict[Oid, int], list[tuple[str, str]]]:
        """The blobs that may be gone, with their sizes; and what is wrong about them."""
        try:
            known = self._repository.tombstones()
            lingering = [
                (found.pack, f"the purged bytes of {found.id} are still in this pack; `casvault purge` takes them out")
                for found in self._repository.iter_lingering()
            ]
        except (DamageError, UnsupportedError) as error:
            return {}, [(error.place or "tombstones", error.message)]
        return {oid: each.size for oid, each in known.items()}, lingering

    def _check_chain(self) -> tuple[int, list[Oid], list[tuple[str, str]]]:
        """How many operations the chain has, where references start, and what is wrong with the chain."""
        starts: list[Oid] = []
        problems: list[tuple[str, str]] = []
        try:
            for oid, operation in self._repository.log.iter_chain():
                if not starts:
                    starts.append(oid)
                for writes in written_files(operation).values():
                    starts += [state.id for write in writes for state in write[1:] if state is not None]
            if not starts:
                problems.append((str(self.path), "the vault has no operations"))
        except (DamageError, UnsupportedError) as error:
            problems.append((error.place or "operation chain", error.message))
        top = self._repository.log.tip() if not problems else None
        return (0 if top is None else top.record.number), starts, problems

    def _invert(
        self, kind: str, step: Step, on_clash: OnClash, *, refs_only: bool, taking_back: Path | None = None
    ) -> UndoResult:
        directories, copies = ({}, []) if refs_only else self._directories_of(step)
        follow = any(written.follow for written in read_written(step.operation).values())
        session = self._session("", directories, follow=follow)
        with ExitStack() as stack:
            stage = stack.enter_context(self._stage())
            if taking_back is None:
                stack.enter_context(locked(session))
            else:
                for place in sorted({*directories.values(), taking_back}):
                    stack.enter_context(lock_directory(place))
                journals = _journals_of(step.operation, [*directories.values(), taking_back])
                session = session._replace(interrupted=journals)
            disk = {} if refs_only else self._scan_written(stage, step, directories)

            def plan(draft: Draft) -> None:
                if not stands(self._repository.log, step):
                    raise StaleError("somebody else has just taken this back", remedy="see `casvault ops`")
                plan_inverse(draft, self._repository.log, step, disk, on_clash=on_clash)

            outcome = run(session, stage, undo_command(kind, step), plan)
        done = step.operation
        words = "is at another snapshot than the collection: it goes along with its next one"
        outcome = outcome._replace(notes=(*outcome.notes, *(f"{place} {words}" for place in copies)))
        return UndoResult(kind, done.number, done.kind, _show_arguments(done), outcome)

    def _directories_of(self, step: Step) -> tuple[dict[bytes, Path], list[Path]]:
        """The directories that a step moved or wrote into; NotFoundError for one that is not where it was.

        A copy of a collection's directory that is at another snapshot than the collection is none of them: it goes
        along with its next snapshot, which is a three-way merge. Those that the step wrote into are named beside them.
        """
        places = self._repository.places.all()
        written = written_files(step.operation)
        view = self._view()
        found: dict[bytes, Path] = {}
        copies = []
        for ref in touched_refs(self._repository.log, step, view):
            name = show(ref.removeprefix(COLLECTIONS))
            is_collection = ref.startswith(COLLECTIONS)
            place = self._collection_directory(name) if is_collection else self._project_directory(ref)
            if place is not None and place.is_dir():
                is_copy = is_collection and marker_snapshot(place) != view.find(ref)
                if not is_copy or _journals_of(step.operation, [place]):
                    found[ref] = place
                elif ref in written:
                    copies.append(place)
            elif ref in written:
                raise NotFoundError(
                    f"{show(ref)} is not where it was, and files in it must go back",
                    place=str(place or places.get(show(ref), "")),
                    remedy="bring it back; if a project was moved, run this in it; or undo with --refs-only",
                )
        return found, copies

    def _scan_written(
        self, stage: ObjectPublisher, step: Step, directories: Mapping[bytes, Path]
    ) -> dict[bytes, dict[bytes, Root]]:
        """What is on disk now where the step wrote files; read into the stage, so that nothing of it can be lost."""
        disk = {}
        for ref, writes in written_files(step.operation).items():
            if ref not in directories:
                continue
            writes = tuple(iter_invertible(writes))
            states = [(write.path, state) for write in writes for state in write[1:] if state is not None]
            paths = [write.path for write in writes]
            ignores = self._ignores_below(step, ref, paths)
            scan = scan_project(self._repository, stage, directories[ref], paths, states, ignores, storing=True)
            disk[ref] = scan.states
        return disk

    def _ignores_below(self, step: Step, ref: bytes, paths: Iterable[bytes]) -> dict[bytes, IgnoreRules]:
        """The ignore rules for the paths of a project that were those of deployments before the step or after it."""
        if not ref.startswith(PROJECTS):
            return {}
        wanted, places = set(paths), set[Place]()
        before = None if step.operation.parent is None else self._repository.log.read_operation(step.operation.parent)
        for operation in (step.operation, before):
            state = None if operation is None else View(self.reader, operation.view).find(ref)
            places |= {place for place in read_deployments(self.reader, state) if place.file_path in wanted}
        return ignores_of(self.reader, self._snapshots_of(self._view()), sorted(places))

    def _is_interrupted(self, directory: Path) -> bool:
        with lock_directory(directory):
            return find_interrupted(self._repository, directory) is not None

    def _recover(self, directory: Path, *, back: bool) -> RecoverResult | None:
        with lock_directory(directory):
            journal = find_interrupted(self._repository, directory)
            if journal is None:
                return None
            if not back:
                done = finish(self._repository, directory, self._progress)
                applied = done[1] if done else None
                kept = tuple(map(show, applied.kept)) if applied else ()
                written, removed = (len(applied.written), len(applied.removed)) if applied else (0, 0)
                return RecoverResult(directory, journal.number, False, written, removed, kept)
        chain = self._repository.log.iter_chain()
        step = next(Step(oid, found) for oid, found in chain if found.number == journal.number)
        outcome = self._invert(UNDO, step, OnClash.KEEP, refs_only=False, taking_back=directory).outcome
        return RecoverResult(directory, journal.number, True, outcome.written, outcome.removed, outcome.kept)


def _on_clash(*, force: bool) -> OnClash:
    return OnClash.REPLACE if force else OnClash.REFUSE


def _journals_of(operation: Operation, directories: Iterable[Path]) -> dict[Path, bytes]:
    """The journals of one operation that still stand, by directory."""
    found = {}
    for directory in directories:
        journal = read_journal(directory)
        if journal is not None and journal.transaction == operation.transaction:
            found[directory] = raw_journal(directory)
    return found


def _operation_info(oid: Oid, operation: Operation, *, undone: bool) -> OperationInfo:
    who = operation.who
    return OperationInfo(
        operation.number,
        oid,
        operation.kind,
        _show_arguments(operation),
        show(who.name),
        who.seconds,
        who.zone.decode(),
        show(operation.message),
        undone,
    )


def _show_arguments(operation: Operation) -> tuple[str, ...]:
    return tuple(argument.hex() if _is_id(argument) else show(argument) for argument in operation.arguments)


def _is_id(argument: bytes) -> bool:
    """Whether it is an id rather than a name that happens to be as long."""
    return len(argument) == ID_SIZE and not argument.decode(errors="replace").isprintable()
