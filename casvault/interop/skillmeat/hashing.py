"""The hash by which SkillMeat knows contents.

A file: SHA-256 of its bytes. A directory: one SHA-256 over the relative path (with slashes, in UTF-8) and then the
bytes of each file in it, without anything between them, in the order of `sorted(Path.rglob("*"))`, which compares
names and not whole paths. Nothing is left out; symlinks to files are followed, symlinks to directories are not.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from casvault.errors import FailureError, NotFoundError, RefusedError
from casvault.files.durable import explained
from casvault.limits import PIECE
from casvault.objects import FILE_MODES, SYMLINK, TREE, read_blob
from casvault.trees import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from hashlib import _Hash
    from pathlib import Path

    from casvault.objects import Entry, ObjectReader, Root

MAX_LINKS = 40
"""Symlinks on the way to one file, after which Linux, too, takes them for a loop."""


def hash_path(path: Path) -> str:
    """The hash of a file or directory on disk; NotFoundError if it is not there."""
    digest = sha256()
    if path.is_dir():
        for relative in _sorted_files(path):
            digest.update(_path_text("/".join(relative)))
            _add_file(digest, path.joinpath(*relative))
    elif path.is_file():
        _add_file(digest, path)
    else:
        raise NotFoundError("no such file or directory", place=str(path))
    return digest.hexdigest()


def _sorted_files(root: Path) -> list[tuple[str, ...]]:
    """The files below a directory, by the names on the way to them."""
    found: list[tuple[str, ...]] = []
    for directory, _, files in os.walk(root, onerror=_refuse_unreadable):
        above = os.path.relpath(directory, root)
        names = () if above == "." else tuple(above.split("/"))
        found += [(*names, name) for name in files if os.path.isfile(os.path.join(directory, name))]
    return sorted(found)


def _refuse_unreadable(error: OSError) -> None:
    raise FailureError(error.strerror or "cannot be read", place=str(error.filename)) from error


def _add_file(digest: _Hash, path: Path) -> None:
    with explained(path), path.open("rb", buffering=0) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)


def _path_text(path: str) -> bytes:
    try:
        return path.encode()
    except UnicodeEncodeError as error:
        raise RefusedError("SkillMeat has no hash of a file whose name is not UTF-8", place=ascii(path)) from error


def find_hash(reader: ObjectReader, state: Root) -> str | None:
    """The hash of a content in the vault, if it follows from that alone.

    None where a symlink leads out of the content, or a name is not UTF-8.
    """
    digest = sha256()
    if state.mode != TREE:
        _add_blob(digest, reader, state)
        return digest.hexdigest()
    entries = dict(walk(reader, state.id))
    try:
        for path, entry in _iter_files(reader, entries):
            digest.update(path.encode())
            _add_blob(digest, reader, entry)
    except (_OutsideError, UnicodeEncodeError):
        return None
    return digest.hexdigest()


def _iter_files(reader: ObjectReader, entries: Mapping[bytes, Entry]) -> Iterator[tuple[str, Entry]]:
    names = {path.decode(errors="surrogateescape"): path for path, entry in entries.items() if entry.mode != TREE}
    for path in sorted(names, key=lambda path: path.split("/")):
        entry = _follow(reader, entries, names[path])
        if entry is not None:
            yield path, entry


class _OutsideError(Exception):
    """A symlink leads to where the vault does not know what is."""


def _follow(reader: ObjectReader, entries: Mapping[bytes, Entry], path: bytes) -> Entry | None:
    """The file that a path leads to; None if it leads to none."""
    pending = path.split(b"/")[::-1]
    here: list[bytes] = []
    links = 0
    while pending:
        name = pending.pop()
        if name in (b"", b"."):
            continue
        if name == b"..":
            if not here:
                raise _OutsideError
            here.pop()
            continue
        entry = entries.get(b"/".join((*here, name)))
        links += entry is not None and entry.mode == SYMLINK
        if entry is None or links > MAX_LINKS:
            return None
        if entry.mode == SYMLINK:
            pending += _target(reader, entry)[::-1]
        elif entry.mode != TREE and pending:
            return None
        else:
            here.append(name)
    entry = entries.get(b"/".join(here))
    return entry if entry is not None and entry.mode in FILE_MODES else None


def _target(reader: ObjectReader, link: Entry) -> list[bytes]:
    target = read_blob(reader, link.id)
    if target.startswith(b"/"):
        raise _OutsideError
    return target.split(b"/")


def _add_blob(digest: _Hash, reader: ObjectReader, state: Root | Entry) -> None:
    for piece in reader.iter_blob(state.id):
        digest.update(piece)
