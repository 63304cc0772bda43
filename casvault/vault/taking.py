"""The façade's part for moving in: directories that another tool has kept become collections and projects, at once.

    with vault.take_in("skillmeat-import", {"lib": Path(...)}, {Path("app"): [...]}) as taking:
        outcome = taking.run(plan)

The directories are registered, locked and scanned; what the plan makes of them is one operation. If anything fails,
those that were registered for it are forgotten again.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import collection_ref, show, typed
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, read_marker, write_marker
from casvault.deploy.run import Command, Outcome, run
from casvault.files import remove_file
from casvault.files.durable import on_failure
from casvault.vault.collections import Collections
from casvault.vault.subjects import Subject, Subjects, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.deploy.comparison import Project
    from casvault.deploy.snapshots import Line
    from casvault.deploy.state import Place
    from casvault.objects import ObjectPublisher


class TakenProject(NamedTuple):
    """A project that is taken in, and what it holds at the places that were asked for."""

    subject: Subject
    scan: Project


class Taking:
    """What is being taken in; its directories are locked."""

    def __init__(self, kind: str, work: Work, projects: Mapping[Path, TakenProject]) -> None:
        self._kind = kind
        self._work = work
        self.projects = projects
        """By the directories that were named."""

    @property
    def stage(self) -> ObjectPublisher:
        return self._work.stage

    def line(self, collection: str) -> Line:
        """A collection that is taken in, with what its directory holds."""
        return self._work.lines[typed(collection)]

    def run(self, plan: Callable[[Draft], None]) -> Outcome:
        """Do it all in one operation; the plan is made again if the view has moved meanwhile."""
        names = [*self._work.lines, *(taken.subject.name for taken in self.projects.values())]
        return run(self._work.session, self.stage, Command(self._kind, sorted(names)), plan)


class TakingIn(Collections, Subjects):
    @contextmanager
    def take_in(
        self,
        kind: str,
        collections: Mapping[str, Path],
        projects: Mapping[Path, Iterable[Place]],
        message: str = "",
    ) -> Iterator[Taking]:
        """Hold directories that are to become collections, by name, and projects, with places to look at.

        Those that are registered already stay what they are. RefusedError for a name that is taken.
        """
        with ExitStack() as stack:
            for name, directory in collections.items():
                self._claim_collection(name, Path(os.path.realpath(directory)), stack)
            subjects = {directory: self._claim_project(directory, stack) for directory in projects}
            with self._work(subjects.values(), map(typed, collections), message=message) as work:
                taken = {
                    directory: TakenProject(subject, work.scan(subject, projects[directory]))
                    for directory, subject in subjects.items()
                }
                yield Taking(kind, work, taken)

    def _claim_collection(self, name: str, place: Path, stack: ExitStack) -> None:
        ref = collection_ref(name)
        marker = read_marker(place, COLLECTION_MARKER)
        if marker is None or (marker.vault_id, marker.name) != (self._repository.config.id.hex(), name):
            self._check_new(name, ref, place, is_marked=marker is not None)
            stack.enter_context(on_failure(lambda: self._forget(ref, place / COLLECTION_MARKER)))
            write_marker(place, COLLECTION_MARKER, self._new_marker(name))
        self._repository.places.set(show(ref), str(place))

    def _claim_project(self, directory: Path, stack: ExitStack) -> Subject:
        subject = self._subject(directory, writing=True, may_be_new=True)
        if subject.claim.is_new:
            stack.enter_context(on_failure(lambda: self._forget(subject.ref, subject.directory / PROJECT_MARKER)))
        if subject.is_unknown:
            self._register(subject)
        return subject

    def _forget(self, ref: bytes, marker: Path) -> None:
        """Take a registration back, unless the operation that it was made for is recorded."""
        if self._view().find(ref) is None:
            remove_file(marker)
            self._repository.places.set(show(ref), None)
