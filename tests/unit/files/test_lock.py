from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from casvault.files import lock_directory, lock_file, try_lock_file

if TYPE_CHECKING:
    from pathlib import Path


def test_try_lock_file_held_and_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock_file(path):
        assert try_lock_file(path) is None
    lock = try_lock_file(path)
    assert lock is not None
    lock.release()
    lock.release()
    again = try_lock_file(path)
    assert again is not None
    again.release()


def test_lock_file_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_bytes(b"content")
    with lock_file(path):
        assert path.read_bytes() == b"content"


def test_lock_directory_waits_for_the_other(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with lock_directory(tmp_path):
            order.append("second")

    with lock_directory(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = "import sys, pathlib, os; from casvault.files import lock_file; lock_file(pathlib.Path(sys.argv[1])); "
    subprocess.run([sys.executable, "-c", program + "os._exit(0)", path], check=True)
    lock = try_lock_file(path)
    assert lock is not None
    lock.release()
