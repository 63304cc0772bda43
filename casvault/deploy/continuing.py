"""Continuing a merge that waited: its result goes where the merge was to go, together with what happened since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.bases import find_base, merge_contents
from casvault.artifacts.names import show
from casvault.artifacts.recording import link_to
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.actions import Action, Planned
from casvault.deploy.concluding import conclude, keep_in_operation
from casvault.deploy.state import Deployment
from casvault.deploy.subject import Direction
from casvault.deploy.waiting import Waiting, new_merge, write_waiting
from casvault.errors import RefusedError
from casvault.pending import record_fields, result_of
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from casvault.deploy.comparison import Comparison
    from casvault.deploy.drift import Drift
    from casvault.deploy.homes import Homes
    from casvault.merge.trees import TreeMerge
    from casvault.objects import Field, Root
    from casvault.oid import Oid


class _Result(NamedTuple):
    """The merged content, and the version of it, as it is to be taken on; or the conflict that has come up since."""

    version: Oid
    content: Root
    merged: TreeMerge | None = None
    base: Root | None = None
    ours: Oid | None = None


def plan_continue(comparison: Comparison, homes: Homes, waiting: Waiting) -> Planned:
    """Plan to bring a resolved merge to its end; ConflictError that names what is still open.

    Where the side that receives the result has moved on, the two are merged; what clashes then waits in its turn.
    """
    draft = comparison.draft
    content = result_of(draft.stage, waiting.merge)
    drift = comparison.read(waiting.place)
    if content is None:
        return _plan_removal(comparison, homes, waiting, drift)
    facts = record_fields(conclude(draft, waiting.merge, waiting.subject))
    version = _write(comparison, drift, content, (waiting.merge.ours, waiting.merge.theirs), facts)
    plan = _plan_pull if waiting.subject.direction is Direction.PULL else _plan_deploy
    row = plan(comparison, homes, waiting, drift, _Result(version, content))
    if row.action is not Action.PENDING:
        draft.set_ref(waiting.ref, None)
    homes.finish()
    comparison.finish()
    return row


def _plan_pull(comparison: Comparison, homes: Homes, waiting: Waiting, drift: Drift, result: _Result) -> Planned:
    current = drift.collection_version
    if current is None:
        raise RefusedError(
            "it is not in the collection any more",
            place=show(waiting.place.path),
            remedy=f"`casvault restore -- {show(drift.source.path)}` brings it back; or abort the merge",
        )
    if current != waiting.merge.ours:
        result = _joined(comparison, drift, result, current)
    if result.merged is not None:
        return _wait_again(comparison, waiting, drift, result)
    draft = comparison.draft
    homes.change(drift.source, link_to(draft, result.version), drift.collection, result.content)
    _settle_pulled(comparison, waiting, drift)
    return Planned(
        waiting.place,
        drift.status,
        Action.MERGED,
        result.version,
        waiting.merge.base,
        drift.source.path,
        drift.collection,
        result.content,
    )


def _settle_pulled(comparison: Comparison, waiting: Waiting, drift: Drift) -> None:
    """What was pulled is what later edits are measured from, unless the project has been given something else since."""
    deployment, taken = drift.deployment, waiting.merge.theirs
    if deployment is None:
        if drift.project is not None:
            comparison.settle(waiting.place, Deployment(taken, taken))
    elif comparison.draft.graph.is_ancestor(deployment.settled, taken):
        settled = deployment._replace(settled=taken)
        observed = deployment.observed if deployment.observed != taken else None
        if observed is not None:
            # Edits that were observed while the merge waited are measured from what was pulled, too, from now on.
            content = comparison.draft.graph.commit(observed).root
            observed = comparison.observe(drift._replace(project=content, project_version=None, deployment=settled))
        comparison.settle(waiting.place, settled._replace(observed=observed))


def _plan_deploy(comparison: Comparison, homes: Homes, waiting: Waiting, drift: Drift, result: _Result) -> Planned:
    draft, deployment = comparison.draft, drift.deployment
    if drift.project is None:
        raise RefusedError(
            "it is not in the project any more",
            place=show(waiting.place.file_path),
            remedy=f"give the merge up: casvault merges abort {waiting.handle}",
        )
    ours = draft.graph.commit(waiting.merge.ours).root
    if not same_state(drift.project, ours):
        # What the project has become since is measured from the side that was merged, not from what is settled: an
        # observation replaces the one before it, and the two would know nothing of each other.
        since = Deployment(waiting.merge.ours, waiting.merge.ours)
        mine = comparison.observe(drift._replace(project_version=None, deployment=since))
        result = _joined(comparison, drift, result, mine)
    if result.merged is not None:
        return _wait_again(comparison, waiting, drift, result)
    draft.write_file(comparison.project.ref, waiting.place.file_path, drift.project, result.content)
    pin = None if deployment is None else deployment.pin
    comparison.settle(waiting.place, Deployment(waiting.merge.theirs, result.version, None, pin))
    return Planned(
        waiting.place,
        drift.status,
        Action.MERGED,
        result.version,
        waiting.merge.base,
        waiting.place.path,
        drift.project,
        result.content,
    )


def _joined(comparison: Comparison, drift: Drift, result: _Result, current: Oid) -> _Result:
    """The result together with what the receiving side has become."""
    draft = comparison.draft
    base = find_base(draft, current, result.version, drift.source.path, collection=drift.source.collection)
    now = draft.graph.commit(current).root
    merged = merge_contents(
        draft, base, now, result.content, path=drift.source.path, collection=drift.source.collection
    )
    if not merged.is_clean or merged.state is None:
        return result._replace(merged=merged, base=base, ours=current)
    version = _write(comparison, drift, merged.state, (current, result.version))
    return _Result(version, merged.state)


def _wait_again(comparison: Comparison, waiting: Waiting, drift: Drift, result: _Result) -> Planned:
    """The resolved merge met a new conflict; what was decided before is part of one of its sides."""
    assert result.merged is not None
    assert result.ours is not None
    draft = comparison.draft
    merge = new_merge(
        draft,
        drift.source.path,
        result.base,
        (result.ours, result.version),
        result.merged,
        waiting.merge.fields,
    )
    write_waiting(draft, waiting.ref, merge)
    return Planned(
        waiting.place,
        drift.status,
        Action.PENDING,
        None,
        result.base,
        drift.source.path,
        conflicts=result.merged.conflicts,
        merge=waiting.handle,
    )


def _plan_removal(comparison: Comparison, homes: Homes, waiting: Waiting, drift: Drift) -> Planned:
    """The decision was that the artifact goes."""
    draft = comparison.draft
    is_pull = waiting.subject.direction is Direction.PULL
    _check_unchanged(comparison, waiting, drift.collection if is_pull else drift.project)
    if is_pull and drift.collection is not None:
        homes.change(drift.source, None, drift.collection, None)
        # What the project still has is what was decided upon: it is no edit that would have to come home.
        _settle_pulled(comparison, waiting, drift)
    if not is_pull:
        if drift.project is not None:
            comparison.record(drift)
            draft.write_file(comparison.project.ref, waiting.place.file_path, drift.project, None)
        comparison.settle(waiting.place, None)
    draft.set_ref(waiting.ref, None)
    keep_in_operation(draft, *drift.source, conclude(draft, waiting.merge, waiting.subject))
    homes.finish()
    comparison.finish()
    old = drift.collection if is_pull else drift.project
    return Planned(waiting.place, drift.status, Action.REMOVED, None, waiting.merge.base, waiting.place.path, old, None)


def _check_unchanged(comparison: Comparison, waiting: Waiting, now: Root | None) -> None:
    """Whoever decided that the artifact goes has not seen what was changed since."""
    if now is not None and not same_state(now, comparison.draft.graph.commit(waiting.merge.ours).root):
        raise RefusedError(
            "it was to be removed, but has been changed since",
            place=show(waiting.place.path),
            remedy=f"abort the merge and begin again: casvault merges abort {waiting.handle}",
        )


def _write(
    comparison: Comparison, drift: Drift, content: Root, parents: tuple[Oid, ...], facts: tuple[Field, ...] = ()
) -> Oid:
    return write_version(
        comparison.draft.stage,
        comparison.draft.draftsman,
        content,
        parents,
        collection=drift.source.collection,
        path=drift.source.path,
        origin=Origin.MERGE,
        fields=facts,
    )
