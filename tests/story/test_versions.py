"""Rolling back, pinning and unpinning one artifact of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, Recommendation, Status, Vault
from casvault.errors import LocalEditsError, NotFoundError, UsageError
from casvault.vault.results.projects import DriftRow
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, text

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """Three versions of the skill, all of which were deployed in turn."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    for value in ("two", "three"):
        change_line(scene.lib / PDF, 3, value)
        vault.deploy([], scene.app)
    return vault


def row_of(vault: Vault, project: Path) -> DriftRow:
    (row,) = vault.drift(project).rows
    return row


def lock(scene: Scene) -> str:
    return (scene.app / "casvault.lock").read_text()


@pytest.mark.parametrize(
    ("version", "content"), [("~1", "two"), ("~2", "line 3"), ("^", "two"), ("skill/pdf~1", "two")]
)
def test_an_unedited_copy_is_rolled_back(scene: Scene, vault: Vault, version: str, content: str) -> None:
    lib, before = picture(scene.lib), picture(scene.app)
    shown = vault.deploy([SKILL], scene.app, version=version, dry_run=True)
    assert (shown.artifacts[0].action, picture(scene.app)) == (Action.UPDATED, before)
    (row,) = vault.deploy([SKILL], scene.app, version=version).artifacts
    assert (row.action, (scene.app / DEPLOYED).read_text()) == (Action.UPDATED, text(line3=content))
    found = row_of(vault, scene.app)
    assert (found.status, found.deployed, found.ahead, picture(scene.lib)) == (Status.OUTDATED, row.version, 0, lib)
    assert str(row.version) in lock(scene)
    assert [each.action for each in vault.deploy([], scene.app).artifacts] == [Action.UPDATED]
    assert picture(scene.app) == before
    for _ in range(2):
        vault.undo()
    assert picture(scene.app) == before
    assert_clean(vault)


def test_the_version_before_the_one_that_is_on_disk(scene: Scene, vault: Vault) -> None:
    """What the directory holds is recorded by the command itself, but ~1 was counted from the snapshot before that."""
    change_line(scene.lib / PDF, 3, "four")
    (row,) = vault.deploy([SKILL], scene.app, version="~1").artifacts
    assert (row.action, (scene.app / DEPLOYED).read_text()) == (Action.NOTHING, text(line3="three"))
    assert vault.rev_parse("skill/pdf~1") == row.version


def test_edits_are_not_rolled_back_unless_they_are_recorded(scene: Scene, vault: Vault) -> None:
    change_line(scene.app / DEPLOYED, 9, "mine")
    before = picture(scene.app), picture(scene.lib), vault.refs()
    for strategy in (DeployStrategy.REFUSE, DeployStrategy.MERGE):
        with pytest.raises(LocalEditsError, match="in the way of an earlier version") as caught:
            vault.deploy([SKILL], scene.app, version="~1", strategy=strategy)
        assert "--strategy merge" not in (caught.value.remedy or "")
        assert (picture(scene.app), picture(scene.lib), vault.refs()) == before
    (row,) = vault.deploy([SKILL], scene.app, version="~1", strategy=DeployStrategy.OVERWRITE).artifacts
    assert (row.action, (scene.app / DEPLOYED).read_text()) == (Action.REPLACED, text(line3="two"))
    vault.undo()
    assert picture(scene.app) == before[0]


@pytest.mark.parametrize(
    ("version", "error"),
    [("~9", NotFoundError), ("command/review", UsageError), ("@", UsageError), ("nope", NotFoundError)],
)
def test_a_version_that_is_none_of_this_artifact(
    scene: Scene, vault: Vault, version: str, error: type[Exception]
) -> None:
    before = picture(scene.app, own=True), vault.refs()
    with pytest.raises(error):
        vault.deploy([SKILL], scene.app, version=version)
    assert (picture(scene.app, own=True), vault.refs()) == before


@pytest.mark.parametrize("names", [[], [SKILL, "command/review"]])
def test_a_version_goes_with_one_artifact(scene: Scene, vault: Vault, names: list[str]) -> None:
    with pytest.raises(UsageError, match="name exactly one"):
        vault.deploy(names, scene.app, version="~1")


def test_a_pin_holds_against_updates_until_it_is_taken_off(scene: Scene, vault: Vault) -> None:
    (pinned,) = vault.deploy([SKILL], scene.app, version="~1", pin=True).artifacts
    assert pinned.version is not None
    change_line(scene.lib / PDF, 3, "four")
    before = picture(scene.app)
    for names in ([], [SKILL]):
        for strategy in DeployStrategy:
            (row,) = vault.deploy(names, scene.app, strategy=strategy).artifacts
            assert (row.action, row.version) == (Action.PINNED, pinned.version)
    assert picture(scene.app) == before
    row = row_of(vault, scene.app)
    assert (row.status, row.behind, row.recommendation) == (Status.OUTDATED, 2, Recommendation.NOTHING)
    assert (row.pin, f'pin = "{row.pin}"' in lock(scene)) == (pinned.version.hex()[:12], True)
    assert [row.action for row in vault.unpin([SKILL], scene.app).artifacts] == [Action.UNPINNED]
    assert "pin" not in lock(scene)
    assert [row.action for row in vault.unpin([SKILL], scene.app).artifacts] == [Action.NOTHING]
    assert [row.action for row in vault.deploy([], scene.app).artifacts] == [Action.UPDATED]
    assert (scene.app / DEPLOYED).read_text() == text(line3="four")


def test_a_pin_by_a_relative_name_says_which_version_it_is(scene: Scene, vault: Vault) -> None:
    """The lock file had `pin = "~1"`, which is another version with each update of the collection."""
    (row,) = vault.deploy([SKILL], scene.app, version="~1", pin=True).artifacts
    assert row.version is not None
    assert row_of(vault, scene.app).pin == row.version.hex()[:12]


def test_pin_and_undo(scene: Scene, vault: Vault) -> None:
    before = lock(scene)
    (row,) = vault.pin([SKILL], scene.app).artifacts
    assert (row.action, row.version) == (Action.PINNED, row_of(vault, scene.app).deployed)
    assert [row.action for row in vault.pin([SKILL], scene.app).artifacts] == [Action.NOTHING]
    vault.undo()
    assert (lock(scene), row_of(vault, scene.app).pin) == (before, None)


def test_edits_of_a_pinned_copy_are_seen_and_pulled(scene: Scene, vault: Vault) -> None:
    vault.deploy([SKILL], scene.app, version="~1", pin=True)
    change_line(scene.app / DEPLOYED, 9, "mine")
    assert row_of(vault, scene.app).status is Status.CONFLICT
    (row,) = vault.deploy([], scene.app).artifacts
    assert (row.action, (scene.app / DEPLOYED).read_text()) == (Action.KEPT, text(line3="two", line9="mine"))
    (pulled,) = vault.pull([SKILL], scene.app).artifacts
    assert (pulled.action, scene.tip_text()) == (Action.MERGED, text(line3="three", line9="mine"))
    assert row_of(vault, scene.app).pin is not None


def test_another_version_moves_a_pin(scene: Scene, vault: Vault) -> None:
    vault.pin([SKILL], scene.app)
    (row,) = vault.deploy([SKILL], scene.app, version="~2").artifacts
    assert row.version is not None
    assert row_of(vault, scene.app).pin == row.version.hex()[:12]


def test_a_pin_of_what_is_up_to_date(scene: Scene, vault: Vault) -> None:
    (row,) = vault.deploy([SKILL], scene.app, pin=True).artifacts
    assert (row.action, row_of(vault, scene.app).pin is not None) == (Action.PINNED, True)
