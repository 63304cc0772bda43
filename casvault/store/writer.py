"""Writing one pack: a temporary file that becomes visible when it is whole, verified and durable.

The order is: entries, index, trailer; fsync; read back with the reader; rename to the final name; fsync of the
directory. A crash before the rename leaves a file `.casvault-tmp-…` that nobody reads and that the next roll-up
removes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from typing import TYPE_CHECKING

from blake3 import blake3

from casvault.errors import DamageError
from casvault.files import map_file, publish_file
from casvault.files.durable import explained, temporary_path
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
    return f"{secrets.token_hex(16)}{SUFFIX}"


class PackWriter:
    """Entries go in, a published pack comes out; `abandon` leaves nothing behind."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path, self._descriptor = _open_temporary(directory)
        self._buffer = bytearray(layout.encode_header())
        self._written = 0
        self._entries: dict[Oid, int] = {}
        self._copied: blake3 | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._entries

    def add_contents(self, objects: Sequence[tuple[Oid, Kind, bytes]]) -> None:
        """Objects that are not in the pack yet, compressed as one batch."""
        stored = codec.compress_many([content for _, _, content in objects])
        for (oid, kind, content), (encoding, data) in zip(objects, stored, strict=True):
            header = layout.encode_entry_header(kind, encoding, len(data), len(content))
            self._add_entry(oid, header, data)

    def copy_entry(self, oid: Oid, entry: memoryview) -> None:
        """An entry of another pack, as it is; a writer either copies all of its entries or none."""
        if self._copied is None:
            self._copied = blake3(self._buffer)
        self._copied.update(entry)
        self._add_entry(oid, entry)

    def _add_entry(self, oid: Oid, *parts: bytes | memoryview) -> None:
        self._entries[oid] = self._end
        for part in parts:
            self._buffer += part
        if len(self._buffer) > MIB:
            self._flush()

    def add_blob_pieces(self, pieces: Iterable[bytes], is_known: Callable[[Oid], bool]) -> tuple[Oid, int]:
        """A blob of any size, whose id is known only at its end; what turns out to be known already is taken back."""
        self._flush()
        offset = self._written
        try:
            oid, raw = self._write_pieces(pieces)
        except BaseException:
            self._truncate(offset)
            raise
        if is_known(oid) or oid in self._entries:
            self._truncate(offset)
        elif raw == 0:
            self._truncate(offset)
            self._add_entry(oid, layout.encode_entry_header(Kind.BLOB, Encoding.RAW, 0, 0))
        else:
            stored = self._written - offset - layout.ENTRY.size
            with explained(self._path):
                os.pwrite(self._descriptor, layout.encode_entry_header(Kind.BLOB, Encoding.ZSTD, stored, raw), offset)
            self._entries[oid] = offset
        return oid, raw

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
                self._flush()
        self._buffer += compressor.flush()
        self._flush()
        return hasher.oid(), raw

    def header(self, oid: Oid) -> tuple[int, layout.EntryHeader]:
        """Where an entry that was added begins, and its header."""
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
        stored = memoryview(map_file(self._path))[start : start + header.stored]
        return codec.expand_pieces(header.encoding, stored, header.raw, PIECE, f"{oid} in an unpublished pack")

    def publish(self) -> Pack:
        """Finish, verify and publish the pack; the writer is used up.

        A pack of nothing but copied entries is verified by their checksum: each was read back when it was first
        written.
        """
        self._flush()
        entries_sum = self._sum()
        if self._copied is not None and self._copied.digest() != entries_sum:
            raise DamageError("what was written is not what was copied", place=str(self._path), remedy="check the disk")
        index = layout.encode_index(sorted(self._entries.items()))
        trailer = layout.Trailer(self._written, len(self._entries), entries_sum, blake3(index).digest())
        self._buffer += index
        self._buffer += layout.encode_trailer(trailer)
        self._flush()
        with explained(self._path):
            os.fsync(self._descriptor)
        written = Pack(self._path)
        if self._copied is None:
            for _ in written.verify():
                pass
        else:
            written.check_sums()
        final = self._directory / new_pack_name()
        publish_file(self._path, final)
        self._close()
        return Pack(final)

    def abandon(self) -> None:
        if self._descriptor >= 0:
            self._close()
            self._path.unlink(missing_ok=True)

    @property
    def _end(self) -> int:
        return self._written + len(self._buffer)

    def _sum(self) -> bytes:
        hasher = blake3(max_threads=blake3.AUTO)
        hasher.update_mmap(self._path)
        return hasher.digest()

    def _flush(self) -> None:
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
