from __future__ import annotations

import os
from pathlib import Path

import pytest

from casvault.oid import blob_id
from casvault.worktree.search import iter_copies

SECRET = b"secret"


def found(place: Path) -> list[str]:
    copies = iter_copies(place, {blob_id(SECRET): len(SECRET)}, frozenset({".casvault"}))
    return sorted(str(path.relative_to(place)) for path, _ in copies)


def test_files_of_these_bytes_wherever_they_are(tmp_path: Path) -> None:
    for path in ("a", "b/c", ".git/d", ".casvault/e", "node_modules/f"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(SECRET)
    (tmp_path / "same-size").write_bytes(b"SECRET")
    (tmp_path / "longer").write_bytes(SECRET + b"\n")
    assert found(tmp_path) == [".git/d", "a", "b/c", "node_modules/f"]


def test_symlinks_count_by_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("secret")
    (tmp_path / "other").symlink_to("elsewhere")
    assert found(tmp_path) == ["link"]
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/inside").write_bytes(SECRET)
    assert found(tmp_path) == ["link", "secret/inside"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(SECRET)
    (tmp_path / "b").write_bytes(SECRET)
    (tmp_path / "a").chmod(0)
    assert found(tmp_path) == ["b"]


def test_no_directory(tmp_path: Path) -> None:
    assert found(tmp_path / "nothing") == []
