"""The façade's part for reports: fleet, timelines, conflicts, the audit and its verification, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.drivers import recorded_drivers
from casvault.artifacts.moments import parse_moment
from casvault.artifacts.names import COLLECTIONS, PROJECTS, show, typed
from casvault.artifacts.snapshot import open_snapshot
from casvault.artifacts.tags import labels_by_version
from casvault.deploy.checks import read_checks
from casvault.deploy.marker import marker_snapshot
from casvault.deploy.state import Place, read_deployments
from casvault.errors import NotFoundError
from casvault.merge.drivers.registry import DEFAULT_DRIVERS
from casvault.pending import MERGES, find_earlier, handle_of, read_pending
from casvault.reports.audit import AuditFilter, iter_audit
from casvault.reports.conflicts import iter_ended, iter_waiting
from casvault.reports.figures import count_all
from casvault.reports.patterns import find_patterns
from casvault.reports.plot import draw
from casvault.reports.timeline import read_timeline
from casvault.reports.verification import Directory, verify
from casvault.reports.when import When
from casvault.vault.concerning import Concerning, OfProject
from casvault.vault.results.reports import ArtifactTimeline, FleetResult, FleetRow, MissingProject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from casvault.artifacts.moves import Address
    from casvault.deploy.drift import Drift, Status
    from casvault.merge.drivers.registry import Drivers
    from casvault.oid import Oid
    from casvault.pending import Earlier
    from casvault.reports.audit import AuditEntry
    from casvault.reports.changes import Kind
    from casvault.reports.conflicts import ConflictRecord
    from casvault.reports.figures import Figures
    from casvault.reports.patterns import Patterns
    from casvault.reports.verification import Verification
    from casvault.vault.results.projects import DriftRow


class Reporting(Concerning):
    def iter_audit(
        self,
        subject: str | None = None,
        *,
        collection: str | None = None,
        kinds: Iterable[Kind] | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[AuditEntry]:
        """Everything that was changed, the newest first, one entry for each thing; read as it is asked for.

        The subject is an artifact, also one that is gone, or a project by its name or directory; UsageError that lists
        the candidates if it can be several.
        """
        concern = None if subject is None else self._concern(subject, collection)
        wanted = AuditFilter(
            None if kinds is None else frozenset(kinds),
            self._moment(since, begin=True),
            self._moment(until),
            None if concern is None else concern.matches,
            in_projects=isinstance(concern, OfProject),
        )
        return iter_audit(self._repository.log, self.reader, wanted, limit=limit)

    def verify_operations(self) -> Verification:
        """Go over the whole chain of operations again, down to the first; what is wrong first, if anything is.

        The records, ids, numbers, transaction ids and every change of a ref are held against each other, the packs
        against their checksums, and the directories of collections against the chain; `fsck` reads every object.
        """
        return verify(self._repository, list(self._marked_directories()), self._progress)

    def _marked_directories(self) -> Iterator[Directory]:
        """The directories of collections that are at hand, with the snapshots that they are at."""
        for ref, place in self._repository.places.all().items():
            directory = Path(place)
            snapshot = marker_snapshot(directory) if ref.startswith(COLLECTIONS.decode()) else None
            if snapshot is not None and directory.is_dir():
                yield Directory(place, typed(ref), snapshot)

    def timeline(
        self, artifact: str, project: Path | str | None = None, *, collection: str | None = None
    ) -> list[ArtifactTimeline]:
        """What happened to an artifact in a project, or in all projects that have or had it: one row for each root.

        The files are looked at, and nothing is recorded.
        """
        names = [self._project_name(project)] if project is not None else list(self._project_states())
        checked = read_checks(self._checks_path())
        found = [(name, place) for name, places in self._places(names, artifact, collection) for place in places]
        if not found:
            raise NotFoundError(
                "it is deployed nowhere, and never was", place=artifact, remedy="see `casvault drift --all`"
            )
        return [self._timeline(name, place, checked.get(show(name))) for name, place in found]

    def fleet(
        self,
        *,
        statuses: Collection[Status] | None = None,
        behind: bool = False,
        artifact: str | None = None,
        collection: str | None = None,
    ) -> FleetResult:
        """Everything that is deployed in all projects; nothing is recorded by looking.

        With `behind` only what the collection has newer versions of. Projects that are not where they were registered
        are named, and are no failure.
        """
        result = self.drift(collection=collection, record=False)
        addresses = None if artifact is None else self._addresses(artifact, collection)
        places = {name: place for name, _, place in self._known_states() if place is not None}
        labels: dict[Address, dict[Oid, tuple[str, ...]]] = {}
        rows = []
        for row in result.rows:
            address = typed(row.collection), typed(row.artifact)
            if row.settled is None or not _is_wanted(row, statuses, behind=behind):
                continue
            if addresses is None or address in addresses:
                tags = () if row.deployed is None else self._labels(labels, address).get(row.deployed, ())
                rows.append(FleetRow(row, places[typed(row.project)], tags))
        return FleetResult(tuple(rows), tuple(self._missing_projects()), result.notes)

    def conflicts(
        self,
        artifact: str | None = None,
        *,
        unresolved: bool = False,
        since: datetime | str | None = None,
        collection: str | None = None,
    ) -> list[ConflictRecord]:
        """The conflicts that merges met: those that wait, then those that are over, the newest first."""
        seconds = self._moment(since, begin=True)
        waiting = [
            each
            for each in iter_waiting(self.reader, self._view())
            if seconds is None or each.detected.seconds >= seconds
        ]
        ended = [] if unresolved else list(iter_ended(self._repository.log, self.reader, seconds))
        found = [*waiting, *reversed(ended)]
        if artifact is None:
            return [each for each in found if collection in (None, each.collection)]
        addresses = self._addresses(artifact, collection)
        return [each for each in found if (typed(each.collection), typed(each.artifact)) in addresses]

    def conflict_patterns(
        self, artifact: str | None = None, *, since: datetime | str | None = None, collection: str | None = None
    ) -> Patterns:
        """What conflicts have in common, and what would spare the next ones."""
        return find_patterns(
            self.conflicts(artifact, since=since, collection=collection), self._drivers_of, self._earlier_of
        )

    def figures(self) -> Figures:
        """Counts and sizes of everything, and how they grew. Every object is met once, and no blob is read."""
        return count_all(self._repository, self._progress)

    def plot(self, figures: Figures) -> str:
        """The growth of the vault as an SVG document."""
        return draw(figures)

    def _timeline(self, project: bytes, place: Place, checked: int | None) -> ArtifactTimeline:
        graph = self._repository.graph()
        told = read_timeline(self._repository.log, self.reader, graph, project, place)
        directory = self._project_directory(PROJECTS + project)
        deployment = told.deployment
        drift = self._find_drift(directory, place) if deployment is not None else None
        modified = None if drift is None else drift.is_edited
        edits = told.episodes[-1] if told.episodes and told.episodes[-1].until is None else None
        versions = () if deployment is None else (deployment.deployed, deployment.settled, deployment.observed)
        deployed, settled, observed = versions or (None, None, None)
        parents = () if settled is None else graph.parents(observed or settled)
        return ArtifactTimeline(
            show(project),
            directory,
            show(place.collection),
            show(place.path),
            show(place.root),
            None if drift is None else drift.status,
            modified,
            told.deployed_at,
            None if edits is None or modified is False else edits.since,
            None if checked is None else When(checked),
            deployed,
            settled,
            observed,
            parents[0] if parents else None,
            None if deployment is None or deployment.pin is None else show(deployment.pin),
            told.events,
            told.episodes,
        )

    def _find_drift(self, directory: Path | None, place: Place) -> Drift | None:
        if directory is None:
            return None
        (look,) = self._look([self._subject(directory, writing=False)], None, [], untracked=False)
        return next((drift for drift in look.drifts if drift.place == place), None)

    def _labels(self, known: dict[Address, dict[Oid, tuple[str, ...]]], address: Address) -> dict[Oid, tuple[str, ...]]:
        if address not in known:
            known[address] = labels_by_version(self.reader, self._view(), *address)
        return known[address]

    def _missing_projects(self) -> Iterator[MissingProject]:
        registered = self._repository.places.all()
        for name, state, place in self._known_states():
            if place is None:
                there = registered.get(show(PROJECTS + name))
                count = len(read_deployments(self.reader, state))
                yield MissingProject(show(name), None if there is None else Path(there), count)

    def _drivers_of(self, collection: str) -> Drivers:
        tip = self._view().find(COLLECTIONS + typed(collection))
        if tip is None:
            return DEFAULT_DRIVERS
        return recorded_drivers(self.reader, open_snapshot(self.reader, tip).content, typed(collection))

    def _moment(self, moment: datetime | str | None, *, begin: bool = False) -> int | None:
        """Seconds since 1970. Text is understood as in revisions: 2026-01-31, 7d, 3 days ago; of a day the last second
        is meant, or the first.
        """
        if isinstance(moment, str):
            return parse_moment(moment, self._clock(), begin=begin)
        return None if moment is None else int(moment.timestamp())

    def _earlier_of(self, record: ConflictRecord) -> Sequence[Earlier | None]:
        """What settled the same conflicts before, for each path of a merge that waits."""
        waiting = {handle_of(ref): oid for ref, oid in self._view().iter_refs(MERGES.rstrip(b"/"))}
        merge = read_pending(self.reader, waiting[record.merge or ""])
        return find_earlier(self.reader, self._repository.log.iter_pairs(), merge.conflicts)


def _is_wanted(row: DriftRow, statuses: Collection[Status] | None, *, behind: bool) -> bool:
    return (statuses is None or row.status in statuses) and (not behind or row.behind > 0)
