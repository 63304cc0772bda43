"""Durable files, locks and memory maps: the only home of writes that must survive a crash."""

from casvault.files.durable import (
    create_file,
    find_file,
    make_directory,
    publish_file,
    remove_file,
    replace_file,
    sync_directory,
    write_file,
)
from casvault.files.lock import Lock, lock_directory, lock_file, share_file, try_lock_existing, try_lock_file
from casvault.files.mapped import Window, map_file

__all__ = [
    "Lock",
    "Window",
    "create_file",
    "find_file",
    "lock_directory",
    "lock_file",
    "make_directory",
    "map_file",
    "publish_file",
    "remove_file",
    "replace_file",
    "share_file",
    "sync_directory",
    "try_lock_existing",
    "try_lock_file",
    "write_file",
]
