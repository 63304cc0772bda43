"""Every command that writes is killed before each change it makes to the file system.

Afterwards the vault opens, fsck is clean, the state is the old one or the new one, an interrupted directory says so and
is finished or taken back by one call, and the command itself can be run again.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from casvault import Author, Vault
from casvault.errors import InterruptedTargetError
from tests.support.dying import run_until_death

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from casvault.vault.results import ArtifactChange

LINES = [f"line {number}\n" for number in range(12)]


def text(**changed: str) -> str:
    """Twelve lines, some of them changed: text(line3="three")."""
    lines = list(LINES)
    for name, value in changed.items():
        lines[int(name.removeprefix("line"))] = value + "\n"
    return "".join(lines)


class World(NamedTuple):
    """A vault with one collection and one project, and a copy to start each death from."""

    root: Path
    template: Path

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    @property
    def app(self) -> Path:
        return self.root / "app"

    def reset(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root, symlinks=True)

    def vault(self) -> Vault:
        return Vault.open(self.lib, author=Author("Ada", "ada@example.org"))

    def changes(self) -> tuple[ArtifactChange, ...]:
        """What the status says of all collections."""
        vault = self.vault()
        return tuple(change for info in vault.collections() for change in vault.status(info.name).changes)

    def files(self) -> dict[str, str]:
        """What a user sees: every file of the collection and the project but casvault's own."""
        found = {}
        for top in (self.lib, self.app, self.root / "team"):
            for path in sorted(top.rglob("*")):
                relative = path.relative_to(self.root)
                if path.is_file() and not any(part.startswith(".casvault") for part in relative.parts):
                    found[str(relative)] = path.read_text()
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world", tmp_path / "template")
    skill = made.lib / "skills" / "pdf"
    skill.mkdir(parents=True)
    made.app.mkdir()
    (skill / "SKILL.md").write_text(text())
    (skill / "old.txt").write_text("goes away\n")
    vault, _ = Vault.init(made.lib)
    vault.deploy(["skills/pdf"], made.app)
    (skill / "SKILL.md").write_text(text(line2="two, in the collection"))
    (skill / "old.txt").unlink()
    (skill / "more").mkdir()
    (skill / "more" / "new.txt").write_text("new\n")
    return made


def edit_project(world: World) -> None:
    (world.app / ".claude/skills/pdf/SKILL.md").write_text(text(line9="nine, in the project"))


def take_snapshot(world: World) -> None:
    world.vault().snapshot("a snapshot")


def deploy(world: World) -> None:
    world.vault().deploy(["skills/pdf"], world.app)


def pull(world: World) -> None:
    world.vault().pull(["skills/pdf"], world.app)


def restore(world: World) -> None:
    world.vault().restore("@~1")


def undo(world: World) -> None:
    world.vault().undo()


def move(world: World) -> None:
    world.vault().move("skills/pdf", "models/pdf", collection="lib")


def move_away(world: World) -> None:
    world.vault().move("skills/pdf", "team:skills/pdf", collection="lib")


def copy(world: World) -> None:
    world.vault().copy("skills/pdf", "pdf2", collection="lib")


def remove(world: World) -> None:
    world.vault().remove(["skills/pdf"], collection="lib")


def add_team(world: World) -> None:
    (world.root / "team").mkdir()
    (world.root / "team" / "README").write_text("the team's own\n")
    world.vault().add_collection(world.root / "team")


def moved_away(world: World) -> None:
    add_team(world)
    move_away(world)


def nothing(world: World) -> None:
    pass


def pulled(world: World) -> None:
    edit_project(world)
    pull(world)


CASES = {
    "snapshot": (nothing, take_snapshot),
    "deploy": (nothing, deploy),
    "pull": (edit_project, pull),
    "restore": (take_snapshot, restore),
    "undo": (pulled, undo),
    "mv": (nothing, move),
    "cp": (nothing, copy),
    "rm": (nothing, remove),
    "mv to another collection": (add_team, move_away),
    "undo of mv to another collection": (moved_away, undo),
}


@pytest.mark.parametrize("name", CASES)
def test_command_killed_before_each_change(name: str, world: World) -> None:
    prepare, command = CASES[name]
    prepare(world)
    shutil.copytree(world.root, world.template, symlinks=True)
    old = world.files()
    command(world)
    after = End(old, world.files(), world.changes())
    deaths = 0
    while True:
        world.reset()
        survived = run_until_death(lambda: command(world), deaths)
        if survived:
            break
        check_after_death(world, command, after, back=deaths % 2 == 1, place=f"{name}, change {deaths}")
        deaths += 1
    assert world.files() == after.new
    assert deaths > 10, "the sweep has found hardly any change to die before"


class End(NamedTuple):
    """What the files may be after a death, and what the status says after the command."""

    old: dict[str, str]
    new: dict[str, str]
    changes: tuple[ArtifactChange, ...]


def check_after_death(world: World, command: Callable[[World], None], end: End, *, back: bool, place: str) -> None:
    old, new = end.old, end.new
    vault = world.vault()
    assert vault.fsck().problems == (), place
    recorded = interrupted = False
    if found := vault.interrupted():
        interrupted = recorded = True
        with pytest.raises(InterruptedTargetError):
            command(world)
        # What is taken back is taken back in all directories at once.
        assert len(vault.recover(back=back)) == (1 if back else len(found)), place
        assert vault.interrupted() == [], place
    seen = world.files()
    assert seen in (old, new), place
    if interrupted:
        assert seen == (old if back else new), place
    assert vault.fsck().problems == (), place
    if recorded and not back:
        assert world.changes() == end.changes, place
    if seen == old != new:
        command(world)
        assert world.files() == new, place
