"""The façade's part for looking at collections: which there are, and what is not in a snapshot yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS, collection_ref, show, typed
from casvault.artifacts.recording import compare_listing
from casvault.artifacts.snapshot import iter_links, open_snapshot, read_listing
from casvault.artifacts.tags import Labels
from casvault.deploy.journal import is_interrupted
from casvault.deploy.scanning import save_cache, scan_collection
from casvault.vault.base import OpenVault
from casvault.vault.results.changes import ChangeKind
from casvault.vault.results.collections import ArtifactChange, CollectionInfo, CollectionStatus
from casvault.worktree.hashonly import HashOnly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.artifacts.recording import Change
    from casvault.artifacts.rules import Rules
    from casvault.deploy.scanning import CollectionScan
    from casvault.objects import ObjectReader


class CollectionsView(OpenVault):
    def collections(self) -> list[CollectionInfo]:
        """Every collection, sorted by name."""
        places = self._repository.places.all()
        result = []
        for ref, tip in self._view().iter_refs(COLLECTIONS.rstrip(b"/")):
            place = places.get(show(ref))
            count = sum(1 for _ in iter_links(self.reader, open_snapshot(self.reader, tip)))
            name = show(ref.removeprefix(COLLECTIONS))
            result.append(CollectionInfo(name, tip, None if place is None else Path(place), count))
        return result

    def status(self, collection: str | None = None) -> CollectionStatus:
        """What the collection's directory holds that is not in its snapshot yet. Changes nothing, in no place."""
        name = self._collection_name(collection)
        tip = self._view().find(collection_ref(name))
        directory = self._collection_directory(name)
        if directory is None:
            return CollectionStatus(name, None, tip, tip, (), (), (), interrupted=False)
        stage = HashOnly(self.reader)
        scan = scan_collection(self._repository, stage, directory, storing=False, progress=self._progress)
        changes = self._compare(stage, name, scan)
        save_cache(scan.cache)
        return CollectionStatus(
            name,
            directory,
            scan.base,
            tip,
            changes,
            tuple(map(show, scan.ignored)),
            tuple(scan.notes),
            interrupted=is_interrupted(self._repository.log, directory),
        )

    def _compare(self, reader: ObjectReader, name: str, scan: CollectionScan) -> tuple[ArtifactChange, ...]:
        listing = read_listing(reader, open_snapshot(reader, scan.base))
        changes = compare_listing(listing, scan.units, scan.plain)
        known = listing.versions.keys() | listing.plain.keys()
        labels = Labels(reader, self._view())
        home = typed(name)
        tags = {path: labels.of(home, path, listing.versions.get(path)) for path in changes}
        return _shown(changes, known, scan.rules, tags)


def _shown(
    changes: Mapping[bytes, Change], known: Iterable[bytes], rules: Rules, tags: Mapping[bytes, tuple[str, ...]]
) -> tuple[ArtifactChange, ...]:
    before = set(known)
    return tuple(
        ArtifactChange(
            show(path),
            rules.kind(path),
            ChangeKind.REMOVED if change is None else ChangeKind.MODIFIED if path in before else ChangeKind.ADDED,
            tags[path],
        )
        for path, change in sorted(changes.items())
    )
