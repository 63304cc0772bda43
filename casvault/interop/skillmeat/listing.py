"""Moving out: what the manifest, the lock and the list of snapshots of a collection have to say now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tomlkit

from casvault.artifacts.moves import find_last_versions, find_moved
from casvault.artifacts.names import show
from casvault.artifacts.snapshot import find_version, iter_links, open_snapshot
from casvault.history import CommitGraph
from casvault.interop.skillmeat.facts import find_plain
from casvault.interop.skillmeat.home import ARCHIVE, LOCK, MANIFEST, SNAPSHOTS, Listed, parse_lock, parse_manifest
from casvault.interop.skillmeat.rendering import render_tables, write_document
from casvault.interop.skillmeat.stamps import Stamp, find_stamp_of_id, write_like
from casvault.interop.skillmeat.tables import parse_table
from casvault.objects import read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.artifacts.snapshot import Snapshot
    from casvault.interop.skillmeat.facts import History
    from casvault.interop.skillmeat.rendering import Values
    from casvault.objects import ObjectReader
    from casvault.oid import Oid

VERSION = "1.0.0"
"""Of SkillMeat's own formats."""


class Texts(NamedTuple):
    manifest: bytes
    lock: bytes


class Collection(NamedTuple):
    """A collection as its newest snapshot has it."""

    history: History
    name: bytes
    tip: Oid
    snapshot: Snapshot
    versions: Mapping[bytes, Oid]

    @property
    def reader(self) -> ObjectReader:
        return self.history.reader

    def stamp(self, commit: Oid) -> Stamp:
        return Stamp(read_commit(self.reader, commit).committer.seconds)


def open_collection(history: History, name: bytes, tip: Oid) -> Collection:
    snapshot = open_snapshot(history.reader, tip)
    versions = {path: entry.id for path, entry in iter_links(history.reader, snapshot)}
    return Collection(history, name, tip, snapshot, versions)


def write_texts(collection: Collection) -> Texts:
    """Manifest and lock, which say what they said where nothing has changed since."""
    old = find_plain(collection.reader, collection.tip, MANIFEST)
    text = _new_manifest(collection) if old is None else old
    listed = parse_manifest(text, MANIFEST)
    manifest, now = _write_manifest(collection, text, listed)
    return Texts(manifest, _write_lock(collection, listed, now))


def _new_manifest(collection: Collection) -> bytes:
    written = write_like(collection.stamp(collection.tip), None)
    table = {"name": show(collection.name), "version": VERSION, "created": written, "updated": written}
    return tomlkit.dumps({"collection": table}).encode()


def _write_manifest(
    collection: Collection, text: bytes, listed: tuple[Listed, ...]
) -> tuple[bytes, dict[int | bytes, Listed]]:
    """The text, and what it lists now: by the number that it had before, or by path if it is new."""
    changed: dict[int, Values] = {}
    removed: list[int] = []
    now: dict[int | bytes, Listed] = {}
    for number, each in enumerate(listed):
        path = _path_now(collection, each.path)
        if path is None:
            removed.append(number)
        elif path == each.path:
            now[number] = each
        else:
            kind, name = collection.history.names(collection.name, path)
            now[number] = Listed(name, kind, path)
            changed[number] = {"name": name, "type": kind, "path": show(path)}
    added = _find_added(collection, now)
    if not (changed or removed or added):
        return text, now
    models = parse_table(text, MANIFEST).tables("artifacts")
    model = models[0].values.get("added") if models else None
    values = [
        {**each._asdict(), "path": show(path), "origin": "local", "added": write_like(_born(collection, path), model)}
        for path, each in added.items()
    ]
    document = render_tables(text, "artifacts", changed, removed, values)
    head: Any = document["collection"]
    head["updated"] = write_like(collection.stamp(collection.tip), head.get("updated"))
    now.update((path, each) for path, each in added.items())
    return write_document(document), now


def _find_added(collection: Collection, now: Mapping[int | bytes, Listed]) -> dict[bytes, Listed]:
    known = {each.path for each in now.values()}
    taken = {(each.name, each.type) for each in now.values()}
    added = {}
    for path in sorted(collection.versions.keys() - known):
        kind, name = collection.history.names(collection.name, path)
        if (name, kind) not in taken:
            added[path] = Listed(name, kind, path)
    return added


def _born(collection: Collection, path: bytes) -> Stamp:
    """When an artifact's first version was made."""
    chain = CommitGraph(collection.reader).iter_first_parents(collection.versions[path])
    return Stamp([commit for _, commit in chain][-1].author.seconds)


