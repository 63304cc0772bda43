"""Finding the vault of a directory."""

from __future__ import annotations

import shutil

import pytest

from casvault import Vault
from casvault.errors import CasvaultError, FailureError, NotFoundError, RefusedError, UsageError
from casvault.vault.opening import discover
from tests.story.scene import PDF, Scene, write


@pytest.mark.parametrize("start", [".", "skills", "skills/pdf"])
def test_discover_from_within_the_vaults_collection(scene: Scene, start: str) -> None:
    assert discover(scene.lib / start).vault == scene.lib / ".casvault"


def test_discover_from_a_project_by_its_marker(scene: Scene) -> None:
    scene.vault().deploy(["skill/pdf"], scene.app)
    assert discover(scene.app / ".claude").vault == scene.lib / ".casvault"


@pytest.mark.parametrize("given", ["lib", "lib/.casvault"])
def test_discover_vault_that_is_named_goes_before(scene: Scene, given: str) -> None:
    other = write(scene.root / "other", PDF, "x").parents[2]
    Vault.init(other)
    assert discover(other, scene.root / given).vault == scene.lib / ".casvault"


def test_discover_nothing(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no vault here"):
        discover(scene.app)


def test_discover_project_whose_vault_is_gone(scene: Scene) -> None:
    scene.vault().deploy(["skill/pdf"], scene.app)
    shutil.move(scene.lib, scene.root / "away")
    with pytest.raises(NotFoundError, match="is not at"):
        discover(scene.app)


def test_open_by_the_directory_or_the_vault_in_it(scene: Scene) -> None:
    paths = [Vault.open(place).path for place in (scene.lib, scene.lib / ".casvault")]
    assert paths == [scene.lib / ".casvault"] * 2


def test_open_what_is_no_vault(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="not a vault"):
        Vault.open(scene.app)


def test_init_where_a_vault_is(scene: Scene) -> None:
    with pytest.raises(FailureError, match="a vault already"):
        Vault.init(scene.lib)


def test_init_in_a_collection_of_another_vault(scene: Scene) -> None:
    there, _ = scene.copy()
    with pytest.raises(RefusedError, match="another vault"):
        Vault.init(there)
    assert not (there / ".casvault").exists()


def test_init_under_a_name_that_is_none(scene: Scene) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        Vault.init(scene.app, "a/b")
    assert list(scene.app.iterdir()) == []


def test_init_that_was_cut_off_before_its_operation_is_completed(scene: Scene) -> None:
    for record in (scene.lib / ".casvault/ops").iterdir():
        record.unlink()
    for pack in (scene.lib / ".casvault/packs").iterdir():
        pack.unlink()
    (scene.lib / ".casvault-collection").unlink()
    vault, result = Vault.init(scene.lib)
    assert (result.created, [found.name for found in vault.collections()]) == (True, ["lib"])


def test_vault_whose_records_are_gone_says_so(scene: Scene) -> None:
    for record in (scene.lib / ".casvault/ops").iterdir():
        record.unlink()
    with pytest.raises(CasvaultError, match="records are gone"):
        scene.vault().collections()
