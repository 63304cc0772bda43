"""What the façade's parts for versions and tags share: which artifact is meant, and which version of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.contents import compare_contents
from casvault.artifacts.names import show, typed
from casvault.artifacts.revision import Chosen, Names, find_artifact, resolve_version
from casvault.artifacts.snapshot import find_content, open_snapshot
from casvault.artifacts.version import COLLECTION, PATH
from casvault.deploy.scanning import load_cache
from casvault.errors import NotFoundError, UsageError
from casvault.objects import read_commit
from casvault.vault.results.versions import VersionChange
from casvault.vault.writing import WritingVault
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.plan import same_state
from casvault.worktree.scan import scan_paths

if TYPE_CHECKING:
    from casvault.artifacts.contents import ContentChange, ContentChanges
    from casvault.oid import Oid


class Subject(NamedTuple):
    """An artifact that commands on versions are about."""

    names: Names
    collection: str
    path: bytes
    newest: Oid

    @property
    def home(self) -> tuple[bytes, bytes]:
        return typed(self.collection), self.path


class NamingVault(WritingVault):
    def _artifact(self, artifact: str, collection: str | None) -> Subject:
        """The artifact of this name in a collection's newest snapshot."""
        name = self._collection_name(collection)
        names = self._names(name)
        found = find_artifact(names, artifact)
        if found is None:
            raise NotFoundError(
                f"no such artifact in collection {name}",
                place=artifact,
                remedy=f"see `casvault ls-tree -r {name}`; take a snapshot of what is new",
            )
        return Subject(names, name, *found)

    def _version(self, subject: Subject, text: str | None) -> Chosen:
        """A version of the artifact; the newest for None. UsageError for a version of something else."""
        if text is None:
            return Chosen(subject.newest)
        chosen = resolve_version(subject.names, subject.path, text)
        commit = read_commit(self.reader, chosen.version)
        home = (commit.field(COLLECTION), commit.field(PATH))
        if home != subject.home and not self._repository.graph().is_ancestor(chosen.version, subject.newest):
            raise UsageError(
                f"{chosen.version.short} is no version of {show(subject.path)}",
                place=text,
                remedy=f"see `casvault lineage {show(subject.path)}`",
            )
        return chosen

    def _compare_versions(self, old: Oid | None, new: Oid) -> tuple[ContentChanges, tuple[str, ...]]:
        """What differs between two versions, and what to say about how it was found."""
        before = None if old is None else read_commit(self.reader, old).root
        changes = compare_contents(self.reader, before, read_commit(self.reader, new).root)
        return changes, renames_note(changes.too_many)

    def _unrecorded_note(self, subject: Subject) -> tuple[str, ...]:
        """What to say where the collection's directory has the artifact otherwise than its newest version."""
        directory = self._collection_directory(subject.collection)
        if directory is None or not directory.is_dir():
            return ()
        stage, path = HashOnly(self.reader), subject.path
        content = read_commit(self.reader, subject.newest).root
        tip = open_snapshot(self.reader, self._view().find(b"collections/" + subject.home[0]))

        def is_held(below: bytes) -> bool:
            return find_content(self.reader, tip, below) is not None

        cache = load_cache(self._repository, directory)
        found = scan_paths(directory, [path], stage, cache=cache, held=is_held, storing=False).units.get(path)
        if same_state(found, content):
            return ()
        return (
            f"{show(path)} is changed in {directory}, and that is in no version yet; `casvault snapshot` makes one",
        )


def version_change(subject: Subject, change: ContentChange) -> VersionChange:
    old_path = None if change.old_path in (None, change.path) else shown_path(subject, change.old_path or b"")
    return VersionChange(change.kind, shown_path(subject, change.path), old_path, change.old, change.new)


def renames_note(too_many: tuple[int, int] | None) -> tuple[str, ...]:
    if too_many is None:
        return ()
    removed, added = too_many
    return (f"{removed:,} removed and {added:,} added files were too many to look for renames among them",)


def shown_path(subject: Subject, below: bytes) -> str:
    """A path in an artifact, which is empty where the artifact is a file, as one in the collection."""
    return show(subject.path + b"/" + below if below else subject.path)
