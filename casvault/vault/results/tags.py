"""Tags of artifacts, and what they suggest for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show

if TYPE_CHECKING:
    from casvault.artifacts.contents import ContentKind
    from casvault.artifacts.semver import Bump
    from casvault.artifacts.tags import ArtifactTag
    from casvault.deploy.run import Outcome
    from casvault.oid import Oid


class TagInfo(NamedTuple):
    label: str
    version: Oid
    id: Oid
    """Of the tag object."""
    author: str
    mail: str
    seconds: int
    zone: str
    message: str
    major: bool
    """It breaks with the versions before."""
    replaced: Oid | None
    """The version that had the label before, if it was given to this one by force."""
    former: bool
    """It belongs to an artifact that was at this path before."""


class BumpReason(NamedTuple):
    bump: Bump
    change: ContentKind
    path: str
    old_path: str | None
    """Where a renamed file was."""


class BumpInfo(NamedTuple):
    """What a difference between two versions means for the number of the newer one."""

    collection: str
    artifact: str
    old: Oid | None
    """What is compared: the version of the highest tag in the lineage, if nothing else is named."""
    new: Oid
    bump: Bump
    current: str | None
    """The highest version tag in the lineage of the newer one."""
    next: str | None
    """The label that follows; None where nothing has changed."""
    reasons: tuple[BumpReason, ...]
    """The weightiest first."""
    notes: tuple[str, ...]


class TagResult(NamedTuple):
    collection: str
    artifact: str
    label: str
    version: Oid
    """That the tag names; of one that was deleted, that it named."""
    created: bool
    major: bool
    replaced: Oid | None
    """The version that had the label before."""
    suggestion: BumpInfo | None
    """By which the label was chosen."""
    outcome: Outcome


def tag_info(tag: ArtifactTag, *, former: bool) -> TagInfo:
    who = tag.tagger
    name, mail = ("", "") if who is None else (show(who.name), show(who.mail))
    seconds, zone = (0, "+0000") if who is None else (who.seconds, who.zone.decode())
    return TagInfo(
        tag.label, tag.version, tag.id, name, mail, seconds, zone, tag.message, tag.is_major, tag.replaced, former
    )
