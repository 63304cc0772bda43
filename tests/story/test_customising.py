"""Three projects, each with a customisation of one skill of its own, through five updates."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, How, Status, Vault
from tests.story.scene import PDF, Scene, assert_clean, change_line, text

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"
LINES = {"one": 1, "two": 4, "three": 10}
"""The line that each project has made its own."""


def update(scene: Scene, vault: Vault, project: Path) -> Action:
    (row,) = vault.deploy([SKILL], project, strategy=DeployStrategy.MERGE).artifacts
    if row.action is Action.PENDING and row.merge is not None:
        # Whoever customised the line keeps it.
        vault.resolve(row.merge, "SKILL.md", How.OURS)
        vault.continue_merge(row.merge)
    return row.action


@pytest.mark.parametrize("record", [True, False])
def test_customised_copies_live_through_updates(scene: Scene, record: bool) -> None:
    """A false conflict, an edit that is gone, or a revert that comes back: each would be seen here."""
    vault = scene.vault()
    projects = {name: scene.root / name for name in LINES}
    own: dict[str, dict[str, str]] = {}
    for name, number in LINES.items():
        projects[name].mkdir()
        vault.deploy([SKILL], projects[name])
        change_line(projects[name] / DEPLOYED, number, f"{name}'s own")
        own[name] = {f"line{number}": f"{name}'s own"}

    def look() -> None:
        if record:
            vault.drift()

    def check(**shared: str) -> None:
        for name, place in projects.items():
            assert (name, (place / DEPLOYED).read_text()) == (name, text(**{**shared, **own[name]}))

    # 1: elsewhere, in all three
    change_line(scene.lib / PDF, 7, "first")
    look()
    assert [update(scene, vault, place) for place in projects.values()] == [Action.MERGED] * 3
    check(line7="first")

    # 2: in the very line of one of them
    change_line(scene.lib / PDF, 4, "second")
    look()
    assert {name: update(scene, vault, place) for name, place in projects.items()} == {
        "one": Action.MERGED,
        "two": Action.PENDING,
        "three": Action.MERGED,
    }
    check(line7="first", line4="second")

    # 3: one of them is pulled, and everybody gets its line
    look()
    (pulled,) = vault.pull([SKILL], projects["three"]).artifacts
    assert (pulled.action, pulled.fast_forward) == (Action.TAKEN, True)
    assert scene.tip_text() == text(line7="first", line4="second", line10="three's own")
    look()
    assert {name: update(scene, vault, place) for name, place in projects.items()} == {
        "one": Action.MERGED,
        "two": Action.MERGED,
        "three": Action.NOTHING,
    }
    check(line7="first", line4="second", line10="three's own")

    # 4: the collection takes an earlier update back, and a project its own edit
    change_line(scene.lib / PDF, 7, "line 7")
    change_line(projects["one"] / DEPLOYED, 1, "line 1")
    own["one"] = {}
    look()
    assert {name: update(scene, vault, place) for name, place in projects.items()} == {
        "one": Action.UPDATED,
        "two": Action.MERGED,
        "three": Action.UPDATED,
    }
    check(line4="second", line10="three's own")
    row = next(row for row in vault.drift(projects["one"]).rows)
    assert row.status is Status.IN_SYNC

    # 5: a second edit of one project beside the first, and an update in the line that was pulled
    change_line(projects["two"] / DEPLOYED, 6, "two, again")
    own["two"]["line6"] = "two, again"
    change_line(scene.lib / PDF, 10, "fifth")
    look()
    assert {name: update(scene, vault, place) for name, place in projects.items()} == {
        "one": Action.UPDATED,
        "two": Action.MERGED,
        "three": Action.UPDATED,
    }
    own["three"] = {}
    check(line4="second", line10="fifth")

    # What is left of the customisations comes home, and only that.
    (pulled,) = vault.pull([SKILL], projects["two"]).artifacts
    assert pulled.action is Action.TAKEN
    assert scene.tip_text() == text(line4="two's own", line6="two, again", line10="fifth")
    for name in ("one", "three"):
        assert update(scene, vault, projects[name]) is Action.UPDATED
    check(line4="two's own", line6="two, again", line10="fifth")
    assert all(row.status is Status.IN_SYNC for row in vault.drift().rows if row.artifact == SKILL)
    assert_clean(vault)


def test_an_update_everywhere_is_one_operation(scene: Scene) -> None:
    vault = scene.vault()
    for name in LINES:
        (scene.root / name).mkdir()
        vault.deploy([SKILL], scene.root / name)
    change_line(scene.root / "two" / DEPLOYED, 4, "two's own")
    change_line(scene.lib / PDF, 7, "first")
    count = len(vault.operations())
    results = vault.deploy_everywhere()
    assert {result.project: result.artifacts[0].action for result in results} == {
        "one": Action.UPDATED,
        "two": Action.LEFT,
        "three": Action.UPDATED,
    }
    assert len(vault.operations()) == count + 1
    assert {
        result.project: result.artifacts[0].action
        for result in vault.deploy_everywhere([SKILL], strategy=DeployStrategy.MERGE)
    } == {
        "one": Action.NOTHING,
        "two": Action.MERGED,
        "three": Action.NOTHING,
    }
    vault.undo()
    vault.undo()
    assert (scene.root / "one" / DEPLOYED).read_text() == text()
    assert (scene.root / "two" / DEPLOYED).read_text() == text(line4="two's own")
