"""Versions of artifacts, and who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.artifacts.version import Origin
    from casvault.deploy.holding import Role
    from casvault.oid import Oid


class SnapshotHolding(NamedTuple):
    """The snapshots of one collection that hold a version."""

    collection: str
    path: str
    """Where in the collection it is, or was."""
    brought: tuple[Oid, ...]
    """Those in which it came, where no parent had it; the oldest first."""
    newest: Oid
    number: int
    """How many there are."""
    current: bool
    """Whether the collection's tip holds it."""
    snapshots: tuple[Oid, ...] | None
    """All of them, the newest first; None if nobody asked."""


class ProjectHolding(NamedTuple):
    """A place in a project that has a version."""

    project: str
    root: str
    collection: str
    path: str
    roles: tuple[Role, ...]


class VersionWhere(NamedTuple):
    snapshots: tuple[SnapshotHolding, ...]
    projects: tuple[ProjectHolding, ...]


class VersionInfo(NamedTuple):
    """One version of an artifact."""

    id: Oid
    content: Oid
    mode: int
    """Of the content: a directory, a file, a symlink."""
    parents: tuple[Oid, ...]
    tags: tuple[str, ...]
    origin: Origin | None
    """None for a commit of another history, which does not say."""
    collection: str
    path: str
    """Where it was made; a rename's is the new one."""
    author: str
    mail: str
    seconds: int
    zone: str
    message: str
    where: VersionWhere | None
    """None if nobody asked."""
