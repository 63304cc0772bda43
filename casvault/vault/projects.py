"""The façade's part for projects: deploy, drift, pull."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.draft import Draft
from casvault.artifacts.names import PROJECTS, collection_ref, project_ref, show, typed
from casvault.artifacts.revision import pick_path
from casvault.artifacts.snapshot import iter_links, open_snapshot
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.deploying import DeployStrategy, check_places, plan_deploy
from casvault.deploy.drift import Drift, find_drift
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, Marker, find_marker, read_marker, write_marker
from casvault.deploy.projects import Project, check_root
from casvault.deploy.pulling import PullStrategy, plan_pull
from casvault.deploy.run import Command, Outcome, run
from casvault.deploy.scanning import save_cache, scan_collection, scan_project
from casvault.deploy.state import DEFAULT_ROOT, Place, read_deployments
from casvault.errors import NotFoundError, RefusedError, StaleError, UsageError
from casvault.objects import LINK, Overlay, read_commit
from casvault.trees import find_path
from casvault.vault.results import DeployResult, DeployRow, DriftRow, FileChange, ProjectInfo, PullResult, PullRow
from casvault.vault.writing import WritingVault, learn
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.artifacts.rules import Rules
    from casvault.deploy.deploying import Deployed
    from casvault.deploy.pulling import Pulled
    from casvault.deploy.scanning import CollectionScan
    from casvault.deploy.snapshots import Line
    from casvault.objects import ObjectPublisher, ObjectReader, ObjectStage, Root
    from casvault.oid import Oid
    from casvault.worktree.cache import StatCache


class Projects(WritingVault):
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
        return None if self._here is None else self._nearest_project(self._here)

    def deploy(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        strategy: DeployStrategy = DeployStrategy.REFUSE,
        collection: str | None = None,
        root: str = show(DEFAULT_ROOT),
        message: str = "",
    ) -> DeployResult:
        """Put the collection's versions of these artifacts into a project's directory.

        What the collection's directory holds is recorded first. LocalEditsError, with nothing written, where the
        project has edits and no strategy says what becomes of them.
        """
        name = self._collection_name(collection)
        directory = Path(os.path.realpath(project))
        ref, is_new = self._claim(directory)
        session = self._session(message, {**self._directories(name), ref: directory})
        results: list[Deployed] = []
        with self._stage() as stage, self._line(name, session, stage) as line:
            places = self._find_places(stage, line, artifacts, check_root(typed(root)))
            check_places(places)
            if is_new:
                self._register(directory, ref)
            states, cache = self._scan(stage, ref, directory, places, line, storing=True)
            subject = Project(ref.removeprefix(PROJECTS), ref, states)

            def plan(draft: Draft) -> None:
                if is_new and draft.ref(ref) is not None:
                    raise StaleError("another project has taken this name meanwhile", place=show(ref))
                results[:] = plan_deploy(draft, line, subject, places, strategy)

            arguments = (line.name, subject.name, *(place.path for place in places))
            outcome = run(session, stage, Command("deploy", arguments), plan)
            learn(stage, cache)
        rows = tuple(DeployRow(show(one.place.path), one.status, one.version, one.wrote) for one in results)
        return DeployResult(show(subject.name), directory, rows, outcome)

    def drift(self, project: Path | str | None = None, *, collection: str | None = None) -> list[DriftRow]:
        """How everything that is deployed relates to its collection, in one project or in all. Changes nothing."""
        places = self._repository.places.all()
        scans: dict[bytes, CollectionScan | None] = {}
        rows: list[DriftRow] = []
        view = self._view()
        wanted = None if project is None else self._project_of(Path(os.path.realpath(project)))[0]
        for ref, state in view.iter_refs(PROJECTS.rstrip(b"/")):
            place = places.get(show(ref)) if wanted is None else os.path.realpath(project or "")
            if (wanted is not None and ref != wanted) or place is None:
                continue
            if wanted is None and not Path(place).is_dir():
                continue
            rows += self._drift_of(ref, state, Path(place), collection, scans)
        return rows

    def pull(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        strategy: PullStrategy = PullStrategy.MERGE,
        preview: bool = False,
        collection: str | None = None,
        message: str = "",
    ) -> PullResult:
        """Bring a project's edits of these artifacts into their collection.

        The base of the merge is the merge base of the two sides' versions. ConflictError leaves the collection and the
        project byte for byte as they were. With `preview` nothing is changed in any case.
        """
        directory = Path(os.path.realpath(project))
        ref, _ = self._project_of(directory)
        if not preview:
            ref, _ = self._claim(directory)
        places = self._deployed_places(ref, artifacts, collection)
        name = show(places[0].collection)
        session = self._session(message, {**self._directories(name), ref: directory})
        results: list[Pulled] = []
        with self._stage() as stage, self._line(name, session, stage) as line:
            states, cache = self._scan(stage, ref, directory, places, line, storing=True)
            subject = Project(ref.removeprefix(PROJECTS), ref, states)

            def plan(draft: Draft) -> None:
                results[:] = plan_pull(draft, line, subject, places, strategy)

            if preview:
                overlay = Overlay(stage)
                plan(Draft(overlay, self._view(), session.draftsman, self._repository.graph_cache))
                rows = tuple(_pull_row(overlay, one) for one in results)
                return PullResult(show(subject.name), name, True, rows, Outcome(None))
            arguments = (line.name, subject.name, *(place.path for place in places))
            outcome = run(session, stage, Command("pull", arguments), plan)
            learn(stage, cache)
        rows = tuple(_pull_row(self.reader, one) for one in results)
        return PullResult(show(subject.name), name, False, rows, outcome)

    def deployments(self, project: Path | str, artifact: str) -> list[Oid]:
        """The versions of one artifact that were deployed to a project, the newest first."""
        ref, _ = self._project_of(Path(os.path.realpath(project)))
        place = self._deployed_places(ref, [artifact], None)[0]
        found: list[Oid] = []
        state = self._view().find(ref)
        while state is not None:
            deployment = read_deployments(self.reader, state).get(place)
            if deployment is not None and (not found or found[-1] != deployment.deployed):
                found.append(deployment.deployed)
            parents = read_commit(self.reader, state).parents
            state = parents[0] if parents else None
        return found

    def _drift_of(
        self,
        ref: bytes,
        state: Oid,
        directory: Path,
        collection: str | None,
        scans: dict[bytes, CollectionScan | None],
    ) -> list[DriftRow]:
        stage = HashOnly(self.reader)
        draft = Draft(stage, self._view(), self._draftsman(""), self._repository.graph_cache)
        deployments = read_deployments(stage, state)
        places = [place for place in sorted(deployments) if collection in (None, show(place.collection))]
        held = [(place.file_path, draft.graph.commit(deployments[place].settled).root) for place in places]
        states, cache = scan_project(
            self._repository, stage, directory, [place.file_path for place in places], held, storing=False
        )
        save_cache(cache)
        rows = []
        for place in places:
            version = self._collection_version(draft, place, scans)
            drift = find_drift(draft, place, deployments[place], version, states.get(place.file_path))
            if drift is not None:
                rows.append(_drift_row(show(ref.removeprefix(PROJECTS)), drift, self._rules(show(place.collection))))
        return rows

    def _collection_version(self, draft: Draft, place: Place, scans: dict[bytes, CollectionScan | None]) -> Oid | None:
        """The version that the collection's directory holds now; what is in no snapshot yet is one for the moment."""
        name = show(place.collection)
        tip = draft.view.find(collection_ref(name))
        if place.collection not in scans:
            directory = self._collection_directory(name)
            stage = HashOnly(self.reader)
            scans[place.collection] = (
                None
                if directory is None
                else scan_collection(self._repository, stage, directory, storing=False, progress=self._progress)
            )
        snapshot = open_snapshot(draft.stage, tip)
        link = find_path(draft.stage, snapshot.content, place.path)
        version = link.id if link is not None and link.mode == LINK else None
        scan = scans[place.collection]
        if scan is None or scan.base != tip:
            return version
        return _as_version(draft, place, version, scan.units.get(place.path))

    def _scan(
        self,
        stage: ObjectPublisher,
        ref: bytes,
        directory: Path,
        places: Sequence[Place],
        line: Line,
        *,
        storing: bool,
    ) -> tuple[dict[bytes, Root], StatCache]:
        """The states of these places in the project. What a version holds, there or in the collection, is never
        ignored.
        """
        deployments = read_deployments(stage, self._view().find(ref))
        held = []
        for place in places:
            if place in deployments:
                held.append((place.file_path, read_commit(stage, deployments[place].settled).root))
            if line.scan is not None and place.path in line.scan.units:
                held.append((place.file_path, line.scan.units[place.path]))
        paths = [place.file_path for place in places]
        return scan_project(self._repository, stage, directory, paths, held, storing=storing)

    def _find_places(self, stage: ObjectStage, line: Line, artifacts: Iterable[str], root: bytes) -> list[Place]:
        """The places of artifacts that the collection has, by path or short name."""
        if line.scan is not None:
            known, rules = list(line.scan.units), line.scan.rules
        else:
            snapshot = open_snapshot(stage, self._view().find(line.ref))
            known, rules = [path for path, _ in iter_links(stage, snapshot)], self._rules(None)
        places = []
        for artifact in check_names(artifacts):
            path = pick_path(known, rules, artifact)
            if path is None:
                remedy = f"see `casvault ls-tree -r {show(line.name)}`"
                raise NotFoundError(f"no such artifact in collection {show(line.name)}", place=artifact, remedy=remedy)
            places.append(Place(root, line.name, path))
        if not places:
            raise UsageError("name at least one artifact")
        return places

    def _deployed_places(self, ref: bytes, artifacts: Iterable[str], collection: str | None) -> list[Place]:
        deployments = read_deployments(self.reader, self._view().find(ref))
        known = [place for place in deployments if collection in (None, show(place.collection))]
        places = []
        for artifact in check_names(artifacts):
            found = [
                place
                for name in {place.collection for place in known}
                for path in [pick_path(_paths_of(known, name), self._rules(show(name)), artifact)]
                for place in known
                if (place.collection, place.path) == (name, path)
            ]
            if not found:
                raise NotFoundError(
                    f"nothing of this name is deployed in project {show(ref.removeprefix(PROJECTS))}",
                    place=artifact,
                    remedy="see `casvault drift --project DIR`",
                )
            if len(found) > 1:
                listed = ", ".join(f"{show(place.collection)}: {show(place.file_path)}" for place in found)
                raise UsageError(f"the name is ambiguous: {listed}", place=artifact, remedy="use the path")
            places.append(found[0])
        if len({place.collection for place in places}) > 1:
            raise UsageError("these artifacts are of several collections", remedy="pull one collection at a time")
        if not places:
            raise UsageError("name at least one artifact")
        return places

    def _nearest_project(self, start: Path) -> Path | None:
        found = find_marker(start, PROJECT_MARKER)
        return found[0] if found is not None and found[1].vault_id == self._repository.config.id.hex() else None

    def _project_of(self, directory: Path) -> tuple[bytes, Marker]:
        """The project at or above a directory."""
        marker = read_marker(directory, PROJECT_MARKER)
        if marker is None or marker.vault_id != self._repository.config.id.hex():
            raise NotFoundError(
                "not a project of this vault", place=str(directory), remedy="deploy something to it first"
            )
        return project_ref(marker.name), marker

    def _claim(self, directory: Path) -> tuple[bytes, bool]:
        """The ref of the project in this directory, and whether it is none yet and has to be registered.

        A project that was moved is found again here; a copy of one gets a name of its own.
        """
        if not directory.is_dir():
            raise NotFoundError("not a directory", place=str(directory), remedy="create the project's directory first")
        self._check_outside_collections(directory)
        marker = read_marker(directory, PROJECT_MARKER)
        places = self._repository.places
        if marker is not None:
            if marker.vault_id != self._repository.config.id.hex():
                raise RefusedError("this project belongs to another vault", place=str(directory))
            ref = project_ref(marker.name)
            known = places.all().get(show(ref))
            if known is not None and known != str(directory):
                other = read_marker(Path(known), PROJECT_MARKER) if Path(known).is_dir() else None
                if other is not None and other.checkout == marker.checkout:
                    return self._register_copy(directory, ref), False
                if other is not None and other.name == marker.name:
                    # Two directories have taken one name: the one that is registered keeps it.
                    return project_ref(self._free_name(marker.name)), True
            places.set(show(ref), str(directory))
            return ref, False
        return project_ref(self._free_name(directory.name or "project")), True

    def _register(self, directory: Path, ref: bytes) -> None:
        """Make a directory a project of this name."""
        write_marker(directory, PROJECT_MARKER, self._new_marker(show(ref.removeprefix(PROJECTS))))
        self._repository.places.set(show(ref), str(directory))

    def _check_outside_collections(self, directory: Path) -> None:
        """A project within a collection's directory would itself be recorded as content of the collection."""
        for above in (directory, *directory.parents):
            marker = read_marker(above, COLLECTION_MARKER)
            if marker is not None and marker.vault_id == self._repository.config.id.hex():
                raise RefusedError(
                    f"this directory is in the collection {marker.name}, so it cannot be a project",
                    place=str(directory),
                    remedy="name a project's directory with --project",
                )

    def _register_copy(self, directory: Path, original: bytes) -> bytes:
        """A copy of a project gets a name of its own, with the same deployments, before anything is written."""
        name = self._free_name(show(original.removeprefix(PROJECTS)))
        ref = project_ref(name)
        with self._stage() as stage:
            run(
                self._session("", {}),
                stage,
                Command("upkeep", (b"project copy", original, ref)),
                lambda draft: draft.set_ref(ref, draft.ref(original)),
            )
        self._register(directory, ref)
        return ref

    def _free_name(self, wanted: str) -> str:
        view, places = self._view(), self._repository.places.all()
        base = "".join(sign if sign.isprintable() and sign not in "/:~^\\" else "-" for sign in wanted).strip(" .-@")
        base = base or "project"
        number, name = 1, base
        while view.find(project_ref(name)) is not None or PROJECTS.decode() + name in places:
            number += 1
            name = f"{base}-{number}"
        return name


