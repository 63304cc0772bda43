from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from casvault.formats.statcache import STAT, UNTRUSTED
from casvault.objects import Entry, Kind, MemoryObjects, Root
from casvault.oid import blob_id
from casvault.trees import iter_entries
from casvault.worktree.cache import COARSE_MARGIN, FINE_MARGIN, StatCache, distrust_racy
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.node import Role
from casvault.worktree.scan import Scan, scan_paths, scan_units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from casvault.oid import Oid

OWNER = b"o" * 32
SECOND = 1_000_000_000


class Counting(HashOnly):
    """A stage that says which contents it was given, and how many trees."""

    def __init__(self) -> None:
        super().__init__(MemoryObjects())
        self.blobs: list[bytes] = []
        self.trees = 0

    def write_many(self, objects: Iterable[tuple[Kind, bytes]]) -> list[Oid]:
        held = list(objects)
        self.blobs += [data for kind, data in held if kind is Kind.BLOB]
        self.trees += sum(kind is Kind.TREE for kind, _ in held)
        return super().write_many(held)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree of files that are older than the margin."""
    root = tmp_path / "root"
    for name in ("a/x", "a/d/y", "b/z"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "a" / "link").symlink_to("x")
    settle(root)
    return root


def settle(root: Path) -> None:
    """Wait until the file system's clock, which may lag behind the times of files, is past the margin."""
    newest = max(path.lstat().st_ctime_ns for path in root.rglob("*"))
    clock = StatCache(root.parent / "clock", OWNER)
    while clock.read_clock() <= newest + FINE_MARGIN:
        time.sleep(FINE_MARGIN / SECOND / 4)


def unit(path: bytes, is_directory: bool) -> Role:
    return Role.UNIT


def scan(root: Path, cache: StatCache, *, storing: bool = True) -> tuple[Scan, Counting]:
    stage = Counting()
    return scan_units(root, stage, classify=unit, cache=cache, storing=storing), stage


def reload(root: Path, owner: bytes = OWNER) -> StatCache:
    return StatCache.load(root.parent / "cache", owner)


def test_unchanged_files_and_directories_are_not_read_again(root: Path) -> None:
    cache = reload(root)
    first, stage = scan(root, cache)
    assert (len(stage.blobs), stage.trees) == (4, 3)
    cache.save()
    again = reload(root)
    assert (again.damage, len(again)) == (None, 4)
    second, stage = scan(root, again)
    assert second == first
    assert (stage.blobs, stage.trees) == ([], 0)


def test_an_edit_is_read_and_only_its_directories_are_made_again(root: Path) -> None:
    cache = reload(root)
    first, _ = scan(root, cache)
    (root / "a" / "d" / "y").write_text("edit!")
    second, stage = scan(root, cache)
    assert (stage.blobs, stage.trees) == ([b"edit!"], 2)
    assert second.units[b"b"] == first.units[b"b"]
    assert second.units[b"a"].size == first.units[b"a"].size
    assert second.units[b"a"] != first.units[b"a"]
    assert second == scan(root, StatCache())[0]


@pytest.mark.parametrize(
    "change",
    ["mode", "content of equal size and mtime", "replaced", "added", "removed", "to directory", "to file", "renamed"],
)
def test_every_change_is_seen(root: Path, change: str) -> None:
    cache = reload(root)
    scan(root, cache)
    path = root / "a" / "x"
    before = path.stat()
    if change == "mode":
        path.chmod(0o755)
    elif change == "content of equal size and mtime":
        path.write_text("A/X")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "replaced":
        (root / "a" / "new").write_text("A/X")
        (root / "a" / "new").replace(path)
    elif change == "added":
        (root / "a" / "d" / "new").mkdir()
    elif change == "removed":
        (root / "a" / "d" / "y").unlink()
    elif change == "to directory":
        path.unlink()
        path.mkdir()
    elif change == "to file":
        (root / "a" / "d" / "y").unlink()
        (root / "a" / "d").rmdir()
        (root / "a" / "d").write_text("file")
    else:
        path.rename(root / "a" / "w")
    found, stage = scan(root, cache)
    assert found == scan(root, StatCache())[0]
    assert stage.trees >= 1


