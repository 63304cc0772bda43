"""Moves in from SkillMeat and out to it are killed before each change that they make to the file system.

Afterwards every file of SkillMeat and of the user is what it was before or what it would have become, whole, and the
same command once more brings everything to where it would have been.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casvault import Author, Vault
from casvault.interop.skillmeat import export_skillmeat, import_skillmeat
from tests.interop.skillmeat_home import Fixture, clock, make_fixture, write_files
from tests.support.dying import run_until_death

Command = Callable[[Fixture], object]


@pytest.fixture
def fixture() -> Iterator[Fixture]:
    """A home, and a vault of its own beside it."""
    memory = Path("/dev/shm")
    fast = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="casvault-test-", dir=fast) as name:
        (Path(name) / "world").mkdir()
        fixture = make_fixture(Path(name) / "world")
        fixture.vault()
        yield fixture


def vault_of(fixture: Fixture) -> Vault:
    return Vault.open(fixture.base / "own", author=Author("Ada", "ada@example.org"), clock=clock)


def move_in(fixture: Fixture) -> object:
    return import_skillmeat(vault_of(fixture), fixture.home, [fixture.project("lineage")])


def deployed_anew(fixture: Fixture) -> None:
    """Everything that an export writes has something new to say."""
    move_in(fixture)
    vault = vault_of(fixture)
    vault.deploy(["skills/pdf"], fixture.project("lineage"))
    write_files(fixture.lib, {"skills/new/SKILL.md": "# new\n"})
    vault.snapshot(collection="lib")


def move_out(fixture: Fixture) -> object:
    return export_skillmeat(vault_of(fixture), fixture.home, [fixture.project("lineage")], collections=["lib"])


def files(fixture: Fixture) -> dict[Path, bytes]:
    """All but casvault's own."""
    own = (path for path in fixture.base.rglob("*") if path.is_file() and ".casvault" not in str(path))
    return {path: path.read_bytes() for path in own}


@pytest.mark.parametrize(
    ("prepare", "command"), [(lambda _: None, move_in), (deployed_anew, move_out)], ids=["import", "export"]
)
def test_killed_before_each_change(fixture: Fixture, prepare: Command, command: Command) -> None:
    template = fixture.base.parent / "template"
    prepare(fixture)
    shutil.copytree(fixture.base, template, symlinks=True)
    before = files(fixture)
    command(fixture)
    after, refs = files(fixture), [name for name, _ in vault_of(fixture).refs()]
    deaths = 0
    while True:
        shutil.rmtree(fixture.base)
        shutil.copytree(template, fixture.base, symlinks=True)
        if run_until_death(lambda: command(fixture), deaths):
            break
        for path, content in files(fixture).items():
            assert content in (before.get(path), after.get(path)), f"{path}, change {deaths}"
        vault = vault_of(fixture)
        assert vault.fsck().problems == (), f"change {deaths}"
        vault.recover()
        command(fixture)
        assert files(fixture) == after, f"change {deaths}"
        assert [name for name, _ in vault.refs()] == refs, f"change {deaths}"
        deaths += 1
    assert deaths > 15, "the sweep has found hardly any change to die before"
