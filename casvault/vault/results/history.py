"""Commits, trees and what merges of them would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.merge.trees import ConflictKind
    from casvault.oid import Oid


class CommitInfo(NamedTuple):
    id: Oid
    parents: tuple[Oid, ...]
    author: str
    mail: str
    seconds: int
    zone: str
    message: str
    type: str
    """"snapshot", "version", "project-state", "operation" or "commit"."""
    collection: str
    path: str
    origin: str


class PairBases(NamedTuple):
    """Two revisions, as they were given, and all their best common ancestors."""

    one: str
    other: str
    bases: list[Oid]


class TreeLine(NamedTuple):
    mode: int
    kind: str
    id: Oid
    size: int
    path: str


class TreeConflictInfo(NamedTuple):
    """A path that two sides changed differently; ids and paths are None where the file is absent."""

    path: str
    kind: ConflictKind
    base: Oid | None
    ours: Oid | None
    theirs: Oid | None
    base_path: str | None
    our_path: str | None
    their_path: str | None


class MergedTree(NamedTuple):
    """What a merge of two revisions would give."""

    ours: str
    theirs: str
    tree: Oid
    """With conflicted files as they would be marked up."""
    clean: bool
    conflicts: tuple[TreeConflictInfo, ...]
    notes: tuple[str, ...]
