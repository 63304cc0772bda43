"""The façade's part for snapshots: which there are, why, what they hold, and how two of them differ by artifact."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.moves import find_moved
from casvault.artifacts.names import collection_ref, show, typed
from casvault.artifacts.revision import resolve_commitish
from casvault.artifacts.snapshot import is_snapshot, iter_links, open_snapshot, read_listing
from casvault.artifacts.tags import labels_by_version
from casvault.artifacts.version import COLLECTION, ORIGIN, Origin
from casvault.deploy.holding import find_all_holders
from casvault.deploy.purposes import Makers, Purpose, find_bases, purposes_of
from casvault.deploy.scanning import scan_collection
from casvault.errors import NotFoundError, UsageError
from casvault.objects import LINK, Root, read_commit
from casvault.trees import diff_paths
from casvault.vault.lineage import Lineage, project_holding
from casvault.vault.results.changes import ChangeKind
from casvault.vault.results.snapshots import ArtifactDiff, ArtifactInfo, SnapshotInfo
from casvault.worktree.hashonly import HashOnly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from casvault.artifacts.rules import Rules
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.holding import Held
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.repository.changeindex import ChangeIndex

_ORIGINS = {origin.value.encode(): origin for origin in Origin}


class _Side(NamedTuple):
    """An artifact on one side of a comparison."""

    version: Oid | None
    content: Root


class Snapshots(Lineage):
    def snapshots(
        self,
        *,
        limit: int | None = None,
        purpose: Purpose | None = None,
        artifacts: bool = False,
        collection: str | None = None,
    ) -> list[SnapshotInfo]:
        """The snapshots of a collection, the newest first; with `artifacts` each with all that it holds."""
        name = self._collection_name(collection)
        teller = self._teller(name, artifacts=artifacts)
        found: list[SnapshotInfo] = []
        for oid in _iter_reachable(teller.changes, teller.view.find(collection_ref(name))):
            if limit is not None and len(found) >= limit:
                break
            info = teller.tell(oid)
            if purpose is None or purpose in info.purposes:
                found.append(info)
        return found

    def snapshot_info(
        self, revision: str = "@", *, artifacts: bool = True, collection: str | None = None
    ) -> SnapshotInfo:
        """One snapshot, with what it holds."""
        names = self._names(collection)
        oid = resolve_commitish(names, revision)
        name = show(_read_snapshot(self.reader, oid, revision).field(COLLECTION) or b"")
        teller = self._teller(name, artifacts=artifacts)
        teller.changes.catch_up([oid])
        return teller.tell(oid)

    def diff_artifacts(
        self, old: str = "@", new: str | None = None, *, collection: str | None = None
    ) -> list[ArtifactDiff]:
        """The artifacts that differ between two snapshots, or between one and the collection's directory."""
        names = self._names(collection)
        first = resolve_commitish(names, old)
        name = show(_read_snapshot(self.reader, first, old).field(COLLECTION) or b"")
        before = open_snapshot(self.reader, first)
        reader = HashOnly(self.reader)
        if new is None:
            sides = _sides_of_directory(reader, before, self._scan_units(reader, self._collection_name(collection)))
            moved: Mapping[bytes, bytes] = {}
        else:
            second = resolve_commitish(names, new)
            _read_snapshot(self.reader, second, new)
            after = open_snapshot(self.reader, second)
            sides = dict(_iter_sides(reader, before, after))
            gone_paths = [path for path, (_, there) in sides.items() if there is None]
            moved = _find_moves(reader, typed(name), after, gone_paths, sides)
        rules = self._rules(name)
        gone = set(moved.values())
        found = []
        for path in sorted(sides.keys() - gone):
            before_it, after_it = sides[path]
            source = moved.get(path)
            # What moved is compared with itself at its old place, and that place is not told of again.
            start = before_it if source is None else sides[source][0]
            found.append(_artifact_diff(reader, rules, path, start, after_it, source))
        return found

    def _scan_units(self, stage: HashOnly, name: str) -> dict[bytes, Root]:
        directory = self._collection_directory(name)
        if directory is None:
            raise UsageError("the collection has no directory", place=name, remedy="name two snapshots")
        return scan_collection(self._repository, stage, directory, storing=True, progress=self._progress).units

    def _teller(self, name: str, *, artifacts: bool) -> _Teller:
        view, index = self._view(), self._repository.changes()
        tip = view.find(collection_ref(name))
        if tip is not None:
            index.catch_up([tip])
        held = find_all_holders(self.reader, view)
        settled = [version for version, places in held.items() if any(place.is_settled for place in places)]
        makers = Makers(index, self._repository.log)
        bases = find_bases(index, settled)
        return _Teller(self.reader, view, index, makers, bases, held, self._rules(name), artifacts)


