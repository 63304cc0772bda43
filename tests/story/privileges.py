"""What some tests need of the machine: file systems, other users, limits. Each says why it cannot be had."""

from __future__ import annotations

import contextlib
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@contextlib.contextmanager
def mounted(directory: Path, *arguments: str) -> Iterator[Path]:
    """Mount something on a directory; skips the test where that is not allowed."""
    directory.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    done = subprocess.run(["mount", *arguments, str(directory)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """A directory that nobody can write to, root included."""
    with mounted(directory, "--bind", str(directory)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(directory)], check=True)
        yield


def in_child(work: Callable[[], object]) -> None:
    """Run `work` in a forked process, which may give up rights or take on limits; fails if it raises."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def as_nobody(work: Callable[[], object]) -> None:
    """Run `work` as a user without rights; skips the test where this process is not root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def without_rights() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        work()

    in_child(without_rights)


def give_to_nobody(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
