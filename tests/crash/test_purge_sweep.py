"""A purge is killed before each change that it makes to the file system.

Afterwards either nothing was recorded and everything can be read, or the purge is recorded and the next command, or the
purge once more, ends it; nothing else is ever missing.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import NotFoundError, PurgedError
from casvault.oid import blob_id
from tests.story.scene import Scene, make_scene, write
from tests.support.dying import run_until_death
from tests.support.packs import raw_entry, write_pack

SECRET = bytes(random.Random(3).choices(range(1, 256), k=64))
ENV = "skills/pdf/.env"


@pytest.fixture
def scene(root: Path) -> Scene:
    """The secret is in two packs, of which one has nothing else, and gone from the directory."""
    scene = make_scene(root / "world")
    write(scene.lib, ENV, SECRET)
    scene.vault().snapshot("leaked")
    (scene.lib / ENV).unlink()
    scene.vault().snapshot("clean")
    write_pack(scene.lib / ".casvault/packs", [raw_entry(SECRET)], f"{'0' * 32}.pack")
    shutil.copytree(root / "world", root / "template", symlinks=True)
    return scene


def purge(scene: Scene) -> None:
    vault = scene.vault(clock=lambda: (1_700_000_500, 0))
    vault.purge(vault.plan_purge([blob_id(SECRET).hex()]), message="leaked")


def purge_again(scene: Scene) -> None:
    vault = scene.vault()
    if vault.purged():
        assert vault.finish_purges() == ()
    else:
        purge(scene)


def next_command(scene: Scene) -> None:
    """Something else that is recorded."""
    write(scene.lib, "hooks/new", "new")
    scene.vault().snapshot()


def is_in_files(scene: Scene) -> bool:
    return any(SECRET in path.read_bytes() for path in (scene.lib / ".casvault").rglob("*") if path.is_file())


@pytest.mark.parametrize("then", [purge_again, next_command])
def test_purge_killed_before_each_change(scene: Scene, root: Path, then: Callable[[Scene], None]) -> None:
    others = set(scene.vault().reader.iter_ids()) - {blob_id(SECRET)}  # type: ignore[attr-defined]
    assert is_in_files(scene)
    deaths, recorded = 0, 0
    while True:
        shutil.rmtree(scene.root)
        shutil.copytree(root / "template", scene.root, symlinks=True)
        if run_until_death(lambda: purge(scene), deaths):
            break
        vault, place = scene.vault(), f"change {deaths}"
        is_recorded = vault.purged() != []
        recorded += is_recorded
        check_readable(vault, others, is_recorded=is_recorded, place=place)
        then(scene)
        check_end(scene, others, gone=is_recorded or then is purge_again, place=place)
        deaths += 1
    assert not is_in_files(scene)
    assert 5 < recorded < deaths - 5, "the sweep must find changes on both sides of the record"


def check_readable(vault: Vault, others: set[object], *, is_recorded: bool, place: str) -> None:
    found = list(vault.reader.iter_ids())  # type: ignore[attr-defined]
    assert set(found) >= others, place
    for _ in vault.reader.read_many(oid for oid in found if oid != blob_id(SECRET)):
        pass
    try:
        assert vault.read_blob(blob_id(SECRET)) == SECRET
    except PurgedError:
        assert is_recorded, place
    problems = vault.fsck().problems
    assert all("still in this pack" in message for _, message in problems), place
    assert is_recorded or not problems, place


def check_end(scene: Scene, others: set[object], *, gone: bool, place: str) -> None:
    vault = scene.vault()
    assert vault.fsck().problems == (), place
    assert set(vault.reader.iter_ids()) >= others, place  # type: ignore[attr-defined]
    if gone:
        assert (vault.finish_purges(), is_in_files(scene)) == ((), False), place
        with pytest.raises(NotFoundError):
            vault.plan_purge([blob_id(SECRET).hex()])
    else:
        assert vault.read_blob(blob_id(SECRET)) == SECRET, place
