"""A process that dies, without warning, before the n-th change that it would make to the file system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGES = ("fsync", "link", "mkdir", "rename", "replace", "rmdir", "symlink", "sync", "unlink", "write")
"""The calls of `os` that change what is on disk, or make it durable."""

KILLED = 137


def run_until_death(work: Callable[[], object], change: int) -> bool:
    """Run `work` in a child process that dies before its change number `change`; whether it lived to the end.

    The child is a fork, and ends with `os._exit`: no buffer is flushed, no `finally` is run.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _count_down(change)
            work()
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, KILLED):
        raise AssertionError(f"the child failed by itself, with status {status}, before change {change}")
    return status == 0


def _count_down(change: int) -> None:
    left = change

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            if left == 0:
                os._exit(KILLED)
            left -= 1
            return call(*arguments, **options)

        return wrapper

    for name in CHANGES:
        setattr(os, name, dying(getattr(os, name)))
