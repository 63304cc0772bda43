"""The lock file of a project: written from its state by every command that changes what is deployed there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.draft import FileWrite
from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import COLLECTIONS, show
from casvault.artifacts.snapshot import open_snapshot
from casvault.artifacts.tags import VERSION_TAGS, Labels
from casvault.deploy.lockfile import LockEntry, parse_lock, render_lock
from casvault.deploy.state import Place, read_deployments
from casvault.errors import ConflictError, MalformedError, RefusedError, UnsupportedError
from casvault.files import find_file
from casvault.limits import LOCK_BYTES
from casvault.objects import FILE, FILE_MODES, Root, read_blob, read_commits, read_parents, write_blob
from casvault.worktree.scan import scan_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.snapshot import Snapshot
    from casvault.objects import ObjectReader
    from casvault.oid import Oid

    Tags = Mapping[Place, str | None]

LOCK_FILE = b"casvault.lock"


class LockWrite(NamedTuple):
    """The new lock file, and what somebody else had written into the old one; None if that was all casvault's."""

    write: FileWrite
    replaced: bytes | None


def lock_entries(reader: ObjectReader, state: Oid | None, tags: Tags | None = None) -> list[LockEntry]:
    """What a project's state says that its directory holds: the settled version of each deployment, without tags unless
    they are given.
    """
    deployments = read_deployments(reader, state)
    commits = read_commits(reader, (deployment.settled for deployment in deployments.values()))
    return [
        LockEntry(
            place.root,
            place.collection,
            place.path,
            deployment.settled,
            commit.root.mode,
            commit.root.id,
            None if tags is None else tags.get(place),
            None if deployment.pin is None else show(deployment.pin),
        )
        for (place, deployment), commit in zip(deployments.items(), commits, strict=True)
    ]


def find_lock(directory: Path) -> list[LockEntry] | None:
    """What the lock file of a project says; None if there is none."""
    path = directory / os.fsdecode(LOCK_FILE)
    text = find_file(path)
    return None if text is None else parse_lock(text, str(path))


def find_state_of_copy(reader: ObjectReader, directory: Path, state: Oid | None) -> Oid | None:
    """Which state a copy of a project was made at: the newest, at or before `state`, that its lock file tells of.

    The original may have been given other versions since, and the copy does not hold those. None without a lock file:
    nothing was deployed, or nobody knows what was, and what is there is recognised by its content. A lock file that
    tells of no state, or cannot be read, is somebody's work, and then it is `state` itself.
    """
    try:
        entries = find_lock(directory)
    except (ConflictError, MalformedError):
        return state
    if entries is None:
        return None
    # What was tagged since says nothing about what was deployed.
    wanted, found = sorted(entry._replace(tag=None) for entry in entries), state
    while found is not None:
        if sorted(lock_entries(reader, found)) == wanted:
            return found
        found = next(iter(read_parents(reader, found)), None)
    return state


def plan_lock_file(draft: Draft, ref: bytes, directory: Path) -> LockWrite | None:
    """How the lock file becomes true again after what the draft does to a project, or comes back if it is gone; None
    if nothing has to be written.

    ConflictError if git has left conflict markers in it: whoever resolves them has to know what is there.
    """
    path = directory / os.fsdecode(LOCK_FILE)
    before, after = draft.view.find(ref), draft.ref(ref)
    wanted = _text(draft.stage, after, _find_tags(draft, after))
    old = scan_path(path, draft.stage, follow=False)
    if before == after and old is not None:
        # Whoever has written something else into it may be about to bring the project to that.
        return None
    text = b""
    if old is not None:
        if old.mode not in FILE_MODES or old.size > LOCK_BYTES:
            raise RefusedError("this is no lock file", place=str(path), remedy="move it away")
        text = read_blob(draft.stage, old.id)
        _check_markers(text, path)
    if text == wanted:
        return None
    new = Root(FILE, len(wanted), write_blob(draft.stage, wanted)) if wanted else None
    if old is None and new is None:
        return None
    is_ours = old is None or text == _text(draft.stage, before, _tags_in(text, str(path)))
    return LockWrite(FileWrite(LOCK_FILE, old, new), None if is_ours else text)


def _text(reader: ObjectReader, state: Oid | None, tags: Tags) -> bytes:
    entries = lock_entries(reader, state, tags)
    return render_lock(entries) if entries else b""


def _find_tags(draft: Draft, state: Oid | None) -> dict[Place, str | None]:
    """The highest tag of each settled version, wherever its artifact has gone since it was deployed."""

    def snapshot(name: bytes) -> Snapshot | None:
        tip = draft.ref(COLLECTIONS + name)
        return None if tip is None else open_snapshot(draft.stage, tip)

    if next(draft.iter_refs(VERSION_TAGS.rstrip(b"/")), None) is None:
        return {}
    labels, found = Labels(draft.stage, draft), {}
    for place, deployment in read_deployments(draft.stage, state).items():
        home = (place.collection, place.path)
        known = labels.of(*home, deployment.settled)
        moved = None if known else find_moved(draft.stage, snapshot, *home)
        known = known if moved is None else labels.of(*moved, deployment.settled)
        found[place] = known[0] if known else None
    return found


def _tags_in(text: bytes, place: str) -> dict[Place, str | None]:
    """The tags that a lock file has, which may have been made or deleted since; none if it cannot be read."""
    try:
        return {Place(entry.root, entry.collection, entry.path): entry.tag for entry in parse_lock(text, place)}
    except (ConflictError, MalformedError, UnsupportedError):
        return {}


def _check_markers(text: bytes, path: Path) -> None:
    try:
        parse_lock(text, str(path))
    except MalformedError:
        # Whatever it is, it goes into the operation before it is replaced.
        return
