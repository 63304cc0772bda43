"""The timeline of an artifact in a project: what was deployed when, and when it was edited, from first seen to end.

It is read off the project's ref in the chain of operations, so what an undo took back is there too. Within one
operation the project can have gone through several states, one after the other.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import PROJECTS, show
from casvault.artifacts.version import ORIGIN, Origin
from casvault.deploy.comparison import FIRST_SEEN, PROJECT
from casvault.deploy.state import Deployment, Place, read_deployment, read_deployments
from casvault.deploy.times import last_deployed
from casvault.deploy.undoing import REDO, UNDO
from casvault.deploy.waiting import waiting_ref
from casvault.objects import read_parents
from casvault.refs import View
from casvault.reports.changes import find_start, iter_steps
from casvault.reports.when import When

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.history import CommitGraph
    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import Operation, OperationLog


class EventKind(Enum):
    DEPLOYED = "deployed"
    MOVED = "moved"
    """It lies at another path, as its artifact does."""
    MODIFIED = "modified"
    """Edits were seen for the first time."""
    EDITED = "edited further"
    PULLED = "pulled"
    SETTLED = "settled"
    """Edits are measured from another version, without a pull: both sides held the same."""
    MERGED = "merged"
    """An update and the edits were put together in the project."""
    REPLACED = "replaced"
    """Another version was deployed over the edits."""
    REVERTED = "clean again"
    """The content was put back by hand."""
    PINNED = "pinned"
    UNPINNED = "unpinned"
    UNDEPLOYED = "undeployed"
    UNDONE = "undone"
    """An undo or redo brought it to another state."""
    CONFLICT = "conflict"
    """A merge met a conflict, and waits."""
    RESOLVED = "conflict over"
    """The merge that waited is there no more."""


class Ending(Enum):
    """What brought edits to their end."""

    PULLED = "pulled"
    MERGED = "merged with an update"
    DEPLOYED_OVER = "deployed over"
    REVERTED = "reverted by hand"
    CONVERGED = "the collection has the same"
    UNDEPLOYED = "undeployed"
    UNDONE = "undone"


class Event(NamedTuple):
    operation: int
    kind: EventKind
    at: When
    author: str
    command: str
    before: Oid | None
    """The version before and after, of what the kind is about; the commits of the merge for conflicts."""
    after: Oid | None


class Episode(NamedTuple):
    """A time in which the artifact was modified in the project."""

    since: When
    """When the edits were seen first."""
    until: When | None
    """None while it lasts."""
    ending: Ending | None
    edits: int
    """How many states of the edits were recorded."""
    version: Oid
    """The last of them."""


class Timeline(NamedTuple):
    events: tuple[Event, ...]
    """The oldest first."""
    episodes: tuple[Episode, ...]
    deployed_at: When | None
    """When the version that is deployed was put there."""
    deployment: Deployment | None


class _State(NamedTuple):
    """The deployment after one step of an operation."""

    operation: Operation
    place: Place
    deployment: Deployment | None
    merge: Oid | None


def read_timeline(
    log: OperationLog, reader: ObjectReader, graph: CommitGraph, project: bytes, place: Place
) -> Timeline:
    """Everything that happened to an artifact at a place of a project; moves are followed back."""
    states, place = _states(log, reader, graph, project, place)
    start = find_start(log)
    before = None if start is None else View(reader, start).find(PROJECTS + project)
    merge = None if start is None else View(reader, start).find(waiting_ref(project, place))
    old = read_deployment(reader, before, place)
    times = {} if old is None else last_deployed(reader, before, {place: old})
    return _Telling(graph, project).tell(states, old, merge, times.get(place))


def _states(
    log: OperationLog, reader: ObjectReader, graph: CommitGraph, project: bytes, place: Place
) -> tuple[list[_State], Place]:
    """The states of the deployment, the oldest first, and where it was before the first of them."""
    found: list[_State] = []
    for operation, before, after in _iter_moves(log, reader, project, place):
        states = _between(reader, before[0], after[0]) or [after[0]]
        found += [_State(operation, place, read_deployment(reader, state, place), after[1]) for state in states]
        if read_deployment(reader, before[0], place) is None:
            place = _find_former(reader, graph, before[0], after[0], place) or place
    return found[::-1], place


_Refs = tuple["Oid | None", "Oid | None"]


def _iter_moves(
    log: OperationLog, reader: ObjectReader, project: bytes, place: Place
) -> Iterator[tuple[Operation, _Refs, _Refs]]:
    """The operations that moved the project's state or a merge of the artifact, the newest first, with both before and
    after.
    """
    names = PROJECTS + project, waiting_ref(project, place)

    def refs(view: View) -> _Refs:
        return view.find(names[0]), view.find(names[1])

    after: _Refs | None = None
    for step in iter_steps(log):
        if after is None:
            after = refs(View(reader, step.operation.view))
        before = (None, None) if step.before is None else refs(View(reader, step.before))
        if before != after:
            yield step.operation, before, after
        after = before


def _between(reader: ObjectReader, before: Oid | None, after: Oid | None) -> list[Oid | None]:
    """The states that one operation wrote, the newest first; the one it went back to, where it went back."""
    states: list[Oid | None] = []
    state = after
    while state is not None and state != before:
        states.append(state)
        state = next(iter(read_parents(reader, state)), None)
        if state is None and before is not None:
            return states[:1]
    return states


def _find_former(
    reader: ObjectReader, graph: CommitGraph, before: Oid | None, after: Oid | None, place: Place
) -> Place | None:
    """Where in the project the artifact lay before it was moved to this place."""
    now = read_deployments(reader, after)
    if place not in now:
        return None
    for old, was in sorted(read_deployments(reader, before).items()):
        if old not in now and old.root == place.root and graph.is_ancestor(was.settled, now[place].settled):
            return old
    return None


class _Telling:
    """Makes events and episodes of the states, one after the other."""

    def __init__(self, graph: CommitGraph, project: bytes) -> None:
        self._graph = graph
        self._project = project
        self._events: list[Event] = []
        self._episodes: list[Episode] = []
        self._open: Episode | None = None
        self._deployed_at: When | None = None

    def tell(
        self, states: Sequence[_State], old: Deployment | None, merge: Oid | None, deployed_at: int | None
    ) -> Timeline:
        """What came of a deployment, and of a merge that waited, after what went before was let go; mostly there was
        nothing.
        """
        place: Place | None = None
        self._deployed_at = None if deployed_at is None else When(deployed_at)
        if old is not None and old.observed is not None:
            self._open = Episode(self._first_seen(old.observed), None, None, 1, old.observed)
        for state in states:
            if place not in (None, state.place) and old is not None and state.deployment is not None:
                self._tell(state, EventKind.MOVED, old.settled, state.deployment.settled)
            self._tell_conflict(state, merge)
            if state.deployment != old:
                self._tell_change(state, old, state.deployment)
            old, place, merge = state.deployment, state.place, state.merge
        episodes = self._episodes if self._open is None else [*self._episodes, self._open]
        return Timeline(tuple(self._events), tuple(episodes), self._deployed_at if old else None, old)

    def _tell(self, state: _State, kind: EventKind, before: Oid | None, after: Oid | None) -> None:
        operation = state.operation
        self._events.append(
            Event(
                operation.number, kind, When.of(operation.who), show(operation.who.name), operation.kind, before, after
            )
        )

    def _tell_conflict(self, state: _State, merge: Oid | None) -> None:
        if merge is None and state.merge is not None:
            self._tell(state, EventKind.CONFLICT, None, state.merge)
        elif merge is not None and state.merge is None:
            self._tell(state, EventKind.RESOLVED, merge, None)

    def _tell_change(self, state: _State, old: Deployment | None, new: Deployment | None) -> None:
        ending = self._ending(state, old, new)
        if old is not None and new is not None and old.deployed == new.deployed and old.settled != new.settled:
            self._tell_unseen_edits(state, old, new)
        kind = self._kind(state, old, new, ending)
        if kind is not None:
            before, after = _versions(kind, old, new)
            self._tell(state, kind, before, after)
        if old is None or new is None or old.deployed != new.deployed:
            self._deployed_at = None if new is None else When.of(state.operation.who)
        if self._open is not None and ending is not None:
            self._episodes.append(self._open._replace(until=When.of(state.operation.who), ending=ending))
            self._open = None
        self._look_at_edits(state, None if old is None else old.observed, new)
        pins = None if old is None else old.pin, None if new is None else new.pin
        if pins[0] != pins[1] and new is not None:
            self._tell(state, EventKind.UNPINNED if pins[1] is None else EventKind.PINNED, new.deployed, new.deployed)

    def _look_at_edits(self, state: _State, before: Oid | None, new: Deployment | None) -> None:
        """Begin an episode, or go on with it."""
        observed = None if new is None else new.observed
        if observed is None or observed == before:
            return
        if self._open is None:
            self._open = Episode(self._first_seen(observed), None, None, 1, observed)
            self._tell(state, EventKind.MODIFIED, None if new is None else new.settled, observed)
        else:
            self._open = self._open._replace(edits=self._open.edits + 1, version=observed)
            self._tell(state, EventKind.EDITED, before, observed)

    def _tell_unseen_edits(self, state: _State, old: Deployment, new: Deployment) -> None:
        """What was pulled before anybody had looked was modified, too: its version says so."""
        commit = self._graph.commit(new.settled)
        is_edit = commit.field(ORIGIN) == Origin.EDIT.value.encode() and commit.field(PROJECT) == self._project
        if self._open is None and is_edit:
            at = When.of(state.operation.who)
            self._tell(state, EventKind.MODIFIED, old.settled, new.settled)
            self._episodes.append(Episode(self._first_seen(new.settled), at, Ending.PULLED, 1, new.settled))

    def _first_seen(self, observed: Oid) -> When:
        commit = self._graph.commit(observed)
        when = When.of(commit.author)
        seen = commit.field(FIRST_SEEN)
        return when if seen is None else when._replace(seconds=int(seen))

    def _ending(self, state: _State, old: Deployment | None, new: Deployment | None) -> Ending | None:
        """How edits that were known come to their end here; None if they do not, or there were none."""
        edits = None if old is None else old.observed
        if old is None or edits is None or self._open is None:
            return None
        if new is None:
            return Ending.UNDONE if _is_inverse(state) else Ending.UNDEPLOYED
        if new.observed is not None and (new.deployed, new.settled) == (old.deployed, old.settled):
            return None
        if _is_inverse(state):
            return Ending.UNDONE if new.observed is None else None
        if new.deployed != old.deployed:
            return self._ending_of_deployment(edits, new)
        if new.settled == old.settled:
            return Ending.REVERTED
        if new.settled != edits and self._graph.commit(new.settled).root == self._graph.commit(edits).root:
            return Ending.CONVERGED
        return Ending.PULLED

    def _ending_of_deployment(self, edits: Oid, new: Deployment) -> Ending:
        if self._graph.commit(new.deployed).root == self._graph.commit(edits).root:
            return Ending.CONVERGED
        if new.settled == new.deployed:
            return Ending.DEPLOYED_OVER
        return Ending.MERGED if self._graph.is_ancestor(edits, new.settled) else Ending.DEPLOYED_OVER

    def _kind(
        self, state: _State, old: Deployment | None, new: Deployment | None, ending: Ending | None
    ) -> EventKind | None:
        if _is_inverse(state):
            return EventKind.UNDONE
        if new is None or old is None:
            return EventKind.UNDEPLOYED if new is None else EventKind.DEPLOYED
        if old.deployed != new.deployed:
            if new.settled != new.deployed:
                return EventKind.MERGED
            return EventKind.REPLACED if ending is Ending.DEPLOYED_OVER else EventKind.DEPLOYED
        if old.settled != new.settled:
            pulled = new.settled == old.observed or self._graph.commit(new.settled).field(PROJECT) == self._project
            return EventKind.PULLED if pulled and ending is not Ending.CONVERGED else EventKind.SETTLED
        return EventKind.REVERTED if ending is Ending.REVERTED else None


def _is_inverse(state: _State) -> bool:
    return state.operation.kind in (UNDO, REDO)


def _versions(kind: EventKind, old: Deployment | None, new: Deployment | None) -> tuple[Oid | None, Oid | None]:
    """The versions that an event is about."""
    if kind in (EventKind.PULLED, EventKind.SETTLED):
        return None if old is None else old.settled, None if new is None else new.settled
    if kind is EventKind.REVERTED:
        return None if old is None else old.observed, None if new is None else new.settled
    return None if old is None else old.deployed, None if new is None else new.deployed
