"""The four kinds of objects, and how an id follows from kind and bytes."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from casvault.errors import DamageError
from casvault.oid import Oid, blob_id, commit_id, tag_id, tree_id

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(IntEnum):
    """The numbers are those of the pack format."""

    BLOB = 1
    TREE = 2
    COMMIT = 3
    TAG = 4

    def __str__(self) -> str:
        return self.name.lower()


_ID_OF: dict[int, Callable[[bytes], Oid]] = {
    Kind.BLOB: blob_id,
    Kind.TREE: tree_id,
    Kind.COMMIT: commit_id,
    Kind.TAG: tag_id,
}


def check_blob(oid: Oid, kind: Kind) -> None:
    """Raise DamageError where something else than a blob is about to be read as one."""
    if kind is not Kind.BLOB:
        raise DamageError(f"this object is a {kind}, where a blob is referred to", place=str(oid))


def object_id(kind: Kind, data: bytes) -> Oid:
    """The id of the object of this kind with this content or encoding."""
    return _ID_OF[kind](data)
