"""Finding versions by the hashes that SkillMeat recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.moves import find_last_versions
from casvault.artifacts.names import COLLECTIONS
from casvault.artifacts.snapshot import find_version, open_snapshot
from casvault.errors import PurgedError
from casvault.interop.skillmeat.hashing import find_hash
from casvault.objects import TREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.snapshot import Snapshot
    from casvault.interop.skillmeat.kept import KeptCollection
    from casvault.objects import ObjectReader, Root
    from casvault.oid import Oid


class Hashes:
    """SkillMeat's hashes of contents, each computed once."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._known: dict[tuple[bool, Oid], str | None] = {}

    def find(self, state: Root) -> str | None:
        """None if it does not follow from the content, or if something of that was purged."""
        # Whether a file is executable is no part of the hash, and a file is none whose bytes are those of a tree.
        key = (state.mode == TREE, state.id)
        if key not in self._known:
            try:
                self._known[key] = find_hash(self._reader, state)
            except PurgedError:
                self._known[key] = None
        return self._known[key]


class Matching:
    """The versions of a draft's collections by SkillMeat's hashes."""

    def __init__(self, draft: Draft, hashes: Hashes, kept: Mapping[bytes, KeptCollection]) -> None:
        """`kept` is what is known of SkillMeat's collections, by their names."""
        self._draft = draft
        self._hashes = hashes
        self._kept = kept
        self._snapshots: dict[bytes, Snapshot | None] = {}
        self._lineages: dict[tuple[bytes, bytes], list[Oid]] = {}

    def has_collection(self, collection: bytes) -> bool:
        return self._snapshot(collection) is not None

    def lineage(self, collection: bytes, path: bytes) -> list[Oid]:
        """All versions of the artifact that is or was at a path, the newest first."""
        key = (collection, path)
        if key not in self._lineages:
            self._lineages[key] = self._walk(*key)
        return self._lineages[key]

    def find(self, collection: bytes, path: bytes, wanted: str, not_after: int | None) -> Oid | None:
        """The version whose content has this hash: of several the newest that was there at a time, else the oldest."""
        kept = self._kept.get(collection)
        further = None if kept is None else kept.hashes.get(wanted)
        found = [
            oid
            for oid in self.lineage(collection, path)
            if oid == further or self._hashes.find(self._draft.graph.commit(oid).root) == wanted
        ]
        known = [
            oid for oid in found if not_after is None or self._draft.graph.commit(oid).committer.seconds <= not_after
        ]
        return next(iter(known), found[-1] if found else None)

    def find_content(self, collection: bytes, path: bytes, state: Root) -> Oid | None:
        """The newest version with exactly this content."""
        return next((oid for oid in self.lineage(collection, path) if self.has_content(oid, state)), None)

    def has_content(self, version: Oid, state: Root) -> bool:
        root = self._draft.graph.commit(version).root
        return (root.mode, root.id) == (state.mode, state.id)

    def find_in_snapshot(self, collection: bytes, snapshot_id: str, path: bytes) -> Oid | None:
        """The version that a snapshot of SkillMeat has at a path."""
        kept = self._kept.get(collection)
        snapshot = None if kept is None else kept.snapshots.get(snapshot_id)
        if snapshot is None:
            return None
        return find_version(self._draft.stage, open_snapshot(self._draft.stage, snapshot), path)

    def _walk(self, collection: bytes, path: bytes) -> list[Oid]:
        stage, snapshot = self._draft.stage, self._snapshot(collection)
        if snapshot is None:
            return []
        start = find_version(stage, snapshot, path)
        start = start or find_last_versions(stage, snapshot, collection, [path]).get(path)
        return [] if start is None else [oid for oid, _ in self._draft.graph.iter_children_first([start])]

    def _snapshot(self, collection: bytes) -> Snapshot | None:
        if collection not in self._snapshots:
            tip = self._draft.ref(COLLECTIONS + collection)
            self._snapshots[collection] = None if tip is None else open_snapshot(self._draft.stage, tip)
        return self._snapshots[collection]
