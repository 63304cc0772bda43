from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from casvault.errors import FailureError, ReadOnlyError
from casvault.files import create_file, make_directory, map_file, publish_file, remove_file, write_file
from casvault.files.durable import explained

if TYPE_CHECKING:
    from pathlib import Path


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_create_file_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert [create_file(path, b"first"), create_file(path, b"second")] == [True, False]
    assert (path.read_bytes(), _names(tmp_path)) == (b"first", ["a"])


def test_write_file_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_file(path, b"first")
    write_file(path, b"2")
    assert (path.read_bytes(), _names(tmp_path)) == (b"2", ["a"])


def test_write_file_does_not_write_into_what_has_the_name(tmp_path: Path) -> None:
    """Another name of the old file keeps the old content; a symlink is replaced, not followed."""
    (tmp_path / "old").write_bytes(b"old")
    os.link(tmp_path / "old", tmp_path / "a")
    write_file(tmp_path / "a", b"new")
    (tmp_path / "link").symlink_to("old")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "old").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()


def test_write_file_over_a_directory_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FailureError, match=f"^{tmp_path}/a: Is a directory$"):
        write_file(tmp_path / "a", b"x")
    assert _names(tmp_path) == ["a"]


def test_publish_file_renames(tmp_path: Path) -> None:
    (tmp_path / "tmp-1").write_bytes(b"x")
    publish_file(tmp_path / "tmp-1", tmp_path / "a")
    assert _names(tmp_path) == ["a"]


def test_remove_file_twice(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert [remove_file(tmp_path / "a"), remove_file(tmp_path / "a")] == [True, False]


def test_make_directory_with_those_above(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b" / "c")
    make_directory(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_make_directory_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(FailureError, match="File exists"):
        make_directory(tmp_path / "a")


@pytest.mark.parametrize("write", [create_file, write_file])
def test_write_where_no_directory_is(tmp_path: Path, write: object) -> None:
    with pytest.raises(FailureError, match="No such file or directory"):
        write(tmp_path / "absent" / "a", b"")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("number", "expected", "message"),
    [
        (errno.ENOSPC, FailureError, "here: no space left on the device"),
        (errno.EDQUOT, FailureError, "here: no space left on the device"),
        (errno.EROFS, ReadOnlyError, "here: the file system is read-only"),
        (errno.EACCES, FailureError, "here: permission denied"),
        (errno.EIO, FailureError, "here: Input/output error"),
    ],
)
def test_explained(number: int, expected: type[FailureError], message: str) -> None:
    with pytest.raises(expected) as caught, explained("here"):
        raise OSError(number, os.strerror(number))
    assert (expected, message) == (type(caught.value), str(caught.value))


def test_map_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    mapped = map_file(path)
    path.unlink()
    assert bytes(mapped[:]) == b"content"


def test_map_file_empty_or_absent(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    assert map_file(tmp_path / "a") == b""
    with pytest.raises(FileNotFoundError):
        map_file(tmp_path / "b")
