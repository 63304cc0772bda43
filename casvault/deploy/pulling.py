"""Pulling: bringing edits from a project home, as versions whose base the commit graph knows."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import merge_contents
from casvault.artifacts.names import show
from casvault.artifacts.recording import NewVersion, link_to
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.actions import Action, Planned, decline
from casvault.deploy.concluding import find_passed_over, keep_in_operation
from casvault.deploy.drift import EQUAL, NO_BASE, Drift, Source, Status
from casvault.deploy.forking import find_fork_path, plan_fork
from casvault.deploy.obstacles import check_free
from casvault.deploy.projects import find_owner_refusal
from casvault.deploy.state import Deployment, Place
from casvault.deploy.subject import Direction
from casvault.deploy.waiting import forget_waiting, wait_for_decision
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.pending import Strategy, record_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.comparison import Comparison
    from casvault.deploy.homes import Homes
    from casvault.objects import Field, Root
    from casvault.oid import Oid
    from casvault.pending import Record


class PullStrategy(Enum):
    """How local edits and the collection's own changes come together."""

    MERGE = "merge"
    """Line by line; a version with both as parents."""
    OVERWRITE = "overwrite"
    """The project's content wins; both are parents, so that the base advances."""
    FORK = "fork"
    """The project's content becomes an artifact of its own; the collection's stays as it is."""


class PullOptions(NamedTuple):
    strategy: PullStrategy | None = None
    """None merges where there is a base, and asks where there is none."""
    delete: bool = False
    """Take deletions, too."""
    fork_path: bytes | None = None
    """Where a fork goes; None for a free path beside the original."""
    relink: bool = False
    """Let the project's copy count as the fork from now on."""


class Wanted(NamedTuple):
    """One artifact to pull."""

    place: Place
    named: bool = True
    """Asked for by name, and not just because it is deployed."""


def plan_pull(comparison: Comparison, homes: Homes, wanted: Iterable[Wanted], options: PullOptions) -> list[Planned]:
    """Plan to bring the project's side of these artifacts into their collections."""
    planned = [_Pulling(comparison, homes, one, options).plan() for one in wanted]
    imported = [row.place for row in planned if row.action is Action.IMPORTED]
    homes.finish()
    for place in imported:
        version = homes.version(Source(place.collection, place.path))
        comparison.settle(place, Deployment(version, version))
    comparison.finish()
    return planned


