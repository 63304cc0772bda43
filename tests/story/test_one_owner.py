"""One path of a project belongs to one deployment, whoever asks for it; what lies there is met before the record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault import Action, PullStrategy, Status, Vault
from casvault.errors import RefusedError
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, write

DEPLOYED = f".claude/{PDF}"


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """A vault with another collection that has the same skill, seen from outside of both."""
    team = scene.root / "team"
    shutil.copytree(scene.lib / "skills", team / "skills")
    write(team, "skills/pdf2/SKILL.md", "of the team\n")
    scene.vault().add_collection(team)
    return Vault.open(scene.lib / ".casvault")


def owners(vault: Vault, project: Path) -> list[tuple[str, str, Status]]:
    return [(row.collection, row.artifact, row.status) for row in vault.drift(project).rows]


def test_adopt_does_not_guess_which_of_two_collections_a_copy_came_from(scene: Scene, vault: Vault) -> None:
    """Both were adopted at one path, and the lock file that should say so could not be written."""
    shutil.copytree(scene.lib / "skills", scene.app / ".claude/skills")
    result = vault.adopt([], scene.app)
    assert [row.action for row in result.artifacts] == [Action.LEFT, Action.LEFT]
    assert {row.reason for row in result.artifacts} == {"several collections have this content: lib, team"}
    chosen = vault.adopt([], scene.app, collection="team")
    assert [row.action for row in chosen.artifacts] == [Action.ADOPTED]
    assert owners(vault, scene.app) == [("team", "skills/pdf", Status.IN_SYNC)]


def test_adopt_takes_the_one_collection_whose_version_it_is(scene: Scene, vault: Vault) -> None:
    shutil.copytree(scene.lib / "skills", scene.app / ".claude/skills")
    change_line(scene.root / "team" / PDF, 2, "another")
    result = vault.adopt([], scene.app)
    assert {row.collection: row.action for row in result.artifacts}["lib"] is Action.LEFT
    vault.remove(["skill/pdf"], collection="team")
    vault.adopt([], scene.app)
    assert owners(vault, scene.app) == [("lib", "skills/pdf", Status.IN_SYNC)]


def test_pull_takes_nothing_to_a_collection_that_it_was_not_deployed_from(scene: Scene, vault: Vault) -> None:
    """The deployment of one collection was imported into another, and would have belonged to both."""
    vault.deploy(["skill/pdf"], scene.app, collection="lib")
    vault.remove(["skill/pdf"], collection="team")
    change_line(scene.app / DEPLOYED, 2, "edited")
    before = vault.refs()
    with pytest.raises(RefusedError, match="belongs to skills/pdf of collection lib"):
        vault.pull(["skill/pdf"], scene.app, collection="team")
    assert vault.refs() == before


def test_fork_does_not_relink_to_the_path_of_another_deployment(scene: Scene, vault: Vault) -> None:
    """Where the other deployment was missing on disk, two of them came to own one path."""
    vault.deploy(["skill/pdf"], scene.app, collection="lib")
    vault.deploy(["skill/pdf2"], scene.app, collection="team")
    shutil.rmtree(scene.app / ".claude/skills/pdf2")
    change_line(scene.app / DEPLOYED, 2, "edited")
    before = vault.refs()
    with pytest.raises(RefusedError, match="belongs to skills/pdf2 of collection team"):
        vault.pull(["skill/pdf"], scene.app, strategy=PullStrategy.FORK, fork_as="pdf2", relink=True, collection="lib")
    assert vault.refs() == before


def test_fork_is_refused_before_it_meets_files_at_its_new_path(scene: Scene) -> None:
    """It was recorded first and met them afterwards, which left the project interrupted."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / DEPLOYED, 2, "edited")
    write(scene.app, ".claude/skills/pdf2/SKILL.md", "somebody's own\n")
    before = picture(scene.app), picture(scene.lib), vault.refs()
    with pytest.raises(RefusedError, match="files are in the way"):
        vault.pull(["skill/pdf"], scene.app, strategy=PullStrategy.FORK, fork_as="pdf2", relink=True)
    assert (picture(scene.app), picture(scene.lib), vault.refs()) == before
    assert_clean(vault)
