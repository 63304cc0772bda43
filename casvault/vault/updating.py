"""The façade's part for what comes from upstream: update, and what is behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import collection_ref, show, typed
from casvault.artifacts.revision import find_artifact, pick_path
from casvault.artifacts.snapshot import find_version, iter_links, open_snapshot
from casvault.deploy.drift import Source
from casvault.deploy.homes import Homes
from casvault.deploy.run import Command
from casvault.deploy.subject import Incoming
from casvault.deploy.updating import (
    REVISION,
    SOURCE,
    WANTED,
    Fetched,
    PlannedUpdate,
    UpdateStrategy,
    find_upstream,
    plan_continue_update,
    plan_update,
)
from casvault.errors import CasvaultError, NotFoundError, StaleError, UsageError
from casvault.objects import ObjectStage, read_commit
from casvault.pending import CONTINUE, read_pending
from casvault.vault.merges import Merges
from casvault.vault.results.deployments import conflict_rows, file_changes
from casvault.vault.results.updates import UpdateResult, UpdateRow, UpstreamCheck, UpstreamInfo
from casvault.vault.subjects import Subjects
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.plan import same_state
from casvault.worktree.scan import scan_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.revision import Names
    from casvault.deploy.snapshots import Line
    from casvault.objects import Commit
    from casvault.oid import Oid
    from casvault.vault.subjects import Work

Fetch = Callable[[ObjectStage], Fetched]
"""Writes what upstream has now into a stage; it may be called more than once."""

_PLACES = "upstreams/"


class Upstream(NamedTuple):
    """Where something comes from."""

    location: str
    """What this machine remembers, so that the next update need not be told."""
    fetch: Fetch


class UpdateRequest(NamedTuple):
    artifact: str
    """Its path or name; a path or short name that nothing has yet is imported."""
    upstream: Upstream
    named: bool = True
    """Whether it must be refused, rather than left, if it needs a decision."""


def directory_upstream(directory: Path | str) -> Upstream:
    """A directory or file of this machine, as it is now."""
    place = Path(directory).resolve()

    def fetch(stage: ObjectStage) -> Fetched:
        state = scan_path(place, stage, storing=not isinstance(stage, HashOnly))
        if state is None:
            raise NotFoundError("upstream is not there", place=str(place), remedy="mount it, or name another: --from")
        return Fetched(state, typed(place.name) or b"/")

    return Upstream(str(place), fetch)


class Updating(Merges, Subjects):
    def update(
        self,
        requests: Iterable[UpdateRequest],
        *,
        strategy: UpdateStrategy = UpdateStrategy.MERGE,
        collection: str | None = None,
        preview: bool = False,
        follow: bool = False,
        message: str = "",
    ) -> UpdateResult:
        """Bring what upstream has into artifacts of a collection: as it is where nothing was changed here, else merged
        over what came last from there.

        What the collection's directory holds is recorded first. A clash changes nothing and waits, like that of a pull.
        """
        wanted = list(requests)
        name = self._collection_name(collection)
        with self._work([], [typed(name)], message=message, follow=follow) as work:
            line = work.lines[typed(name)]
            found = [(each, self._source(line, each.artifact), each.upstream.fetch(work.stage)) for each in wanted]
            _check_distinct(source for _, source, _ in found)
            rows: list[PlannedUpdate] = []

            def plan(draft: Draft) -> None:
                snapshots = work.snapshots(draft)
                homes = Homes(draft, work.lines, snapshots)
                snapshot = snapshots[line.name]
                rows[:] = [plan_update(draft, homes, snapshot, where, got, strategy) for _, where, got in found]
                for (request, _, _), row in zip(found, rows, strict=True):
                    if row.refusal is not None and request.named:
                        raise row.refusal
                homes.finish()

            arguments = (line.name, *(source.path for _, source, _ in found))
            outcome = self._carry_out(work, Command("update", arguments), plan, dry_run=preview)
            result = tuple(_row(work, row, got) for row, (_, _, got) in zip(rows, found, strict=True))
            if not preview:
                for (request, _, _), row in zip(found, rows, strict=True):
                    self._remember(row, request.upstream.location)
            notes = tuple(note for _, _, got in found for note in got.notes)
            return UpdateResult(preview, result, outcome, notes)

    def continue_update(self, merge: str, *, follow: bool = False, message: str = "") -> UpdateResult:
        """Bring an update to its end whose conflicts are all resolved, together with what the artifact has become
        since.

        ConflictError, with nothing changed, names what is still open. A new conflict waits under the same name.
        """
        found = self._find_merge(merge)
        subject = found.subject
        if not isinstance(subject, Incoming):
            raise UsageError("no update; `continue_merge` brings it to its end", place=merge)
        with self._work([], [subject.collection], message=message, follow=follow) as work:
            rows: list[PlannedUpdate] = []

            def plan(draft: Draft) -> None:
                standing = draft.ref(found.ref)
                if standing is None:
                    raise StaleError("somebody else has ended this merge", place=merge)
                snapshots = work.snapshots(draft)
                homes = Homes(draft, work.lines, snapshots)
                source = Source(subject.collection, subject.path)
                pending = read_pending(draft.stage, standing)
                snapshot = snapshots[subject.collection]
                rows[:] = [plan_continue_update(draft, homes, snapshot, source, subject, pending)]
                homes.finish()

            outcome = self._carry_out(work, Command(CONTINUE, subject.arguments), plan, dry_run=False)
            row = _row(work, rows[0], None)
            return UpdateResult(False, (row._replace(source=show(subject.source)),), outcome, ())

    def upstreams(self, artifacts: Sequence[str] = (), *, collection: str | None = None) -> list[UpstreamInfo]:
        """The artifacts of a collection that come from somewhere, or these; UsageError for one that does not."""
        home = self._collection_name(collection)
        tips = dict(self._tips(self._names(home), home, artifacts))
        graph, places = self._repository.graph(), self._repository.places.all()
        found = []
        for path, tip in tips.items():
            version = find_upstream(graph, tip)
            if version is not None:
                found.append(_info(home, path, version, graph.commit(version), places))
            elif artifacts:
                raise UsageError("nothing says where it comes from", place=show(path), remedy="say it once: --from DIR")
        return found

    def check_upstream(self, upstream: UpstreamInfo, fetch: Fetch) -> UpstreamCheck:
        """What upstream has against what was last taken from there. Nothing is stored."""
        stage = HashOnly(self.reader)
        path = typed(upstream.artifact)
        snapshot = open_snapshot(self.reader, self._view().find(collection_ref(upstream.collection)))
        tip = find_version(self.reader, snapshot, path) or upstream.version
        last = read_commit(self.reader, upstream.version).root
        is_edited = not same_state(read_commit(self.reader, tip).root, last)
        try:
            now = fetch(stage)
        except CasvaultError as error:
            return UpstreamCheck(upstream, False, is_edited, "", (), str(error))
        files = tuple(file_changes(stage, last, now.state, path))
        return UpstreamCheck(upstream, not same_state(last, now.state), is_edited, show(now.revision), files, None)

    def _tips(self, names: Names, collection: str, artifacts: Sequence[str]) -> Iterator[tuple[bytes, Oid]]:
        """Path and newest version of these artifacts of a collection, or of all."""
        for artifact in artifacts:
            found = find_artifact(names, artifact)
            if found is None:
                raise NotFoundError("no such artifact", place=artifact, remedy="see `casvault ls-tree -r @`")
            yield found
        if not artifacts:
            snapshot = open_snapshot(self.reader, names.view.find(collection_ref(collection)))
            yield from ((path, entry.id) for path, entry in iter_links(self.reader, snapshot))

    def _source(self, line: Line, artifact: str) -> Source:
        """The artifact of this name, or the place of a new one."""
        view = self._view()
        path = pick_path(self._paths_of(view, line), line.rules, artifact)
        if path is None:
            path = line.rules.expand(typed(artifact).strip(b"/"), b"")
            if not line.rules.admits(path):
                raise NotFoundError(
                    "no such artifact, and by the collection's rules none can be there",
                    place=artifact,
                    remedy="name a path such as skills/NAME",
                )
        return Source(line.name, path)

    def _remember(self, row: PlannedUpdate, location: str) -> None:
        if row.upstream is not None and row.refusal is None:
            self._repository.places.set(_PLACES + row.upstream.hex(), location)


def _check_distinct(sources: Iterable[Source]) -> None:
    seen: set[Source] = set()
    for source in sources:
        if source in seen:
            raise UsageError("named twice", place=show(source.path))
        seen.add(source)


def _info(collection: str, path: bytes, version: Oid, commit: Commit, places: dict[str, str]) -> UpstreamInfo:
    source, wanted, revision = (show(commit.field(key) or b"") for key in (SOURCE, WANTED, REVISION))
    location = places.get(_PLACES + version.hex())
    who = commit.author
    return UpstreamInfo(
        collection, show(path), source, location, wanted, revision, version, who.seconds, who.zone.decode()
    )


def _row(work: Work, row: PlannedUpdate, fetched: Fetched | None) -> UpdateRow:
    refusal = row.refusal
    return UpdateRow(
        show(row.source.collection),
        show(row.source.path),
        "" if fetched is None else show(fetched.label),
        "" if fetched is None else show(fetched.revision),
        row.action,
        row.upstream,
        row.version,
        file_changes(work.reader, row.old, row.new, row.source.path),
        conflict_rows(row.conflicts),
        row.merge,
        None if refusal is None else refusal.message,
        None if refusal is None else refusal.remedy,
    )
