"""Three-way merge of two states of a path, over renames: the entry to what `structure` and `relocation` do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casvault.merge.conflict import (
    ConflictKind,
    LinkMerge,
    Renamed,
    Side,
    SkippedRenames,
    TreeConflict,
    TreeMerge,
    no_link_merge,
    show_conflicts,
    show_skipped,
)
from casvault.merge.drivers.registry import DEFAULT_DRIVERS, Drivers
from casvault.merge.relocation import Trees, merge_relocated
from casvault.merge.structure import StructuralMerge
from casvault.objects import TREE, Overlay, Root
from casvault.trees import copy_added

if TYPE_CHECKING:
    from casvault.objects import ObjectStage

__all__ = [
    "ConflictKind",
    "LinkMerge",
    "Renamed",
    "Side",
    "SkippedRenames",
    "TreeConflict",
    "TreeMerge",
    "merge_states",
    "no_link_merge",
    "show_conflicts",
    "show_skipped",
]


REMEMBERED: Final = 8192
"""Decoded trees: a look for renames goes over those that were merged again."""


def merge_states(
    stage: ObjectStage,
    base: Root | None,
    ours: Root | None,
    theirs: Root | None,
    *,
    path: bytes = b"",
    merge_link: LinkMerge = no_link_merge,
    follow_renames: bool = True,
    follow_directories: bool = True,
    drivers: Drivers = DEFAULT_DRIVERS,
) -> TreeMerge:
    """Merge two states of `path`; None stands for absent. The stage gets the blobs and trees of the result, no others.

    Each file is merged by the driver of its path. What two of the three have in common by id is never read, unless a
    rename on one side matters to the other. Without `follow_directories` what is new in a directory stays there, though
    the other side renamed that.
    """
    overlay = Overlay(stage, remember=REMEMBERED)
    merger = StructuralMerge(overlay, merge_link, drivers)
    merged = merger.merge(path, base, ours, theirs)
    trees = _all_trees(base, ours, theirs)
    if follow_renames and trees is not None and any(map(merger.survey.concerns, Side)):
        merged = merge_relocated(overlay, merger, trees, path, merged, follow_directories=follow_directories)
    for state in (merged.state, *(state for conflict in merged.conflicts for state in conflict[2:5])):
        copy_added(overlay, state, stage)
    return merged


def _all_trees(base: Root | None, ours: Root | None, theirs: Root | None) -> Trees | None:
    if base is None or ours is None or theirs is None:
        return None
    return Trees(base, ours, theirs) if base.mode == ours.mode == theirs.mode == TREE else None
