"""Artifacts that are renamed in their collections: deployments follow, edits find the new path, and the way back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, Recommendation, Status, Vault
from casvault.errors import LocalEditsError
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, text, write

OLD, NEW = "skills/pdf", "skills/pdf2"


def by_command(scene: Scene) -> None:
    scene.vault().move(OLD, NEW)


def on_disk(scene: Scene) -> None:
    shutil.move(scene.lib / OLD, scene.lib / NEW)


either_way = pytest.mark.parametrize("rename", [by_command, on_disk])
Rename = Callable[[Scene], None]


def deployed(scene: Scene, name: str = OLD) -> Path:
    return scene.app / ".claude" / name


def standing(vault: Vault, project: Path) -> list[tuple[str, str, Status, str | None]]:
    return [(row.collection, row.artifact, row.status, row.moved_to) for row in vault.drift(project).rows]


@pytest.fixture
def vault(scene: Scene) -> Vault:
    found = scene.vault()
    found.deploy([OLD, "command/review"], scene.app)
    return found


@either_way
@pytest.mark.parametrize("names", [[], [OLD], [NEW], ["skill/pdf2"]])
def test_deploy_moves_the_files_along(scene: Scene, vault: Vault, rename: Rename, names: list[str]) -> None:
    """By its new name it was deployed a second time, and the first copy could not be updated any more."""
    rename(scene)
    before, old = picture(scene.app), picture(deployed(scene))
    assert (("lib", OLD, Status.IN_SYNC, f"lib:{NEW}")) in standing(vault, scene.app)
    row = next(row for row in vault.drift(scene.app).rows if row.artifact == OLD)
    assert row.recommendation is Recommendation.DEPLOY
    shown = vault.deploy(names, scene.app, dry_run=True)
    assert picture(scene.app) == before
    done = vault.deploy(names, scene.app)
    actions = {each.artifact: each.action for each in done.artifacts}
    assert (actions, actions[OLD]) == ({each.artifact: each.action for each in shown.artifacts}, Action.MOVED)
    assert (picture(deployed(scene, NEW)), deployed(scene).exists()) == (old, False)
    assert ("lib", NEW, Status.IN_SYNC, None) in standing(vault, scene.app)
    assert len(standing(vault, scene.app)) == 2
    assert f'path = "{NEW}"' in (scene.app / "casvault.lock").read_text()
    vault.undo()
    assert picture(scene.app) == before
    vault.redo()
    assert [each.action for each in vault.deploy([], scene.app).artifacts] == [Action.NOTHING, Action.NOTHING]
    assert_clean(vault)


@either_way
def test_edits_go_to_the_new_path(scene: Scene, vault: Vault, rename: Rename) -> None:
    rename(scene)
    change_line(deployed(scene) / "SKILL.md", 3, "app")
    change_line(scene.lib / f"{NEW}/SKILL.md", 9, "lib") if rename is by_command else None
    before = picture(scene.lib)
    (row,) = vault.pull([OLD], scene.app).artifacts
    assert (row.action, row.path) == (Action.MERGED, NEW)
    wanted = text(line3="app", line9="lib") if rename is by_command else text(line3="app")
    assert (scene.lib / f"{NEW}/SKILL.md").read_text() == wanted
    assert not (scene.lib / OLD).exists()
    assert [each.action for each in vault.deploy([OLD], scene.app).artifacts] == [
        Action.UPDATED if rename is by_command else Action.MOVED
    ]
    assert (deployed(scene, NEW) / "SKILL.md").read_text() == wanted
    vault.undo()
    vault.undo()
    assert picture(scene.lib) == before
    assert_clean(vault)


def test_pull_by_the_new_name(scene: Scene, vault: Vault) -> None:
    """Nothing of the new name was found in the project, where it has the old one until the next deploy."""
    vault.move(OLD, NEW)
    change_line(deployed(scene) / "SKILL.md", 3, "app")
    (row,) = vault.pull([NEW], scene.app).artifacts
    assert (row.artifact, row.path, row.action) == (OLD, NEW, Action.MERGED)


def test_an_earlier_version_of_an_artifact_that_was_moved(scene: Scene, vault: Vault) -> None:
    """~1 was counted from the old path, at which nothing is."""
    vault.move(OLD, NEW)
    change_line(scene.lib / f"{NEW}/SKILL.md", 3, "lib")
    vault.snapshot()
    vault.deploy([], scene.app)
    (row,) = vault.deploy([NEW], scene.app, version="~1").artifacts
    assert (row.action, (deployed(scene, NEW) / "SKILL.md").read_text()) == (Action.UPDATED, text())


@either_way
@pytest.mark.parametrize(
    ("strategy", "action", "content"),
    [
        (DeployStrategy.MERGE, Action.MERGED, text(line3="app", line9="lib")),
        (DeployStrategy.OVERWRITE, Action.REPLACED, text(line9="lib")),
    ],
)
def test_edited_on_both_sides_and_moved(
    scene: Scene, vault: Vault, rename: Rename, strategy: DeployStrategy, action: Action, content: str
) -> None:
    rename(scene)
    vault.snapshot()
    change_line(scene.lib / f"{NEW}/SKILL.md", 9, "lib")
    change_line(deployed(scene) / "SKILL.md", 3, "app")
    before = picture(scene.app)
    with pytest.raises(LocalEditsError):
        vault.deploy([OLD], scene.app)
    (row,) = vault.deploy([OLD], scene.app, strategy=strategy).artifacts
    assert row.action is action
    assert (deployed(scene, NEW) / "SKILL.md").read_text() == content
    assert not deployed(scene).exists()
    vault.undo()
    assert picture(scene.app) == before


@either_way
@pytest.mark.parametrize("names", [[], [OLD]])
def test_files_that_are_in_the_way_stay(scene: Scene, vault: Vault, rename: Rename, names: list[str]) -> None:
    """After a rename on disk they were found when the operation was recorded already: the project was interrupted."""
    rename(scene)
    write(scene.app, f".claude/{NEW}/SKILL.md", "mine\n")
    before = picture(scene.app)
    if names:
        with pytest.raises(LocalEditsError, match="never deployed are in the way"):
            vault.deploy(names, scene.app)
    else:
        actions = [row.action for row in vault.deploy(names, scene.app).artifacts]
        assert actions == [Action.NOTHING, Action.LEFT]
    assert (picture(scene.app), vault.interrupted()) == (before, [])


def test_a_copy_that_was_renamed_by_hand_too(scene: Scene, vault: Vault) -> None:
    """The very files that the deploy was to write were in its way."""
    vault.move(OLD, NEW)
    shutil.move(deployed(scene), deployed(scene, NEW))
    before = picture(deployed(scene, NEW))
    vault.deploy([], scene.app)
    assert picture(deployed(scene, NEW)) == before
    assert ("lib", NEW, Status.IN_SYNC, None) in standing(vault, scene.app)


@pytest.mark.parametrize("new", ["team:skills/pdf", "team:skills/paper"])
def test_deployments_follow_into_another_collection(scene: Scene, vault: Vault, new: str) -> None:
    """At the same path of the other collection, the deployment's own files were taken for something in the way."""
    write(scene.root / "team", "skills/doc/SKILL.md", "doc\n")
    vault.add_collection(scene.root / "team")
    vault.move(OLD, new, collection="lib")
    path = new.partition(":")[2]
    change_line(deployed(scene) / "SKILL.md", 3, "app")
    before = picture(scene.app)
    (row,) = vault.pull([OLD], scene.app).artifacts
    assert (row.action, row.path) == (Action.MERGED, path)
    assert (scene.root / "team" / path / "SKILL.md").read_text() == text(line3="app")
    vault.deploy([], scene.app)
    assert ("team", path, Status.IN_SYNC, None) in standing(vault, scene.app)
    assert (deployed(scene, path) / "SKILL.md").read_text() == text(line3="app")
    assert deployed(scene).exists() == (path == OLD)
    vault.undo()
    vault.undo()
    assert picture(scene.app) == before
    assert ("lib", OLD, Status.MODIFIED, new) in standing(vault, scene.app)
    assert_clean(vault)


def test_a_renamed_and_rewritten_artifact_is_another_one(scene: Scene, vault: Vault) -> None:
    """Two artifacts that were made from one template are not one."""
    shutil.move(scene.lib / OLD, scene.lib / NEW)
    change_line(scene.lib / f"{NEW}/SKILL.md", 3, "another")
    assert ("lib", OLD, Status.REMOVED, None) in standing(vault, scene.app)
    assert [row.action for row in vault.deploy([], scene.app).artifacts] == [Action.NOTHING, Action.GONE]
    assert deployed(scene).exists()


def test_the_name_of_a_moved_artifact_that_another_one_has_now(scene: Scene, vault: Vault) -> None:
    vault.move(OLD, NEW)
    write(scene.lib, PDF, "another one\n")
    vault.snapshot()
    assert [row.action for row in vault.deploy([OLD], scene.app, dry_run=True).artifacts] == [Action.UPDATED]
