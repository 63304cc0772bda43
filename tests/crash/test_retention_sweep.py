"""Letting go is killed before each change that it makes to the file system.

Afterwards nothing that is kept is missing: either nothing was recorded and everything is there, or the horizon is
recorded and everything up to it. The next letting go ends what was cut off, also after other commands.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault.refs import Limit, Policy
from tests.story.scene import Scene, make_scene, write
from tests.support.dying import run_until_death

KEPT = 5


@pytest.fixture
def scene(root: Path) -> Scene:
    """Deploys with edits that were only seen, over several packs."""
    scene = make_scene(root / "world")
    config = scene.lib / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    vault = scene.vault()
    for number in range(2):
        write(scene.lib, "skills/pdf/SKILL.md", f"version {number}\n")
        vault.deploy(["skills/pdf"], scene.app)
        write(scene.app, ".claude/skills/pdf/SKILL.md", f"seen {number}\n")
        vault.drift(scene.app)
        write(scene.app, ".claude/skills/pdf/SKILL.md", f"version {number}\n")
        vault.drift(scene.app)
    vault.set_retention(Policy(Limit(KEPT), Limit(1)))
    for number in range(KEPT - 1):
        write(scene.lib, "hooks/run", f"{number}\n")
        vault.snapshot()
    shutil.copytree(root / "world", root / "template", symlinks=True)
    return scene


def let_go(scene: Scene) -> None:
    scene.vault(clock=lambda: (1_700_000_500, 0)).apply_retention()


def nothing_else(scene: Scene) -> None:
    """Nothing comes in between."""


def next_command(scene: Scene) -> None:
    """What is written between may be what was to go."""
    write(scene.lib, "skills/pdf/SKILL.md", "seen 0\n")
    scene.vault().snapshot()
    write(scene.app, ".claude/skills/pdf/SKILL.md", "seen 1\n")
    scene.vault().drift(scene.app)


@pytest.mark.parametrize("between", [nothing_else, next_command])
def test_killed_before_each_change(scene: Scene, root: Path, between: Callable[[Scene], None]) -> None:
    numbers = [each.number for each in scene.vault().operations()]
    deaths, recorded = 0, 0
    while True:
        shutil.rmtree(scene.root)
        shutil.copytree(root / "template", scene.root, symlinks=True)
        if run_until_death(lambda: let_go(scene), deaths):
            break
        found = [each.number for each in scene.vault().operations()]
        is_recorded = max(found) > max(numbers)
        recorded += is_recorded
        assert found == ([numbers[0] + 1, *numbers[:KEPT]] if is_recorded else numbers), deaths
        check_whole(scene, deaths)
        between(scene)
        check_whole(scene, deaths)
        scene.vault().apply_retention()
        check_whole(scene, deaths)
        vault = scene.vault()
        assert vault.apply_retention().objects == 0, deaths
        deaths += 1
    assert 5 < recorded < deaths - 5, "the sweep must find changes on both sides of the record"


def check_whole(scene: Scene, place: int) -> None:
    vault = scene.vault()
    assert vault.fsck().problems == (), place
    assert vault.verify_operations().first_break is None, place
    assert len(vault.log("lib")) >= 7, place
    assert vault.timeline("skills/pdf"), place
