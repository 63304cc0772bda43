"""The old hash, on disk and in the vault, against the words that describe it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.errors import NotFoundError, RefusedError
from casvault.interop.skillmeat.hashing import find_hash, hash_path
from casvault.objects import MemoryObjects
from casvault.worktree.scan import scan_path

from .skillmeat_home import old_hash

NAMES = st.sampled_from(["a", "a-b", "a.b", "a b", "B", "b", "é", "z", "SKILL.md", "0"])
TREES = st.recursive(
    st.binary(max_size=3), lambda below: st.dictionaries(NAMES, below, max_size=4), max_leaves=12
).filter(lambda tree: isinstance(tree, dict))


def write(place: Path, tree: object) -> None:
    if isinstance(tree, bytes):
        place.write_bytes(tree)
    elif isinstance(tree, dict):
        place.mkdir()
        for name, below in tree.items():
            write(place / name, below)


def in_vault(path: Path) -> str | None:
    stage = MemoryObjects()
    state = scan_path(path, stage)
    assert state is not None
    return find_hash(stage, state)


def both(path: Path) -> str:
    """The hash on disk, which is that in the vault and that of the words."""
    found = hash_path(path)
    assert found == old_hash(path)
    assert in_vault(path) == found
    return found


@given(tree=TREES)
@settings(max_examples=60, deadline=None)
def test_any_directory(tree: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("tree") / "tree"
    write(place, tree)
    both(place)


def test_a_file_is_hashed_alone(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"text\n")
    assert both(tmp_path / "f") == sha256(b"text\n").hexdigest()


def test_names_are_compared_one_by_one(tmp_path: Path) -> None:
    """As strings `a-b` would come before `a/b`, for a dash is less than a slash."""
    write(tmp_path / "d", {"a": {"b": b"1"}, "a-b": b"2"})
    assert both(tmp_path / "d") == sha256(b"a/b1a-b2").hexdigest()


def test_nothing_is_left_out_on_disk(tmp_path: Path) -> None:
    write(tmp_path / "d", {"__pycache__": {"x.pyc": b"1"}, ".git": {"config": b"2"}, ".DS_Store": b"3"})
    assert (
        hash_path(tmp_path / "d")
        == old_hash(tmp_path / "d")
        == sha256(b".DS_Store3.git/config2__pycache__/x.pyc1").hexdigest()
    )


def test_symlinks_to_files_are_followed_and_those_to_directories_are_not(tmp_path: Path) -> None:
    write(tmp_path / "d", {"real": {"f": b"1"}, "g": b"2"})
    os.symlink("real/f", tmp_path / "d/link")
    os.symlink("real", tmp_path / "d/directory")
    os.symlink("directory/f", tmp_path / "d/through")
    os.symlink("../g", tmp_path / "d/real/up")
    os.symlink("nothing", tmp_path / "d/broken")
    os.symlink("loop", tmp_path / "d/loop")
    os.symlink("link", tmp_path / "d/chain")
    os.symlink("g/x", tmp_path / "d/through-a-file")
    both(tmp_path / "d")
    assert hash_path(tmp_path / "d") == sha256(b"chain1g2link1real/f1real/up2through1").hexdigest()


@pytest.mark.parametrize("target", ["../outside", "{base}/outside"])
def test_a_symlink_that_leads_out_has_a_hash_on_disk_only(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_bytes(b"there")
    write(tmp_path / "d", {"f": b"1"})
    os.symlink(target.format(base=tmp_path), tmp_path / "d/link")
    assert hash_path(tmp_path / "d") == old_hash(tmp_path / "d")
    assert in_vault(tmp_path / "d") is None


def test_what_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        hash_path(tmp_path / "nothing")
    (tmp_path / "d").mkdir()
    (tmp_path / os.fsdecode(b"d/\xff")).write_bytes(b"1")
    with pytest.raises(RefusedError, match="not UTF-8"):
        hash_path(tmp_path / "d")
    assert in_vault(tmp_path / "d") is None


def test_an_empty_directory(tmp_path: Path) -> None:
    write(tmp_path / "d", {"empty": {}})
    assert both(tmp_path / "d") == sha256(b"").hexdigest()