class _Pulling:
    """One artifact."""

    def __init__(self, comparison: Comparison, homes: Homes, wanted: Wanted, options: PullOptions) -> None:
        self._comparison = comparison
        self._homes = homes
        self._wanted = wanted
        self._options = options
        # What the same command has taken there already, from another root, is the collection's side.
        self._version = homes.planned_version(comparison.source(wanted.place))
        self._drift = self._recognised(comparison.read(wanted.place, self._version))

    def plan(self) -> Planned:
        drift, deployment = self._drift, self._drift.deployment
        if not drift.known:
            return self._without_collection()
        if self._homes.is_going(drift.source) and drift.project is not None:
            return self._decline(
                RefusedError(
                    "the same pull takes its deletion home, from another root of the project",
                    place=show(drift.place.file_path),
                    remedy="pull one of the two by name, with --root",
                )
            )
        owned = find_owner_refusal(self._comparison.deployments, drift.place)
        if owned is not None:
            return self._decline(owned)
        if self._options.strategy is PullStrategy.FORK and drift.project is not None:
            return self._fork(drift.project)
        if deployment is None:
            return self._untracked()
        version = drift.collection_version
        match drift.status:
            case Status.STALE:
                return self._done(Action.FORGOTTEN, None)
            case Status.REMOVED | Status.REMOVED_MODIFIED:
                return self._restore(deployment)
            case Status.MISSING | Status.DELETION_CONFLICT:
                return self._missing()
            case Status.OUTDATED:
                is_known = drift.place in self._comparison.deployments
                return self._row(Action.NOTHING) if is_known else self._done(Action.ADOPTED, deployment)
        assert version is not None
        if drift.status in EQUAL:
            settled = deployment._replace(settled=version, observed=None)
            return self._done(Action.NOTHING if deployment == settled else Action.SETTLED, settled)
        return self._take(version, deployment)

    def _without_collection(self) -> Planned:
        """One that is gone does not keep a pull of all from what else there is."""
        drift = self._drift
        what = f"collection {show(drift.source.collection)} is not in the vault any more"
        remedy = "add it again: `casvault collection add DIR`; or `casvault undeploy` it here"
        if self._wanted.named:
            raise NotFoundError(what, place=show(drift.place.path), remedy=remedy)
        edited = drift.status is not Status.IN_SYNC
        refusal = RefusedError(what, place=show(drift.place.path), remedy=remedy)
        return self._row(Action.LEFT, refusal=refusal) if edited else self._row(Action.NOTHING)

    def _take(self, version: Oid, deployment: Deployment) -> Planned:
        """Both sides are there, and the project has edits."""
        drift = self._drift
        mine = self._comparison.observe(drift)
        taken = deployment._replace(settled=mine, observed=None)
        if self._comparison.draft.graph.is_ancestor(version, mine):
            return self._home(Action.TAKEN, mine, drift.project, taken)
        if self._options.strategy is PullStrategy.OVERWRITE:
            return self._overwrite(version, mine, taken)
        if drift.base is None:
            return self._decline(RefusedError(NO_BASE, place=show(drift.place.path), remedy=_STRATEGIES))
        return self._merge(version, mine, taken)

    def _merge(self, version: Oid, mine: Oid, taken: Deployment) -> Planned:
        drift, draft = self._drift, self._comparison.draft
        merged = merge_contents(
            draft,
            drift.base,
            drift.collection,
            drift.project,
            path=drift.source.path,
            collection=drift.source.collection,
        )
        if merged.is_clean and merged.state is not None:
            return self._home(
                Action.MERGED, self._united(merged.state, version, mine, Origin.MERGE), merged.state, taken
            )
        if drift.deployment is not None:
            self._comparison.record(drift)
        handle = wait_for_decision(self._comparison, drift, Direction.PULL, version, mine, merged, drift.source.path)
        return self._row(Action.PENDING, conflicts=merged.conflicts, merge=handle)

    def _overwrite(self, version: Oid, mine: Oid, taken: Deployment) -> Planned:
        content = self._drift.project
        record = self._passed_over(version, mine)
        fields = () if record is None else record_fields(record)
        united = self._united(content, version, mine, Origin.OVERWRITE, fields)
        return self._home(Action.OVERWRITTEN, united, content, taken)

    def _passed_over(self, version: Oid | None, mine: Oid | None) -> Record | None:
        return find_passed_over(self._comparison, self._drift, Direction.PULL, Strategy.OVERWRITE, version, mine)

    def _united(
        self, content: Root | None, version: Oid, mine: Oid, origin: Origin, fields: Iterable[Field] = ()
    ) -> Oid:
        assert content is not None
        draft, source = self._comparison.draft, self._drift.source
        return write_version(
            draft.stage,
            draft.draftsman,
            content,
            (version, mine),
            collection=source.collection,
            path=source.path,
            origin=origin,
            fields=fields,
        )

    def _untracked(self) -> Planned:
        """What was never deployed: imported if the collection has nothing there, else a strategy must be named."""
        drift = self._drift
        version, project = drift.collection_version, drift.project
        if project is None:
            raise NotFoundError(
                f"it is not in project {show(self._comparison.project.name)}",
                place=show(drift.place.path),
                remedy=f"`casvault deploy {show(drift.place.path)}` takes it there",
            )
        if version is None:
            self._homes.change(drift.source, NewVersion(project), None, project)
            return self._row(Action.IMPORTED, new=project)
        if drift.status is Status.IDENTICAL:
            return self._done(Action.ADOPTED, Deployment(version, version))
        mine = self._comparison.observe(drift)
        taken = Deployment(mine, mine)
        if self._options.strategy is PullStrategy.OVERWRITE:
            return self._overwrite(version, mine, taken)
        if self._options.strategy is PullStrategy.MERGE:
            return self._merge(version, mine, taken)
        return self._decline(
            RefusedError(
                "it was never deployed here and is no version of the artifact, so there is no base to merge from",
                place=show(drift.place.file_path),
                remedy=f"{_STRATEGIES}; or say which version it was made from: casvault adopt --version V",
            )
        )

    def _restore(self, deployment: Deployment) -> Planned:
        """The artifact is gone from the collection: its lineage goes on with what the project has."""
        drift, draft = self._drift, self._comparison.draft
        if drift.status is Status.REMOVED and not self._wanted.named:
            return self._row(Action.GONE)
        assert drift.project is not None
        mine = self._comparison.observe(drift)
        last = self._homes.last_version(drift.source)
        version = mine
        if last is not None and not draft.graph.is_ancestor(last, mine):
            version = self._united(drift.project, last, mine, Origin.RESTORE)
        return self._home(Action.RESTORED, version, drift.project, deployment._replace(settled=mine, observed=None))

    def _missing(self) -> Planned:
        """The artifact is gone from the project."""
        drift = self._drift
        changed = drift.status is Status.DELETION_CONFLICT
        if self._options.delete and (not changed or self._options.strategy is PullStrategy.OVERWRITE):
            record = self._passed_over(drift.collection_version, None)
            keep_in_operation(self._comparison.draft, *drift.source, record)
            self._homes.change(drift.source, None, drift.collection, None)
            return self._done(Action.DELETED, None)
        if not changed and not self._wanted.named:
            return self._row(Action.ABSENT)
        name = show(drift.place.path)
        overwrite = " --strategy overwrite" if changed else ""
        what = (
            "it was removed in the project and changed in the collection"
            if changed
            else "it was removed in the project"
        )
        refusal = ConflictError if changed else RefusedError
        return self._decline(
            refusal(
                what,
                place=name,
                remedy=f"`casvault deploy {name}{overwrite}` puts it back, `casvault undeploy {name}` removes it only "
                f"here, `casvault pull {name} --delete{overwrite}` everywhere",
            )
        )

    def _fork(self, content: Root) -> Planned:
        drift = self._drift
        if drift.status in EQUAL or (drift.deployment is not None and not drift.is_edited):
            name = show(drift.place.path)
            return self._decline(
                RefusedError("there are no edits to fork", place=name, remedy=f"`casvault cp {name} NEW` makes a copy")
            )
        path = find_fork_path(self._comparison, self._homes, drift, self._options.fork_path)
        place = Place(drift.place.root, drift.source.collection, path)
        owned = find_owner_refusal(self._comparison.deployments, place, drift.place) if self._options.relink else None
        if owned is not None:
            return self._decline(owned)
        version = plan_fork(self._comparison, self._homes, drift, content, path)
        row = self._row(Action.FORKED, version, path=path, old=None, new=content)
        if self._options.relink:
            self._relink(place, version)
        elif drift.deployment is not None:
            self._comparison.record(drift)
        forget_waiting(self._comparison, drift.place)
        return row

    def _relink(self, place: Place, version: Oid) -> None:
        """The project's copy is the fork from now on, and lies where the fork belongs."""
        drift, draft, ref = self._drift, self._comparison.draft, self._comparison.project.ref
        self._check_free(place)
        draft.write_file(ref, drift.place.file_path, drift.project, None)
        draft.write_file(ref, place.file_path, None, drift.project)
        self._comparison.settle(drift.place, None)
        self._comparison.settle(place, Deployment(version, version))

    def _check_free(self, place: Place) -> None:
        """RefusedError if something of the project is where its copy of the fork would lie."""
        if place in self._comparison.deployments:
            raise RefusedError(
                f"{show(place.path)} is deployed here, and the fork would take its place",
                place=show(place.file_path),
                remedy="choose another name for the fork, or undeploy what is there",
            )
        directory = self._comparison.project.directory
        if directory is not None:
            check_free(directory, place.file_path)

    def _home(self, action: Action, version: Oid, content: Root | None, deployment: Deployment) -> Planned:
        """Take a version into the collection."""
        draft, drift = self._comparison.draft, self._drift
        self._homes.change(drift.source, link_to(draft, version), drift.collection, content)
        return self._done(action, deployment, version=version, new=content)

    def _done(self, action: Action, deployment: Deployment | None, **more: object) -> Planned:
        self._comparison.settle(self._drift.place, deployment)
        forget_waiting(self._comparison, self._drift.place)
        if action is Action.DELETED:
            more["new"] = None
        return self._row(action)._replace(**more)  # type: ignore[arg-type]

    def _decline(self, refusal: RefusedError) -> Planned:
        action, why = decline(refusal, named=self._wanted.named)
        return self._row(action, refusal=why)

    def _row(self, action: Action, version: Oid | None = None, **more: object) -> Planned:
        drift = self._drift
        old = drift.collection
        row = Planned(drift.place, drift.status, action, version, drift.base, drift.source.path, old, old)
        return row._replace(**more)  # type: ignore[arg-type]

    def _recognised(self, drift: Drift) -> Drift:
        """What was never deployed, but is a version, counts as that version deployed: then there is a true base."""
        if drift.status is not Status.DIFFERS or drift.project_version is None:
            return drift
        found = self._comparison.find(
            drift.place, self._version, Deployment(drift.project_version, drift.project_version)
        )
        return drift if found is None else found


_STRATEGIES = "name a strategy: --strategy overwrite or fork, or merge, which unites the two without a base"
