"""One artifact, held: what the façade does with versions, without its name being said again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.artifacts.revision import find_artifact_path
from casvault.errors import NotFoundError
from casvault.vault.projects import Projects
from casvault.vault.reporting import Reporting
from casvault.vault.snapshots import Snapshots
from casvault.vault.tagging import Tagging
from casvault.vault.versions import Versions

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.vault.results.changelogs import Changelog
    from casvault.vault.results.lineage import VersionInfo
    from casvault.vault.results.reports import ArtifactTimeline, ConflictRecord
    from casvault.vault.results.tags import BumpInfo, TagInfo, TagResult
    from casvault.vault.results.versions import VersionComparison, VersionResult


class Artifact(NamedTuple):
    """An artifact as it was named; each call looks at what it is now. See the vault's methods of these names."""

    vault: Versioned
    collection: str
    path: str

    def lineage(self, *, limit: int | None = None, where: bool = False) -> list[VersionInfo]:
        """Its versions, the newest first."""
        return self.vault.lineage(self.path, limit=limit, where=where, collection=self.collection)

    def tags(self) -> list[TagInfo]:
        return self.vault.tags(self.path, collection=self.collection)

    def tag(
        self, label: str, version: str | None = None, *, major: bool = False, force: bool = False, message: str = ""
    ) -> TagResult:
        return self.vault.tag(
            self.path, label, version, major=major, force=force, message=message, collection=self.collection
        )

    def bump(self, *, strict: bool = False) -> BumpInfo:
        return self.vault.bump(self.path, strict=strict, collection=self.collection)

    def changelog(self) -> Changelog:
        return self.vault.changelog(self.path, collection=self.collection)

    def compare(self, old: str, new: str | None = None) -> VersionComparison:
        return self.vault.compare(self.path, old, new, collection=self.collection)

    def revert(self, version: str, *, message: str = "") -> VersionResult:
        return self.vault.revert(self.path, version, message=message, collection=self.collection)

    def timeline(self, project: Path | str | None = None) -> list[ArtifactTimeline]:
        return self.vault.timeline(self.path, project, collection=self.collection)

    def conflicts(self, *, unresolved: bool = False) -> list[ConflictRecord]:
        return self.vault.conflicts(self.path, unresolved=unresolved, collection=self.collection)


class Versioned(Projects, Snapshots, Tagging, Versions, Reporting):
    """What there is to do with artifacts that are deployed, and to ask of their versions."""

    def artifact(self, name: str, *, collection: str | None = None) -> Artifact:
        """An artifact of a collection, by path or name, to ask it for its versions; NotFoundError if there is none."""
        names = self._names(self._collection_name(collection))
        path = find_artifact_path(names, name, tagged=True)
        if path is None or names.collection is None:
            raise NotFoundError("no such artifact", place=name, remedy="see `casvault ls-tree -r @`")
        return Artifact(self, names.collection, show(path))