class _Teller(NamedTuple):
    """What is known of a vault when its snapshots are told of."""

    reader: ObjectReader
    view: View
    changes: ChangeIndex
    makers: Makers
    bases: set[int]
    held: Mapping[Oid, list[Held]]
    rules: Rules
    with_artifacts: bool

    def tell(self, oid: Oid) -> SnapshotInfo:
        commit = read_commit(self.reader, oid)
        maker = self.makers.find(oid)
        author = commit.author
        return SnapshotInfo(
            oid,
            commit.parents,
            show(commit.field(COLLECTION) or b""),
            show(author.name),
            show(author.mail),
            author.seconds,
            author.zone.decode(),
            show(commit.message),
            purposes_of(maker, is_base=self.changes.find(oid) in self.bases),
            None if maker is None else maker.number,
            None if maker is None else maker.kind,
            tuple(self._artifacts(oid, commit)) if self.with_artifacts else None,
        )

    def _artifacts(self, oid: Oid, snapshot: Commit) -> Iterator[ArtifactInfo]:
        collection = snapshot.field(COLLECTION) or b""
        for path, entry in iter_links(self.reader, open_snapshot(self.reader, oid)):
            version = read_commit(self.reader, entry.id)
            labels = labels_by_version(self.reader, self.view, collection, path)
            yield ArtifactInfo(
                show(path),
                show(self.rules.short_name(path)),
                self.rules.kind(path),
                entry.id,
                version.root.id,
                version.root.mode,
                version.root.size,
                _ORIGINS.get(version.field(ORIGIN) or b""),
                show(version.field(COLLECTION) or b""),
                labels.get(entry.id, ()),
                tuple(map(project_holding, self.held.get(entry.id, ()))),
            )


def _read_snapshot(reader: ObjectReader, oid: Oid, revision: str) -> Commit:
    commit = read_commit(reader, oid)
    if not is_snapshot(commit):
        raise UsageError("not a snapshot", place=revision, remedy="name a snapshot, see `casvault snapshots`")
    return commit


def _iter_reachable(index: ChangeIndex, tip: Oid | None) -> Iterator[Oid]:
    """A commit and all that it comes from, each before its parents."""
    if tip is None:
        raise NotFoundError("the collection was removed")
    (start,) = index.catch_up([tip])
    queue, seen = [-start], {start}
    while queue:
        commit = -heappop(queue)
        yield index.id_of(commit)
        for parent in index.parents(commit):
            if parent not in seen:
                seen.add(parent)
                heappush(queue, -parent)


def _iter_sides(
    reader: ObjectReader, old: Snapshot, new: Snapshot
) -> Iterator[tuple[bytes, tuple[_Side | None, _Side | None]]]:
    """The artifacts whose versions differ; what both snapshots share is not read."""
    for path, before, after in diff_paths(reader, old.content, new.content):
        sides = _side(reader, before), _side(reader, after)
        if sides != (None, None):
            yield path, sides


def _side(reader: ObjectReader, state: Root | None) -> _Side | None:
    if state is None or state.mode != LINK:
        return None
    return _Side(state.id, read_commit(reader, state.id).root)


def _sides_of_directory(
    reader: ObjectReader, old: Snapshot, units: Mapping[bytes, Root]
) -> dict[bytes, tuple[_Side | None, _Side | None]]:
    listing = read_listing(reader, old)
    sides = {}
    for path in listing.versions.keys() | units.keys():
        before = _Side(listing.versions[path], listing.contents[path]) if path in listing.versions else None
        after = _Side(None, units[path]) if path in units else None
        contents = [None if side is None else (side.content.mode, side.content.id) for side in (before, after)]
        if contents[0] != contents[1]:
            sides[path] = before, after
    return sides


def _find_moves(
    reader: ObjectReader,
    collection: bytes,
    after: Snapshot,
    gone: list[bytes],
    sides: Mapping[bytes, tuple[_Side | None, _Side | None]],
) -> dict[bytes, bytes]:
    """New paths, at which nothing was before, each with the path that its artifact was moved from."""
    moved = {}
    for path in gone:
        there = find_moved(reader, lambda name: after if name == collection else None, collection, path)
        if there is not None and there[1] in sides and sides[there[1]][0] is None:
            moved[there[1]] = path
    return moved


def _artifact_diff(
    reader: ObjectReader, rules: Rules, path: bytes, old: _Side | None, new: _Side | None, source: bytes | None
) -> ArtifactDiff:
    before, after = (None if side is None else side.content for side in (old, new))
    files = Counter(ChangeKind.of(change.old, change.new) for change in iter_file_changes(reader, before, after))
    return ArtifactDiff(
        show(path),
        rules.kind(path),
        ChangeKind.ADDED if source is not None else ChangeKind.of(before, after),
        None if source is None else show(source),
        None if old is None else old.version,
        None if new is None else new.version,
        None if before is None else before.id,
        None if after is None else after.id,
        files[ChangeKind.ADDED],
        files[ChangeKind.MODIFIED],
        files[ChangeKind.REMOVED],
    )
