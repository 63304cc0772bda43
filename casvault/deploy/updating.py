"""Updates from upstream: a line of versions of what came from there, merged with what was made of it here.

Each state that came from upstream is a version with the origin `upstream`, whose parent is the one that came before it;
it is made part of the lineage by the versions that have it as a parent. So the merge base of the two lines is what came
last, and no record beside the lineage has to say so.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import find_base, merge_contents
from casvault.artifacts.names import show
from casvault.artifacts.recording import link_to
from casvault.artifacts.snapshot import find_version
from casvault.artifacts.version import ORIGIN, Origin, write_version
from casvault.deploy.actions import Action
from casvault.deploy.concluding import conclude, keep_in_operation
from casvault.deploy.subject import Direction, Incoming, subject_fields
from casvault.deploy.waiting import STRATEGY, new_merge, write_waiting
from casvault.errors import RefusedError
from casvault.pending import handle_of, read_pending, record_fields, result_of
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.drift import Source
    from casvault.deploy.homes import Homes
    from casvault.history import CommitGraph
    from casvault.merge.trees import TreeConflict, TreeMerge
    from casvault.objects import Root
    from casvault.oid import Oid
    from casvault.pending import PendingMerge

SOURCE, REVISION, WANTED = b"source", b"revision", b"wanted"


class UpdateStrategy(Enum):
    """How upstream and the collection come together."""

    MERGE = "merge"
    OVERWRITE = "overwrite"
    """Upstream's content wins; what was made of it here stays in the lineage."""
    KEEP = "keep"
    """The collection keeps its content; what upstream has now counts as taken, so that later updates have a base."""


class Fetched(NamedTuple):
    """What upstream has, written to the stage it was fetched into."""

    state: Root
    label: bytes
    """Where it came from, for people and without secrets."""
    revision: bytes = b""
    """What upstream calls this state: the id of a commit of git."""
    wanted: bytes = b""
    """The branch or tag that was asked for, if one was."""
    notes: tuple[str, ...] = ()


class PlannedUpdate(NamedTuple):
    """One artifact in an update."""

    source: Source
    action: Action
    upstream: Oid | None
    """The version of what upstream has."""
    version: Oid | None
    """The collection's afterwards."""
    base: Root | None = None
    old: Root | None = None
    new: Root | None = None
    conflicts: tuple[TreeConflict, ...] = ()
    merge: str | None = None
    refusal: RefusedError | None = None


def find_upstream(graph: CommitGraph, tip: Oid) -> Oid | None:
    """The newest version in a lineage that came from upstream; None if none did."""
    walk = graph.iter_children_first([tip])
    return next((oid for oid, commit in walk if commit.field(ORIGIN) == Origin.UPSTREAM.value.encode()), None)


def plan_update(
    draft: Draft, homes: Homes, snapshot: Snapshot, source: Source, fetched: Fetched, strategy: UpdateStrategy
) -> PlannedUpdate:
    """Plan to bring what upstream has into a collection; the caller finishes the homes."""
    standing = find_version(draft.stage, snapshot, source.path)
    # One that was removed goes on where it ended, as everywhere.
    tip = homes.last_version(source) if standing is None else standing
    known = None if tip is None else find_upstream(draft.graph, tip)
    old = None if standing is None else draft.graph.commit(standing).root
    if known is not None and same_state(draft.graph.commit(known).root, fetched.state):
        return _plan_known(draft, homes, source, fetched, strategy, (standing, old, known))
    upstream = _find_waiting(draft, source, known, fetched.state)
    if upstream is None:
        parents = () if tip is None else _line(draft, tip, known, fetched.state)
        upstream = _write(draft, source, fetched.state, parents, Origin.UPSTREAM, fetched)
    if tip is None or draft.graph.is_ancestor(tip, upstream):
        homes.change(source, link_to(draft, upstream), old, fetched.state)
        action = Action.IMPORTED if standing is None else Action.TAKEN
        return _done(draft, source, PlannedUpdate(source, action, upstream, upstream, old, old, fetched.state))
    if standing is None or old is None:
        refusal = RefusedError(
            "it was removed from the collection, and had been changed here",
            place=show(source.path),
            remedy=f"`casvault restore -- {show(source.path)}` brings it back",
        )
        return PlannedUpdate(source, Action.REFUSED, upstream, None, refusal=refusal)
    if strategy is not UpdateStrategy.MERGE:
        return _plan_choice(draft, homes, source, fetched.state, strategy, (standing, upstream), old)
    return _plan_merge(draft, homes, source, fetched, (standing, upstream), old)


