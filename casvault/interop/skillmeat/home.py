"""SkillMeat's home directory, read and checked.

collections/NAME/collection.toml      [collection] and [[artifacts]] with name, type and path
                 collection.lock      [lock.entries."NAME::TYPE"] with content_hash
                 skills/pdf/…         the artifacts
snapshots/NAME/snapshots.toml         [[snapshots]] with id, timestamp, message and tarball_path
               ID.tar.gz              the collection's directory, in a directory of its name
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import check_line_name, typed
from casvault.errors import NotFoundError, UsageError
from casvault.files import find_file
from casvault.interop.skillmeat.stamps import find_stamp_of_id
from casvault.interop.skillmeat.tables import parse_table

if TYPE_CHECKING:
    from casvault.interop.skillmeat.stamps import Stamp
    from casvault.interop.skillmeat.tables import Table

MANIFEST, LOCK, SNAPSHOTS = "collection.toml", "collection.lock", "snapshots.toml"
ARCHIVE = ".tar.gz"


class Listed(NamedTuple):
    """An artifact that a manifest lists."""

    name: str
    type: str
    path: bytes


class Locked(NamedTuple):
    """What the lock says that an artifact's content is."""

    key: str
    """NAME::TYPE."""
    hash: str


class Archive(NamedTuple):
    """A snapshot."""

    id: str
    stamp: Stamp
    message: str
    path: Path


class Home(NamedTuple):
    """One collection."""

    name: str
    directory: Path
    manifest: tuple[Listed, ...]
    locked: tuple[Locked, ...]
    archives: tuple[Archive, ...]
    """The oldest first."""
    listing: bytes | None
    """The text of `snapshots.toml`."""
    missing: tuple[str, ...]
    """Ids of snapshots that are listed and whose archive is not there."""


def read_homes(home: Path) -> list[Home]:
    """All collections of a home directory, by name; NotFoundError if it is none."""
    place = home / "collections"
    if not place.is_dir():
        raise NotFoundError(
            "not SkillMeat's home: there is no directory `collections`",
            place=str(home),
            remedy="name it with --home DIR",
        )
    found = [each for each in sorted(place.iterdir()) if (each / MANIFEST).exists()]
    return [_read_home(each, home / "snapshots" / each.name) for each in found]


def _read_home(directory: Path, snapshots: Path) -> Home:
    check_line_name(directory.name, "collection")
    listed = parse_manifest(find_file(directory / MANIFEST) or b"", str(directory / MANIFEST))
    lock = find_file(directory / LOCK)
    locked = () if lock is None else parse_lock(lock, str(directory / LOCK))
    listing = find_file(snapshots / SNAPSHOTS)
    archives, missing = _find_archives(snapshots, listing)
    return Home(directory.name, directory.resolve(), listed, locked, archives, listing, missing)


def parse_manifest(text: bytes, file: str) -> tuple[Listed, ...]:
    """The artifacts of a `collection.toml`."""
    table = parse_table(text, file)
    if table.find_key("collection") is None:
        raise table.wrong("collection", "is missing")
    table.table("collection").text("name")
    return tuple(Listed(each.text("name"), each.text("type"), each.path("path")) for each in table.tables("artifacts"))


def parse_lock(text: bytes, file: str) -> tuple[Locked, ...]:
    """The contents that a `collection.lock` records."""
    table = parse_table(text, file)
    if table.find_key("lock") is None:
        raise table.wrong("lock", "is missing")
    entries = table.table("lock").table("entries")
    return tuple(_parse_locked(entries, key) for key in entries.values)


def _parse_locked(entries: Table, key: str) -> Locked:
    entry = entries.table(key)
    found = entry.find_content_hash("content_hash")
    if found is None:
        raise entry.wrong("content_hash", "is missing")
    return Locked(key, found)


def _find_archives(directory: Path, listing: bytes | None) -> tuple[tuple[Archive, ...], tuple[str, ...]]:
    """The snapshots that are there, listed or not, and the ids of those that are only listed."""
    listed = [] if listing is None else parse_listing(listing, directory)
    archives = {each.id: each for each in listed if each.path.is_file()}
    for path in sorted(directory.glob(f"*{ARCHIVE}")):
        text = path.name.removesuffix(ARCHIVE)
        stamp = find_stamp_of_id(text)
        if stamp is not None and text not in archives:
            archives[text] = Archive(text, stamp, "", path)
    ordered = sorted(archives.values(), key=lambda each: (each.stamp.seconds, each.stamp.micros, each.id))
    return tuple(ordered), tuple(each.id for each in listed if each.id not in archives)


def parse_listing(text: bytes, directory: Path) -> list[Archive]:
    """The snapshots of a `snapshots.toml`, each with the place in this directory where its archive has to be."""
    found: dict[str, Archive] = {}
    for each in parse_table(text, str(directory / SNAPSHOTS)).tables("snapshots"):
        text_id = each.text("id")
        if find_stamp_of_id(text_id) is None:
            raise each.wrong("id", f"is no snapshot's id: {text_id!r}")
        if text_id in found:
            raise each.wrong("id", f"stands twice: {text_id}")
        message = each.find_text("message") or ""
        _check_text(each, message)
        # The path is that of the machine where it was written; only its last name means something here.
        name = Path(each.find_text("tarball_path") or text_id + ARCHIVE).name
        found[text_id] = Archive(text_id, each.stamp("timestamp"), message, directory / name)
    return list(found.values())


def _check_text(table: Table, message: str) -> None:
    try:
        typed(message)
    except UsageError as error:
        raise table.wrong("message", "is not text") from error
