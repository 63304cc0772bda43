"""Two contents of an artifact compared file by file, renames found, and what the difference means for its version."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.semver import Bump
from casvault.merge.renames import Moves, pair
from casvault.objects import BLOB_MODES, FILE_MODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import ObjectReader, Root


class ContentKind(Enum):
    """What happened to a file between two contents."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    MODE = "mode"
    """Only its mode is another one."""
    RENAMED = "renamed"
    """It may be changed too, but not much."""


class ContentChange(NamedTuple):
    """One file that differs. Paths are relative to the artifact; that of an artifact which is a file is empty."""

    kind: ContentKind
    path: bytes
    old_path: bytes | None
    """Where it was; None for one that was added, and `path` unless it was renamed."""
    old: Root | None
    new: Root | None


class ContentChanges(NamedTuple):
    """What differs, sorted by path."""

    changes: tuple[ContentChange, ...]
    too_many: tuple[int, int] | None
    """How many removed and added files were left and not compared for renames, where that was too much."""


class Suggestion(NamedTuple):
    """How much of a step a difference is."""

    bump: Bump
    reasons: tuple[tuple[Bump, ContentChange], ...]
    """Every change with its own weight, the weightiest first."""


_WEIGHTS: Final = {
    ContentKind.REMOVED: Bump.MAJOR,
    ContentKind.ADDED: Bump.MINOR,
    ContentKind.RENAMED: Bump.MINOR,
    ContentKind.MODIFIED: Bump.PATCH,
    ContentKind.MODE: Bump.PATCH,
}


def compare_contents(reader: ObjectReader, old: Root | None, new: Root | None) -> ContentChanges:
    """The files that differ between two contents, with what was renamed exactly or was changed a little on the way."""
    found = list(iter_file_changes(reader, old, new))
    removed = {each.path: each.old for each in found if each.new is None and each.old and each.old.mode in BLOB_MODES}
    added = {each.path: each.new for each in found if each.old is None and each.new and each.new.mode in BLOB_MODES}
    pairing = pair(reader, Moves(removed, added), removed.keys())
    renamed = {new: old for old, new in pairing.pairs.items()}
    changes = [
        ContentChange(ContentKind.RENAMED, each.path, renamed[each.path], removed[renamed[each.path]], each.new)
        if each.path in renamed
        else ContentChange(_kind(each.old, each.new), each.path, each.path if each.old else None, each.old, each.new)
        for each in found
        if not (each.path in pairing.pairs and each.new is None)
    ]
    return ContentChanges(tuple(sorted(changes, key=lambda each: (each.path, each.kind.value))), pairing.too_many)


def suggest_bump(changes: Iterable[ContentChange], *, strict: bool = False) -> Suggestion:
    """What files that were removed, added or modified make of the next version.

    Whoever relied on a removed file is broken: major. A renamed one counts as minor; `strict` takes it for one that was
    removed and one that was added.
    """
    weighed = [(_weight(change, strict=strict), change) for change in changes]
    reasons = sorted(weighed, key=lambda each: (-list(Bump).index(each[0]), each[1].path))
    return Suggestion(reasons[0][0] if reasons else Bump.NONE, tuple(reasons))


def _weight(change: ContentChange, *, strict: bool) -> Bump:
    if strict and change.kind is ContentKind.RENAMED:
        return Bump.MAJOR
    return _WEIGHTS[change.kind]


def _kind(old: Root | None, new: Root | None) -> ContentKind:
    if old is None:
        return ContentKind.ADDED
    if new is None:
        return ContentKind.REMOVED
    is_file = old.mode in FILE_MODES and new.mode in FILE_MODES
    return ContentKind.MODE if is_file and old.id == new.id else ContentKind.MODIFIED