def plan_continue_update(
    draft: Draft, homes: Homes, snapshot: Snapshot, source: Source, subject: Incoming, merge: PendingMerge
) -> PlannedUpdate:
    """Plan to bring a resolved update to its end; ConflictError that names what is still open.

    Where the artifact was changed meanwhile, the result is merged with that; what clashes then waits in its turn.
    """
    content = result_of(draft.stage, merge)
    tip = find_version(draft.stage, snapshot, source.path)
    if tip is None:
        raise RefusedError(
            "it is not in the collection any more",
            place=show(source.path),
            remedy=f"`casvault restore -- {show(source.path)}` brings it back; or abort the merge",
        )
    old = draft.graph.commit(tip).root
    if content is None:
        return _plan_removal(draft, homes, source, subject, merge, (tip, old))
    facts = record_fields(conclude(draft, merge, subject))
    version = write_version(
        draft.stage,
        draft.draftsman,
        content,
        (merge.ours, merge.theirs),
        collection=source.collection,
        path=source.path,
        origin=Origin.MERGE,
        fields=facts,
    )
    if tip != merge.ours:
        joined = _merged(draft, source, (tip, version))
        if not joined[1].is_clean or joined[1].state is None:
            return _wait(draft, source, subject, (tip, version), joined, merge.theirs)
        content = joined[1].state
        version = _write(draft, source, content, (tip, version), Origin.MERGE)
    homes.change(source, link_to(draft, version), old, content)
    row = PlannedUpdate(source, Action.MERGED, merge.theirs, version, merge.base, old, content)
    draft.set_ref(subject.ref, None)
    return row


def _find_waiting(draft: Draft, source: Source, known: Oid | None, state: Root) -> Oid | None:
    """The version of what upstream has, where a merge with that very state waits already."""
    standing = draft.ref(_incoming(source, b"").ref)
    theirs = None if standing is None else read_pending(draft.stage, standing).theirs
    if theirs is None or not same_state(draft.graph.commit(theirs).root, state):
        return None
    return theirs if known is None or known in draft.graph.commit(theirs).parents else None


def _incoming(source: Source, label: bytes) -> Incoming:
    return Incoming(Direction.UPSTREAM, source.collection, source.path, label, STRATEGY)


def _line(draft: Draft, tip: Oid, known: Oid | None, state: Root) -> tuple[Oid, ...]:
    """The parent of what has come from upstream: what came before; or, the first time, the newest version that has
    this very content, from which everything else here must have been made.
    """
    if known is not None:
        return (known,)
    walk = draft.graph.iter_children_first([tip])
    same = next((oid for oid, commit in walk if same_state(commit.root, state)), None)
    return () if same is None else (same,)


def _plan_known(
    draft: Draft,
    homes: Homes,
    source: Source,
    fetched: Fetched,
    strategy: UpdateStrategy,
    standing: tuple[Oid | None, Root | None, Oid],
) -> PlannedUpdate:
    """Upstream has what it had the last time."""
    tip, old, upstream = standing
    is_wanted = tip is None or strategy is UpdateStrategy.OVERWRITE
    if not is_wanted or same_state(old, fetched.state):
        return PlannedUpdate(source, Action.NOTHING, upstream, tip)
    last = homes.last_version(source) if tip is None else tip
    assert last is not None
    origin = Origin.RECREATE if tip is None else Origin.OVERWRITE
    version = _write(draft, source, fetched.state, (last,), origin)
    homes.change(source, link_to(draft, version), old, fetched.state)
    action = Action.IMPORTED if tip is None else Action.OVERWRITTEN
    return _done(draft, source, PlannedUpdate(source, action, upstream, version, None, old, fetched.state))


