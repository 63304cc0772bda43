"""What must be true of a vault whatever was done, told from the objects and the disk by other means than casvault's.

Reachability, merge bases and statuses are computed in the plainest way that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault import Status
from casvault.deploy.lockfile import render_lock
from casvault.deploy.locks import lock_entries
from casvault.deploy.run import REPLACED
from casvault.objects import EXECUTABLE, LINK, SYMLINK, TREE, Root, read_blob, read_commit
from casvault.objects.canonical import decode
from casvault.oid import blob_id
from casvault.trees import EMPTY_ID, iter_entries, walk
from tests.stateful.world import LOCK

if TYPE_CHECKING:
    from pathlib import Path

    from casvault import Vault
    from casvault.oid import Oid
    from casvault.vault.results.projects import DriftRow
    from tests.stateful.world import State

MODES = {EXECUTABLE: "x", SYMLINK: "l"}


class Oracle:
    """Remembers what it has read of the objects, which never change."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._reachable: set[Oid] = set()
        self._parents: dict[Oid, tuple[Oid, ...]] = {}
        self._ancestors: dict[Oid, frozenset[Oid]] = {}
        self._contents: dict[Root, State] = {}

    # Objects

    def holds(self, content: bytes) -> bool:
        """Whether some state of a collection or project in the history of the operations has these bytes."""
        self._reach(self.vault.operations(1)[0].id)
        return blob_id(content) in self._reachable

    def _reach(self, commit: Oid) -> None:
        pending: list[tuple[int, Oid]] = [(LINK, commit)]
        while pending:
            mode, oid = pending.pop()
            if oid in self._reachable:
                continue
            self._reachable.add(oid)
            if mode == LINK:
                found = read_commit(self.vault.reader, oid)
                pending += [(found.root.mode, found.root.id), *((LINK, parent) for parent in found.parents)]
            elif mode == TREE:
                pending += [(entry.mode, entry.id) for entry in iter_entries(self.vault.reader, oid)]

    def has(self, oid: Oid) -> bool:
        return self.vault.reader.find_infos([oid])[0] is not None

    def files(self, version: Oid) -> State:
        """The files of a version, as a disk would have them."""
        root = read_commit(self.vault.reader, version).root
        if root not in self._contents:
            entries = [(b"", root)] if root.mode != TREE else walk(self.vault.reader, root.id)
            self._contents[root] = {
                path.decode(): self._state(entry.mode, entry.id)
                for path, entry in entries
                if entry.mode != TREE or (path and entry.id == EMPTY_ID)
            }
        return self._contents[root]

    def _state(self, mode: int, oid: Oid) -> tuple[str, bytes]:
        return ("d", b"") if mode == TREE else (MODES.get(mode, "-"), read_blob(self.vault.reader, oid))

    def parents(self, commit: Oid) -> tuple[Oid, ...]:
        if commit not in self._parents:
            self._parents[commit] = read_commit(self.vault.reader, commit).parents
        return self._parents[commit]

    def ancestors(self, commit: Oid) -> frozenset[Oid]:
        """The commit and all it comes from."""
        if commit not in self._ancestors:
            above = [self.ancestors(parent) for parent in self.parents(commit)]
            self._ancestors[commit] = frozenset({commit}).union(*above)
        return self._ancestors[commit]

    def bases(self, one: Oid, other: Oid) -> list[Oid]:
        common = self.ancestors(one) & self.ancestors(other)
        behind = {above for commit in common for above in self.ancestors(commit) if above != commit}
        return sorted(common - behind)

    # Statuses

    def status(self, row: DriftRow, collection: State | None, project: State | None) -> Status | None:
        """The row of the table, from what is on disk and the history of the two versions; None where that is not to be
        told: a collection whose directory is not recorded yet.
        """
        settled, theirs = row.settled, row.collection_version
        assert settled is not None
        known = (each for each in (settled, row.observed) if each is not None)
        mine = next((each for each in known if self.files(each) == project), None)
        if theirs is None:
            return classify(self.files(settled), None, project)
        if not self.has(theirs):
            return None
        found = self.bases(mine or settled, theirs)
        contents = [self.files(base) for base in found]
        if any(content != contents[0] for content in contents):
            return Status.IN_SYNC if collection == project else Status.CONFLICT
        status = classify(contents[0] if contents else None, collection, project)
        return Status.AHEAD if status is Status.MODIFIED and mine == settled else status

    # Locks

    def lock(self, project: Path) -> bytes:
        """What the lock file of a project is to say."""
        name = next((info.name for info in self.vault.projects() if info.directory == project), None)
        return self.lock_of(None if name is None else self.vault.find_ref(f"projects/{name}"))

    def lock_of(self, state: Oid | None) -> bytes:
        """The same for a state of one."""
        entries = lock_entries(self.vault.reader, state)
        return render_lock(entries) if entries else b""

    def has_kept(self, text: bytes, operations: int) -> bool:
        """Whether one of the newest operations has kept what somebody had written into a lock file."""
        found = (read_commit(self.vault.reader, info.id).fields for info in self.vault.operations(operations))
        return any(decode(value, "")[2] == text for fields in found for key, value in fields if key == REPLACED)


def read_lock(project: Path) -> bytes:
    path = project / LOCK
    return path.read_bytes() if path.exists() else b""


def classify(base: State | None, collection: State | None, project: State | None) -> Status:
    """The table of the documentation, written once more."""
    if collection is None and project is None:
        return Status.STALE
    if collection is None:
        return Status.REMOVED if project == base else Status.REMOVED_MODIFIED
    if project is None:
        return Status.MISSING if collection == base else Status.DELETION_CONFLICT
    if collection == project:
        return Status.IN_SYNC if collection == base else Status.CONVERGED
    if collection == base:
        return Status.MODIFIED
    return Status.OUTDATED if project == base else Status.CONFLICT


def tokens(state: State | None) -> set[bytes]:
    """The edits that are in a state: each stands on a line of its own and is made once."""
    return {line for _, content in (state or {}).values() for line in content.splitlines() if line.endswith(b".")}
