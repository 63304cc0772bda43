"""The archives of snapshots: unpacked where nothing can escape, packed so that equal snapshots are equal bytes."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, RefusedError
from casvault.files.durable import explained
from casvault.interop.skillmeat.home import MANIFEST
from casvault.interop.skillmeat.tables import REMEDY
from casvault.limits import ARCHIVE_BYTES, ARCHIVE_MEMBERS, MAX_DEPTH, PIECE
from casvault.objects import EXECUTABLE, FILE_MODES, SYMLINK, TREE, check_name, read_blob
from casvault.trees import walk
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from casvault.objects import ObjectReader, Root


class _Links(NamedTuple):
    """Made when all files are there, so that nothing is ever written through one."""

    symbolic: dict[str, str]
    hard: dict[str, str]


def unpack(archive: Path, directory: Path, name: str) -> Path:
    """Unpack the archive of a collection of this name into an empty directory; the directory of its content in it.

    MalformedError for one that is damaged or cut off. RefusedError for members that lead out of it, that are neither
    files, directories nor links, and for one that would become too large.
    """
    links = _Links({}, {})
    with _reading(archive) as tar:
        _unpack_members(tar, archive, directory, links)
    for path, target in links.hard.items():
        _copy_link(archive, directory, path, target)
    for path, target in links.symbolic.items():
        _make_symlink(archive, directory, path, target, links)
    return _content_of(directory, name)


@contextmanager
def _reading(archive: Path) -> Iterator[tarfile.TarFile]:
    """Read to its very end: tarfile itself takes one that is cut off between two members for a whole one."""
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            yield tar
            rest = 0
            while (piece := stream.read(PIECE)) and rest <= ARCHIVE_BYTES:
                rest += len(piece)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MalformedError(f"not a whole archive: {error}", place=str(archive), remedy=REMEDY) from error


def _unpack_members(tar: tarfile.TarFile, archive: Path, directory: Path, links: _Links) -> None:
    size = 0
    for number, member in enumerate(tar):
        size += max(member.size, 0)
        if size > ARCHIVE_BYTES or number >= ARCHIVE_MEMBERS:
            raise _refused(archive, member.name, f"more than {ARCHIVE_BYTES:,} bytes or {ARCHIVE_MEMBERS:,} members")
        path = _checked(archive, member.name)
        if any(map(is_control_name, os.fsencode(path).split(b"/"))):
            continue  # no scan would find it
        if member.isdir():
            if path:
                _make_room(archive, directory, path)
                (directory / path).mkdir(exist_ok=True)
        elif not path or path in links.symbolic or path in links.hard:
            raise _refused(archive, member.name, "stands twice")
        elif member.issym():
            links.symbolic[path] = _checked_target(archive, path, member)
        elif member.islnk():
            links.hard[path] = _checked(archive, member.linkname)
        elif member.isreg():
            _write_member(tar, archive, directory, path, member)
        else:
            raise _refused(archive, member.name, "neither a file, a directory nor a link")


def _write_member(tar: tarfile.TarFile, archive: Path, directory: Path, path: str, member: tarfile.TarInfo) -> None:
    _make_room(archive, directory, path)
    content = tar.extractfile(member)
    assert content is not None
    place = directory / path
    with explained(place), content, place.open("xb") as out:
        shutil.copyfileobj(content, out)
    if place.stat().st_size != member.size:
        raise MalformedError("cut off", place=f"{archive}: {path}", remedy=REMEDY)
    if member.mode & 0o100:
        place.chmod(0o755)


def _make_room(archive: Path, directory: Path, path: str) -> None:
    """Make the directories above a path, and be sure that nothing but a directory is there yet."""
    place = directory / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused(archive, path, "a file stands where its directory has to be") from error
    if os.path.lexists(place) and not place.is_dir():
        raise _refused(archive, path, "stands twice")


def _copy_link(archive: Path, directory: Path, path: str, target: str) -> None:
    source = directory / target
    if not source.is_file():
        raise _refused(archive, path, f"a link to {target!r}, which is no file of the archive")
    _make_room(archive, directory, path)
    shutil.copy(source, directory / path)


def _make_symlink(archive: Path, directory: Path, path: str, target: str, links: _Links) -> None:
    """What a symlink may lead to was judged by where it stands, so it must not stand behind another one."""
    if any(path[:end] in links.symbolic for end, sign in enumerate(path) if sign == "/"):
        raise _refused(archive, path, "a path through a symlink")
    _make_room(archive, directory, path)
    if os.path.lexists(directory / path):
        raise _refused(archive, path, "stands twice")
    os.symlink(target, directory / path)


def _checked(archive: Path, name: str) -> str:
    """The path of a member, without what means nothing; RefusedError if it leads elsewhere."""
    parts = [part for part in name.split("/")[name.startswith("./") :] if part not in ("", ".")]
    if name.startswith("/") or len(parts) > MAX_DEPTH or any(check_name(os.fsencode(part)) for part in parts):
        raise _refused(archive, name, "not a path within the archive")
    return "/".join(parts)


def _checked_target(archive: Path, path: str, member: tarfile.TarInfo) -> str:
    """What a symlink leads to; RefusedError if that is outside, also by way of other symlinks.

    A way that goes up after it has gone down through a name could do so through another link, so it is not taken.
    """
    target = member.linkname
    parts = [part for part in target.split("/") if part not in ("", ".")]
    rises = 0
    while rises < len(parts) and parts[rises] == "..":
        rises += 1
    if target.startswith("/") or ".." in parts[rises:] or rises > path.count("/"):
        raise _refused(archive, member.name, f"a symlink that leads elsewhere: {target!r}")
    return target


def _refused(archive: Path, name: str, what: str) -> RefusedError:
    return RefusedError(f"refused to unpack: {what}", place=f"{archive}: {ascii(name)[1:-1]}", remedy=REMEDY)


def _content_of(directory: Path, name: str) -> Path:
    """SkillMeat puts all in one directory of the collection's name."""
    inner = directory / name
    others = [each for each in os.listdir(directory) if each != name]
    if inner.is_dir() and not inner.is_symlink() and not others and not (directory / MANIFEST).exists():
        return inner
    return directory


def pack(reader: ObjectReader, content: Root, name: str, seconds: int, out: IO[bytes]) -> None:
    """Write the archive of a directory, under a collection's name, with all times those of its snapshot."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=max(seconds, 0)) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        tar.addfile(_member(name, seconds, tarfile.DIRTYPE, 0o755))
        for path, entry in walk(reader, content.id):
            full = f"{name}/{os.fsdecode(path)}"
            if entry.mode == TREE:
                tar.addfile(_member(full, seconds, tarfile.DIRTYPE, 0o755))
            elif entry.mode == SYMLINK:
                info = _member(full, seconds, tarfile.SYMTYPE, 0o777)
                info.linkname = os.fsdecode(read_blob(reader, entry.id))
                tar.addfile(info)
            elif entry.mode in FILE_MODES:
                info = _member(full, seconds, tarfile.REGTYPE, 0o755 if entry.mode == EXECUTABLE else 0o644)
                info.size = entry.size
                tar.addfile(info, _Pieces(reader.iter_blob(entry.id)))  # type: ignore[arg-type]


def _member(name: str, seconds: int, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = kind, mode, seconds
    return info


class _Pieces:
    """A blob's pieces as the file that tarfile reads."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int) -> bytes:
        while len(self._held) < size and (piece := next(self._pieces, None)) is not None:
            self._held += piece
        out, self._held = self._held[:size], self._held[size:]
        return out
