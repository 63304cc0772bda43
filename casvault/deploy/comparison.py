"""One project against the collections that its artifacts come from, on one draft: what every command there asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import COLLECTIONS, show
from casvault.artifacts.snapshot import find_version, open_snapshot
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.drift import Drift, Source, find_drift
from casvault.deploy.state import Deployment, Place, read_deployments, set_deployments
from casvault.errors import FailureError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.state import Deployments
    from casvault.objects import Root
    from casvault.oid import Oid

PROJECT = b"project"
FIRST_SEEN = b"first-seen"
"""In a later observation, when the first one of the same edits was made: seconds since 1970."""


class Project(NamedTuple):
    """A project as commands see it."""

    name: bytes
    ref: bytes
    states: Mapping[bytes, Root]
    """What is on disk, by path in the project's directory."""
    directory: Path | None = None
    """None where it is not at hand."""


class Comparison:
    """Answers how artifacts stand, and gathers what becomes of their deployments until `finish`."""

    def __init__(
        self,
        draft: Draft,
        project: Project,
        snapshots: Mapping[bytes, Snapshot],
        *,
        deployments: Deployments | None = None,
        known: dict[tuple[bytes, bytes], tuple[Source, Oid | None]] | None = None,
    ) -> None:
        """`deployments` are those of the project's state, if they were read already; `known` is where comparisons with
        the same collections tell each other where artifacts are.
        """
        self.draft = draft
        self.project = project
        self._snapshots: dict[bytes, Snapshot | None] = dict(snapshots)
        self._known = {} if known is None else known
        if deployments is None:
            deployments = read_deployments(draft.stage, draft.ref(project.ref))
        self.deployments = deployments
        self._changes: dict[Place, Deployment | None] = {}

    def snapshot(self, collection: bytes) -> Snapshot | None:
        """The newest snapshot of a collection; None if there is no such collection."""
        if collection not in self._snapshots:
            tip = self.draft.ref(COLLECTIONS + collection)
            self._snapshots[collection] = None if tip is None else open_snapshot(self.draft.stage, tip)
        return self._snapshots[collection]

    def source(self, place: Place) -> Source:
        """Where in the collections the artifact of a place is now: it may have been moved since it was deployed."""
        return self._look_up(place.collection, place.path)[0]

    def version(self, source: Source) -> Oid | None:
        """The collection's version of an artifact."""
        return self._look_up(*source)[1]

    def _look_up(self, collection: bytes, path: bytes) -> tuple[Source, Oid | None]:
        found = self._known.get((collection, path))
        if found is None:
            found = self._known[collection, path] = self._find_source(collection, path)
        return found

    def _find_source(self, collection: bytes, path: bytes) -> tuple[Source, Oid | None]:
        stage, snapshot = self.draft.stage, self.snapshot(collection)
        version = None if snapshot is None else find_version(stage, snapshot, path)
        moved = None
        if snapshot is not None and version is None:
            moved = find_moved(stage, self.snapshot, collection, path)
        return (Source(collection, path), version) if moved is None else (Source(*moved), self._look_up(*moved)[1])

    def find(self, place: Place, version: Oid | None = None, deployment: Deployment | None = None) -> Drift | None:
        """The drift of an artifact, against the collection's version or a given one; None where nothing is anywhere.

        `deployment` stands for the one that is recorded.
        """
        source = self.source(place)
        deployment = deployment or self.deployments.get(place)
        known = self.snapshot(source.collection) is not None
        if version is None and not known and deployment is not None:
            # Nobody knows what the collection holds, so nothing is said to have changed there, least of all removed.
            version = deployment.settled
        state = self.project.states.get(place.file_path)
        version = version or self.version(source)
        return find_drift(self.draft, place, deployment, version, state, source=source, known=known)

    def read(self, place: Place, version: Oid | None = None) -> Drift:
        drift = self.find(place, version)
        if drift is None:
            raise NotFoundError(
                f"no such artifact in {show(place.collection)} or {show(self.project.name)}", place=show(place.path)
            )
        return drift

    def observe(self, drift: Drift) -> Oid:
        """The version that the content in the project is; written now if it was none yet.

        Its one parent is the settled version. A later observation replaces it and has the same parent. What was never
        deployed has no parent.
        """
        if drift.project_version is not None:
            return drift.project_version
        if drift.project is None:
            raise FailureError("nothing is there that could have been edited", place=show(drift.place.file_path))
        deployment = drift.deployment
        fields = [(PROJECT, self.project.name)]
        if deployment is not None and deployment.observed is not None:
            fields.append((FIRST_SEEN, b"%d" % first_seen(self.draft, deployment.observed)))
        return write_version(
            self.draft.stage,
            self.draft.draftsman,
            drift.project,
            () if deployment is None else (deployment.settled,),
            collection=drift.place.collection,
            path=drift.place.path,
            origin=Origin.IMPORT if deployment is None else Origin.EDIT,
            fields=fields,
        )

    def record(self, drift: Drift) -> Oid:
        """Put what is in the project into one state of it, which keeps it in the history whatever becomes of it now."""
        mine = self.observe(drift)
        deployment = drift.deployment or Deployment(mine, mine)
        seen = None if mine == deployment.settled else mine
        set_deployments(self.draft, self.project.ref, {drift.place: deployment._replace(observed=seen)})
        return mine

    def settle(self, place: Place, deployment: Deployment | None) -> None:
        """What becomes of a deployment; None if it is none any more."""
        self._changes[place] = deployment

    def finish(self) -> None:
        """Write the project's next state."""
        set_deployments(self.draft, self.project.ref, self._changes)


def first_seen(draft: Draft, observed: Oid) -> int:
    """When the edits that an observed version belongs to were first seen, in seconds since 1970."""
    commit = draft.graph.commit(observed)
    return int(commit.field(FIRST_SEEN) or commit.author.seconds)
