"""What a checkout is to do, as data: one change a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import RefusedError, UsageError
from casvault.objects import FOREIGN, LINK, TREE, Root
from casvault.trees import diff_entries, empty_root
from casvault.worktree.names import join, shown

if TYPE_CHECKING:
    from casvault.objects import Entry, ObjectReader
    from casvault.oid import Oid

EMPTY = empty_root()


class Change(NamedTuple):
    """The state of one path before and after; None is absent.

    A tree stands for the directory itself, whatever is in it: what is in it has changes of its own.
    """

    path: bytes
    old: Root | None
    new: Root | None


def plan_changes(reader: ObjectReader, path: bytes, old: Root | None, new: Root | None) -> list[Change]:
    """The changes that lead from one state of a path to the other, a directory before what is in it.

    The path b"" stands for the root of the target, which is there already: it has no change of its own, and its states
    are directories or absent. A foreign link is an empty directory, as in git; a link is refused. What is equal on both
    sides is not read.
    """
    if not path and any(state is not None and state.mode != TREE for state in (old, new)):
        raise UsageError("only a directory can be laid out at the root of a target")
    changes = []
    pending = [Change(path, old, new)]
    while pending:
        change = pending.pop()
        if same_state(change.old, change.new):
            continue
        if change.path and not (is_directory(change.old) and is_directory(change.new)):
            changes.append(change)
        pending += [
            Change(join(change.path, name), _state(change.path, a), _state(change.path, b))
            for name, a, b in reversed(diff_entries(reader, _tree_of(change.old), _tree_of(change.new)))
        ]
    return changes


def same_state(one: Root | None, other: Root | None) -> bool:
    """Whether two states are equal: by mode and id, as the size follows from the id."""
    if one is None or other is None:
        return one is other
    return one.mode == other.mode and one.id == other.id


def is_directory(state: Root | None) -> bool:
    return state is not None and state.mode == TREE


def _tree_of(state: Root | None) -> Oid | None:
    """The tree to compare. The empty one is not: nothing is in it, and the one for a foreign link is in no store."""
    return state.id if state is not None and state.mode == TREE and state.id != EMPTY.id else None


def _state(directory: bytes, entry: Entry | None) -> Root | None:
    if entry is None:
        return None
    if entry.mode == FOREIGN:
        return EMPTY
    if entry.mode == LINK:
        raise RefusedError("a link to a commit is no file", place=shown(join(directory, entry.name)))
    return Root(*entry[1:])