def check_names(artifacts: Iterable[str]) -> Iterable[str]:
    """UsageError for one name where a list is meant: its letters are no artifacts."""
    if isinstance(artifacts, str):
        raise UsageError("give a list of artifacts, not one name", place=artifacts)
    return artifacts


def _paths_of(places: Iterable[Place], collection: bytes) -> set[bytes]:
    return {place.path for place in places if place.collection == collection}


def _as_version(draft: Draft, place: Place, version: Oid | None, content: Root | None) -> Oid | None:
    """The version that a snapshot would make of this content: the one that is there, or one that no pack ever holds."""
    if content is None:
        return None
    if version is not None:
        held = draft.graph.commit(version).root
        if same_state(held, content):
            return version
    parents = () if version is None else (version,)
    return write_version(
        draft.stage,
        draft.draftsman,
        content,
        parents,
        collection=place.collection,
        path=place.path,
        origin=Origin.EDIT,
    )


def _drift_row(project: str, drift: Drift, rules: Rules) -> DriftRow:
    place, deployment = drift.place, drift.deployment
    return DriftRow(
        project,
        show(place.path),
        rules.kind(place.path),
        show(place.root),
        show(place.collection),
        drift.status,
        None if drift.base is None else drift.base.id,
        None if drift.collection is None else drift.collection.id,
        None if drift.project is None else drift.project.id,
        None if deployment is None else deployment.deployed,
        None if deployment is None else deployment.settled,
        drift.collection_version,
    )


def _pull_row(reader: ObjectReader, one: Pulled) -> PullRow:
    path = one.place.path
    files = tuple(
        FileChange(show(change.path), change.old, change.new)
        for change in iter_file_changes(reader, one.old, one.new, path)
    )
    parents = () if one.version is None else read_commit(reader, one.version).parents
    base = None if one.base is None else one.base.id
    return PullRow(show(path), one.status, base, one.version, parents, one.fast_forward, files)
