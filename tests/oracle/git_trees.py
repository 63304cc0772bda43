"""Trees in both systems: files as states of casvault, and the id that git has for a state."""

from __future__ import annotations

from functools import cache
from hashlib import sha1

from casvault.objects import TREE, MemoryObjects, ObjectReader, Root, read_blob, write_blob
from casvault.trees import edit_paths, empty_root, iter_entries, walk
from tests.oracle.tree_changes import File, Files

STORE = MemoryObjects()


def state_of(files: Files) -> Root:
    states = {path.encode(): Root(f.mode, len(f.content), write_blob(STORE, f.content)) for path, f in files.items()}
    return edit_paths(STORE, empty_root(), dict(states))


def files_of(state: Root, reader: ObjectReader = STORE) -> Files:
    entries = ((path.decode(), entry) for path, entry in walk(reader, state.id) if entry.mode != TREE)
    return {path: File(read_blob(reader, entry.id), entry.mode) for path, entry in entries}


@cache
def git_id(state: Root) -> bytes:
    """The id that git has for a state in the store."""
    if state.mode != TREE:
        return _git_hash(b"blob", read_blob(STORE, state.id))
    entries = iter_entries(STORE, state.id)
    rows = sorted((e.name + b"/" * (e.mode == TREE), e.mode, e.name, Root(*e[1:])) for e in entries)
    return _git_hash(b"tree", b"".join(b"%o %s\0%s" % (mode, name, git_id(each)) for _, mode, name, each in rows))


def _git_hash(kind: bytes, data: bytes) -> bytes:
    return sha1(b"%s %d\0%s" % (kind, len(data), data), usedforsecurity=False).digest()