def _path_now(collection: Collection, path: bytes) -> bytes | None:
    """Where a listed artifact is; where it was said to be, if it never was one there; None if it was removed."""
    reader, name = collection.reader, collection.name
    if path in collection.versions or not find_last_versions(reader, collection.snapshot, name, [path]):
        return path
    moved = find_moved(reader, lambda home: collection.snapshot if home == name else None, name, path)
    return None if moved is None else moved[1]


def _write_lock(collection: Collection, before: tuple[Listed, ...], now: Mapping[int | bytes, Listed]) -> bytes:
    """An entry is brought up to date if its artifact has another version than when the lock was written."""
    old = find_plain(collection.reader, collection.tip, LOCK)
    text = old if old is not None else tomlkit.dumps({"lock": {"version": VERSION, "entries": {}}}).encode()
    recorded = {each.key: each.hash for each in parse_lock(text, LOCK)}
    edits: dict[str, Values | None] = {}
    for number, each in enumerate(before):
        if now.get(number) != each and _key(each) in recorded:
            edits[_key(each)] = None
    for origin, each in now.items():
        version, is_new = collection.versions.get(each.path), isinstance(origin, bytes) or now[origin] != before[origin]
        known = recorded.get(_key(each))
        if version is None or (known is None and not is_new and old is not None):
            continue
        if known != collection.history.hash(version) and (
            known is None or not _is_as_locked(collection, each, version)
        ):
            stamp = Stamp(read_commit(collection.reader, version).committer.seconds)
            edits[_key(each)] = {"content_hash": collection.history.hash(version), "fetched": stamp}
    return _edit_lock(text, edits) if edits else text


def _key(listed: Listed) -> str:
    return f"{listed.name}::{listed.type}"


def _edit_lock(text: bytes, edits: Mapping[str, Values | None]) -> bytes:
    document: Any = tomlkit.parse(text.decode())
    entries = document["lock"].setdefault("entries", tomlkit.table())
    for key, values in edits.items():
        if values is None:
            del entries[key]
            continue
        if key not in entries:
            entries[key] = tomlkit.table()
        entries[key]["content_hash"] = values["content_hash"]
        entries[key]["fetched"] = write_like(values["fetched"], entries[key].get("fetched"))
    return write_document(document)


def _is_as_locked(collection: Collection, listed: Listed, version: Oid) -> bool:
    """Whether the artifact is the same as in the first snapshot that has this text of the lock."""
    reader = collection.reader
    text = find_plain(reader, collection.tip, LOCK)
    first = collection.tip
    for oid, _ in CommitGraph(reader).iter_first_parents(collection.tip):
        if find_plain(reader, oid, LOCK) != text:
            break
        first = oid
    return find_version(reader, open_snapshot(reader, first), listed.path) == version


class ToPack(NamedTuple):
    """A snapshot that becomes an archive."""

    id: str
    snapshot: Oid
    path: Path


def list_snapshots(
    collection: Collection, directory: Path, *, all_snapshots: bool
) -> tuple[list[ToPack], bytes | None]:
    """The archives of a collection in this directory, and the text of the list; None if there is nothing to list."""
    kept = collection.history.kept(collection.name)
    ids = dict(collection.history.snapshot_ids(collection.name).items())
    made_here = {text: oid for oid, text in ids.items() if oid not in kept.snapshots.values()} if all_snapshots else {}
    listing = kept.listing or b""
    tables = parse_table(listing, SNAPSHOTS).tables("snapshots")
    names = {table.text("id"): table.find_text("tarball_path") or table.text("id") + ARCHIVE for table in tables}
    wanted = {**kept.snapshots, **made_here}
    packs = [ToPack(text, oid, directory / Path(names.get(text, text + ARCHIVE)).name) for text, oid in wanted.items()]
    # A path in full is one of the machine where it was written, so it becomes one of this machine.
    changed: dict[int, Values] = {
        number: {"tarball_path": str(directory / Path(names[table.text("id")]).name)}
        for number, table in enumerate(tables)
        if os.path.isabs(names[table.text("id")])
    }
    model = tables[0].values.get("timestamp") if tables else None
    added = [_entry(collection, text, oid, directory, model) for text, oid in made_here.items() if text not in names]
    if kept.listing is None and not added:
        return packs, None
    return packs, write_document(render_tables(listing, "snapshots", changed, (), added))


def _entry(collection: Collection, text: str, oid: Oid, directory: Path, model: object) -> Values:
    stamp = find_stamp_of_id(text)
    snapshot = open_snapshot(collection.reader, oid)
    return {
        "id": text,
        "timestamp": None if stamp is None else write_like(stamp, model),
        "message": read_commit(collection.reader, oid).message.decode(errors="replace"),
        "artifact_count": sum(1 for _ in iter_links(collection.reader, snapshot)),
        "tarball_path": str(directory / (text + ARCHIVE)),
    }
