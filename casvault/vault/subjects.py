"""The façade's part for projects as such: which there are, and how commands get hold of them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.draft import Draft
from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import COLLECTIONS, PROJECTS, collection_ref, project_ref, show
from casvault.artifacts.revision import follow_steps, pick_path
from casvault.artifacts.snapshot import iter_links, open_snapshot
from casvault.artifacts.version import address_of
from casvault.deploy.comparison import Comparison, Project
from casvault.deploy.drift import Source
from casvault.deploy.holding import iter_deployed
from casvault.deploy.ignores import ignores_of
from casvault.deploy.locks import find_state_of_copy
from casvault.deploy.marker import PROJECT_MARKER, find_marker, read_marker, write_marker
from casvault.deploy.registration import claim, find_directory, find_project
from casvault.deploy.run import Command, Outcome, rehearse, run
from casvault.deploy.scanning import scan_project
from casvault.deploy.snapshots import Line, bring_up_to_date
from casvault.deploy.state import Place, read_deployments
from casvault.errors import NotFoundError, StaleError, UsageError
from casvault.objects import Overlay, read_commits
from casvault.vault.results.projects import ProjectInfo
from casvault.vault.writing import WritingVault, learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.registration import Claim
    from casvault.deploy.run import Session
    from casvault.deploy.state import Deployment, Deployments
    from casvault.objects import ObjectPublisher, ObjectStage
    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.worktree.cache import StatCache
    from casvault.worktree.ignore import IgnoreRules


class Subject(NamedTuple):
    """A project that a command is about, and what is deployed there."""

    claim: Claim
    directory: Path
    state: Oid | None
    """Where it stands now; a copy that is not registered yet stands where its original stood when it was made."""
    deployments: Deployments
    """As that state has them."""

    @property
    def ref(self) -> bytes:
        return self.claim.ref

    @property
    def is_unknown(self) -> bool:
        """Whether it has to be registered before anything is written there."""
        return self.claim.is_new or self.claim.copied_from is not None

    @property
    def name(self) -> bytes:
        return self.ref.removeprefix(PROJECTS)

    def has_lost(self, comparison: Comparison, place: Place) -> bool:
        """Whether somebody else has undeployed it since the project was looked at; nobody asked for it by name then."""
        return place in self.deployments and place not in comparison.deployments


class Work:
    """A command on collections and projects whose directories are locked and whose collections are scanned."""

    def __init__(self, vault: Subjects, session: Session, stage: ObjectPublisher, lines: Mapping[bytes, Line]) -> None:
        self._vault = vault
        self.session = session
        self.stage = stage
        self.lines = lines
        self.reader: ObjectStage = stage
        """Where the result of the plan can be read."""
        self._caches: list[StatCache] = []

    def scan(self, subject: Subject, places: Iterable[Place]) -> Project:
        """What a project holds at these places. What a version holds, there or in the collection, is never ignored."""
        wanted = sorted(set(places))
        settled = [place for place in wanted if place in subject.deployments]
        commits = read_commits(self.stage, (subject.deployments[place].settled for place in settled))
        held = [(place.file_path, commit.root) for place, commit in zip(settled, commits, strict=True)]
        for place in wanted:
            line = self.lines.get(place.collection)
            if line is not None and line.scan is not None and place.path in line.scan.units:
                held.append((place.file_path, line.scan.units[place.path]))
        paths = [place.file_path for place in wanted]
        repository = self._vault._repository
        ignores = self._vault._ignores(wanted)
        scan = scan_project(repository, self.stage, subject.directory, paths, held, ignores, storing=True)
        self._caches.append(scan.cache)
        return Project(subject.name, subject.ref, scan.states, subject.directory)

    def compare(
        self, draft: Draft, project: Project, subject: Subject, snapshots: Mapping[bytes, Snapshot]
    ) -> Comparison:
        """The project against its collections as they are on this draft."""
        if subject.claim.copied_from is not None and draft.ref(subject.ref) is None:
            draft.set_ref(subject.ref, subject.state)
        if subject.claim.is_new and draft.view.find(subject.ref) is not None:
            raise StaleError("another project has taken this name meanwhile", place=show(subject.ref))
        return Comparison(draft, project, snapshots)

    def snapshots(self, draft: Draft) -> dict[bytes, Snapshot]:
        """The collections with what their directories hold recorded."""
        return {name: bring_up_to_date(draft, line) for name, line in self.lines.items()}

    def sources(self, subject: Subject, places: Iterable[Place]) -> dict[Place, Source]:
        """Where the artifacts of these places are once what the directories hold is recorded; also those that were
        renamed on disk.
        """
        wanted = list(places)
        if all(self._is_there(place) for place in wanted):
            return {place: Source(place.collection, place.path) for place in wanted}
        comparison = self._look_ahead(subject)
        return {place: comparison.source(place) for place in wanted}

    def version(self, subject: Subject, place: Place, steps: str) -> Oid | None:
        """The version to which ~n and ^n lead from the one that the collection has once its directory is recorded; None
        if it is that one.
        """
        comparison = self._look_ahead(subject)
        start = comparison.version(comparison.source(place))
        if start is None:
            raise NotFoundError("it is not in its collection any more", place=show(place.path), remedy="name a version")
        found = follow_steps(comparison.draft.stage, start, steps, show(place.path) + steps)
        return None if found == start else found

    def _look_ahead(self, subject: Subject) -> Comparison:
        """The collections as they will be recorded, on an overlay of which nothing remains."""
        draft = Draft(Overlay(self.stage), self._vault._view(), self.session.draftsman)
        draft.set_ref(subject.ref, subject.state)
        return Comparison(draft, Project(subject.name, subject.ref, {}), self.snapshots(draft))

    def _is_there(self, place: Place) -> bool:
        line = self.lines.get(place.collection)
        return line is not None and line.scan is not None and place.path in line.scan.units

    def learn(self) -> None:
        for cache in self._caches:
            learn(self.stage, cache)


class Subjects(WritingVault):
    def projects(self) -> list[ProjectInfo]:
        """Every project, sorted by name."""
        places = self._repository.places.all()
        result = []
        for ref, state in self._view().iter_refs(PROJECTS.rstrip(b"/")):
            place = places.get(show(ref))
            count = len(read_deployments(self.reader, state))
            result.append(ProjectInfo(show(ref.removeprefix(PROJECTS)), None if place is None else Path(place), count))
        return result

    def project_here(self) -> Path | None:
        """The project of this vault at or above the current directory."""
        found = None if self._here is None else find_marker(self._here, PROJECT_MARKER)
        return found[0] if found is not None and found[1].vault_id == self._repository.config.id.hex() else None

    def _known_projects(self, view: View) -> list[Path]:
        """The directories of all projects that are where they are registered."""
        places = self._repository.places.all()
        known = [find_directory(self._repository, places, ref) for ref, _ in view.iter_refs(PROJECTS.rstrip(b"/"))]
        return [place for place in known if place is not None]

    def _project_directory(self, ref: bytes) -> Path | None:
        """Where a project is: the place that is registered, or the current directory's own if it was moved."""
        place = find_directory(self._repository, self._repository.places.all(), ref)
        here = self.project_here() if place is None else None
        marker = None if here is None else read_marker(here, PROJECT_MARKER)
        return here if marker is not None and project_ref(marker.name) == ref else place

    def _subject(self, project: Path | str, *, writing: bool, may_be_new: bool = False) -> Subject:
        """The project in a directory. One that is new, or a copy, is not registered yet."""
        return self._subject_at(self._view(), {}, project, writing=writing, may_be_new=may_be_new)

    def _all_subjects(self, *, writing: bool) -> list[Subject]:
        """The projects that are where they are registered."""
        view = self._view()
        known: dict[Oid, Deployment] = {}
        return [self._subject_at(view, known, place, writing=writing) for place in self._known_projects(view)]

    def _subject_at(
        self,
        view: View,
        known: dict[Oid, Deployment],
        project: Path | str,
        *,
        writing: bool,
        may_be_new: bool = False,
    ) -> Subject:
        directory = Path(os.path.realpath(project))
        if not may_be_new:
            find_project(self._repository, directory)
        claimed = claim(self._repository, view, directory, writing=writing)
        state = None if claimed.is_new else view.find(claimed.copied_from or claimed.ref)
        if claimed.copied_from is not None:
            state = find_state_of_copy(self.reader, directory, state)
        return Subject(claimed, directory, state, read_deployments(self.reader, state, known))

    def _register(self, subject: Subject) -> None:
        """Make a directory the project that it was claimed as, before anything is written there."""
        claimed = subject.claim
        if not self._repository.places.claim(show(claimed.ref), str(subject.directory)):
            raise StaleError(
                "another project has just taken this name", place=show(claimed.ref), remedy="run the command again"
            )
        if claimed.copied_from is not None:
            with self._stage() as stage:
                run(
                    self._session("", {}),
                    stage,
                    Command("upkeep", (b"project copy", claimed.copied_from, claimed.ref)),
                    lambda draft: draft.set_ref(claimed.ref, subject.state),
                )
        write_marker(subject.directory, PROJECT_MARKER, self._new_marker(show(subject.name)))

    @contextmanager
    def _work(
        self,
        subjects: Iterable[Subject],
        collections: Iterable[bytes],
        *,
        message: str = "",
        follow: bool = False,
    ) -> Iterator[Work]:
        """Hold projects and collections for a command."""
        names = sorted({show(name) for name in collections})
        directories = {subject.ref: subject.directory for subject in subjects}
        for name in names:
            directories |= self._directories(name)
        session = self._session(message, directories, follow=follow)
        with self._stage() as stage, self._lines(names, session, stage) as lines:
            work = Work(self, session, stage, lines)
            yield work
            work.learn()

    def _carry_out(
        self,
        work: Work,
        command: Command,
        plan: Callable[[Draft], None],
        subjects: Iterable[Subject] = (),
        *,
        dry_run: bool,
    ) -> Outcome:
        """Run a plan, in projects that are registered first; or only make it, on an overlay that no pack ever sees."""
        unknown = [subject for subject in subjects if subject.is_unknown]
        if dry_run or unknown:
            # What is refused registers nothing, so for a project that is not known yet the plan is tried first.
            work.reader = Overlay(work.stage)
            rehearse(work.session, work.reader, self._view(), plan)
        if dry_run:
            return Outcome(None)
        for subject in unknown:
            self._register(subject)
        work.reader = work.stage
        return run(work.session, work.stage, command, plan)

    def _snapshots_of(self, view: View) -> Callable[[bytes], Snapshot | None]:
        """The newest snapshots of collections by name, each read once; None for what is no collection."""
        known: dict[bytes, Snapshot | None] = {}

        def snapshot(name: bytes) -> Snapshot | None:
            if name not in known:
                tip = view.find(COLLECTIONS + name)
                known[name] = None if tip is None else open_snapshot(self.reader, tip)
            return known[name]

        return snapshot

    def _ignores(self, places: Iterable[Place]) -> dict[bytes, IgnoreRules]:
        return ignores_of(self.reader, self._snapshots_of(self._view()), places)

    def _sources(self, places: Iterable[Place]) -> dict[Place, Source]:
        """Where in the collections the artifacts of these places are now."""
        snapshot = self._snapshots_of(self._view())
        return {
            place: Source(*(find_moved(self.reader, snapshot, place.collection, place.path) or place[1:]))
            for place in places
        }

    def _homes_of(self, places: Iterable[Place]) -> set[bytes]:
        """The collections that these artifacts come from, or have moved to; those that the vault still has."""
        sources = self._sources(places)
        names = {place.collection for place in sources} | {source.collection for source in sources.values()}
        view = self._view()
        return {name for name in names if view.find(COLLECTIONS + name) is not None}

    def _pick_deployed(
        self, subject: Subject, artifact: str, collection: str | None = None, root: bytes | None = None
    ) -> list[Place]:
        """The places at which an artifact of this name is deployed, one for each root; UsageError if the name is that
        of several artifacts. One that was moved since has its new name, too.
        """
        known = [
            place
            for place in sorted(subject.deployments)
            if collection in (None, show(place.collection)) and root in (None, place.root)
        ]
        own = {place: Source(place.collection, place.path) for place in known}
        return self._pick_among(own, artifact) or self._pick_among(self._sources(known), artifact)

    def _pick_among(self, sources: Mapping[Place, Source], artifact: str) -> list[Place]:
        """The places whose artifact has this name in its collection."""
        found: dict[Source, list[Place]] = {}
        for name in sorted({source.collection for source in sources.values()}):
            paths = {source.path for source in sources.values() if source.collection == name}
            path = pick_path(paths, self._rules(show(name)), artifact)
            if path is not None:
                here = Source(name, path)
                found[here] = [place for place, source in sources.items() if source == here]
        if len(found) > 1:
            listed = ", ".join(f"{show(name)}: {show(path)}" for name, path in found)
            raise UsageError(f"the name is ambiguous: {listed}", place=artifact, remedy="name it with --collection")
        return next(iter(found.values()), [])

    def _read_deployed(
        self, subject: Subject, artifacts: Iterable[str], collection: str | None = None, root: bytes | None = None
    ) -> list[Place]:
        """The places of these artifacts; NotFoundError for one that is not deployed."""
        places = []
        for artifact in check_names(artifacts):
            found = self._pick_deployed(subject, artifact, collection, root)
            if not found:
                raise NotFoundError(
                    f"nothing of this name is deployed in project {show(subject.name)}",
                    place=artifact,
                    remedy="see `casvault drift --project DIR`",
                )
            places += found
        return places

    def _default_collections(self, collection: str | None) -> list[str]:
        """Where artifacts that are not deployed yet are looked for: the one collection that is meant, or all."""
        try:
            return [self._collection_name(collection)]
        except UsageError:
            names = [show(ref.removeprefix(COLLECTIONS)) for ref, _ in self._view().iter_refs(COLLECTIONS.rstrip(b"/"))]
            if not names:
                raise
            return names

    def _paths_of(self, view: View, line: Line) -> list[bytes]:
        """The artifacts that a collection has now."""
        if line.scan is not None:
            return list(line.scan.units)
        tip = view.find(collection_ref(show(line.name)))
        return [] if tip is None else [path for path, _ in iter_links(self.reader, open_snapshot(self.reader, tip))]

    def _find_in_lines(self, lines: Mapping[bytes, Line], artifact: str) -> tuple[bytes, bytes] | None:
        """The collection and path of an artifact; UsageError if several collections have one of this name."""
        view = self._view()
        found = [
            (line.name, path)
            for line in lines.values()
            if (path := pick_path(self._paths_of(view, line), line.rules, artifact)) is not None
        ]
        if len(found) > 1:
            listed = ", ".join(f"{show(name)}: {show(path)}" for name, path in found)
            raise UsageError(f"the name is ambiguous: {listed}", place=artifact, remedy="name it with --collection")
        return found[0] if found else None

    def deployments(self, project: Path | str, artifact: str) -> list[Oid]:
        """The versions of one artifact that were deployed to a project, the newest first, under older names too."""
        subject = self._subject(project, writing=False)
        place = self._read_deployed(subject, [artifact])[0]
        # A deployment follows its artifact through renames, and so does this.
        lineage = self._repository.graph().iter_children_first([subject.deployments[place].deployed])
        places = [place, *(Place(place.root, *address_of(version)) for _, version in lineage)]
        return list(iter_deployed(self._repository.changes(), subject.state, dict.fromkeys(places)))


def check_names(artifacts: Iterable[str]) -> Iterable[str]:
    """UsageError for one name where a list is meant: its letters are no artifacts."""
    if isinstance(artifacts, str):
        raise UsageError("give a list of artifacts, not one name", place=artifacts)
    return artifacts
