"""Merges that wait: pulled or deployed into a conflict, resolved in every way, continued, met again, given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casvault import Action, DeployStrategy, How, Recommendation, Status, Vault
from casvault.errors import RefusedError
from casvault.vault.results import DriftRow
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, text, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"
BOTH = text(line3="both").encode()


def clash(scene: Scene, vault: Vault) -> None:
    """The skill is deployed, and both sides change line 3."""
    vault.deploy([SKILL], scene.app)
    change_line(scene.lib / PDF, 3, "lib")
    change_line(scene.app / DEPLOYED, 3, "app")


def pulled(scene: Scene, vault: Vault) -> str:
    """The handle of a pull that waits."""
    clash(scene, vault)
    return waiting(vault.pull([SKILL], scene.app))


def deployed(scene: Scene, vault: Vault) -> str:
    """The handle of a deploy that waits."""
    clash(scene, vault)
    return waiting(vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE))


def waiting(result: Any) -> str:
    (row,) = result.artifacts
    assert row.action is Action.PENDING
    handle: str = row.merge
    return handle


def row_of(vault: Vault, project: Path, artifact: str = SKILL) -> DriftRow:
    return next(row for row in vault.drift(project).rows if row.artifact == artifact)


def test_edits_made_while_a_pull_waited_are_measured_from_what_was_pulled(scene: Scene) -> None:
    """They had been observed, and kept the old version as their parent: the next pull met a conflict that is none."""
    vault = scene.vault()
    handle = pulled(scene, vault)
    change_line(scene.app / DEPLOYED, 9, "later")
    vault.drift(scene.app)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.continue_merge(handle)
    row = row_of(vault, scene.app)
    assert (row.status, row.ahead, row.merge) == (Status.CONFLICT, 1, None)
    (again,) = vault.pull([SKILL], scene.app).artifacts
    assert (again.action, scene.tip_text()) == (Action.MERGED, text(line3="both", line9="later"))
    assert_clean(vault)


def deletions(scene: Scene, vault: Vault) -> None:
    """Of a skill of two files, each side has removed one and changed the other."""
    for name in ("a.md", "b.md"):
        write(scene.lib, f"skills/two/{name}", "1\n")
    vault.deploy(["skill/two"], scene.app)
    (scene.lib / "skills/two/a.md").unlink()
    write(scene.lib, "skills/two/b.md", "lib\n")
    (scene.app / ".claude/skills/two/b.md").unlink()
    write(scene.app, ".claude/skills/two/a.md", "app\n")


def test_a_pull_that_was_decided_to_be_a_deletion_is_not_restored_by_the_next(scene: Scene) -> None:
    """What the project still had counted as an edit, and `pull --all` brought the artifact back."""
    vault = scene.vault()
    deletions(scene, vault)
    before = picture(scene.lib), picture(scene.app)
    handle = waiting(vault.pull(["skill/two"], scene.app))
    vault.resolve(handle, "a.md", How.OURS)
    vault.resolve(handle, "b.md", How.THEIRS)
    assert vault.continue_merge(handle).artifact.action is Action.REMOVED
    assert not (scene.lib / "skills/two").exists()
    row = row_of(vault, scene.app, "skills/two")
    assert (row.status, row.recommendation) == (Status.REMOVED, Recommendation.RESTORE)
    assert [each.action for each in vault.pull([], scene.app).artifacts] == [Action.GONE]
    assert [each.action for each in vault.deploy([], scene.app, prune=True).artifacts] == [Action.REMOVED]
    for _ in range(2):
        vault.undo()
    assert (picture(scene.lib), picture(scene.app)) == before
    assert_clean(vault)


def test_a_deploy_that_was_decided_to_be_a_deletion(scene: Scene) -> None:
    vault = scene.vault()
    deletions(scene, vault)
    handle = waiting(vault.deploy(["skill/two"], scene.app, strategy=DeployStrategy.MERGE))
    vault.resolve(handle, "a.md", How.THEIRS)
    vault.resolve(handle, "b.md", How.OURS)
    assert vault.continue_merge(handle).artifact.action is Action.REMOVED
    assert not (scene.app / ".claude/skills/two").exists()
    assert (scene.lib / "skills/two/b.md").read_text() == "lib\n"
    assert vault.drift(scene.app).rows == ()
    vault.undo()
    assert (scene.app / ".claude/skills/two/a.md").read_text() == "app\n"
    assert_clean(vault)


@pytest.mark.parametrize("is_pull", [True, False])
def test_a_deletion_does_not_take_what_was_changed_since(scene: Scene, is_pull: bool) -> None:
    """The newer version went with the others, unseen by whoever had decided."""
    vault = scene.vault()
    deletions(scene, vault)
    if is_pull:
        handle = waiting(vault.pull(["skill/two"], scene.app))
        choices = (How.OURS, How.THEIRS)
    else:
        handle = waiting(vault.deploy(["skill/two"], scene.app, strategy=DeployStrategy.MERGE))
        choices = (How.THEIRS, How.OURS)
    for name, how in zip(("a.md", "b.md"), choices, strict=True):
        vault.resolve(handle, name, how)
    receiving = scene.lib / "skills/two" if is_pull else scene.app / ".claude/skills/two"
    write(receiving, "new.md", "worth keeping\n")
    with pytest.raises(RefusedError, match="has been changed since"):
        vault.continue_merge(handle)
    assert (receiving / "new.md").exists()
    assert [info.handle for info in vault.merges()] == [handle]


@pytest.mark.parametrize("name", ["skill/pdf", "skills/pdf2", "pdf2"])
@pytest.mark.parametrize("path", ["SKILL.md", "skills/pdf2/SKILL.md"])
def test_a_merge_of_an_artifact_that_was_moved_is_settled_by_either_name(scene: Scene, name: str, path: str) -> None:
    """Its conflicts are at the new path, and what was typed was only looked for below the old one."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    vault.move(SKILL, "pdf2")
    change_line(scene.lib / "skills/pdf2/SKILL.md", 3, "lib")
    change_line(scene.app / DEPLOYED, 3, "app")
    waiting(vault.pull([SKILL], scene.app))
    assert vault.resolve(name, path, How.THEIRS).merge.open == ()
    assert vault.continue_merge(name).artifact.path == "skills/pdf2"
    assert (scene.lib / "skills/pdf2/SKILL.md").read_text() == text(line3="app")
