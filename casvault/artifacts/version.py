"""Versions: the commits of one artifact."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import typed
from casvault.artifacts.withheld import check_not_withheld
from casvault.objects import Commit, Root, Signature, read_commit, write_commit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import Field, ObjectReader, ObjectStage
    from casvault.oid import Oid

TYPE = b"type"
VERSION = b"version"
COLLECTION = b"collection"
PATH = b"path"
ORIGIN = b"origin"


class Origin(Enum):
    """How a version came about."""

    IMPORT = "import"
    """The first version of something that was there before."""
    EDIT = "edit"
    DEPLOY = "deploy"
    PULL = "pull"
    MERGE = "merge"
    OVERWRITE = "overwrite"
    FORK = "fork"
    RESTORE = "restore"
    REVERT = "revert"
    RECREATE = "recreate"
    RENAME = "rename"
    UPSTREAM = "upstream"


class Version(NamedTuple):
    """An artifact commit, read."""

    id: Oid
    content: Root
    parents: tuple[Oid, ...]
    collection: str
    path: bytes
    origin: str
    author: Signature
    message: str


class Draftsman(NamedTuple):
    """Who and when, for the commits that a command makes."""

    who: Signature
    message: str = ""

    def write(
        self,
        stage: ObjectStage,
        root: Root,
        parents: Iterable[Oid],
        fields: Iterable[Field],
        message: str | None = None,
    ) -> Oid:
        text = self.message if message is None else message
        return write_commit(
            stage,
            Commit(root, tuple(parents), self.who, self.who, typed(text), fields=tuple(fields)),
        )


def write_version(
    stage: ObjectStage,
    draftsman: Draftsman,
    content: Root,
    parents: Iterable[Oid],
    *,
    collection: bytes,
    path: bytes,
    origin: Origin,
    fields: Iterable[Field] = (),
) -> Oid:
    check_not_withheld(stage, content, path)
    own = ((TYPE, VERSION), (COLLECTION, collection), (PATH, path), (ORIGIN, origin.value.encode()))
    return draftsman.write(stage, content, parents, (*own, *fields))


def read_version(reader: ObjectReader, oid: Oid) -> Version:
    return parse_version(oid, read_commit(reader, oid))


def address_of(commit: Commit) -> tuple[bytes, bytes]:
    """Collection and path of the artifact; what a foreign commit does not say is empty."""
    return commit.field(COLLECTION) or b"", commit.field(PATH) or b""


def parse_version(oid: Oid, commit: Commit) -> Version:
    """The facts of a version; what a foreign commit does not say is empty."""
    return Version(
        oid,
        commit.root,
        commit.parents,
        (commit.field(COLLECTION) or b"").decode(errors="surrogateescape"),
        commit.field(PATH) or b"",
        (commit.field(ORIGIN) or b"").decode(errors="replace"),
        commit.author,
        commit.message.decode(errors="surrogateescape"),
    )
