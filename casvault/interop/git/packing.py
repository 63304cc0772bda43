"""Writing objects into a git repository: packs of its own format, handed to `git index-pack`."""

from __future__ import annotations

import contextlib
import subprocess
import zlib
from itertools import chain
from typing import TYPE_CHECKING

from casvault.errors import FailureError
from casvault.files.durable import on_failure
from casvault.interop.git.ids import NAMES
from casvault.interop.git.repository import main_line, start
from casvault.limits import MIB
from casvault.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.repository import GitRepository

PACK_BYTES = 32 * MIB
PACK_OBJECTS = 50_000
"""A pack is written when what was gathered reaches either; a large blob has one of its own."""

LEVEL = 1
_TYPES = {Kind.COMMIT: 1, Kind.TREE: 2, Kind.BLOB: 3, Kind.TAG: 4}

_Gathered = tuple["GitId", Kind, bytes]


class PackSender:
    """Takes objects, and writes those that the repository does not have."""

    def __init__(self, repository: GitRepository) -> None:
        self._repository = repository
        self._form = repository.format
        self._gathered: list[_Gathered] = []
        self._bytes = 0
        self.count = 0
        """Objects written."""

    def add(self, kind: Kind, content: bytes) -> GitId:
        """The id in git of an object with this content, which `flush` will write."""
        git_id = self._form.id_of(kind, content)
        self._gathered.append((git_id, kind, content))
        self._bytes += len(content)
        if self._bytes > PACK_BYTES or len(self._gathered) >= PACK_OBJECTS:
            self.flush()
        return git_id

    def hash_pieces(self, size: int, pieces: Iterable[bytes]) -> GitId:
        """The id of a blob that comes in pieces."""
        hasher = self._form.new_hash(b"%s %d\0" % (NAMES[Kind.BLOB], size))
        for piece in pieces:
            hasher.update(piece)
        digest: bytes = hasher.digest()
        return digest

    def add_pieces(self, git_id: GitId, size: int, pieces: Iterable[bytes]) -> None:
        """Write a blob of any size at once."""
        if self.find_missing([git_id]):
            self._send(1, _entry(Kind.BLOB, size, pieces))

    def flush(self) -> None:
        """Write what was gathered."""
        objects = {git_id: (kind, content) for git_id, kind, content in self._gathered}
        self._gathered, self._bytes = [], 0
        lacking = self.find_missing(list(objects))
        empty = self._form.id_of(Kind.TREE, b"")
        if lacking and empty in objects and empty not in lacking:
            # Git says that it has the empty tree whether it is stored or not.
            lacking.append(empty)
        if lacking:
            entries = (_entry(kind, len(content), (content,)) for kind, content in map(objects.__getitem__, lacking))
            self._send(len(lacking), chain.from_iterable(entries))

    def find_missing(self, ids: Sequence[GitId]) -> list[GitId]:
        """Those of the ids that the repository does not have."""
        if not ids:
            return []
        asked = b"".join(git_id.hex().encode() + b"\n" for git_id in ids)
        answers = self._repository.run("cat-file", "--batch-check", stdin=asked).splitlines()
        return [git_id for git_id, line in zip(ids, answers, strict=True) if line.endswith(b" missing")]

    def _send(self, count: int, entries: Iterable[bytes]) -> None:
        """Write one pack. Git computes all ids again, and syncs it before it gets its name."""
        child = start(self._repository.command("index-pack", "--stdin"), subprocess.PIPE)
        assert child.stdin is not None
        hasher = self._form.new_hash()
        with on_failure(child.kill), contextlib.suppress(BrokenPipeError):  # if it has ended, it says why
            for part in chain((b"PACK" + (2).to_bytes(4) + count.to_bytes(4),), entries):
                hasher.update(part)
                child.stdin.write(part)
            child.stdin.write(hasher.digest())
        said = child.communicate()[1]
        if child.returncode:
            raise FailureError(
                f"git index-pack did not take the objects: {main_line(said) or child.returncode}",
                place=str(self._repository.place),
            )
        self.count += count


def _entry(kind: Kind, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """An entry of a pack: type and size, four bits and then seven at a time, and the deflated content."""
    first, rest = size & 15, size >> 4
    header = bytearray()
    low = (_TYPES[kind] << 4) | first
    while rest:
        header.append(low | 0x80)
        low, rest = rest & 0x7F, rest >> 7
    header.append(low)
    yield bytes(header)
    deflater = zlib.compressobj(LEVEL)
    for piece in pieces:
        yield deflater.compress(piece)
    yield deflater.flush()
