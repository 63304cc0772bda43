"""Moving, copying and removing artifacts: the collection and its directory in one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.collection import content_of, plan_directory
from casvault.artifacts.names import show
from casvault.artifacts.recording import MovedTo, NewVersion, record_changes
from casvault.artifacts.snapshot import find_version
from casvault.artifacts.version import Origin
from casvault.deploy.obstacles import check_free
from casvault.deploy.snapshots import bring_up_to_date, split_artifact
from casvault.errors import NotFoundError, RefusedError
from casvault.trees import find_path
from casvault.worktree.names import check_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.recording import Change
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.snapshots import Line
    from casvault.oid import Oid


def plan_move(draft: Draft, source: Line, old: bytes, target: Line, new: bytes, directory: Path | None) -> Oid:
    """Plan to move an artifact to a free path, perhaps of another collection, whose directory is `directory`.

    Answers its version there, a rename with the same content.
    """
    here, there, arrival = _prepare(draft, source, old, target, new, directory, Origin.RENAME)
    if source.ref == target.ref:
        return _arrived(draft, _change(draft, target, there, {old: None, new: arrival}), new)
    version = _arrived(draft, _change(draft, target, there, {new: arrival}), new)
    _change(draft, source, here, {old: MovedTo(version)})
    return version


def plan_copy(draft: Draft, source: Line, old: bytes, target: Line, new: bytes, directory: Path | None) -> Oid:
    """Plan to copy an artifact in the same way; its version there is a fork."""
    _, there, arrival = _prepare(draft, source, old, target, new, directory, Origin.FORK)
    return _arrived(draft, _change(draft, target, there, {new: arrival}), new)


def plan_removal(draft: Draft, line: Line, paths: Iterable[bytes]) -> None:
    """Plan to remove artifacts. Their versions stay in the history, and what is made there again continues them."""
    snapshot = bring_up_to_date(draft, line)
    changes: dict[bytes, Change] = {}
    for path in paths:
        _version_at(draft, line, snapshot, path)
        changes[path] = None
    _change(draft, line, snapshot, changes)


def _prepare(
    draft: Draft, source: Line, old: bytes, target: Line, new: bytes, directory: Path | None, origin: Origin
) -> tuple[Snapshot, Snapshot, NewVersion]:
    """Both collections, with what their directories hold, and what is to stand at the new path, which is free."""
    here = bring_up_to_date(draft, source)
    there = here if source.ref == target.ref else bring_up_to_date(draft, target)
    version = _version_at(draft, source, here, old)
    check_path(new)
    _check_unused(draft, there, new)
    if directory is not None:
        check_free(directory, new)
    return here, there, NewVersion(content_of(draft, version), origin, (version,))


def _check_unused(draft: Draft, snapshot: Snapshot, path: bytes) -> None:
    artifact, rest = split_artifact(draft.stage, snapshot, path)
    if artifact is not None and rest:
        raise RefusedError(
            f"it would be inside the artifact {show(artifact)}, and artifacts never nest",
            place=show(path),
            remedy="choose another path",
        )
    if artifact is not None:
        raise RefusedError("there is an artifact already", place=show(path), remedy="choose another path")
    if find_path(draft.stage, snapshot.content, path) is not None:
        raise RefusedError(
            "there is something already that is in no artifact",
            place=show(path),
            remedy="choose another path, or move it away",
        )


def _version_at(draft: Draft, line: Line, snapshot: Snapshot, path: bytes) -> Oid:
    version = find_version(draft.stage, snapshot, path)
    if version is None:
        raise NotFoundError(
            f"no such artifact in collection {show(line.name)}",
            place=show(path),
            remedy=f"see `casvault ls-tree -r {show(line.name)}`",
        )
    return version


def _change(draft: Draft, line: Line, current: Snapshot, changes: Mapping[bytes, Change]) -> Snapshot:
    after = record_changes(draft, line.name, current, changes)
    draft.set_ref(line.ref, after.id)
    if line.scan is not None:
        plan_directory(draft, line.ref, current, after)
    return after


def _arrived(draft: Draft, snapshot: Snapshot, path: bytes) -> Oid:
    version = find_version(draft.stage, snapshot, path)
    assert version is not None
    return version
