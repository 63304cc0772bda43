"""Writing one pack: a temporary file that becomes visible when it is whole, verified and durable.

The order is: entries, index, trailer; fsync; check with the reader; rename to the final name; fsync of the directory.
A crash before the rename leaves a file `.casvault-tmp-…` that nobody reads and that the next roll-up removes.
"""

from __future__ import annotations

import fcntl
import os
import threading
from typing import TYPE_CHECKING

from blake3 import blake3

from casvault.errors import CasvaultError, DamageError
from casvault.files import Window, map_file, publish_file
from casvault.files.durable import explained, on_failure, temporary_path
from casvault.formats import pack as layout
from casvault.formats.pack import Encoding
from casvault.limits import MIB, PIECE
from casvault.objects import Kind
from casvault.oid import BlobHasher
from casvault.store import codec
from casvault.store.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from casvault.oid import Oid

SUFFIX = ".pack"


def new_pack_name() -> str:
    """Random, and never used again."""
    return f"{os.urandom(16).hex()}{SUFFIX}"


class PackWriter:
    """Entries go in, a published pack comes out; `abandon` leaves nothing behind."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path, self._descriptor = _open_temporary(directory)
        self._buffer = bytearray(layout.encode_header())
        self._written = 0
        self._hasher = blake3()
        """Over everything that was meant to be written so far."""
        self._entries: dict[Oid, int] = {}
        self._coming: _Compression | None = None

    def __len__(self) -> int:
        self._settle()
        return len(self._entries)

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._entries or (self._coming is not None and oid in self._coming.ids)

    def add_contents(self, objects: Sequence[tuple[Oid, Kind, bytes]]) -> None:
        """Objects that are not in the pack yet, compressed as one batch, a large one while the caller goes on."""
        coming = _Compression(objects)
        self._settle()
        self._coming = coming

    def copy_entry(self, oid: Oid, entry: memoryview) -> None:
        """An entry of another pack, as it is."""
        self._settle()
        self._add_entry(oid, entry)

    def add_blob_pieces(self, pieces: Iterable[bytes], is_known: Callable[[Oid], bool]) -> tuple[Oid, int]:
        """A blob of any size, whose id is known only at its end; what turns out to be known already is taken back."""
        self._settle()
        self._flush()
        offset = self._written
        with on_failure(lambda: self._truncate(offset)):
            oid, raw = self._write_pieces(pieces)
        if raw == 0 or is_known(oid) or oid in self._entries:
            self._truncate(offset)
        if self._written > offset:
            self._finish_blob(oid, offset, raw)
        elif raw == 0 and not is_known(oid):
            self._add_entry(oid, layout.encode_entry_header(Kind.BLOB, Encoding.RAW, 0, 0))
        return oid, raw

    def header(self, oid: Oid) -> tuple[int, layout.EntryHeader]:
        """Where an entry that was added begins, and its header."""
        self._settle()
        self._flush()
        offset = self._entries[oid]
        data = os.pread(self._descriptor, layout.ENTRY.size, offset)
        return offset, layout.EntryHeader(*_unpacked(data))

    def read_back(self, oid: Oid) -> tuple[Kind, bytes]:
        """An object that was added and is not published yet."""
        offset, header = self.header(oid)
        stored = os.pread(self._descriptor, header.stored, offset + layout.ENTRY.size)
        return header.kind, codec.expand(header.encoding, stored, header.raw, f"{oid} in an unpublished pack")

    def iter_back(self, oid: Oid) -> Iterator[bytes]:
        """Like `read_back`, in pieces."""
        offset, header = self.header(oid)
        start = offset + layout.ENTRY.size
        stored = Window(map_file(self._path), start, start + header.stored)
        return codec.expand_pieces(header.encoding, stored, header.raw, PIECE, f"{oid} in an unpublished pack")

    def publish(self) -> Pack:
        """Finish, verify and publish the pack; the writer is used up.

        Each content was expanded again when it was compressed; here the reader opens the file and compares the
        checksums of what it finds with those of what was meant to be written.
        """
        self._settle()
        self._flush()
        index = layout.encode_index(sorted(self._entries.items()))
        trailer = layout.Trailer(self._written, len(self._entries), self._hasher.digest(), blake3(index).digest())
        self._buffer += index
        self._buffer += layout.encode_trailer(trailer)
        self._flush()
        with explained(self._path):
            os.fsync(self._descriptor)
        written = Pack(self._path)
        written.check_sums()
        final = self._directory / new_pack_name()
        publish_file(self._path, final)
        self._close()
        # Not opened again by its name: somebody may have rolled it up already.
        return written.renamed(final)

    def abandon(self) -> None:
        if self._descriptor >= 0:
            self._close()
            self._path.unlink(missing_ok=True)

    def _settle(self) -> None:
        """Take in the batch that is being compressed."""
        coming, self._coming = self._coming, None
        if coming is None:
            return
        offset = self._written + len(self._buffer)
        parts: list[bytes] = []
        for (oid, kind, content), (encoding, data) in zip(coming.objects, coming.result(), strict=True):
            self._entries[oid] = offset
            parts.append(layout.encode_entry_header(kind, encoding, len(data), len(content)))
            parts.append(data)
            offset += layout.ENTRY.size + len(data)
        self._add_bytes(b"".join(parts))

    def _add_entry(self, oid: Oid, entry: bytes | memoryview) -> None:
        self._entries[oid] = self._written + len(self._buffer)
        self._add_bytes(entry)

    def _add_bytes(self, data: bytes | memoryview) -> None:
        self._buffer += data
        if len(self._buffer) > MIB:
            self._flush()

    def _write_pieces(self, pieces: Iterable[bytes]) -> tuple[Oid, int]:
        """Write an entry whose header is still to be filled in."""
        hasher, raw = BlobHasher(), 0
        compressor = codec.compress_pieces()
        self._buffer += layout.encode_entry_header(Kind.BLOB, Encoding.ZSTD, 0, 0)
        for piece in pieces:
            hasher.update(piece)
            raw += len(piece)
            self._buffer += compressor.compress(piece)
            if len(self._buffer) > PIECE:
                self._write()
        self._buffer += compressor.flush()
        self._write()
        return hasher.oid(), raw

    def _finish_blob(self, oid: Oid, offset: int, raw: int) -> None:
        """Fill in the header, read the blob back, and take the entry into the checksum as it stands in the file."""
        stored = self._written - offset - layout.ENTRY.size
        with explained(self._path):
            os.pwrite(self._descriptor, layout.encode_entry_header(Kind.BLOB, Encoding.ZSTD, stored, raw), offset)
        self._entries[oid] = offset
        hasher = BlobHasher()
        for piece in self.iter_back(oid):
            hasher.update(piece)
        if hasher.oid() != oid:
            raise DamageError("a blob cannot be read back as it was written", place=str(self._path))
        written = Window(map_file(self._path), offset, self._written)
        while data := written.read(PIECE):
            self._hasher.update(data)

    def _flush(self) -> None:
        """Write what is gathered, and take it into the checksum."""
        self._hasher.update(self._buffer)
        self._write()

    def _write(self) -> None:
        with explained(self._directory):
            with memoryview(self._buffer) as view:
                done = 0
                while done < len(view):
                    done += os.write(self._descriptor, view[done:])
            self._written += done
            self._buffer.clear()

    def _truncate(self, offset: int) -> None:
        self._buffer.clear()
        os.ftruncate(self._descriptor, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        self._written = offset

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1


class _Compression:
    """A batch on its way through the compressor: a large one in a thread of its own."""

    def __init__(self, objects: Sequence[tuple[Oid, Kind, bytes]]) -> None:
        self.objects = objects
        self.ids = {oid for oid, _, _ in objects}
        self._stored: list[tuple[Encoding, bytes]] = []
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        if sum(len(content) for _, _, content in objects) > codec.THREADED_BYTES:
            self._thread = threading.Thread(target=self._run)
            self._thread.start()

    def result(self) -> list[tuple[Encoding, bytes]]:
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._stored

    def _run(self) -> None:
        try:
            self._stored = codec.compress_many(self.objects)
        except (CasvaultError, MemoryError, codec.CompressionError) as error:
            self._error = error


def _open_temporary(directory: Path) -> tuple[Path, int]:
    """A new file, locked for as long as this process lives, so that whoever removes leftovers can tell it from one."""
    with explained(directory):
        while True:
            path = temporary_path(directory)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
            os.close(descriptor)  # taken for a leftover between the two calls


def _unpacked(data: bytes) -> tuple[Kind, Encoding, int, int]:
    kind, encoding, _, stored, raw = layout.ENTRY.unpack(data)
    return Kind(kind), Encoding(encoding), stored, raw
