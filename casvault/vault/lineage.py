"""The façade's part for versions: the lineage of an artifact, who holds its versions, what has a content."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from casvault.artifacts.holders import Holders, tips_of
from casvault.artifacts.moves import find_last_versions
from casvault.artifacts.names import COLLECTIONS, PROJECTS, show, typed
from casvault.artifacts.revision import find_artifact, resolve_commitish
from casvault.artifacts.snapshot import open_snapshot
from casvault.artifacts.tags import labels_by_version
from casvault.artifacts.version import ORIGIN, Origin, address_of
from casvault.deploy.holding import find_holders
from casvault.errors import NotFoundError
from casvault.objects import read_commits
from casvault.oid import Oid
from casvault.vault.results.lineage import ProjectHolding, SnapshotHolding, VersionInfo, VersionWhere
from casvault.vault.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from casvault.artifacts.moves import Address
    from casvault.artifacts.revision import Names
    from casvault.deploy.holding import Held
    from casvault.objects import Commit
    from casvault.refs import View

_ORIGINS = {origin.value.encode(): origin for origin in Origin}


class Lineage(Subjects):
    def lineage(
        self,
        artifact: str,
        *,
        limit: int | None = None,
        where: bool = False,
        every_snapshot: bool = False,
        collection: str | None = None,
    ) -> list[VersionInfo]:
        """The versions of an artifact, children before parents and the newest first, merges and forks included.

        With `where` each says which snapshots and projects hold it, with `every_snapshot` it lists the former. An
        artifact that was removed is found by its path.
        """
        names = self._names(collection)
        walk = self._repository.graph().iter_children_first([_find_last(names, artifact)])
        found = list(islice(walk, limit))
        return self._infos(names.view, found, where=where or every_snapshot, every_snapshot=every_snapshot)

    def deployed_versions(self, project: Path | str, artifact: str) -> list[VersionInfo]:
        """The versions of one artifact that were deployed to a project, the newest first."""
        ids = self.deployments(project, artifact)
        return self._infos(self._view(), list(zip(ids, read_commits(self.reader, ids), strict=True)))

    def versions_with(self, content: Oid | str, *, where: bool = False) -> list[VersionInfo]:
        """The versions that hold exactly this content and that a snapshot or a project has, the oldest first.

        What only an undone command had is left out.
        """
        oid = Oid.from_hex(content) if isinstance(content, str) else content
        view, index = self._view(), self._repository.changes()
        # Projects are asked too: an edit that was only observed there is in no snapshot.
        states = [state for _, state in view.iter_refs(PROJECTS.rstrip(b"/"))]
        index.catch_up([*tips_of(view).values(), *states])
        candidates = index.links_with(oid)
        found = list(zip(candidates, read_commits(self.reader, candidates), strict=True))
        infos = self._infos(view, found, where=True)
        held = [info for info in infos if info.where is not None and (info.where.snapshots or info.where.projects)]
        return held if where else [info._replace(where=None) for info in held]

    def _infos(
        self, view: View, found: list[tuple[Oid, Commit]], *, where: bool = False, every_snapshot: bool = False
    ) -> list[VersionInfo]:
        addresses = dict.fromkeys(map(address_of, (commit for _, commit in found)))
        tags = self._tags(view, addresses)
        places = self._where(view, [oid for oid, _ in found], addresses, every_snapshot) if where else {}
        return [_version_info(oid, commit, tags.get(oid, ()), places.get(oid)) for oid, commit in found]

    def _tags(self, view: View, addresses: Iterable[Address]) -> dict[Oid, tuple[str, ...]]:
        tags: dict[Oid, tuple[str, ...]] = {}
        for collection, path in addresses:
            if collection and path:
                for version, labels in labels_by_version(self.reader, view, collection, path).items():
                    tags[version] = (*tags.get(version, ()), *labels)
        return tags

    def _where(
        self, view: View, versions: list[Oid], addresses: Iterable[Address], every_snapshot: bool
    ) -> dict[Oid, VersionWhere]:
        index = self._repository.changes()
        tips = tips_of(view)
        holders = {name: Holders(index, tip) for name, tip in tips.items()}
        held = find_holders(self.reader, view, addresses)
        return {
            version: VersionWhere(
                tuple(
                    holding
                    for name, each in holders.items()
                    for holding in _snapshot_holdings(show(name), each, tips[name], version, every_snapshot)
                ),
                tuple(project_holding(each) for each in held.get(version, ())),
            )
            for version in versions
        }


def _find_last(names: Names, artifact: str) -> Oid:
    """The newest version of an artifact, or the last one of what was at a path."""
    found = find_artifact(names, artifact) if names.collection else None
    if found is not None:
        return found[1]
    try:
        return resolve_commitish(names, artifact)
    except NotFoundError:
        last = _find_removed(names, typed(artifact).strip(b"/"))
        if last is None:
            raise
        return last


def _find_removed(names: Names, path: bytes) -> Oid | None:
    tip = None if names.collection is None else names.view.find(COLLECTIONS + typed(names.collection))
    if tip is None or names.collection is None or not path:
        return None
    snapshot = open_snapshot(names.reader, tip)
    return find_last_versions(names.reader, snapshot, typed(names.collection), [path]).get(path)


def _version_info(oid: Oid, commit: Commit, tags: tuple[str, ...], where: VersionWhere | None) -> VersionInfo:
    collection, path = address_of(commit)
    author = commit.author
    return VersionInfo(
        oid,
        commit.root.id,
        commit.root.mode,
        commit.parents,
        tags,
        _ORIGINS.get(commit.field(ORIGIN) or b""),
        show(collection),
        show(path),
        show(author.name),
        show(author.mail),
        author.seconds,
        author.zone.decode(),
        show(commit.message),
        where,
    )


def _snapshot_holdings(
    name: str, holders: Holders, tip: Oid, version: Oid, every_snapshot: bool
) -> Iterator[SnapshotHolding]:
    spans = holders.spans(version)
    for path in dict.fromkeys(span.path for span in spans):
        mine = [span for span in spans if span.path == path]
        newest = holders.id_of(mine[0].last)
        yield SnapshotHolding(
            name,
            show(path),
            tuple(holders.brought(version, mine)),
            newest,
            sum(span.length for span in mine),
            newest == tip,
            tuple(holders.snapshots(mine)) if every_snapshot else None,
        )


def project_holding(held: Held) -> ProjectHolding:
    root, collection, path = map(show, held.place)
    return ProjectHolding(show(held.project), root, collection, path, held.roles)
