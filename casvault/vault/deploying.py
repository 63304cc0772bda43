"""The façade's part for what happens in projects: deploy, undeploy, adopt, pin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import is_steps, resolve_version
from casvault.artifacts.tags import find_tagged
from casvault.deploy.actions import Planned, check_refusals
from casvault.deploy.adopting import plan_adopt
from casvault.deploy.deploying import (
    DeployOptions,
    DeployStrategy,
    Request,
    check_places,
    check_version_of,
    plan_deploy,
)
from casvault.deploy.drift import Source
from casvault.deploy.locks import find_lock
from casvault.deploy.pinning import plan_pin
from casvault.deploy.projects import check_root
from casvault.deploy.run import Command
from casvault.deploy.scanning import iter_untracked
from casvault.deploy.state import DEFAULT_ROOT, Place
from casvault.deploy.undeploying import plan_undeploy
from casvault.errors import NotFoundError, StaleError, UsageError
from casvault.vault.locked import requests_of_lock, where_they_are
from casvault.vault.results.deployments import DeployResult, deploy_row
from casvault.vault.subjects import Subject, Subjects, Work, check_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.run import Outcome


_TAGS = "tags/"


class _Deploy(NamedTuple):
    """What is deployed to one project."""

    subject: Subject
    requests: list[Request]


class Deploying(Subjects):
    def deploy(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        strategy: DeployStrategy = DeployStrategy.REFUSE,
        version: str | None = None,
        pin: bool = False,
        prune: bool = False,
        collection: str | None = None,
        root: str | None = None,
        dry_run: bool = False,
        follow: bool = False,
        message: str = "",
    ) -> DeployResult:
        """Put versions of these artifacts into a project's directory; with none named, update all that is there.

        What the collection's directory holds is recorded first. LocalEditsError, with nothing written, where the
        project has edits of something that was named and no strategy says what becomes of them. Where the update and
        the edits clash, the row says so, the project keeps its copy, and the merge waits to be resolved.

        `version` names a version of the one artifact; `pin` lets it stay there; `prune` removes what is gone from the
        collection; `root` is where in the project new artifacts go; `dry_run` changes nothing; `follow` writes through
        symlinks at the roots of artifacts.
        """
        subject = self._subject(project, writing=not dry_run, may_be_new=True)
        options = DeployOptions(strategy, prune, pin)
        names = list(check_names(artifacts))
        if version is not None and len(names) != 1:
            raise UsageError("a version is one of a certain artifact: name exactly one")
        chosen_root = None if root is None else check_root(typed(root))
        homes = self._homes_for(subject, names, collection, chosen_root)
        with self._work([subject], homes, message=message, follow=follow) as work:
            requests = self._requests(work, subject, names, collection, chosen_root)
            requests = [self._versioned(work, subject, request, version) for request in requests]
            return self._deploy(work, [_Deploy(subject, requests)], options, dry_run=dry_run)[0]

    def deploy_everywhere(
        self,
        artifacts: Iterable[str] = (),
        *,
        strategy: DeployStrategy = DeployStrategy.REFUSE,
        prune: bool = False,
        collection: str | None = None,
        dry_run: bool = False,
        message: str = "",
    ) -> list[DeployResult]:
        """Update these artifacts, or all, in every project that has them, as one operation."""
        names = list(check_names(artifacts))
        subjects = self._all_subjects(writing=not dry_run)
        jobs = [job for subject in subjects if (job := self._update(subject, names, collection)).requests]
        if not jobs:
            raise NotFoundError(
                "no project has any of these artifacts" if names else "nothing is deployed in any project",
                place=", ".join(names) or None,
                remedy="see `casvault project list`",
            )
        homes = self._homes_of(request.place for job in jobs for request in job.requests)
        options = DeployOptions(strategy, prune)
        with self._work([job.subject for job in jobs], homes, message=message) as work:
            return self._deploy(work, jobs, options, dry_run=dry_run)

    def deploy_locked(
        self,
        project: Path | str,
        *,
        strategy: DeployStrategy = DeployStrategy.REFUSE,
        prune: bool = False,
        dry_run: bool = False,
        message: str = "",
    ) -> DeployResult:
        """Bring a project to what its lock file says: these versions, else the same contents under other versions.

        NotFoundError that names what the vault has in neither form; ConflictError where git has left conflict markers.
        """
        subject = self._subject(project, writing=not dry_run, may_be_new=True)
        entries = find_lock(subject.directory)
        if entries is None:
            raise NotFoundError(
                "there is no lock file", place=str(subject.directory), remedy="`casvault deploy ARTIFACT` writes one"
            )
        places = [Place(entry.root, entry.collection, entry.path) for entry in entries]
        with self._work([subject], self._homes_of(places), message=message) as work:
            if find_lock(subject.directory) != entries:
                raise StaleError("somebody else has just written the lock file", place=str(subject.directory))
            found, notes = requests_of_lock(self.reader, self._view(), entries)
            requests = where_they_are(work, subject, found)
            kept = {request.place for request in requests}
            gone = [Request(place, named=False) for place in subject.deployments if prune and place not in kept]
            result = self._deploy(
                work, [_Deploy(subject, requests)], DeployOptions(strategy), dry_run=dry_run, gone=gone
            )[0]
        return result._replace(notes=(*notes, *result.notes))

    def undeploy(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        keep_files: bool = False,
        collection: str | None = None,
        root: str | None = None,
        dry_run: bool = False,
        follow: bool = False,
        message: str = "",
    ) -> DeployResult:
        """Take artifacts out of a project, which records what was edited there; ignored files stay and are named."""
        subject = self._subject(project, writing=not dry_run)
        places = self._read_deployed(subject, artifacts, collection, None if root is None else typed(root))
        if not places:
            raise UsageError("name at least one artifact")

        def plan(comparison: Comparison) -> list[Planned]:
            return plan_undeploy(comparison, places, keep_files=keep_files)

        with self._work([subject], self._homes_of(places), message=message, follow=follow) as work:
            return self._change(work, subject, places, "undeploy", plan, dry_run=dry_run)

    def adopt(
        self,
        artifacts: Iterable[str],
        project: Path | str,
        *,
        version: str | None = None,
        collection: str | None = None,
        root: str = show(DEFAULT_ROOT),
        dry_run: bool = False,
        message: str = "",
    ) -> DeployResult:
        """Make deployments of artifacts that were copied into a project by hand; of all that are recognised, if none
        is named. No file is touched.

        Content is recognised as the newest version of the artifact that has it; `version` says which one it was made
        from where it is none.
        """
        subject = self._subject(project, writing=not dry_run, may_be_new=True)
        names = list(check_names(artifacts))
        if version is not None and len(names) != 1:
            raise UsageError("a version is one of a certain artifact: name exactly one")
        homes = map(typed, self._default_collections(collection))
        with self._work([subject], homes, message=message) as work:
            requests = self._copied(work, subject, names, check_root(typed(root)))
            requests = [self._versioned(work, subject, request, version) for request in requests]

            def plan(comparison: Comparison) -> list[Planned]:
                for request in requests:
                    check_version_of(comparison, request)
                return plan_adopt(comparison, requests)

            places = [request.place for request in requests]
            return self._change(work, subject, places, "adopt", plan, dry_run=dry_run)

    def pin(
        self, artifacts: Iterable[str], project: Path | str, *, collection: str | None = None, message: str = ""
    ) -> DeployResult:
        """Keep artifacts at the versions that are deployed, until they are unpinned or another version is named."""
        return self._pin(artifacts, project, collection, message, pinned=True)

    def unpin(
        self, artifacts: Iterable[str], project: Path | str, *, collection: str | None = None, message: str = ""
    ) -> DeployResult:
        return self._pin(artifacts, project, collection, message, pinned=False)

    def _pin(
        self, artifacts: Iterable[str], project: Path | str, collection: str | None, message: str, *, pinned: bool
    ) -> DeployResult:
        subject = self._subject(project, writing=True)
        places = self._read_deployed(subject, artifacts, collection)
        if not places:
            raise UsageError("name at least one artifact")
        with self._work([subject], (), message=message) as work:

            def plan(comparison: Comparison) -> list[Planned]:
                return plan_pin(comparison, places, pinned=pinned)

            return self._change(work, subject, places, "pin" if pinned else "unpin", plan, dry_run=False)

    def _change(
        self,
        work: Work,
        subject: Subject,
        places: Sequence[Place],
        kind: str,
        plan_rows: Callable[[Comparison], list[Planned]],
        *,
        dry_run: bool,
    ) -> DeployResult:
        """Run what changes one project."""
        project = work.scan(subject, places)
        rows: list[Planned] = []

        def plan(draft: Draft) -> None:
            rows[:] = plan_rows(work.compare(draft, project, subject, work.snapshots(draft)))
            if not dry_run:
                check_refusals(rows)

        arguments = (subject.name, *(place.path for place in places))
        known = [subject] if places else []
        outcome = self._carry_out(work, Command(kind, arguments), plan, known, dry_run=dry_run)
        return _result(work, subject, rows, outcome, dry_run=dry_run)

    def _deploy(
        self,
        work: Work,
        jobs: Sequence[_Deploy],
        options: DeployOptions,
        *,
        dry_run: bool,
        gone: Sequence[Request] = (),
    ) -> list[DeployResult]:
        for job in jobs:
            check_places(job.requests)
        scanned = [work.scan(job.subject, self._touched(work, job, gone)) for job in jobs]
        rows: list[list[Planned]] = [[] for _ in jobs]

        def plan(draft: Draft) -> None:
            snapshots = work.snapshots(draft)
            for number, (job, project) in enumerate(zip(jobs, scanned, strict=True)):
                comparison = work.compare(draft, project, job.subject, snapshots)
                lost = [each for each in job.requests if job.subject.has_lost(comparison, each.place)]
                requests = [each for each in job.requests if each.named or each not in lost]
                for request in requests:
                    check_version_of(comparison, request)
                found = plan_deploy(comparison, requests, options)
                if gone:
                    keep = options.strategy is not DeployStrategy.OVERWRITE
                    found += plan_undeploy(comparison, [each.place for each in gone], keep_edited=keep)
                rows[number] = found
            if not dry_run:
                check_refusals(row for found in rows for row in found)

        names = sorted({request.place.path for job in jobs for request in job.requests if request.named})
        arguments = (*work.lines, *(job.subject.name for job in jobs), *names)
        subjects = [job.subject for job in jobs]
        outcome = self._carry_out(work, Command("deploy", arguments), plan, subjects, dry_run=dry_run)
        return [
            _result(work, job.subject, found, outcome, dry_run=dry_run) for job, found in zip(jobs, rows, strict=True)
        ]

    def _homes_for(
        self, subject: Subject, names: Sequence[str], collection: str | None, root: bytes | None
    ) -> set[bytes]:
        """The collections that a deploy of these names is about."""
        if not names:
            return self._homes_of(self._all_deployed(subject, collection, root))
        picked = [self._pick_deployed(subject, name, collection, root) for name in names]
        homes = self._homes_of(place for places in picked for place in places)
        if not all(picked):
            homes |= set(map(typed, self._default_collections(collection)))
        return homes

    def _all_deployed(self, subject: Subject, collection: str | None, root: bytes | None = None) -> list[Place]:
        return [
            place
            for place in sorted(subject.deployments)
            if collection in (None, show(place.collection)) and root in (None, place.root)
        ]

    def _requests(
        self, work: Work, subject: Subject, names: Sequence[str], collection: str | None, root: bytes | None
    ) -> list[Request]:
        """What is deployed already under these names, else what the collections have; all that is deployed for none."""
        if not names:
            places = self._all_deployed(subject, collection, root)
            if not places:
                raise UsageError(
                    "nothing is deployed here that could be updated",
                    place=str(subject.directory),
                    remedy="name at least one artifact",
                )
            return [Request(place, named=False) for place in places]
        requests = []
        for name in names:
            places = self._pick_deployed(subject, name, collection, root)
            if not places:
                found = self._find_in_lines(work.lines, name)
                if found is None:
                    raise _no_artifact(work, name)
                places = self._renamed(work, subject, Source(*found), root) or [Place(root or DEFAULT_ROOT, *found)]
            requests += [Request(place) for place in places]
        return list(dict.fromkeys(requests))

    def _renamed(self, work: Work, subject: Subject, found: Source, root: bytes | None) -> list[Place]:
        """Where an artifact is deployed under another name, as one that was renamed on disk since."""
        known = [place for place in subject.deployments if root in (None, place.root)]
        return [place for place, source in work.sources(subject, known).items() if source == found]

    def _update(self, subject: Subject, names: Sequence[str], collection: str | None) -> _Deploy:
        """What of these artifacts a project has, or all of it."""
        places = [place for name in names for place in self._pick_deployed(subject, name, collection)]
        chosen = places if names else self._all_deployed(subject, collection)
        return _Deploy(subject, [Request(place, named=False) for place in dict.fromkeys(chosen)])

    def _copied(self, work: Work, subject: Subject, names: Sequence[str], root: bytes) -> list[Request]:
        """What is in a project that was never deployed there, or what has these names."""
        if names:
            found = [(name, self._find_in_lines(work.lines, name)) for name in names]
            missing = [name for name, where in found if where is None]
            if missing:
                raise _no_artifact(work, missing[0])
            return [Request(Place(root, *where)) for _, where in found if where is not None]
        requests = []
        taken = {place.file_path for place in subject.deployments}
        for line in work.lines.values():
            known = set(self._paths_of(self._view(), line))
            for path in iter_untracked(subject.directory / show(root), line.rules):
                place = Place(root, line.name, path)
                if path in known and place.file_path not in taken:
                    requests.append(Request(place, named=False))
        return requests

    def _versioned(self, work: Work, subject: Subject, request: Request, version: str | None) -> Request:
        """The request for a certain version: a revision, or ~n and ^n counted from the collection's own."""
        if version is None:
            return request
        source = self._sources([request.place])[request.place]
        names = self._names(show(source.collection))
        if is_steps(version) and find_tagged(self.reader, names.view, *source, version) is None:
            # Where such a way leads is another version tomorrow, so this is no label for a pin.
            return request._replace(version=work.version(subject, request.place, version))
        chosen = resolve_version(names, source.path, version)
        # Only a tag means the same for good.
        label = version if chosen.label is None and version.startswith(_TAGS) else chosen.label or ""
        return request._replace(version=chosen.version, label=typed(label))

    def _touched(self, work: Work, job: _Deploy, gone: Sequence[Request]) -> set[Place]:
        """The places of a project that a deploy looks at: also those to which artifacts have moved."""
        sources = work.sources(job.subject, (request.place for request in (*job.requests, *gone)))
        return {*sources, *(Place(place.root, *source) for place, source in sources.items())}


def _no_artifact(work: Work, name: str) -> NotFoundError:
    homes = ", ".join(show(collection) for collection in work.lines)
    return NotFoundError(
        f"no such artifact in collection {homes}",
        place=name,
        remedy=f"see `casvault ls-tree -r {homes.split(', ')[0]}`",
    )


def _result(work: Work, subject: Subject, rows: Sequence[Planned], outcome: Outcome, *, dry_run: bool) -> DeployResult:
    found = tuple(deploy_row(work.reader, row) for row in rows)
    return DeployResult(show(subject.name), subject.directory, dry_run, found, outcome, ())
