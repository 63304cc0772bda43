"""Reading a lock file against a vault: which version each of its entries means here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.moves import find_last_versions
from casvault.artifacts.names import COLLECTIONS, show
from casvault.artifacts.snapshot import find_version, open_snapshot
from casvault.deploy.deploying import Request
from casvault.deploy.state import Place
from casvault.errors import NotFoundError
from casvault.history import CommitGraph
from casvault.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.deploy.lockfile import LockEntry
    from casvault.objects import ObjectReader
    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.vault.subjects import Subject, Work


def requests_of_lock(reader: ObjectReader, view: View, entries: Iterable[LockEntry]) -> tuple[list[Request], list[str]]:
    """What to deploy, and what to say of it: an entry whose version is not here is met by its content."""
    requests, notes, missing = [], [], []
    graph = CommitGraph(reader)
    for entry in entries:
        version: Oid | None = entry.version
        if not _has_commit(reader, entry.version):
            version = _find_by_content(reader, graph, view, entry)
            if version is not None:
                notes.append(
                    f"{show(entry.path)}: version {entry.version.short} is not in this vault; "
                    f"{version.short} has the same content"
                )
        if version is None:
            missing.append(f"{show(entry.collection)}: {show(entry.path)}")
            continue
        place = Place(entry.root, entry.collection, entry.path)
        label = entry.pin.encode(errors="surrogateescape") if entry.pin is not None else b""
        requests.append(Request(place, version=version, label=label, pinned=entry.pin is not None, assumed=True))
    if missing:
        raise NotFoundError(
            "the vault has neither the version nor the content that the lock file names",
            place=", ".join(missing),
            remedy="fetch them into this vault, or deploy without --locked",
        )
    return requests, notes


def where_they_are(work: Work, subject: Subject, requests: Sequence[Request]) -> list[Request]:
    """The requests of a lock file for the places of today: deployments may have followed their artifacts since."""
    sources = work.sources(subject, [request.place for request in requests])
    today = [Place(request.place.root, *sources[request.place]) for request in requests]
    return [
        request._replace(place=place)
        if place in subject.deployments and request.place not in subject.deployments
        else request
        for request, place in zip(requests, today, strict=True)
    ]


def _has_commit(reader: ObjectReader, oid: Oid) -> bool:
    info = reader.find_infos([oid])[0]
    return info is not None and info.kind is Kind.COMMIT


def _find_by_content(reader: ObjectReader, graph: CommitGraph, view: View, entry: LockEntry) -> Oid | None:
    """The newest version of the artifact that has the content."""
    tip = view.find(COLLECTIONS + entry.collection)
    if tip is None:
        return None
    snapshot = open_snapshot(reader, tip)
    start = find_version(reader, snapshot, entry.path)
    start = start or find_last_versions(reader, snapshot, entry.collection, [entry.path]).get(entry.path)
    if start is None:
        return None
    wanted = (entry.mode, entry.content)
    found = graph.iter_children_first([start])
    return next((oid for oid, commit in found if (commit.root.mode, commit.root.id) == wanted), None)
