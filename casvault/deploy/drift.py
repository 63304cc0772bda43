"""Drift: how the content in a project, in its collection and at their merge base relate. One rule, one table."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import find_base
from casvault.merge.rule import Outcome, resolve

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.deploy.state import Deployment, Place
    from casvault.objects import Root
    from casvault.oid import Oid


class Status(Enum):
    """The relation of base, collection (C) and project (P); the table of the documentation, row by row."""

    IN_SYNC = "in_sync"
    MODIFIED = "modified"
    """Only P changed."""
    AHEAD = "ahead"
    """P has no local edits, but is newer than C, as after an undo there."""
    OUTDATED = "outdated"
    """Only C changed."""
    CONVERGED = "converged"
    """Both changed, to the same."""
    CONFLICT = "conflict"
    """Both changed, differently."""
    REMOVED = "removed"
    """Gone from C, unchanged in P."""
    REMOVED_MODIFIED = "removed, modified"
    MISSING = "missing"
    """Gone from P, unchanged in C."""
    DELETION_CONFLICT = "conflict (deletion)"
    """Gone from P, changed in C."""
    STALE = "stale"
    """Gone from both."""
    ADDED = "added"
    """In C, never deployed here."""
    IDENTICAL = "untracked, identical"
    DIFFERS = "untracked, differs"
    PROJECT_ONLY = "project-only"


EQUAL = frozenset({Status.IN_SYNC, Status.CONVERGED, Status.IDENTICAL})
"""Both sides hold the same."""

State = tuple[int, "Oid"]

NO_BASE = "the histories of the two sides do not meet, so there is no base to merge from"


class Source(NamedTuple):
    """Where in the collections an artifact is."""

    collection: bytes
    path: bytes


class Drift(NamedTuple):
    """One artifact in one project. States are contents, None where absent."""

    place: Place
    status: Status
    base: Root | None
    collection: Root | None
    project: Root | None
    deployment: Deployment | None
    collection_version: Oid | None
    project_version: Oid | None
    """The version that the project's content is, if it is one already: the settled or the observed one; of what was
    never deployed, the newest version of the artifact with this content.
    """
    source: Source
    known: bool = True
    """False if the collection is not in the vault any more; then nothing counts as changed there."""

    @property
    def has_moved(self) -> bool:
        return self.source != (self.place.collection, self.place.path)

    @property
    def is_edited(self) -> bool:
        """Whether the project holds something that is not the version it was settled at."""
        return self.deployment is not None and self.project_version != self.deployment.settled


def classify(base: Root | None, collection: Root | None, project: Root | None, *, tracked: bool) -> Status | None:
    """The row of the table; None where nothing is anywhere. Sizes do not matter: states are mode and id."""
    b, c, p = _state(base), _state(collection), _state(project)
    if not tracked:
        return _untracked(c, p)
    if c is None or p is None:
        return _absent(b, c, p)
    outcome = resolve(b, c, p).outcome
    if c == p:
        return Status.IN_SYNC if outcome is Outcome.UNCHANGED else Status.CONVERGED
    return {Outcome.OURS: Status.OUTDATED, Outcome.THEIRS: Status.MODIFIED}.get(outcome, Status.CONFLICT)


def _untracked(c: State | None, p: State | None) -> Status | None:
    if c is None:
        return None if p is None else Status.PROJECT_ONLY
    if p is None:
        return Status.ADDED
    return Status.IDENTICAL if c == p else Status.DIFFERS


def _absent(b: State | None, c: State | None, p: State | None) -> Status:
    if c is None and p is None:
        return Status.STALE
    if c is None:
        return Status.REMOVED if p == b else Status.REMOVED_MODIFIED
    return Status.MISSING if c == b else Status.DELETION_CONFLICT


def find_drift(
    draft: Draft,
    place: Place,
    deployment: Deployment | None,
    version: Oid | None,
    project: Root | None,
    *,
    source: Source,
    known: bool = True,
) -> Drift | None:
    """The drift of one artifact: `version` is the collection's, `project` what is on disk in the project."""
    collection = None if version is None else draft.graph.commit(version).root
    if deployment is None:
        status = classify(None, collection, project, tracked=False)
        mine = None if version is None or project is None else find_version_of(draft, version, project)
        return status and Drift(place, status, None, collection, project, None, version, mine, source, known)
    mine = find_project_version(draft, deployment, project)
    base = _base(draft, place, deployment, version, mine)
    status = classify(base, collection, project, tracked=True) or Status.STALE
    if status is Status.MODIFIED and mine == deployment.settled:
        status = Status.AHEAD
    return Drift(place, status, base, collection, project, deployment, version, mine, source, known)


def find_version_of(draft: Draft, tip: Oid, content: Root) -> Oid | None:
    """The newest version in the lineage of `tip` that has this content."""
    found = draft.graph.iter_children_first([tip])
    return next((oid for oid, commit in found if _state(commit.root) == _state(content)), None)


def find_project_version(draft: Draft, deployment: Deployment, project: Root | None) -> Oid | None:
    """The version that the content in the project is: the settled one, the observed one, or none yet."""
    for version in (deployment.settled, deployment.observed):
        if version is not None and _state(draft.graph.commit(version).root) == _state(project):
            return version
    return None


def _base(draft: Draft, place: Place, deployment: Deployment, version: Oid | None, mine: Oid | None) -> Root | None:
    """The content of the merge base; of the settled version where the collection has none.

    Local edits that are no version yet would have the settled version as their one parent, so it stands for them.
    """
    if version is None:
        return draft.graph.commit(deployment.settled).root
    return find_base(draft, mine or deployment.settled, version, place.path, collection=place.collection)


def _state(root: Root | None) -> State | None:
    return None if root is None else (root.mode, root.id)
