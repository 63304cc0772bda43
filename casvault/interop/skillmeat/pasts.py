"""A collection's past and present: SkillMeat's snapshots, the oldest first, and its directory on top of them."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.collection import merge_snapshots, plan_snapshot, tip_snapshot
from casvault.artifacts.names import collection_ref
from casvault.artifacts.recording import Change, NewVersion, compare_listing, record_changes
from casvault.artifacts.snapshot import Snapshot, find_version, open_snapshot, read_listing, write_snapshot
from casvault.artifacts.version import Draftsman, Origin
from casvault.deploy.scanning import read_rules
from casvault.errors import RefusedError
from casvault.interop.skillmeat.archives import unpack
from casvault.interop.skillmeat.hashing import hash_path
from casvault.interop.skillmeat.home import LOCK
from casvault.interop.skillmeat.kept import KeptCollection, Legacy
from casvault.interop.skillmeat.stamps import snapshot_id
from casvault.objects import Signature
from casvault.worktree.scan import scan_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.deploy.snapshots import Line
    from casvault.interop.skillmeat.home import Archive, Home
    from casvault.interop.skillmeat.matching import Hashes, Matching
    from casvault.interop.skillmeat.stamps import Stamp
    from casvault.objects import ObjectStage, Root
    from casvault.oid import Oid

AUTHOR = b"SkillMeat"
"""SkillMeat does not say who has taken a snapshot; whoever imports it gets the same commit."""


class Past(NamedTuple):
    """An archive, scanned."""

    archive: Archive
    units: Mapping[bytes, Root]
    plain: Mapping[bytes, Root]
    hashes: Mapping[bytes, str]
    """SkillMeat's hashes of the units, with the files that casvault ignores."""


class Found(NamedTuple):
    """A content that a collection had once: a project has it still, as it was deployed."""

    stamp: Stamp
    path: bytes
    content: Root


class Lineage(NamedTuple):
    """All that is to be taken over of one collection."""

    home: Home
    line: Line
    pasts: tuple[Past, ...]
    """Those that were not taken over yet."""
    hashes: Mapping[bytes, str]
    """As in `Past`, for what the directory holds."""

    @property
    def name(self) -> bytes:
        return self.line.name

    @property
    def paths(self) -> set[bytes]:
        """Where it has artifacts, or had them once."""
        scan = self.line.scan
        return {path for past in self.pasts for path in past.units}.union(() if scan is None else scan.units)

    def known_hashes(self, hashes: Hashes) -> set[tuple[bytes, str]]:
        """Paths and hashes of everything here."""
        scan = self.line.scan
        units = [past.units for past in self.pasts] + ([] if scan is None else [scan.units])
        recorded = [past.hashes for past in self.pasts] + [self.hashes]
        known = {(path, text) for each in recorded for path, text in each.items()}
        found = ((path, hashes.find(state)) for each in units for path, state in each.items())
        return known | {(path, text) for path, text in found if text is not None}


def scan_archive(stage: ObjectStage, home: Home, archive: Archive) -> Past:
    with tempfile.TemporaryDirectory(prefix="casvault-") as temporary:
        directory = unpack(archive.path, Path(os.path.realpath(temporary)), home.name)
        scan = scan_units(directory, stage, classify=read_rules(directory).classify)
        return Past(archive, scan.units, scan.plain, hash_units(directory, scan.units))


def hash_units(directory: Path, units: Iterable[bytes]) -> dict[bytes, str]:
    """SkillMeat's hashes of artifacts on disk; those that it could not hash itself are left out."""
    found = {}
    for path in units:
        try:
            found[path] = hash_path(directory / os.fsdecode(path))
        except RefusedError:
            continue
    return found


def plan_collection(
    draft: Draft, lineage: Lineage, kept: KeptCollection, hashes: Hashes, found: Iterable[Found]
) -> KeptCollection:
    """Plan the snapshots of a collection, each step on the one before it in time, and the directory on top.

    What is older than the snapshot that the directory holds already becomes a line of its own, and the newest versions
    are told that they come from it.
    """
    ref = collection_ref(lineage.home.name)
    scan = lineage.line.scan
    assert scan is not None
    base = open_snapshot(draft.stage, None if draft.ref(ref) is None else scan.base)
    begin = None if base.id is None else draft.graph.commit(base.id).committer.seconds
    steps: list[Past | Found] = [*lineage.pasts, *found]
    steps.sort(key=_time)
    late = [step for step in steps if begin is not None and _time(step)[0] < begin]
    taken = _Taken(draft, lineage.name, hashes)
    last = base
    if late:
        start = _find_snapshot_before(kept, late[0])
        last = _join(draft, lineage.name, last, taken.take(open_snapshot(draft.stage, start), late))
    last = taken.take(last, steps[len(late) :])
    if last.id != base.id:
        draft.set_ref(ref, merge_snapshots(draft, lineage.name, base, tip_snapshot(draft, ref), last).id)
    tip = plan_snapshot(draft, ref, lineage.name, last.id, scan.units, scan.plain)
    taken.learn(tip, scan.units, lineage.hashes)
    return KeptCollection(lineage.home.listing, {**kept.snapshots, **taken.snapshots}, {**kept.hashes, **taken.further})


