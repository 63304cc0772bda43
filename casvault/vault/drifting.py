"""The façade's part for looking at projects: drift, and what a file belongs to. No file of a project is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.draft import Draft
from casvault.artifacts.names import COLLECTIONS, show, typed
from casvault.artifacts.rules import Rules
from casvault.artifacts.tags import Labels
from casvault.artifacts.withheld import iter_withheld
from casvault.deploy.advice import MergeForecast, drift_type, recommend
from casvault.deploy.checks import read_checks, write_checks
from casvault.deploy.comparison import Comparison, Project, first_seen
from casvault.deploy.ignores import ignores_of
from casvault.deploy.journal import is_interrupted
from casvault.deploy.marker import marker_snapshot
from casvault.deploy.observing import iter_large, needs_record, plan_observe
from casvault.deploy.outlook import Forecast, forecast, forecast_without_contents, measure
from casvault.deploy.run import Command, locked, run
from casvault.deploy.scanning import ProjectScan, iter_untracked, save_cache, scan_collection, scan_project
from casvault.deploy.snapshots import Line, bring_up_to_date
from casvault.deploy.state import DEFAULT_ROOT, Place
from casvault.deploy.times import last_deployed
from casvault.deploy.waiting import waiting_ref
from casvault.errors import ConflictError, FailureError, NotFoundError, ReadOnlyError, RefusedError
from casvault.limits import MERGE_BYTES, MIB
from casvault.pending import MERGES, handle_of
from casvault.vault.results.projects import DriftResult, DriftRow
from casvault.vault.subjects import Subject, Subjects
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.scan import scan_paths

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.drift import Drift, Source
    from casvault.errors import CasvaultError
    from casvault.objects import Root
    from casvault.oid import Oid

FORECAST_BYTES = MIB
"""Files up to this size are read for a forecast where the vault does not have them."""


class _Look(NamedTuple):
    """One project, looked at."""

    subject: Subject
    comparison: Comparison
    drifts: list[Drift]
    lines: Mapping[bytes, Line | None]

    def kind(self, place: Place) -> str:
        line = self.lines.get(place.collection)
        return (Rules() if line is None else line.rules).kind(place.path)


class Drifting(Subjects):
    def drift(
        self,
        project: Path | str | None = None,
        *,
        collection: str | None = None,
        untracked: bool = False,
        record: bool = True,
    ) -> DriftResult:
        """How everything that is deployed relates to its collection, in one project or in all that are where they
        are registered.

        With `untracked` also what could be deployed and what nobody deployed. Edits that the vault does not hold yet
        are recorded, as one operation, unless `record` is False; no file of a project or a collection is changed.
        """
        notes: list[str] = []
        skipped: dict[bytes, CasvaultError] | None = None if project is not None else {}
        subjects = self._subjects_of(project)
        looks = self._look(subjects, collection, notes, untracked=untracked, skipped=skipped)
        recorded, operation = 0, None
        if record:
            recorded, operation = self._observe(looks, notes)
            if recorded:
                subjects = self._subjects_of(project)
                looks = self._look(subjects, collection, [], untracked=untracked, skipped=skipped)
        checked = read_checks(self._checks_path())
        waiting = {ref for ref, _ in self._view().iter_refs(MERGES.rstrip(b"/"))}
        rows = [row for look in looks for row in self._rows_of(look, checked, waiting)]
        now = self._signature().seconds
        write_checks(self._checks_path(), checked | {show(look.subject.name): now for look in looks})
        notes += [f"project {show(name)} was not looked at: {error}" for name, error in (skipped or {}).items()]
        names = tuple(map(show, skipped or ()))
        return DriftResult(tuple(rows), recorded, operation, tuple(dict.fromkeys(notes)), names)

    def _checks_path(self) -> Path | None:
        return self._repository.cache_path("checked.json")

    def _subjects_of(self, project: Path | str | None) -> list[Subject]:
        if project is not None:
            return [self._subject(project, writing=False)]
        return self._all_subjects(writing=False)

    def _look(
        self,
        subjects: Iterable[Subject],
        collection: str | None,
        notes: list[str],
        *,
        untracked: bool,
        skipped: dict[bytes, CasvaultError] | None = None,
    ) -> list[_Look]:
        """Each project against its collections. One that cannot be read is put into `skipped`, if that is given: it
        says nothing of the others.
        """
        view = self._view()
        # Where a directory is behind, its next snapshot is a merge, which takes the bytes of what was edited there.
        is_behind = any(self._is_behind(name, tip) for name, tip in view.iter_refs(COLLECTIONS.rstrip(b"/")))
        stage = HashOnly(self.reader, keep=MERGE_BYTES if is_behind else -1)
        draft = Draft(stage, view, self._draftsman(""))
        lines: dict[bytes, Line | None] = {}
        snapshots: dict[bytes, Snapshot] = {}
        known: dict[tuple[bytes, bytes], tuple[Source, Oid | None]] = {}
        looks = []
        for subject in subjects:
            places = [place for place in sorted(subject.deployments) if collection in (None, show(place.collection))]
            homes = {place.collection for place in places}
            if untracked or not places:
                homes |= {typed(name) for name in self._default_collections(collection)}
            for name in homes - lines.keys():
                lines[name] = self._peek(draft, name, snapshots, notes)
            wanted = set(places)
            if untracked:
                wanted |= self._untracked_places(subject, lines, homes)
            try:
                scan = self._peek_into(draft, subject, sorted(wanted), lines)
            except (FailureError, NotFoundError, RefusedError) as error:
                if skipped is None:
                    raise
                skipped[subject.name] = error
                continue
            notes += scan.notes
            draft.set_ref(subject.ref, subject.state)
            project = Project(subject.name, subject.ref, scan.states, subject.directory)
            comparison = Comparison(draft, project, snapshots, deployments=subject.deployments, known=known)
            drifts = [drift for place in sorted(wanted) if (drift := comparison.find(place)) is not None]
            save_cache(scan.cache)
            looks.append(_Look(subject, comparison, drifts, lines))
        return looks

    def _is_behind(self, ref: bytes, tip: Oid | None) -> bool:
        """Whether a collection's directory is at another snapshot than the collection."""
        directory = self._collection_directory(show(ref.removeprefix(COLLECTIONS)))
        return directory is not None and marker_snapshot(directory) != tip

    def _peek(self, draft: Draft, name: bytes, snapshots: dict[bytes, Snapshot], notes: list[str]) -> Line | None:
        """A collection as its next snapshot would be."""
        line = Line(name, COLLECTIONS + name, None)
        if draft.view.find(line.ref) is None:
            notes.append(f"collection {show(name)} is not in the vault any more; nothing counts as changed there")
            return None
        directory = self._collection_directory(show(name))
        if directory is not None:
            is_behind = self._is_behind(line.ref, draft.view.find(line.ref))
            scan = scan_collection(self._repository, draft.stage, directory, storing=is_behind, progress=self._progress)
            if not is_behind:
                save_cache(scan.cache)
            line = line._replace(scan=scan)
        try:
            snapshots[name] = bring_up_to_date(draft, line)
        except ConflictError as error:
            # A copy of the directory that is behind, and clashes with what the collection has become.
            notes.append(f"collection {show(name)}: {error}; compared with its last snapshot")
            line = line._replace(scan=None)
        return line

    def _peek_into(
        self, draft: Draft, subject: Subject, places: list[Place], lines: Mapping[bytes, Line | None]
    ) -> ProjectScan:
        """What a project holds at these places now."""
        held = _iter_held(draft, subject, places, lines)
        paths = [place.file_path for place in places]
        ignores = ignores_of(self.reader, self._snapshots_of(draft.view), places)
        return scan_project(self._repository, draft.stage, subject.directory, paths, held, ignores, storing=False)

    def _untracked_places(
        self, subject: Subject, lines: dict[bytes, Line | None], homes: Iterable[bytes]
    ) -> set[Place]:
        """What the collections have, and what lies in the project's roots and is no deployment."""
        taken = {place.file_path for place in subject.deployments}
        roots = {place.root for place in subject.deployments} or {DEFAULT_ROOT}
        found: set[Place] = set()
        for name in sorted(homes):
            line = lines[name]
            if line is None:
                continue
            known = self._paths_of(self._view(), line)
            for root in sorted(roots):
                on_disk = iter_untracked(subject.directory / show(root), line.rules)
                for path in (*known, *on_disk):
                    place = Place(root, name, path)
                    if place.file_path not in taken and not any(each.file_path == place.file_path for each in found):
                        found.add(place)
        return found

    def _observe(self, looks: Iterable[_Look], notes: list[str]) -> tuple[int, int | None]:
        """Record, as one operation, what the vault does not know yet of edits; how many that were."""
        wanted: list[tuple[_Look, list[Place]]] = []
        for look in looks:
            places = list(self._recordable(look, notes))
            if places:
                wanted.append((look, places))
        if not wanted:
            return 0, None
        try:
            return self._record(wanted, notes)
        except ReadOnlyError as error:
            notes.append(f"nothing was recorded: {error}")
            return 0, None

    def _recordable(self, look: _Look, notes: list[str]) -> Iterator[Place]:
        directory, limit = look.subject.directory, self._repository.config.observe_max_size
        for drift in look.drifts:
            if not needs_record(drift) or drift.project is None:
                continue
            if look.subject.claim.copied_from is not None:
                notes.append(f"{directory}: a copy of another project; its edits are recorded once something is done")
                return
            if is_interrupted(self._repository.log, directory):
                notes.append(f"{directory}: a command was cut off there, so its edits were not recorded")
                return
            large = list(iter_large(look.comparison.draft.stage, drift.place.file_path, drift.project, limit))
            if large:
                notes.append(f"not recorded, as they are larger than observe_max_size: {', '.join(map(show, large))}")
            else:
                yield drift.place

    def _record(self, wanted: list[tuple[_Look, list[Place]]], notes: list[str]) -> tuple[int, int | None]:
        directories = {look.subject.ref: look.subject.directory for look, _ in wanted}
        with self._stage() as stage, locked(self._session("", directories)):
            scanned = []
            for look, places in wanted:
                subject = look.subject
                paths = [place.file_path for place in places]
                draft = look.comparison.draft
                scan = scan_project(
                    self._repository,
                    stage,
                    subject.directory,
                    paths,
                    _iter_held(draft, subject, places, look.lines),
                    self._ignores(places),
                    storing=True,
                    reader=draft.stage,
                )
                held = {
                    place: list(iter_withheld(stage, scan.states.get(place.file_path), place.file_path))
                    for place in places
                }
                if purged := [path for paths in held.values() for path in paths]:
                    notes.append(f"not recorded, as their content was purged: {', '.join(map(show, purged))}")
                places = [place for place in places if not held[place]]
                scanned.append((Project(subject.name, subject.ref, scan.states), places, scan.cache))

            def plan(draft: Draft) -> None:
                for project, places, _ in scanned:
                    plan_observe(Comparison(draft, project, {}), places)

            arguments = tuple(look.subject.name for look, _ in wanted)
            outcome = run(self._session("", {}), stage, Command("observe", arguments), plan)
            for _, _, cache in scanned:
                if not stage.has_unpublished:
                    save_cache(cache)
        notes += outcome.notes
        count = sum(len(places) for _, places, _ in scanned)
        return (count, outcome.operation.number) if outcome.operation is not None else (0, None)

    def _rows_of(self, look: _Look, checked: Mapping[str, int], waiting: Container[bytes]) -> list[DriftRow]:
        draft, subject = look.comparison.draft, look.subject
        deployed = last_deployed(draft.stage, subject.state, look.comparison.deployments)
        when = checked.get(show(subject.name))
        labels = Labels(draft.stage, draft.view)
        return [self._row(look, drift, deployed.get(drift.place), when, waiting, labels) for drift in look.drifts]

    def _forecast(self, look: _Look, drift: Drift) -> Forecast:
        draft = look.comparison.draft
        found = forecast_without_contents(drift) or forecast(draft, draft.scratch, drift)
        if found is not None:
            return found
        # What no pack holds was only hashed, or not even read, and a merge needs its bytes.
        stage = HashOnly(draft.scratch, keep=FORECAST_BYTES)
        scan_paths(look.subject.directory, [drift.place.file_path], stage)
        home = self._collection_directory(show(drift.source.collection))
        if home is not None and home.is_dir():
            scan_paths(home, [drift.source.path], stage)
        return forecast(draft, stage, drift) or Forecast(MergeForecast.UNKNOWN)

    def _row(
        self,
        look: _Look,
        drift: Drift,
        deployed_at: int | None,
        checked: int | None,
        waiting: Container[bytes],
        labels: Labels,
    ) -> DriftRow:
        place, deployment, draft = drift.place, drift.deployment, look.comparison.draft
        ref = waiting_ref(look.subject.name, place) if waiting else b""
        is_waiting = ref in waiting
        distance, outlook = measure(draft, drift), self._forecast(look, drift)
        observed = None if deployment is None else deployment.observed
        return DriftRow(
            show(look.subject.name),
            show(place.path),
            look.kind(place),
            show(place.root),
            show(place.collection),
            drift.status,
            drift_type(drift.status),
            recommend(drift, outlook.outcome, is_waiting=is_waiting),
            _id(drift.base),
            _id(drift.collection),
            _id(drift.project),
            distance.base,
            drift.collection_version if drift.known else None,
            drift.project_version,
            None if deployment is None else deployment.deployed,
            None if deployment is None else deployment.settled,
            observed,
            None if deployment is None or deployment.pin is None else show(deployment.pin),
            f"{show(drift.source.collection)}:{show(drift.source.path)}" if drift.has_moved else None,
            distance.ahead,
            distance.behind,
            *outlook,
            handle_of(ref) if is_waiting else None,
            deployed_at,
            None if observed is None or not drift.is_edited else first_seen(draft, observed),
            checked,
            () if deployment is None else labels.of(*drift.source, deployment.deployed),
            labels.of(*drift.source, drift.collection_version) if drift.known else (),
        )


def _iter_held(
    draft: Draft, subject: Subject, places: Iterable[Place], lines: Mapping[bytes, Line | None]
) -> Iterator[tuple[bytes, Root]]:
    """What no ignore rule may hide: what a version holds, there or in the collection."""
    for place in places:
        line = lines.get(place.collection)
        if place in subject.deployments:
            yield place.file_path, draft.graph.commit(subject.deployments[place].settled).root
        if line is not None and line.scan is not None and place.path in line.scan.units:
            yield place.file_path, line.scan.units[place.path]


def _id(state: Root | None) -> Oid | None:
    return None if state is None else state.id
