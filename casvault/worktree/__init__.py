"""Directories on disk: scanning them into trees, and writing trees out, through one choke point."""

from casvault.worktree.applying import Applied
from casvault.worktree.cache import StatCache
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.ignore import FROM_DISK, IGNORE_FILE, IgnoreRules
from casvault.worktree.names import check_path, is_control_name
from casvault.worktree.node import Role
from casvault.worktree.plan import Change, plan_changes, same_state
from casvault.worktree.scan import Scan, nothing_held, scan_path, scan_paths, scan_units
from casvault.worktree.target import Target, checkout_tree

__all__ = [
    "FROM_DISK",
    "IGNORE_FILE",
    "Applied",
    "Change",
    "HashOnly",
    "IgnoreRules",
    "Role",
    "Scan",
    "StatCache",
    "Target",
    "check_path",
    "checkout_tree",
    "is_control_name",
    "nothing_held",
    "plan_changes",
    "same_state",
    "scan_path",
    "scan_paths",
    "scan_units",
]