def test_a_racy_file_is_read_again(tmp_path: Path) -> None:
    """A file as new as the scan may change once more without a trace, so it is read though nothing says it changed."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "u").write_text("one")
    ahead = time.time_ns() + 60 * SECOND + 1
    os.utime(root / "u", ns=(ahead, ahead))  # not older than the scan, however long the machine takes to begin it
    settle(root)
    cache = reload(root)
    first, _ = scan(root, cache)
    known = cache.find(b"")
    assert known is not None
    assert known.stats == UNTRUSTED
    second, stage = scan(root, cache)
    assert (second, stage.blobs) == (first, [b"one"])
    os.utime(root / "u", ns=(1, 1))
    settle(root)
    assert scan(root, cache)[1].blobs == [b"one"]
    assert scan(root, cache)[1].blobs == []


@pytest.mark.parametrize(
    ("mtime", "ctime", "trusted"),
    [
        (-FINE_MARGIN - 1, -FINE_MARGIN - 1, True),
        (-FINE_MARGIN, -FINE_MARGIN - 1, False),
        (-FINE_MARGIN - 1, -FINE_MARGIN, False),
        (5 * SECOND, -SECOND // 2 - 1, False),
        (-SECOND, -SECOND // 3, False),  # a whole second: the clock may be coarse
        (-COARSE_MARGIN - SECOND, -COARSE_MARGIN - SECOND, True),
        (-COARSE_MARGIN, -COARSE_MARGIN, False),
    ],
)
def test_the_racy_rule(mtime: int, ctime: int, trusted: bool) -> None:
    began = 1_000 * SECOND
    entry = STAT.pack(0o100644, 1, began + mtime, began + ctime, 9)
    fine = STAT.pack(0o100644, 1, 1, 1, 9)
    assert distrust_racy(fine + entry + fine, began) == fine + (entry if trusted else UNTRUSTED) + fine


def test_the_clock_is_the_file_systems_and_leaves_nothing(tmp_path: Path) -> None:
    cache = StatCache(tmp_path / "cache", OWNER)
    probe = tmp_path / "probe"
    probe.write_text("")
    assert abs(cache.read_clock() - probe.stat().st_mtime_ns) < SECOND
    assert list(tmp_path.iterdir()) == [probe]


def test_without_a_clock_nothing_is_trusted(root: Path) -> None:
    cache = StatCache(root.parent / "no" / "cache", OWNER)
    assert (cache.read_clock(), StatCache().read_clock()) == (0, 0)
    scan(root, cache)
    assert len(scan(root, cache)[1].blobs) == 4


def test_a_scan_that_stores_reads_what_was_only_hashed(root: Path) -> None:
    cache = reload(root)
    first, _ = scan(root, cache, storing=False)
    hashed, stage = scan(root, cache, storing=False)
    assert (hashed, stage.blobs) == (first, [])
    stored, stage = scan(root, cache)
    assert (stored, len(stage.blobs), stage.trees) == (first, 4, 3)
    _, stage = scan(root, cache)
    assert (stage.blobs, stage.trees) == ([], 0)


def test_trees_that_were_only_hashed_can_be_walked(root: Path) -> None:
    cache = reload(root)
    scan(root, cache, storing=False)
    found, stage = scan(root, cache, storing=False)
    assert [entry.name for entry in iter_entries(stage, found.units[b"a"].id)] == [b"d", b"link", b"x"]


def test_an_edit_that_was_only_hashed_is_stored_later(root: Path) -> None:
    cache = reload(root)
    scan(root, cache)
    (root / "a" / "x").write_text("edit")
    settle(root)
    scan(root, cache, storing=False)
    _, stage = scan(root, cache)
    # This store never got the file beside it, which is why that is read again although the cache says it is held.
    assert (sorted(stage.blobs), stage.trees) == ([b"edit", b"x"], 1)


def test_a_file_removed_while_only_hashing_needs_a_tree_but_no_reading(root: Path) -> None:
    cache = reload(root)
    scan(root, cache)
    (root / "a" / "x").unlink()
    scan(root, cache, storing=False)
    _, stage = scan(root, cache)
    assert (stage.blobs, stage.trees) == ([], 1)


@pytest.mark.parametrize("damage", ["owner", "truncated", "flipped", "empty", "directory"])
def test_a_cache_that_cannot_be_used_is_empty(root: Path, damage: str) -> None:
    cache = reload(root)
    scan(root, cache)
    cache.save()
    path = root.parent / "cache"
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-9])
    elif damage == "flipped":
        path.write_bytes(data[:70] + bytes([data[70] ^ 1]) + data[71:])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "directory":
        path.unlink()
        path.mkdir()
    again = reload(root, b"p" * 32 if damage == "owner" else OWNER)
    assert len(again) == 0
    assert again.damage is not None


def test_save_writes_only_changes(root: Path) -> None:
    cache = reload(root)
    scan(root, cache)
    cache.save()
    inode = (root.parent / "cache").stat().st_ino
    again = reload(root)
    scan(root, again)
    again.save()
    assert (root.parent / "cache").stat().st_ino == inode
    (root / "b" / "z").unlink()
    scan(root, again)
    again.save()
    assert (root.parent / "cache").stat().st_ino != inode
    assert sorted(path.name for path in root.parent.iterdir()) == ["cache", "root"]


def test_scanning_some_paths_leaves_the_others_in_the_cache(root: Path) -> None:
    cache = reload(root)
    stage = Counting()
    scan_paths(root, [b"a", b"b", b"b/z"], stage, cache=cache)
    assert len(cache) == 4
    again = Counting()
    found = scan_paths(root, [b"b/z"], again, cache=cache)
    assert (again.blobs, found.units) == ([], {b"b/z": Root(0o100644, 3, blob_id(b"b/z"))})
    assert scan_paths(root, [b"a"], again, cache=cache).units
    assert (again.blobs, again.trees) == ([], 0)


def test_what_vanished_is_forgotten(root: Path) -> None:
    cache = reload(root)
    scan_paths(root, [b"a", b"b"], Counting(), cache=cache)
    (root / "a" / "d" / "y").unlink()
    (root / "a" / "d").rmdir()
    (root / "b" / "z").unlink()
    (root / "b").rmdir()
    assert list(scan_paths(root, [b"a", b"b"], Counting(), cache=cache).units) == [b"a"]
    assert (len(cache), cache.find(b"a/d"), cache.find(b"b")) == (1, None, None)


def test_new_ignore_rules_apply_to_cached_directories(root: Path) -> None:
    cache = reload(root)
    scan(root, cache)
    (root / ".casvaultignore").write_text("x\n")
    found, _ = scan(root, cache)
    assert found.ignored == [b"a/x"]
    assert found == scan(root, StatCache())[0]


def test_a_default_ignored_file_that_is_no_longer_held_leaves_the_tree(root: Path) -> None:
    (root / "a" / "x.pyc").write_text("held")
    settle(root)
    cache, stage = reload(root), Counting()
    held = scan_units(root, stage, classify=unit, cache=cache, held=lambda path: path == b"a/x.pyc")
    assert b"x.pyc" in [entry.name for entry in iter_entries(stage, held.units[b"a"].id)]
    found, _ = scan(root, cache)
    assert found.ignored == [b"a/x.pyc"]
    assert found == scan(root, StatCache())[0]


def test_entry_sizes_are_those_of_the_contents(root: Path) -> None:
    found, stage = scan(root, reload(root))
    entries = {entry.name: entry for entry in iter_entries(stage, found.units[b"a"].id)}
    assert entries[b"link"] == Entry(b"link", 0o120000, 1, blob_id(b"x"))
