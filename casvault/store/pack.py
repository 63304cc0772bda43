"""One open pack: looked up and read where it lies, every object verified against its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from casvault.errors import DamageError, MalformedError
from casvault.files import map_file
from casvault.formats import pack as layout
from casvault.formats.pack import Encoding
from casvault.limits import BATCH_BYTES, MAX_OBJECT, PIECE, STREAM_THRESHOLD
from casvault.objects import Kind, ObjectInfo, check_blob, object_id
from casvault.oid import BlobHasher
from casvault.store import codec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from casvault.oid import Oid


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

    def stored(self, offset: int) -> memoryview:
        """The stored bytes of an entry, without its header."""
        start = offset + layout.ENTRY.size
        return memoryview(self._data)[start : start + self.header(offset).stored]

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
        for piece in codec.expand_pieces(header.encoding, self.stored(offset), header.raw, PIECE, self.place(oid)):
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
        start = self._trailer.index_offset
        with memoryview(self._data) as data:
            if blake3(data[:start], max_threads=blake3.AUTO).digest() != self._trailer.entries_sum:
                raise MalformedError("the checksum of the entries is wrong", place=self.name)
            self.check_index()

    def check_index(self) -> None:
        start = self._trailer.index_offset
        with memoryview(self._data) as data:
            if blake3(data[start : len(data) - layout.TRAILER.size]).digest() != self._trailer.index_sum:
                raise MalformedError("the checksum of the index is wrong", place=self.name)

    def iter_offsets(self) -> Iterator[tuple[int, layout.EntryHeader]]:
        """Every entry by forward scan, without the index."""
        return layout.iter_entries(self._data, self._trailer.index_offset, self.name)

    def verify(self) -> Iterator[Oid]:
        """Read everything in the order in which it lies: checksums, index, each object; yields the ids as they are
        done.

        Small compressed entries are expanded in batches by two threads.
        """
        self.check_sums()
        self.index.check_order()
        batch: list[_Item] = []
        size = 0
        for item in self._matched():
            if item.header.encoding is Encoding.ZSTD and item.header.raw <= STREAM_THRESHOLD:
                batch.append(item)
                size += item.header.raw
                if size > BATCH_BYTES:
                    yield from self._verify_batch(batch)
                    batch, size = [], 0
            elif item.header.kind is Kind.BLOB:
                for _ in self.iter_blob(item.oid, item.offset):
                    pass
                yield item.oid
            else:
                self.read(item.oid, item.offset)
                yield item.oid
        yield from self._verify_batch(batch)

    def _matched(self) -> Iterator[_Item]:
        """The entries by forward scan, each with the id that the index gives it."""
        ids = {offset: oid for oid, offset in self.index.items()}
        for offset, header in self.iter_offsets():
            oid = ids.pop(offset, None)
            if oid is None:
                raise MalformedError(f"the entry at byte {offset} is not in the index", place=self.name)
            yield _Item(oid, offset, header)
        if ids:
            raise MalformedError(f"the index has an entry at byte {min(ids)}, where none begins", place=self.name)

    def _verify_batch(self, batch: list[_Item]) -> Iterator[Oid]:
        spans = [(offset + layout.ENTRY.size, header.stored, header.raw) for _, offset, header in batch]
        for item, content in zip(batch, codec.expand_many(self._data, spans, self.name), strict=True):
            if object_id(item.header.kind, content) != item.oid:
                raise DamageError("the bytes do not have this id", place=self.place(item.oid))
            yield item.oid


class _Item(NamedTuple):
    oid: Oid
    offset: int
    header: layout.EntryHeader
