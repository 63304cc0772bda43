from __future__ import annotations

from pathlib import Path

import pytest

from casvault.errors import FailureError, NotFoundError
from casvault.objects import read_blob, write_blob
from casvault.oid import blob_id
from casvault.repository import CONTROL, Repository


def test_create_makes_a_vault_that_opens(tmp_path: Path) -> None:
    made = Repository.create(tmp_path / "new/er")
    opened = Repository.open(tmp_path / "new/er" / CONTROL)
    assert (opened.config, opened.log.tip(), opened.places.all()) == (made.config, None, {})


def test_create_where_one_is(tmp_path: Path) -> None:
    made = Repository.create(tmp_path)
    with pytest.raises(FailureError, match="a vault already"):
        Repository.create(tmp_path)
    assert Repository.open(tmp_path / CONTROL).config == made.config


def test_create_completes_what_a_crash_left(tmp_path: Path) -> None:
    (tmp_path / CONTROL / "packs").mkdir(parents=True)
    made = Repository.create(tmp_path)
    assert Repository.open(tmp_path / CONTROL).config == made.config


@pytest.mark.parametrize("path", ["none", "file", "."])
def test_open_what_is_no_vault(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match="not a vault"):
        Repository.open(tmp_path / path)


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_begin_publish_and_read(tmp_path: Path, kind: str) -> None:
    repository = Repository.create(tmp_path) if kind == "local" else Repository.in_memory()
    stage = repository.begin()
    oid = write_blob(stage, b"x")
    before = repository.objects.find_infos([oid])
    stage.publish()
    assert (before, read_blob(repository.objects, oid)) == ([None], b"x")


def test_find_prefix_of_an_id(tmp_path: Path) -> None:
    for repository in (Repository.create(tmp_path), Repository.in_memory()):
        stage = repository.begin()
        write_blob(stage, b"x")
        stage.publish()
        oid = blob_id(b"x")
        found = [repository.objects.find_prefix(oid.hex()[:length]) for length in (1, 5, 64)]
        assert found == [[oid]] * 3
        assert repository.objects.find_prefix(("0" if oid.hex()[0] != "0" else "1") + oid.hex()[1:]) == []


def test_cache_path_of_a_vault_in_memory(tmp_path: Path) -> None:
    local = Repository.create(tmp_path)
    assert [repository.cache_path("x") for repository in (Repository.in_memory(), local)] == [
        None,
        tmp_path / CONTROL / "cache/x",
    ]
