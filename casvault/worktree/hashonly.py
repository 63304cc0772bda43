"""A stage for looking: ids are computed, file contents are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import Kind, Overlay, object_id
from casvault.oid import BlobHasher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import ObjectReader
    from casvault.oid import Oid


class HashOnly(Overlay):
    """A stage over `below` that keeps the trees it is given, so that they can be walked, but no blobs.

    Reading a blob that only this stage was given raises MissingObjectError.
    """

    def __init__(self, below: ObjectReader) -> None:
        super().__init__(below)

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        for kind, data in objects:
            if kind is Kind.BLOB:
                ids.append(object_id(kind, data))
            else:
                ids.extend(super().write_many([(kind, data)]))
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        hasher, size = BlobHasher(), 0
        for piece in pieces:
            hasher.update(piece)
            size += len(piece)
        return hasher.oid(), size
