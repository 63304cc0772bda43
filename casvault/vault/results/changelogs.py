"""The changelog of an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show

if TYPE_CHECKING:
    from casvault.artifacts.semver import Bump
    from casvault.artifacts.version import Version
    from casvault.oid import Oid
    from casvault.vault.results.versions import VersionChange


class ChangelogVersion(NamedTuple):
    id: Oid
    origin: str
    author: str
    seconds: int
    zone: str
    message: str


class ChangelogSection(NamedTuple):
    """What came with a tagged version; without labels, what has come since the last tag."""

    labels: tuple[str, ...]
    """The tags of the version, the highest first."""
    version: Oid
    seconds: int
    """When the tag was made; of what is not released, when its newest version was."""
    zone: str
    message: str
    """Of the tag."""
    major: bool
    """It breaks with what was before."""
    bump: Bump
    """What the files say."""
    since: Oid | None
    """The version that the files are compared with."""
    versions: tuple[ChangelogVersion, ...]
    """The newest first."""
    changes: tuple[VersionChange, ...]


class Changelog(NamedTuple):
    collection: str
    artifact: str
    sections: tuple[ChangelogSection, ...]
    """The newest first."""
    notes: tuple[str, ...]


def changelog_version(version: Version) -> ChangelogVersion:
    who = version.author
    zone = who.zone.decode(errors="replace")
    return ChangelogVersion(version.id, version.origin, show(who.name), who.seconds, zone, version.message)
