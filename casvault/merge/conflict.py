"""What a merge of trees answers: a state, and conflicts as values of a closed set of kinds."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import Root


class ConflictKind(Enum):
    CONTENT = "content"
    """Lines were changed differently."""
    BINARY = "binary"
    """Different changes of something that has no lines, or of a file too large to merge, or purged on one side."""
    BOTH_ADDED = "both added"
    OURS_DELETED = "ours deleted"
    THEIRS_DELETED = "theirs deleted"
    MODE = "mode"
    TYPE = "type"
    """A file on one side, a directory, symlink or link on the other; or one stands where the other must go."""
    LINK = "link"
    """Links to different commits that the caller could not merge."""
    RENAME = "renamed differently"
    """Both sides renamed the same file, each to another path."""
    LOCATION = "unclear location"
    """New in a directory that the other side renamed, which says no one free place for it. It stays where it is."""


class Side(Enum):
    OURS = "ours"
    THEIRS = "theirs"


class Renamed(NamedTuple):
    """Where a file is called what, if it is not called the same everywhere; None where it is absent."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


class TreeConflict(NamedTuple):
    """One path that needs a decision, with its three states; None where it is absent."""

    path: bytes
    """The path in the result: with a rename the new one, with two ours."""
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None
    renamed: Renamed | None = None
    """The paths at which the three states were found, where a rename is part of the conflict; with two new names those
    that the result would have, in directories that were renamed as well."""


class SkippedRenames(NamedTuple):
    """Renames were looked for by identity alone, because there was too much to compare."""

    side: Side
    sources: int
    targets: int


class TreeMerge(NamedTuple):
    """The merged state. Where there are conflicts it holds ours at their paths, and is no result to be kept."""

    state: Root | None
    conflicts: tuple[TreeConflict, ...]
    skipped: tuple[SkippedRenames, ...] = ()
    """Where a limit was reached, so that renames may have been missed."""

    @property
    def is_clean(self) -> bool:
        return not self.conflicts


class LinkMerge(Protocol):
    """Merges links to commits, of which base may be absent. Answers the state, or the conflicts it met."""

    def __call__(self, path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge: ...


def no_link_merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
    """Links that both sides changed conflict."""
    return conflict_at(path, ConflictKind.LINK, base, ours, theirs)


def conflict_at(
    path: bytes, kind: ConflictKind, base: Root | None, ours: Root | None, theirs: Root | None
) -> TreeMerge:
    return TreeMerge(ours, (TreeConflict(path, kind, base, ours, theirs),))


def show_conflicts(conflicts: Iterable[TreeConflict]) -> tuple[str, ...]:
    """One line a conflict, for people."""
    return tuple(_show(conflict) for conflict in conflicts)


def _show(conflict: TreeConflict) -> str:
    line = f"{_name(conflict.path)}: {conflict.kind.value}"
    if conflict.renamed is None:
        return line
    named = zip(("base", "ours", "theirs"), conflict.renamed, strict=True)
    return f"{line} ({', '.join(f'{side} {_name(path)}' for side, path in named if path is not None)})"


def show_skipped(skipped: Iterable[SkippedRenames]) -> tuple[str, ...]:
    """One line a side, for people."""
    return tuple(
        f"too many files to look for edited renames on the side of {found.side.value}: "
        f"{found.sources} removed, {found.targets} added"
        for found in skipped
    )


def _name(path: bytes) -> str:
    return path.decode(errors="replace")
