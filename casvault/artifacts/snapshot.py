"""Snapshots: the commits of a collection.

root = { content: the directory, with links to versions where the artifacts are
         former:  for each path that an artifact went from, under its escaped name, a link to its last version there,
                  or, if it moved, to the version that it became at its new place }
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.version import COLLECTION, TYPE, Draftsman
from casvault.errors import DamageError
from casvault.objects import LINK, TREE, Commit, Entry, Root, read_commit, read_commits
from casvault.objects.names import escape, unescape
from casvault.trees import EMPTY_ID, build_tree, empty_root, find_entries, find_path, iter_entries, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.objects import ObjectReader, ObjectStage
    from casvault.oid import Oid

SNAPSHOT = b"snapshot"
CONTENT = b"content"
FORMER = b"former"


class Snapshot(NamedTuple):
    """A snapshot commit, opened: the two trees of its root. `id` is None for the state before the first."""

    id: Oid | None
    content: Root
    former: Root


def is_snapshot(commit: Commit) -> bool:
    return commit.field(TYPE) == SNAPSHOT


def open_snapshot(reader: ObjectReader, oid: Oid | None) -> Snapshot:
    """The trees of a snapshot; of an empty collection for None. DamageError if the commit is no snapshot."""
    if oid is None:
        return Snapshot(None, empty_root(), empty_root())
    commit = read_commit(reader, oid)
    if not is_snapshot(commit):
        raise DamageError("this commit is not a snapshot", place=str(oid))
    parts = {entry.name: Root(*entry[1:]) for entry in iter_entries(reader, commit.root.id)}
    return Snapshot(oid, parts.get(CONTENT, empty_root()), parts.get(FORMER, empty_root()))


def write_snapshot(
    stage: ObjectStage,
    draftsman: Draftsman,
    content: Root,
    former: Root,
    parents: Iterable[Oid],
    collection: bytes,
    message: str | None = None,
) -> Oid:
    entries = [Entry(CONTENT, *content)]
    if former.id != EMPTY_ID:
        entries.append(Entry(FORMER, *former))
    root = build_tree(stage, entries)
    return draftsman.write(stage, root, parents, ((TYPE, SNAPSHOT), (COLLECTION, collection)), message)


def iter_links(reader: ObjectReader, snapshot: Snapshot) -> Iterator[tuple[bytes, Entry]]:
    """Path and link of every artifact in a snapshot."""
    for path, entry in walk(reader, snapshot.content.id):
        if entry.mode == LINK:
            yield path, entry


class Listing(NamedTuple):
    """A snapshot read out: versions and their contents by path, and the states of what is in no artifact."""

    versions: dict[bytes, Oid]
    contents: dict[bytes, Root]
    plain: dict[bytes, Root]


def read_listing(reader: ObjectReader, snapshot: Snapshot) -> Listing:
    """Everything that a snapshot holds. Empty directories outside artifacts are plain entries."""
    versions: dict[bytes, Oid] = {}
    plain: dict[bytes, Root] = {}
    for path, entry in walk(reader, snapshot.content.id):
        if entry.mode == LINK:
            versions[path] = entry.id
        elif entry.mode != TREE or entry.id == EMPTY_ID:
            plain[path] = Root(*entry[1:])
    commits = read_commits(reader, versions.values())
    contents = {path: commit.root for path, commit in zip(versions, commits, strict=True)}
    return Listing(versions, contents, plain)


def find_version(reader: ObjectReader, snapshot: Snapshot, path: bytes) -> Oid | None:
    """The version of the artifact at exactly this path."""
    state = find_path(reader, snapshot.content, path)
    return state.id if state is not None and state.mode == LINK else None


def find_former(reader: ObjectReader, snapshot: Snapshot, paths: Iterable[bytes]) -> dict[bytes, Oid]:
    """What `former` links to for those of the paths that it has; `moves` tells what a link means."""
    found = find_entries(reader, snapshot.former.id, map(escape, paths))
    return {unescape(name): entry.id for name, entry in found.items()}


def find_content(reader: ObjectReader, snapshot: Snapshot, path: bytes) -> Root | None:
    """What stands at a path of the collection's directory, through the links to versions."""
    state: Root | None = snapshot.content
    for name in path.split(b"/") if path else ():
        if state is None or state.mode != TREE:
            return None
        state = find_path(reader, state, name)
        if state is not None and state.mode == LINK:
            state = read_commit(reader, state.id).root
    return state


def flatten(stage: ObjectStage, root: Root) -> Root:
    """The directory as it is on disk: links to versions replaced by what these hold."""
    if root.mode == LINK:
        return read_commit(stage, root.id).root
    if root.mode != TREE:
        return root
    entries = [Entry(entry.name, *flatten(stage, Root(*entry[1:]))) for entry in iter_entries(stage, root.id)]
    return build_tree(stage, entries)
