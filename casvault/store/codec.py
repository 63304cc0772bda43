"""Stored bytes of pack entries: compressing batches, and decompressing within the size that the entry declares."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import TYPE_CHECKING, Protocol, cast

import zstandard

from casvault.errors import DamageError, UnsupportedError
from casvault.formats.pack import Encoding
from casvault.limits import PIECE
from casvault.objects import Kind, object_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

    from casvault.oid import Oid

LEVEL = 3
MAX_WINDOW = 1 << 27
"""Memory that a frame may ask for while it is decompressed in pieces: zstd's own default limit."""

THREADED_BYTES = 1 << 18
"""Batches above this are compressed and expanded by two threads; below, starting them costs more than it gains."""

CompressionError = zstandard.ZstdError

_local = threading.local()


def _decompressor() -> zstandard.ZstdDecompressor:
    # One for each thread: a context must not be used by two at once.
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    return found


def compress_many(objects: Sequence[tuple[Oid, Kind, bytes]]) -> list[tuple[Encoding, bytes]]:
    """Each object's bytes as they are best stored: one zstd frame, or raw where that is no longer.

    Every frame is expanded again and must have the id: what goes on from here can be read back. Releases the
    interpreter lock while it works on a large batch.
    """
    contents = [content for _, _, content in objects]
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    frames: Iterable[bytes]
    expanded: Iterable[bytes]
    if len(contents) > 1 and sum(map(len, contents)) > THREADED_BYTES:
        compressed = compressor.multi_compress_to_buffer([*contents], threads=2)
        frames = [frame.tobytes() for frame in cast("Iterable[memoryview]", compressed)]
        expanded = cast("Iterable[bytes]", _decompressor().multi_decompress_to_buffer(compressed, threads=2))
    else:
        frames = [compressor.compress(content) for content in contents]
        expanded = map(_decompressor().decompress, frames)
    for (oid, kind, _), again in zip(objects, expanded, strict=True):
        if object_id(kind, again) != oid:
            raise DamageError("the bytes do not have this id", place=str(oid), remedy="check this machine's memory")
    return [
        (Encoding.ZSTD, frame) if len(frame) < len(content) else (Encoding.RAW, content)
        for frame, content in zip(frames, contents, strict=True)
    ]


def compress_pieces() -> zstandard.ZstdCompressionObj:
    return zstandard.ZstdCompressor(level=LEVEL).compressobj()


def expand(encoding: Encoding, stored: bytes, raw: int, place: str) -> bytes:
    """The object's bytes: exactly `raw` of them, and never more are allocated."""
    if encoding is Encoding.RAW:
        return stored
    _check_supported(encoding, place)
    try:
        declared = zstandard.frame_content_size(stored)
        if declared == -1:
            # Nothing but the entry says how much it is, so memory follows the bytes that really come.
            return b"".join(expand_pieces(encoding, BytesIO(stored), raw, PIECE, place))
        # The one-shot call believes the size in the frame and ignores the limit: so it is compared first.
        if declared != raw or raw == 0:
            raise DamageError(f"the frame declares {declared} bytes, the entry {raw}", place=place)
        content = _decompressor().decompress(stored, max_output_size=raw, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamageError(f"the stored bytes cannot be decompressed: {error}", place=place) from error
    if len(content) != raw:
        raise DamageError(f"{len(content)} bytes where the entry declares {raw}", place=place)
    return content


class Source(Protocol):
    """Stored bytes that are read once."""

    def read(self, size: int) -> bytes: ...


def expand_pieces(encoding: Encoding, stored: Source, raw: int, piece: int, place: str) -> Iterator[bytes]:
    """The object's bytes in pieces of at most `piece`; DamageError as soon as there is one more than `raw`."""
    if encoding is Encoding.RAW:
        while content := stored.read(piece):
            yield content
        return
    _check_supported(encoding, place)
    total = 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        with decompressor.stream_reader(cast("IO[bytes]", stored), read_across_frames=False) as stream:
            while content := stream.read(piece):
                total += len(content)
                if total > raw:
                    raise DamageError(f"more bytes than the {raw} that the entry declares", place=place)
                yield content
    except zstandard.ZstdError as error:
        raise DamageError(f"the stored bytes cannot be decompressed: {error}", place=place) from error
    if total != raw:
        raise DamageError(f"{total} bytes where the entry declares {raw}", place=place)


def _check_supported(encoding: Encoding, place: str) -> None:
    if encoding is not Encoding.ZSTD:
        raise UnsupportedError(
            f"the encoding {encoding.name.lower()}", place=place, remedy="use a later version of casvault"
        )
