"""Moving out: collections as they lie in SkillMeat's home, with their snapshots as archives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.snapshot import flatten, open_snapshot
from casvault.errors import NotFoundError, RefusedError
from casvault.files import find_file, make_directory, publish_file, write_file
from casvault.files.durable import explained, on_failure, temporary_path
from casvault.interop.skillmeat.archives import pack
from casvault.interop.skillmeat.home import LOCK, MANIFEST, SNAPSHOTS
from casvault.interop.skillmeat.listing import ToPack, list_snapshots, open_collection, write_texts
from casvault.interop.skillmeat.results import ExportedFile
from casvault.objects import Kind, Overlay, object_id, read_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault import Vault
    from casvault.interop.skillmeat.facts import History
    from casvault.objects import ObjectReader


class HomeJob(NamedTuple):
    """What is to be written of one collection."""

    name: str
    directory: Path
    is_there: bool
    """The collection lives in that directory; its artifacts need not be written."""
    texts: dict[Path, bytes]
    packs: list[ToPack]


def plan_homes(
    vault: Vault, history: History, home: Path, collections: Iterable[str], *, all_snapshots: bool
) -> list[HomeJob]:
    """What has to be written. RefusedError where something is in the way that the vault does not have."""
    place = Path(os.path.realpath(home))
    known = {each.name: each for each in vault.collections()}
    names = list(collections) or list(known)
    missing = [name for name in names if name not in known]
    if missing:
        raise NotFoundError("no such collection", place=", ".join(missing), remedy="see `casvault collection list`")
    jobs = []
    for name in names:
        directory, where = place / "collections" / name, known[name].directory
        is_there = where is not None and os.path.realpath(where) == str(directory)
        if not is_there and directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise RefusedError("there is something already", place=str(directory), remedy="name another home")
        collection = open_collection(history, name.encode(), known[name].tip)
        snapshots = place / "snapshots" / name
        texts = write_texts(collection)
        packs, listing = list_snapshots(collection, snapshots, all_snapshots=all_snapshots)
        files = {directory / MANIFEST: texts.manifest, directory / LOCK: texts.lock}
        if listing is not None:
            files[snapshots / SNAPSHOTS] = listing
        _check_known(vault.reader, files)
        jobs.append(HomeJob(name, directory, is_there, files, packs))
    return jobs


def _check_known(reader: ObjectReader, files: dict[Path, bytes]) -> None:
    for path, new in files.items():
        if path.is_symlink():
            raise RefusedError(
                "a symlink, which would be replaced", place=str(path), remedy="make it a file of its own"
            )
        old = find_file(path)
        if old not in (None, new) and reader.find_infos([object_id(Kind.BLOB, old or b"")])[0] is None:
            raise RefusedError(
                "changed since it was imported, and what it says would be lost",
                place=str(path),
                remedy="`casvault skillmeat import` takes it over",
            )


def write_home(vault: Vault, job: HomeJob) -> Iterator[ExportedFile]:
    if not job.is_there:
        make_directory(job.directory.parent)
        vault.restore_to(job.directory, collection=job.name)
    for each in job.packs:
        make_directory(each.path.parent)
        is_new = not each.path.exists()
        if is_new:
            _pack(vault.reader, each, job.name)
        yield ExportedFile(each.path, is_new)
    for path, text in job.texts.items():
        has_changed = find_file(path) != text
        if has_changed:
            # Somebody may have written it since the export was planned.
            _check_known(vault.reader, {path: text})
            make_directory(path.parent)
            write_file(path, text)
        yield ExportedFile(path, has_changed or not job.is_there)


def _pack(reader: ObjectReader, each: ToPack, name: str) -> None:
    """Whole under its name or not at all."""
    stage = Overlay(reader)
    content = flatten(stage, open_snapshot(stage, each.snapshot).content)
    seconds = read_commit(stage, each.snapshot).committer.seconds
    with explained(each.path):
        temporary = temporary_path(each.path.parent)
        with on_failure(lambda: temporary.unlink(missing_ok=True)):
            with temporary.open("xb") as out:
                pack(stage, content, name, seconds, out)
                out.flush()
                os.fsync(out.fileno())
            publish_file(temporary, each.path)
