"""One open pack: looked up and read where it lies, every object verified against its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blake3 import blake3

from casvault.errors import DamageError, MalformedError
from casvault.files import Window, map_file
from casvault.formats import pack as layout
from casvault.limits import MAX_OBJECT, MIB, PIECE, STREAM_THRESHOLD
from casvault.objects import Kind, ObjectInfo, check_blob, object_id
from casvault.oid import BlobHasher
from casvault.store import codec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from casvault.oid import Oid


SUM_PIECE = 4 * MIB


class Pack:
    """A published pack, mapped into memory. It stays readable after its file has been removed. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """FileNotFoundError if the pack is gone; MalformedError or UnsupportedError if it cannot be used."""
        self.path = path
        self.name = path.name
        self._data = map_file(path)
        layout.check_header(self._data, self.name)
        self._trailer = layout.decode_trailer(self._data, self.name)
        self.index = layout.Index(self._data, self._trailer, self.name)

    def renamed(self, path: Path) -> Pack:
        """This pack, which was published under another name after it was opened."""
        self.path, self.name = path, path.name
        return self

    def __len__(self) -> int:
        return self.index.count

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._data)

    def place(self, oid: Oid) -> str:
        return f"{oid} in {self.name}"

    def header(self, offset: int) -> layout.EntryHeader:
        return layout.decode_entry_header(self._data, offset, self._trailer.index_offset, self.name)

    def info(self, offset: int) -> ObjectInfo:
        header = self.header(offset)
        return ObjectInfo(header.kind, header.raw)

    def entry(self, offset: int) -> memoryview:
        """A whole entry, to be copied as it is into another pack."""
        return memoryview(self._data)[offset : offset + layout.ENTRY.size + self.header(offset).stored]

    def read(self, oid: Oid, offset: int) -> tuple[Kind, bytes]:
        """The object, whole and verified."""
        header = self.header(offset)
        if header.kind is not Kind.BLOB and header.raw > MAX_OBJECT:
            raise DamageError(f"a {header.kind} of {header.raw} bytes, more than {MAX_OBJECT}", place=self.place(oid))
        start = offset + layout.ENTRY.size
        stored = self._data[start : start + header.stored]
        content = codec.expand(header.encoding, stored, header.raw, self.place(oid))
        if object_id(header.kind, content) != oid:
            raise DamageError("the bytes do not have this id", place=self.place(oid))
        return header.kind, content

    def iter_blob(self, oid: Oid, offset: int) -> Iterator[bytes]:
        """The blob in pieces; the last one leaves only when the whole has been verified."""
        header = self.header(offset)
        check_blob(oid, header.kind)
        hasher = BlobHasher()
        held = b""
        start = offset + layout.ENTRY.size
        stored = Window(self._data, start, start + header.stored)
        for piece in codec.expand_pieces(header.encoding, stored, header.raw, PIECE, self.place(oid)):
            hasher.update(piece)
            if held:
                yield held
            held = piece
        if hasher.oid() != oid:
            raise DamageError("the bytes do not have this id", place=self.place(oid))
        if held:
            yield held

    def check_sums(self) -> None:
        """Raise MalformedError unless the checksums of the entries and of the index are right."""
        if self._sum(0, self._trailer.index_offset) != self._trailer.entries_sum:
            raise MalformedError("the checksum of the entries is wrong", place=self.name)
        self.check_index()

    def check_index(self) -> None:
        """Raise MalformedError unless the checksum of the index is right."""
        if self._sum(self._trailer.index_offset, self.size - layout.TRAILER.size) != self._trailer.index_sum:
            raise MalformedError("the checksum of the index is wrong", place=self.name)

    def _sum(self, start: int, end: int) -> bytes:
        # One thread: BLAKE3's pool does not survive a fork, and one core reads faster than most disks.
        hasher = blake3()
        window = Window(self._data, start, end)
        while piece := window.read(SUM_PIECE):
            hasher.update(piece)
        return hasher.digest()

    def iter_offsets(self) -> Iterator[tuple[int, layout.EntryHeader]]:
        """Every entry by forward scan, without the index."""
        return layout.iter_entries(self._data, self._trailer.index_offset, self.name)

    def verify(self) -> Iterator[Oid]:
        """Read everything in the order in which it lies: checksums, index, each object. Yields the ids as they are
        done.
        """
        self.check_sums()
        self.index.check_order()
        for oid, offset, header in self._matched():
            if header.kind is Kind.BLOB and header.raw > STREAM_THRESHOLD:
                for _ in self.iter_blob(oid, offset):
                    pass
            else:
                self.read(oid, offset)
            yield oid

    def _matched(self) -> Iterator[tuple[Oid, int, layout.EntryHeader]]:
        """The entries by forward scan, each with the id that the index gives it."""
        ids = {offset: oid for oid, offset in self.index.items()}
        for offset, header in self.iter_offsets():
            oid = ids.pop(offset, None)
            if oid is None:
                raise MalformedError(f"the entry at byte {offset} is not in the index", place=self.name)
            yield oid, offset, header
        if ids:
            raise MalformedError(f"the index has an entry at byte {min(ids)}, where none begins", place=self.name)
