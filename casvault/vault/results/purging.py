"""Purging content: what holds it, and what was done."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.run import Outcome as Outcome
    from casvault.oid import Oid


class Elsewhere(Enum):
    """Where bytes may be that no vault can reach."""

    BACKUPS = "backups and snapshots of the disks on which the vault, the collections and the projects are"
    OTHER_VAULTS = "other vaults and git repositories to which it was copied, exported or pushed"
    PROJECTS = "clones of the projects' own repositories, and what these have committed"
    READERS = "programs that have the vault open, until they look again"
    DISKS = "blocks of the disk that are free by now and not yet overwritten"
    TERMINALS = "terminal scrollback, logs and editors in which it was shown"
    MESSAGES = "messages, names and paths in the history: a purge takes contents of files only"


class HeldContent(NamedTuple):
    """One content that is to be purged."""

    id: Oid
    size: int
    paths: tuple[str, ...]
    """Under which it was found, in all versions and snapshots."""


class HeldVersion(NamedTuple):
    version: Oid
    collection: str
    artifact: str
    project: str
    """The project in which it was seen; empty for a version of the collection."""
    seconds: int
    zone: str
    files: tuple[str, ...]
    """Relative to the artifact; the empty path for an artifact that is a file."""


class HeldSnapshot(NamedTuple):
    snapshot: Oid
    collection: str
    seconds: int
    zone: str
    message: str
    current: bool
    """Whether the collection is at it."""


class HeldProject(NamedTuple):
    project: str
    deployments: tuple[str, ...]
    """Paths in the project, of what is deployed there now and holds it; none where only earlier states do."""


class HeldRef(NamedTuple):
    """A branch, a tag or another ref of that kind."""

    name: str
    tip: bool
    """Whether what it points to holds it, and not only what came before."""
    commits: int


class HeldOperation(NamedTuple):
    """An operation after which a ref, or a file that it wrote, held what it did not hold before."""

    number: int
    kind: str
    author: str
    seconds: int
    zone: str


class CopyOnDisk(NamedTuple):
    """A file in the directory of a collection or project that has the bytes now."""

    path: Path
    id: Oid
    ref: str
    """Whose directory it is in: "projects/app"."""


class PurgePlan(NamedTuple):
    """What a purge would take, and what would miss it."""

    contents: tuple[HeldContent, ...]
    versions: tuple[HeldVersion, ...]
    snapshots: tuple[HeldSnapshot, ...]
    projects: tuple[HeldProject, ...]
    refs: tuple[HeldRef, ...]
    merges: tuple[str, ...]
    """Handles of the merges in progress; no purge is done while there is one."""
    operations: tuple[HeldOperation, ...]
    packs: tuple[str, ...]
    copies: tuple[CopyOnDisk, ...]
    not_searched: tuple[Path, ...]
    """Directories of collections and projects that are not at hand now."""
    elsewhere: tuple[Elsewhere, ...] = tuple(Elsewhere)


class PurgeResult(NamedTuple):
    plan: PurgePlan
    remaining: tuple[str, ...]
    """Packs that hold some of the bytes still; `finish_purges` tries again."""
    outcome: Outcome


class PurgedInfo(NamedTuple):
    """A content that was purged."""

    id: Oid
    size: int
    author: str
    seconds: int
    zone: str
    reason: str
    allowed: bool
    """Whether the vault may have it again."""
    remaining: tuple[str, ...]
    """Packs that hold the bytes still, and must not."""