class _Taken:
    """Takes steps, and gathers what has to be kept of them."""

    def __init__(self, draft: Draft, collection: bytes, hashes: Hashes) -> None:
        self._draft = draft
        self._collection = collection
        self._hashes = hashes
        self.snapshots: dict[str, Oid] = {}
        self.further: dict[str, Oid] = {}
        """Versions by those hashes that do not follow from their contents."""

    def take(self, last: Snapshot, steps: Iterable[Past | Found]) -> Snapshot:
        for step in steps:
            last = _take_step(self._draft, self._collection, last, step)
            if isinstance(step, Past):
                assert last.id is not None
                self.snapshots[step.archive.id] = last.id
                self.learn(last, step.units, step.hashes)
        return last

    def learn(self, snapshot: Snapshot, units: Mapping[bytes, Root], recorded: Mapping[bytes, str]) -> None:
        for path, text in recorded.items():
            version = None
            if self._hashes.find(units[path]) != text:
                version = find_version(self._draft.stage, snapshot, path)
            if version is not None:
                self.further[text] = version


def _find_snapshot_before(kept: KeptCollection, step: Past | Found) -> Oid | None:
    """The newest snapshot that was taken over and is older; the ids of snapshots are times."""
    stamp = step.archive.stamp if isinstance(step, Past) else step.stamp
    older = [each for each in kept.snapshots if each < snapshot_id(stamp)]
    return kept.snapshots[max(older)] if older else None


def _join(draft: Draft, collection: bytes, last: Snapshot, past: Snapshot) -> Snapshot:
    """A snapshot that holds what `last` holds, and comes from `past` as well, as do its versions."""
    now, then = read_listing(draft.stage, last), read_listing(draft.stage, past)
    changes: dict[bytes, Change] = {
        path: NewVersion(now.contents[path], Origin.MERGE, (version, then.versions[path]))
        for path, version in now.versions.items()
        if path in then.versions and not draft.graph.is_ancestor(then.versions[path], version)
    }
    joined = record_changes(draft, collection, last, changes)
    parents = [oid for oid in (last.id, past.id) if oid is not None]
    oid = write_snapshot(draft.stage, draft.draftsman, joined.content, joined.former, parents, collection)
    return joined._replace(id=oid)


def _time(step: Past | Found) -> tuple[int, int]:
    stamp = step.archive.stamp if isinstance(step, Past) else step.stamp
    return stamp.seconds, stamp.micros


def _take_step(draft: Draft, collection: bytes, last: Snapshot, step: Past | Found) -> Snapshot:
    """One snapshot more, by SkillMeat, at its time; one in which nothing has changed is one all the same."""
    stamp = step.archive.stamp if isinstance(step, Past) else step.stamp
    message = step.archive.message if isinstance(step, Past) else f"{step.path.decode(errors='replace')}, as deployed"
    with _signed(draft, stamp, message):
        if isinstance(step, Past):
            changes = compare_listing(read_listing(draft.stage, last), step.units, step.plain)
        else:
            changes = {step.path: NewVersion(step.content)}
        new = record_changes(draft, collection, last, changes)
        if new.id != last.id or last.id is None:
            return new
        oid = write_snapshot(draft.stage, draft.draftsman, last.content, last.former, (last.id,), collection)
        return last._replace(id=oid)


@contextmanager
def _signed(draft: Draft, stamp: Stamp, message: str) -> Iterator[None]:
    ours = draft.draftsman
    draft.draftsman = Draftsman(Signature(AUTHOR, b"", stamp.seconds, stamp.zone), message)
    try:
        yield
    finally:
        draft.draftsman = ours


def find_wrong_locks(lineage: Lineage, matching: Matching) -> list[Legacy]:
    """Hashes of `collection.lock` that no version of the artifact has."""
    home = lineage.home
    paths = {f"{each.name}::{each.type}": each.path for each in home.manifest}
    wrong = []
    for locked in home.locked:
        path = paths.get(locked.key)
        if path is None or matching.find(lineage.name, path, locked.hash, None) is None:
            wrong.append(Legacy(str(home.directory / LOCK), f"lock.entries.{locked.key}.content_hash", locked.hash))
    return wrong
