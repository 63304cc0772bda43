"""Stored bytes of pack entries: compressing batches, and decompressing within the size that the entry declares."""

from __future__ import annotations

import struct
import threading
from typing import TYPE_CHECKING, cast

import zstandard

from casvault.errors import DamageError, UnsupportedError
from casvault.formats.pack import Encoding
from casvault.limits import PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.formats.pack import Buffer

LEVEL = 3
MAX_WINDOW = 1 << 27
"""Memory that a frame may ask for while it is decompressed in pieces: zstd's own default limit."""

THREADED_BYTES = 1 << 18
"""Batches above this are compressed and expanded by two threads; below, starting them costs more than it gains."""

_local = threading.local()


def _decompressor() -> zstandard.ZstdDecompressor:
    # One for each thread: a context must not be used by two at once.
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    return found


def compress_many(contents: Sequence[bytes]) -> list[tuple[Encoding, bytes]]:
    """Each content as it is best stored: one zstd frame, or raw where that is no longer."""
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    frames: Sequence[bytes]
    if len(contents) > 1 and sum(map(len, contents)) > THREADED_BYTES:
        frames = cast("Sequence[bytes]", compressor.multi_compress_to_buffer(list(contents), threads=2))
    else:
        frames = [compressor.compress(content) for content in contents]
    return [
        (Encoding.ZSTD, bytes(frame)) if len(frame) < len(content) else (Encoding.RAW, content)
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
            return b"".join(expand_pieces(encoding, memoryview(stored), raw, PIECE, place))
        # The one-shot call believes the size in the frame and ignores the limit: so it is compared first.
        if declared != raw or raw == 0:
            raise DamageError(f"the frame declares {declared} bytes, the entry {raw}", place=place)
        content = _decompressor().decompress(stored, max_output_size=raw, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamageError(f"the stored bytes cannot be decompressed: {error}", place=place) from error
    if len(content) != raw:
        raise DamageError(f"{len(content)} bytes where the entry declares {raw}", place=place)
    return content


def expand_many(data: Buffer, spans: Sequence[tuple[int, int, int]], place: str) -> Sequence[bytes]:
    """The contents of zstd frames that lie in one buffer: (offset, stored size, raw size) each, by two threads."""
    if not spans:
        return ()
    if sum(raw for _, _, raw in spans) <= THREADED_BYTES or not all(_is_plain(data, *span) for span in spans):
        return [expand(Encoding.ZSTD, bytes(data[at : at + stored]), raw, place) for at, stored, raw in spans]
    segments = struct.pack(f"={2 * len(spans)}Q", *(number for span in spans for number in span[:2]))
    sizes = struct.pack(f"={len(spans)}Q", *(raw for _, _, raw in spans))
    try:
        frames = zstandard.BufferWithSegments(cast("bytes", data), segments)
        expanded = _decompressor().multi_decompress_to_buffer(frames, decompressed_sizes=sizes, threads=2)
    except zstandard.ZstdError as error:
        raise DamageError(f"the stored bytes cannot be decompressed: {error}", place=place) from error
    return cast("Sequence[bytes]", expanded)


def _is_plain(data: Buffer, at: int, stored: int, raw: int) -> bool:
    """Whether the stored bytes are exactly one frame that declares exactly `raw` bytes: what the batch call cannot
    tell.
    """
    head = bytes(data[at : at + min(stored, 18)])
    try:
        if raw == 0 or zstandard.frame_content_size(head) != raw:
            return False
        frame = zstandard.get_frame_parameters(head)
        position = at + zstandard.frame_header_size(head)
    except zstandard.ZstdError:
        return False
    end = at + stored
    last = False
    while not last and position + 3 <= end:
        block = int.from_bytes(data[position : position + 3], "little")
        last = bool(block & 1)
        is_repeated = block >> 1 & 3 == 1
        position += 3 + (1 if is_repeated else block >> 3)
    return last and position + (4 if frame.has_checksum else 0) == end


def expand_pieces(encoding: Encoding, stored: memoryview, raw: int, piece: int, place: str) -> Iterator[bytes]:
    """The object's bytes in pieces of at most `piece`; DamageError as soon as there is one more than `raw`."""
    if encoding is Encoding.RAW:
        for start in range(0, len(stored), piece):
            yield bytes(stored[start : start + piece])
        return
    _check_supported(encoding, place)
    total = 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        with decompressor.stream_reader(stored, read_across_frames=False) as stream:
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
