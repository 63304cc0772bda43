"""What is kept of SkillMeat's files besides what they mean here: their texts, as templates for those written later.

    skillmeat/projects/NAME      root = { files: { path in the project: text }, state: link to the project's state }
    skillmeat/collections/NAME   root = { snapshots.toml: text, snapshots: { id: link to the snapshot },
                                          hashes: { SkillMeat's hash: link to the version } }

Both are refs to commits with their predecessors as parents. Nothing here says what is deployed, or what a version is:
that is read off projects and collections. A text that was purged is none any more. The state is the one that the texts
were true for, so that it can be seen what has changed since. `hashes` has only those that do not follow from the
content, because files that casvault ignores were part of what was hashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import PurgedError
from casvault.objects import FILE, LINK, Root, read_blob, read_commit, write_blob
from casvault.objects.canonical import encode
from casvault.trees import edit_paths, empty_root, find_path, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.objects import Field, ObjectReader, ObjectStage
    from casvault.oid import Oid

PROJECTS, COLLECTIONS = b"skillmeat/projects/", b"skillmeat/collections/"
LEGACY = b"legacy"
"""A field for each recorded hash that no imported content has: [file, key, hash]."""

FILES, STATE, LISTING, SNAPSHOTS, HASHES = b"files", b"state", b"snapshots.toml", b"snapshots", b"hashes"


class KeptProject(NamedTuple):
    files: Mapping[bytes, bytes]
    """The texts by path in the project."""
    state: Oid | None
    """What was deployed when they were true."""


class KeptCollection(NamedTuple):
    listing: bytes | None
    snapshots: Mapping[str, Oid]
    """By SkillMeat's id."""
    hashes: Mapping[str, Oid]
    """Versions by SkillMeat's hash."""


class Legacy(NamedTuple):
    """A recorded hash that no imported content has. It is kept, and written back."""

    file: str
    key: str
    hash: str


def read_kept_project(reader: ObjectReader, oid: Oid | None) -> KeptProject:
    if oid is None:
        return KeptProject({}, None)
    root = read_commit(reader, oid).root
    texts = {path: _find_text(reader, state) for path, state in _below(reader, root, FILES)}
    state = find_path(reader, root, STATE)
    known = {path: text for path, text in texts.items() if text is not None}
    return KeptProject(known, None if state is None else state.id)


def read_kept_collection(reader: ObjectReader, oid: Oid | None) -> KeptCollection:
    if oid is None:
        return KeptCollection(None, {}, {})
    root = read_commit(reader, oid).root
    listing = find_path(reader, root, LISTING)
    snapshots, hashes = (
        {path.decode(): state.id for path, state in _below(reader, root, name)} for name in (SNAPSHOTS, HASHES)
    )
    return KeptCollection(None if listing is None else _find_text(reader, listing), snapshots, hashes)


def _find_text(reader: ObjectReader, state: Root) -> bytes | None:
    """None for one that was purged: whatever reads these files goes on without it."""
    try:
        return read_blob(reader, state.id)
    except PurgedError:
        return None


def _below(reader: ObjectReader, root: Root, name: bytes) -> list[tuple[bytes, Root]]:
    """Files and links below a directory of the root, by path."""
    start = find_path(reader, root, name)
    if start is None:
        return []
    return [(path, Root(*entry[1:])) for path, entry in walk(reader, start.id) if entry.mode in (FILE, LINK)]


def plan_kept_project(
    draft: Draft, name: bytes, project: bytes, files: Mapping[bytes, bytes], legacy: Iterable[Legacy]
) -> None:
    """Keep the texts of a project, which are true for its state on the draft."""
    _plan(draft, PROJECTS + name, write_project_root(draft.stage, files, draft.ref(project)), legacy)


def write_project_root(stage: ObjectStage, files: Mapping[bytes, bytes], state: Oid | None) -> Root:
    states: dict[bytes, Root | None] = {FILES + b"/" + path: _text(stage, text) for path, text in files.items()}
    if state is not None:
        states[STATE] = _link(stage, state)
    return edit_paths(stage, empty_root(), states)


def plan_kept_collection(draft: Draft, name: bytes, kept: KeptCollection, legacy: Iterable[Legacy]) -> None:
    stage = draft.stage
    links = [(SNAPSHOTS, kept.snapshots), (HASHES, kept.hashes)]
    states: dict[bytes, Root | None] = {
        directory + b"/" + key.encode(): _link(stage, oid) for directory, found in links for key, oid in found.items()
    }
    if kept.listing is not None:
        states[LISTING] = _text(stage, kept.listing)
    _plan(draft, COLLECTIONS + name, edit_paths(stage, empty_root(), states), legacy)


def _text(stage: ObjectStage, text: bytes) -> Root:
    return Root(FILE, len(text), write_blob(stage, text))


def _link(stage: ObjectStage, commit: Oid) -> Root:
    return Root(LINK, read_commit(stage, commit).root.size, commit)


def _plan(draft: Draft, ref: bytes, root: Root, legacy: Iterable[Legacy]) -> None:
    """A commit on the ref, unless it holds the same already."""
    old = draft.ref(ref)
    if old is not None and draft.graph.commit(old).root == root:
        return
    fields: list[Field] = [
        (LEGACY, encode([text.encode(errors="surrogateescape") for text in each])) for each in dict.fromkeys(legacy)
    ]
    parents = () if old is None else (old,)
    draft.set_ref(ref, draft.draftsman.write(draft.stage, root, parents, fields))