def _plan_choice(
    draft: Draft,
    homes: Homes,
    source: Source,
    state: Root,
    strategy: UpdateStrategy,
    sides: tuple[Oid, Oid],
    old: Root,
) -> PlannedUpdate:
    """One side's content, as a version of both lines."""
    is_kept = strategy is UpdateStrategy.KEEP
    content = old if is_kept else state
    version = _write(draft, source, content, sides, Origin.MERGE if is_kept else Origin.OVERWRITE)
    homes.change(source, link_to(draft, version), old, content)
    action = Action.KEPT if is_kept else Action.OVERWRITTEN
    return _done(draft, source, PlannedUpdate(source, action, sides[1], version, None, old, content))


def _plan_merge(
    draft: Draft, homes: Homes, source: Source, fetched: Fetched, sides: tuple[Oid, Oid], old: Root
) -> PlannedUpdate:
    if not draft.graph.merge_bases(*sides):
        refusal = RefusedError(
            "nothing tells what was changed here and what upstream changed: it never came from there, and has not been "
            "what is there now",
            place=show(source.path),
            remedy="say which content is to stand: --strategy overwrite takes upstream's, --strategy keep the "
            "collection's; from then on the two are merged",
        )
        return PlannedUpdate(source, Action.REFUSED, sides[1], sides[0], refusal=refusal)
    base, merged = _merged(draft, source, sides)
    if not merged.is_clean or merged.state is None:
        return _wait(draft, source, _incoming(source, fetched.label), sides, (base, merged), sides[1])
    version = _write(draft, source, merged.state, sides, Origin.MERGE)
    homes.change(source, link_to(draft, version), old, merged.state)
    row = PlannedUpdate(source, Action.MERGED, sides[1], version, base, old, merged.state)
    return _done(draft, source, row)


def _merged(draft: Draft, source: Source, sides: tuple[Oid, Oid]) -> tuple[Root | None, TreeMerge]:
    """The merge of two versions, and its base."""
    path, collection = source.path, source.collection
    base = find_base(draft, *sides, path, collection=collection)
    ours, theirs = (draft.graph.commit(side).root for side in sides)
    return base, merge_contents(draft, base, ours, theirs, path=path, collection=collection)


def _wait(
    draft: Draft,
    source: Source,
    subject: Incoming,
    sides: tuple[Oid, Oid],
    found: tuple[Root | None, TreeMerge],
    upstream: Oid,
) -> PlannedUpdate:
    base, merged = found
    merge = new_merge(draft, source.path, base, sides, merged, subject_fields(subject))
    write_waiting(draft, subject.ref, merge)
    return PlannedUpdate(
        source,
        Action.PENDING,
        upstream,
        None,
        base,
        conflicts=merged.conflicts,
        merge=handle_of(subject.ref),
    )


def _plan_removal(
    draft: Draft, homes: Homes, source: Source, subject: Incoming, merge: PendingMerge, standing: tuple[Oid, Root]
) -> PlannedUpdate:
    """The decision was that the artifact goes; whoever made it has not seen what was changed since."""
    tip, old = standing
    if tip != merge.ours:
        raise RefusedError(
            "it was to be removed, but has been changed since",
            place=show(source.path),
            remedy=f"abort the merge and begin again: casvault merges abort {handle_of(subject.ref)}",
        )
    homes.change(source, None, old, None)
    draft.set_ref(subject.ref, None)
    keep_in_operation(draft, *source, conclude(draft, merge, subject))
    return PlannedUpdate(source, Action.REMOVED, merge.theirs, None, merge.base, old, None)


def _done(draft: Draft, source: Source, row: PlannedUpdate) -> PlannedUpdate:
    """A merge with an earlier state of upstream that waited is over."""
    ref = _incoming(source, b"").ref
    if draft.ref(ref) is not None:
        draft.set_ref(ref, None)
    return row


def _write(
    draft: Draft,
    source: Source,
    content: Root,
    parents: tuple[Oid, ...],
    origin: Origin,
    fetched: Fetched | None = None,
) -> Oid:
    facts = () if fetched is None else ((SOURCE, fetched.label), (REVISION, fetched.revision), (WANTED, fetched.wanted))
    return write_version(
        draft.stage,
        draft.draftsman,
        content,
        parents,
        collection=source.collection,
        path=source.path,
        origin=origin,
        fields=[(key, value) for key, value in facts if value],
    )
