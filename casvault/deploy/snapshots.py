"""Commands on a collection's directory: take a snapshot, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.collection import content_of, plan_directory, plan_snapshot, tip_snapshot
from casvault.artifacts.names import show
from casvault.artifacts.recording import Change, NewVersion, record_changes
from casvault.artifacts.rules import Rules
from casvault.artifacts.snapshot import Listing, Snapshot, find_version, open_snapshot, read_listing
from casvault.artifacts.version import Origin
from casvault.deploy.run import Command, Outcome, Session, run
from casvault.errors import NotFoundError, RefusedError
from casvault.objects import LINK
from casvault.trees import edit_paths, find_path
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.artifacts.draft import Draft
    from casvault.deploy.scanning import CollectionScan
    from casvault.objects import ObjectPublisher, ObjectReader
    from casvault.oid import Oid


class Line(NamedTuple):
    """A collection as commands see it; `scan` is None where it has no directory."""

    name: bytes
    ref: bytes
    scan: CollectionScan | None

    @property
    def rules(self) -> Rules:
        return Rules() if self.scan is None else self.scan.rules


def bring_up_to_date(draft: Draft, line: Line) -> Snapshot:
    """Record what the directory holds, as every command that deploys from it or writes into it does first."""
    if line.scan is None:
        return tip_snapshot(draft, line.ref)
    return plan_snapshot(draft, line.ref, line.name, line.scan.base, line.scan.units, line.scan.plain)


def take_snapshot(session: Session, stage: ObjectPublisher, line: Line, kind: str = "snapshot") -> Outcome:
    def plan(draft: Draft) -> None:
        if line.scan is not None and line.scan.base is None and draft.ref(line.ref) is not None:
            raise RefusedError(
                "there is a collection of this name, and this directory was never at a snapshot of it",
                place=show(line.name),
                remedy="add the directory under another name: `casvault collection add DIR --name NAME`",
            )
        bring_up_to_date(draft, line)

    return run(session, stage, Command(kind, (line.name,)), plan)


def restore(session: Session, stage: ObjectPublisher, line: Line, source: Oid, paths: Iterable[bytes]) -> Outcome:
    """Make a snapshot on the tip that holds what snapshot `source` held at these paths, or everywhere for none."""
    wanted = list(paths)

    def plan(draft: Draft) -> None:
        current = bring_up_to_date(draft, line)
        old = open_snapshot(draft.stage, source)
        changes: dict[bytes, Change] = {}
        if wanted:
            for path in wanted:
                changes.update(_restored_path(draft, current, old, path, changes))
        else:
            changes = _restored_all(read_listing(draft.stage, current), read_listing(draft.stage, old))
        restored = record_changes(draft, line.name, current, changes)
        draft.set_ref(line.ref, restored.id)
        if line.scan is not None:
            plan_directory(draft, line.ref, current, restored)

    return run(session, stage, Command("restore", (line.name, source, *wanted)), plan)


def _restored_all(now: Listing, then: Listing) -> dict[bytes, Change]:
    changes: dict[bytes, Change] = dict.fromkeys((now.versions.keys() | now.plain.keys()) - then.versions.keys())
    for path, content in then.contents.items():
        if not same_state(now.contents.get(path), content):
            changes[path] = NewVersion(content, Origin.RESTORE)
    for path, state in then.plain.items():
        changes.pop(path, None)
        if now.plain.get(path) != state:
            changes[path] = state
    return changes


def _restored_path(
    draft: Draft, current: Snapshot, old: Snapshot, path: bytes, so_far: dict[bytes, Change]
) -> dict[bytes, Change]:
    """One path: an artifact, something in an artifact, a plain file, or a directory of several."""
    artifact, rest = split_artifact(draft.stage, old, path)
    if artifact is None:
        artifact, rest = split_artifact(draft.stage, current, path)
    if artifact is not None and rest:
        return _restored_below(draft, current, old, artifact, rest, so_far)
    below = path + b"/"
    then, now = read_listing(draft.stage, old), read_listing(draft.stage, current)
    changes = {
        found: change for found, change in _restored_all(now, then).items() if found == path or found.startswith(below)
    }
    known = (*then.versions, *then.plain)
    if not any(found == path or found.startswith(below) for found in known):
        raise NotFoundError(f"no such path in snapshot {old.id.short if old.id else 'none'}", place=show(path))
    return changes


def _restored_below(
    draft: Draft, current: Snapshot, old: Snapshot, artifact: bytes, rest: bytes, so_far: dict[bytes, Change]
) -> dict[bytes, Change]:
    """A path inside an artifact: a new version of the artifact in which that path is as it was."""
    then, now = (find_version(draft.stage, snapshot, artifact) for snapshot in (old, current))
    state = None if then is None else find_path(draft.stage, content_of(draft, then), rest)
    if state is None:
        raise NotFoundError(
            f"no such path in snapshot {old.id.short if old.id else 'none'}", place=show(artifact + b"/" + rest)
        )
    if now is None:
        raise NotFoundError(
            "the artifact is not in the collection now", place=show(artifact), remedy=f"restore {show(artifact)} first"
        )
    pending = so_far.get(artifact)
    start = pending.content if isinstance(pending, NewVersion) else content_of(draft, now)
    content = edit_paths(draft.stage, start, {rest: state})
    return {} if content == start else {artifact: NewVersion(content, Origin.RESTORE)}


def split_artifact(reader: ObjectReader, snapshot: Snapshot, path: bytes) -> tuple[bytes | None, bytes]:
    """The artifact of a snapshot that a path leads to or into, and the rest of the path; None where there is none."""
    names = path.split(b"/")
    for end in range(1, len(names) + 1):
        artifact = b"/".join(names[:end])
        state = find_path(reader, snapshot.content, artifact)
        if state is None:
            break
        if state.mode == LINK:
            return artifact, b"/".join(names[end:])
    return None, b""
