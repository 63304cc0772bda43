"""The collections that a pull takes things to: what changes there, gathered, then recorded as one snapshot each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.collection import plan_emptied
from casvault.artifacts.moves import find_last_versions
from casvault.artifacts.names import show
from casvault.artifacts.recording import record_changes
from casvault.artifacts.snapshot import find_content, find_version
from casvault.errors import FailureError, RefusedError
from casvault.objects import LINK, Root
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.recording import Change
    from casvault.artifacts.rules import Rules
    from casvault.artifacts.snapshot import Snapshot
    from casvault.deploy.drift import Source
    from casvault.deploy.snapshots import Line
    from casvault.oid import Oid


class Homes:
    """The collections of a command on one draft, each at the snapshot that `bring_up_to_date` gave."""

    def __init__(self, draft: Draft, lines: Mapping[bytes, Line], snapshots: Mapping[bytes, Snapshot]) -> None:
        self._draft = draft
        self._lines = lines
        self._snapshots = dict(snapshots)
        self._changes: dict[bytes, dict[bytes, Change]] = {}

    def change(self, source: Source, change: Change, old: Root | None, new: Root | None) -> None:
        """Plan what an artifact becomes; its directory goes from the old content to the new one."""
        if source.collection not in self._lines:
            raise FailureError("this collection is not held for writing", place=show(source.collection))
        if old is None:
            self._check_free(source)
        self._changes.setdefault(source.collection, {})[source.path] = change
        line = self._lines[source.collection]
        if line.scan is not None and not same_state(old, new):
            self._draft.write_file(line.ref, source.path, old, new)

    def last_version(self, source: Source) -> Oid | None:
        """The last version at a path that the collection has nothing at any more."""
        snapshot = self._snapshots[source.collection]
        return find_last_versions(self._draft.stage, snapshot, source.collection, [source.path]).get(source.path)

    def is_free(self, source: Source) -> bool:
        """Whether nothing is, or is going to be, at a path of a collection."""
        if source.path in self._changes.get(source.collection, {}):
            return False
        return find_content(self._draft.stage, self._snapshots[source.collection], source.path) is None

    def planned_version(self, source: Source) -> Oid | None:
        """The version that an artifact becomes by what is planned so far; None if nothing is, or another thing."""
        change = self._changes.get(source.collection, {}).get(source.path)
        return change.id if isinstance(change, Root) and change.mode == LINK else None

    def is_going(self, source: Source) -> bool:
        """Whether it is planned that an artifact is removed."""
        changes = self._changes.get(source.collection, {})
        return source.path in changes and changes[source.path] is None

    def rules(self, collection: bytes) -> Rules:
        return self._lines[collection].rules

    def finish(self) -> None:
        """Record what has been gathered."""
        for collection, changes in self._changes.items():
            line = self._lines[collection]
            new = record_changes(self._draft, collection, self._snapshots[collection], dict(sorted(changes.items())))
            self._snapshots[collection] = new
            self._draft.set_ref(line.ref, new.id)
            if line.scan is not None:
                plan_emptied(self._draft, line.ref, new)

    def version(self, source: Source) -> Oid:
        """The version of an artifact, once everything is recorded."""
        found = find_version(self._draft.stage, self._snapshots[source.collection], source.path)
        assert found is not None
        return found

    def _check_free(self, source: Source) -> None:
        if not self.is_free(source):
            raise RefusedError(
                "something else is at this path of the collection",
                place=f"{show(source.collection)}: {show(source.path)}",
                remedy="move it away, or choose another path",
            )
