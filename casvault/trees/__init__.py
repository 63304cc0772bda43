"""Trees as directories: reading, editing and comparing them over any reader, whatever nodes they are stored in."""

from casvault.trees.copy import copy_added
from casvault.trees.diff import PathChange, diff_entries, diff_paths, iter_unshared, state_of, tree_of
from casvault.trees.edit import build_tree, edit_paths, edit_tree, empty_root
from casvault.trees.read import (
    EMPTY_ID,
    READ_AHEAD,
    find_entries,
    find_entry,
    find_path,
    iter_entries,
    read_root,
    read_roots_ahead,
    walk,
)

__all__ = [
    "EMPTY_ID",
    "READ_AHEAD",
    "PathChange",
    "build_tree",
    "copy_added",
    "diff_entries",
    "diff_paths",
    "edit_paths",
    "edit_tree",
    "empty_root",
    "find_entries",
    "find_entry",
    "find_path",
    "iter_entries",
    "iter_unshared",
    "read_root",
    "read_roots_ahead",
    "state_of",
    "tree_of",
    "walk",
]
