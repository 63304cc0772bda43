"""A stage for looking: ids are computed, what is large is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import Kind, Overlay, object_id
from casvault.oid import BlobHasher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.objects import ObjectReader
    from casvault.oid import Oid


class HashOnly(Overlay):
    """A stage over `below` that keeps the trees it is given, so that they can be walked, and blobs of up to `keep`
    bytes that are not below already; none by default.

    Reading a blob that was not kept raises MissingObjectError.
    """

    def __init__(self, below: ObjectReader, keep: int = -1) -> None:
        super().__init__(below)
        self._keep = keep

    def are_stored(self, ids: Sequence[Oid]) -> list[bool]:
        """Which of the objects the vault has, and not only this stage."""
        return [info is not None for info in self._below.find_infos(ids)]

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        ids = []
        for kind, data in objects:
            oid = object_id(kind, data)
            ids.append(oid)
            if kind is not Kind.BLOB or (len(data) <= self._keep and self.find_infos([oid]) == [None]):
                super().write_many([(kind, data)])
        return ids

    def write_blob_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        hasher, size = BlobHasher(), 0
        kept: list[bytes] = []
        for piece in pieces:
            hasher.update(piece)
            size += len(piece)
            if size <= self._keep:
                kept.append(piece)
            else:
                kept.clear()
        if 0 < size <= self._keep:
            self.write_many([(Kind.BLOB, b"".join(kept))])
        return hasher.oid(), size
