"""Lock files that are older than what they speak of, and large ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, Status
from casvault.errors import LocalEditsError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, command, picture, write

LOCK = "casvault.lock"


@pytest.fixture
def fresh(scene: Scene) -> Path:
    """A checkout that has a lock file, of before the artifact was given another name, and nothing else."""
    directory = scene.root / "fresh"
    directory.mkdir()
    scene.vault().deploy(["skill/pdf"], scene.app)
    shutil.copy(scene.app / LOCK, directory)
    return directory


def test_what_the_lock_file_calls_by_an_old_name_is_deployed_under_the_new_one(scene: Scene, fresh: Path) -> None:
    """The files went to the old path and the deployment to the new one, where it was missing from then on."""
    vault = scene.vault()
    vault.move("skill/pdf", "pdf2")
    vault.deploy_locked(fresh)
    assert picture(fresh / ".claude/skills") == picture(scene.lib / "skills")
    assert [(row.artifact, row.status) for row in vault.drift(fresh).rows] == [("skills/pdf2", Status.IN_SYNC)]
    vault.undo()
    assert not (fresh / ".claude/skills/pdf2").exists()


def test_files_that_came_with_the_lock_file_are_moved_to_the_new_name(scene: Scene, fresh: Path) -> None:
    """They were adopted at the new path, and stayed at the old one."""
    vault = scene.vault()
    shutil.copytree(scene.app / ".claude", fresh / ".claude")
    vault.move("skill/pdf", "pdf2")
    vault.deploy_locked(fresh)
    assert picture(fresh / ".claude/skills") == picture(scene.lib / "skills")
    assert [(row.artifact, row.status) for row in vault.drift(fresh).rows] == [("skills/pdf2", Status.IN_SYNC)]


def test_an_old_lock_file_does_not_prune_what_has_followed_its_artifact(scene: Scene, fresh: Path) -> None:
    """The deployment at the new path was taken for one that the lock file does not know, and removed."""
    vault = scene.vault()
    vault.move("skill/pdf", "pdf2")
    vault.deploy([], scene.app)
    shutil.copy(fresh / LOCK, scene.app / LOCK)
    result = vault.deploy_locked(scene.app, prune=True)
    assert [(row.artifact, row.action) for row in result.artifacts] == [("skills/pdf2", Action.SETTLED)]
    assert picture(scene.app / ".claude/skills") == picture(scene.lib / "skills")


def test_prune_leaves_what_was_edited_unless_it_is_to_be_overwritten(scene: Scene, fresh: Path) -> None:
    """A deployment that the lock file does not know was removed with its edits, which a deploy never does unasked."""
    vault = scene.vault()
    vault.deploy([REVIEW], scene.app)
    shutil.copy(fresh / LOCK, scene.app / LOCK)
    change_line(scene.app / ".claude" / REVIEW, 2, "edited")
    left = vault.deploy_locked(scene.app, prune=True)
    assert [row.action for row in left.artifacts] == [Action.NOTHING, Action.LEFT]
    assert not left.is_complete
    assert (scene.app / ".claude" / REVIEW).exists()
    shutil.copy(fresh / LOCK, scene.app / LOCK)
    gone = vault.deploy_locked(scene.app, prune=True, strategy=DeployStrategy.OVERWRITE)
    assert [row.action for row in gone.artifacts] == [Action.NOTHING, Action.REMOVED]
    vault.undo()
    assert "edited" in (scene.app / ".claude" / REVIEW).read_text()
    assert_clean(vault)


def test_an_edit_at_the_new_path_is_not_overwritten_by_an_old_lock_file(scene: Scene, fresh: Path) -> None:
    vault = scene.vault()
    vault.move("skill/pdf", "pdf2")
    vault.deploy([], scene.app)
    change_line(scene.app / ".claude/skills/pdf2/SKILL.md", 2, "edited")
    change_line(scene.lib / "skills/pdf2/SKILL.md", 2, "changed")
    shutil.copy(fresh / LOCK, scene.app / LOCK)
    before = picture(scene.app)
    with pytest.raises(LocalEditsError):
        vault.deploy_locked(scene.app)
    assert picture(scene.app) == before


def test_a_project_may_have_thousands_of_deployments(scene: Scene) -> None:
    """A lock file of more than a megabyte was taken for something else, and every later command was refused."""
    vault = scene.vault()
    names = [f"commands/{'with-a-name-that-takes-room-' * 8}/{number}.md" for number in range(2600)]
    for name in names:
        write(scene.lib, name, f"{name}\n")
    vault.deploy(names, scene.app)
    assert (scene.app / LOCK).stat().st_size > 1 << 20
    vault.deploy(["skill/pdf"], scene.app)
    assert (scene.app / ".claude" / PDF).exists()


def test_that_a_lock_file_was_written_again_is_in_the_document_too(scene: Scene, fresh: Path) -> None:
    """With --json nobody heard of it: warnings belong into the document, and this one was in none."""
    scene.vault().deploy([REVIEW], scene.app)
    shutil.copy(fresh / LOCK, scene.app / LOCK)
    document = json.loads(command(scene.app, "pin", "skill/pdf", "--json").stdout)
    (note,) = document["notes"]
    assert note.startswith("casvault.lock said something else")
