"""The commit graph in a vault's cache: whatever happens to the file, answers stay the same."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from casvault.errors import MissingObjectError
from casvault.history import CommitGraph
from casvault.history.commits import MANY_COMMITS
from casvault.objects import FILE, Commit, Root, Signature, write_blob, write_commit
from casvault.repository import CONTROL, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.objects import ObjectPublisher
    from casvault.oid import Oid

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0000")


class Vault(NamedTuple):
    path: Path
    fork: Oid
    left: Oid
    right: Oid

    @property
    def file(self) -> Path:
        return self.path / "cache/commits.graph"

    def answer(self) -> list[Oid]:
        """From a newly opened repository."""
        return Repository.open(self.path).graph().merge_bases(self.left, self.right)

    def check(self) -> None:
        assert self.answer() == [self.fork]


def line(stage: ObjectPublisher, name: str, length: int, *tip: Oid) -> Oid:
    root = Root(FILE, 1, write_blob(stage, b"x"))
    for number in range(length):
        tip = (write_commit(stage, Commit(root, tip, WHO, WHO, f"{name} {number}".encode())),)
    return tip[0]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with two long branches, whose graph is in the cache."""
    repository = Repository.create(tmp_path_factory.mktemp("vault"))
    assert repository.path is not None
    stage = repository.begin()
    fork = line(stage, "line", 10)
    left, right = (line(stage, name, MANY_COMMITS, fork) for name in ("left", "right"))
    stage.publish()
    vault = Vault(repository.path, fork, left, right)
    assert not vault.file.exists()
    vault.check()
    assert vault.file.stat().st_size > 68 * 2 * MANY_COMMITS
    return vault


@pytest.fixture
def vault(prepared: Vault, tmp_path: Path) -> Vault:
    shutil.copytree(prepared.path, tmp_path / CONTROL)
    return prepared._replace(path=tmp_path / CONTROL)


def test_the_file_is_used_and_not_written_again(vault: Vault) -> None:
    before = vault.file.stat()
    vault.check()
    after = vault.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("damage", ["gone", "empty", "cut off", "one bit", "of another vault", "a directory", "a fifo"])
def test_a_file_that_cannot_be_used_is_made_again_if_that_is_possible(vault: Vault, damage: str) -> None:
    content = vault.file.read_bytes()
    vault.file.unlink()
    if damage == "empty":
        vault.file.touch()
    elif damage == "cut off":
        vault.file.write_bytes(content[:-5000])
    elif damage == "one bit":
        middle = len(content) // 2
        vault.file.write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])
    elif damage == "of another vault":
        vault.file.write_bytes(other_graph(vault))
    elif damage == "a directory":
        vault.file.mkdir()
    elif damage == "a fifo":
        os.mkfifo(vault.file)
    vault.check()
    assert vault.file.is_dir() if damage == "a directory" else vault.file.read_bytes() == content
    vault.check()


def other_graph(vault: Vault) -> bytes:
    """What another vault says of the same commits: only its owner differs."""
    repository = Repository.create(vault.path.parent / "other")
    assert repository.path is not None
    shutil.copytree(vault.path / "packs", repository.path / "packs", dirs_exist_ok=True)
    other = vault._replace(path=repository.path)
    other.check()
    return other.file.read_bytes()


def test_a_cache_directory_that_was_removed_is_made_again(vault: Vault) -> None:
    shutil.rmtree(vault.file.parent)
    vault.check()
    assert vault.file.exists()


def test_a_cache_that_cannot_be_written_is_only_missed(vault: Vault) -> None:
    """Where a file has the cache's place, nothing can be written for anybody, root included."""
    shutil.rmtree(vault.file.parent)
    vault.file.parent.touch()
    vault.check()
    vault.check()


def test_newer_commits_are_answered_for(vault: Vault) -> None:
    repository = Repository.open(vault.path)
    stage = repository.begin()
    newer = line(stage, "newer", 3, vault.left)
    stage.publish()
    assert repository.graph().merge_bases(newer, vault.right) == [vault.fork]
    assert repository.graph().count_ahead_behind(newer, vault.left) == (3, 0)


def test_an_open_repository_takes_up_what_another_process_saved(vault: Vault) -> None:
    content = vault.file.read_bytes()
    vault.file.unlink()
    repository = Repository.open(vault.path)
    assert repository.graph_cache is not None
    assert repository.graph_cache.load() is None
    vault.file.write_bytes(content)
    first = repository.graph_cache.load()
    assert first is not None
    assert repository.graph_cache.load() is first


def test_a_graph_that_is_open_outlives_its_file(vault: Vault) -> None:
    graph = Repository.open(vault.path).graph()
    assert graph.merge_bases(vault.left, vault.right) == [vault.fork]
    vault.file.unlink()
    assert graph.count_ahead_behind(vault.left, vault.right) == (MANY_COMMITS, MANY_COMMITS)


def test_what_a_transaction_gave_up_is_not_there(vault: Vault) -> None:
    repository = Repository.open(vault.path)
    stage = repository.begin()
    phantom = line(stage, "phantom", MANY_COMMITS + 1, vault.left)
    assert CommitGraph(stage, repository.graph_cache).merge_bases(phantom, vault.right) == [vault.fork]
    stage.discard()
    with pytest.raises(MissingObjectError):
        repository.graph().merge_bases(phantom, vault.right)
    vault.check()
