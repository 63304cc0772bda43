"""What a vault holds of certain contents, and where: read from every commit that is in its packs."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS, PROJECTS, show
from casvault.artifacts.snapshot import is_snapshot, open_snapshot
from casvault.artifacts.version import COLLECTION, TYPE, VERSION, parse_version
from casvault.deploy.comparison import PROJECT
from casvault.deploy.run import written_files
from casvault.deploy.state import read_deployments
from casvault.maintenance.holders import Holders
from casvault.objects import Kind, read_commit, read_tag
from casvault.pending import MERGES, handle_of
from casvault.refs import PURGED, View
from casvault.trees import diff_paths
from casvault.vault.results.purging import HeldOperation, HeldProject, HeldRef, HeldSnapshot, HeldVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid
    from casvault.refs import Operation
    from casvault.repository import Repository

BATCH = 10_000
_OTHERS = (COLLECTIONS, PROJECTS, MERGES, PURGED)


def iter_commits(repository: Repository) -> Iterator[tuple[Oid, Commit]]:
    """Every commit that is in the vault, whatever refers to it."""
    reader = repository.objects
    ids = iter(sorted(set(reader.iter_ids())))
    while some := list(islice(ids, BATCH)):
        for oid, info in zip(some, reader.find_infos(some), strict=True):
            if info is not None and info.kind is Kind.COMMIT:
                yield oid, read_commit(reader, oid)


def merges_with(reader: ObjectReader, view: View, holders: Holders) -> list[str]:
    """The handles of the merges in progress that hold something, themselves or on one of their sides."""
    return [
        handle_of(ref)
        for ref, merge in view.iter_refs(MERGES.rstrip(b"/"))
        if any(map(holders.holds_commit, (merge, *read_commit(reader, merge).parents)))
    ]


class Holding:
    """Where the wanted contents are."""

    def __init__(self, repository: Repository, view: View, wanted: Iterable[Oid]) -> None:
        self._repository = repository
        self._reader: ObjectReader = repository.objects
        self._view = view
        self._holders = Holders(repository.objects, wanted)
        self.versions: list[HeldVersion] = []
        self.snapshots: list[HeldSnapshot] = []
        self._paths: dict[Oid, set[str]] = defaultdict(set)
        self._look_at_commits()

    def paths(self, oid: Oid) -> tuple[str, ...]:
        """The paths under which a content was found, those of all versions and snapshots."""
        return tuple(sorted(self._paths[oid]))

    def projects(self) -> list[HeldProject]:
        found = []
        for ref, state in self._view.iter_refs(PROJECTS.rstrip(b"/")):
            deployments = read_deployments(self._reader, state)
            now = {
                show(place.file_path)
                for place, deployment in deployments.items()
                for version in deployment[:3]
                if version is not None and self._holders.holds_commit(version)
            }
            if now or self._count_in_history(state):
                found.append(HeldProject(show(ref.removeprefix(PROJECTS)), tuple(sorted(now))))
        return found

    def refs(self) -> list[HeldRef]:
        found = []
        for name, target in self._view.iter_refs():
            if not name.startswith(_OTHERS):
                tip, count = self._holders.holds_commit(target), self._count_in_history(target)
                if tip or count:
                    found.append(HeldRef(show(name), tip, count))
        return found

    def merges(self) -> list[str]:
        return merges_with(self._reader, self._view, self._holders)

    def operations(self) -> list[HeldOperation]:
        """Those that brought it: the newest first."""
        found = []
        for oid, operation in self._repository.log.iter_chain():
            if self._brought(oid, operation):
                who = operation.who
                found.append(
                    HeldOperation(operation.number, operation.kind, show(who.name), who.seconds, who.zone.decode())
                )
        return found

    def _brought(self, oid: Oid, operation: Operation) -> bool:
        parent = operation.parent
        before = None if parent is None else self._repository.log.read_operation(parent).view
        holds = self._holders.holds
        for _, old, new in diff_paths(self._reader, before, operation.view):
            if holds(new) and not holds(old):
                return True
        files = (write for writes in written_files(operation).values() for write in writes)
        return any(holds(write.new) and not holds(write.old) for write in files)

    def _look_at_commits(self) -> None:
        tips = {target for _, target in self._view.iter_refs(COLLECTIONS.rstrip(b"/"))}
        for oid, commit in iter_commits(self._repository):
            if commit.field(TYPE) == VERSION:
                self._look_at_version(oid, commit)
            elif is_snapshot(commit):
                self._look_at_snapshot(oid, commit, current=oid in tips)
        for held in (self.versions, self.snapshots):
            held.sort(key=lambda each: (-each.seconds, each[0]))

    def _look_at_version(self, oid: Oid, commit: Commit) -> None:
        files = []
        version = parse_version(oid, commit)
        for path, state in self._holders.iter_paths(commit.root):
            files.append(show(path))
            self._paths[state.id].add(show(version.path + b"/" + path if path else version.path))
        if files:
            who, project = version.author, show(commit.field(PROJECT) or b"")
            self.versions.append(
                HeldVersion(
                    oid,
                    version.collection,
                    show(version.path),
                    project,
                    who.seconds,
                    who.zone.decode(),
                    tuple(files),
                )
            )

    def _look_at_snapshot(self, oid: Oid, commit: Commit, *, current: bool) -> None:
        content = open_snapshot(self._reader, oid).content
        if self._holders.holds(content):
            # Those in versions are known from there; a snapshot has the others.
            for path, state in self._holders.iter_paths(content, through_links=False):
                self._paths[state.id].add(show(path))
            who, collection = commit.author, show(commit.field(COLLECTION) or b"")
            self.snapshots.append(
                HeldSnapshot(oid, collection, who.seconds, who.zone.decode(), show(commit.message), current)
            )

    def _count_in_history(self, start: Oid) -> int:
        """How many commits that a commit or tag can reach hold it."""
        info = self._reader.find_infos([start])[0]
        while info is not None and info.kind is Kind.TAG:
            start = read_tag(self._reader, start).target
            info = self._reader.find_infos([start])[0]
        if info is None or info.kind is not Kind.COMMIT:
            return 0
        history = self._repository.graph().iter_children_first([start])
        return sum(self._holders.holds(commit.root) for _, commit in history)
