"""What a file belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Status, Vault
from casvault.errors import NotFoundError
from casvault.vault.results.changes import ChangeKind
from tests.story.scene import PDF, REVIEW, Scene, change_line, picture, write

SKILL = "skills/pdf"


@pytest.fixture
def vault(scene: Scene) -> Vault:
    vault = scene.vault()
    vault.deploy([SKILL, "command/review"], scene.app)
    write(scene.app, f".claude/{SKILL}/run.pyc", "ignored\n")
    write(scene.app, f".claude/{SKILL}/new.md", "new\n")
    write(scene.app, ".claude/skills/mine/SKILL.md", "mine\n")
    write(scene.app, "src/main.py", "main\n")
    (scene.app / f".claude/{SKILL}/link").symlink_to("SKILL.md")
    change_line(scene.lib / REVIEW, 3, "changed")
    write(scene.lib, "README.md", "about\n")
    write(scene.lib, "skills/fresh/SKILL.md", "fresh\n")
    return vault


@pytest.mark.parametrize(
    ("path", "artifact", "kind", "status"),
    [
        (f".claude/{PDF}", SKILL, "skill", Status.MODIFIED),
        (f".claude/{SKILL}", SKILL, "skill", Status.MODIFIED),
        (f".claude/{SKILL}/new.md", SKILL, "skill", Status.MODIFIED),
        (f".claude/{SKILL}/run.pyc", SKILL, "skill", Status.MODIFIED),
        (f".claude/{SKILL}/link", SKILL, "skill", Status.MODIFIED),
        (f".claude/{SKILL}/absent", SKILL, "skill", Status.MODIFIED),
        (f".claude/{REVIEW}", REVIEW, "command", Status.OUTDATED),
        (".claude/skills/mine/SKILL.md", "skills/mine", "skill", Status.PROJECT_ONLY),
        (".claude/skills", None, None, None),
        ("src/main.py", None, None, None),
        ("casvault.lock", None, None, None),
        (".", None, None, None),
    ],
)
def test_in_a_project(
    scene: Scene, vault: Vault, path: str, artifact: str | None, kind: str | None, status: Status | None
) -> None:
    before = picture(scene.app, own=True), vault.refs()
    found = vault.which(scene.app / path)
    assert (found.project, found.artifact, found.kind, found.status) == ("app", artifact, kind, status)
    assert (found.collection, found.root) == ((None, None) if artifact is None else ("lib", ".claude"))
    deployed = {row.artifact: row.deployed for row in vault.drift(scene.app, record=False).rows}
    assert found.version == (None if artifact is None else deployed.get(artifact))
    assert (picture(scene.app, own=True), vault.refs()) == before


@pytest.mark.parametrize(
    ("path", "artifact", "change"),
    [
        (PDF, SKILL, None),
        (SKILL, SKILL, None),
        (REVIEW, REVIEW, ChangeKind.MODIFIED),
        ("skills/fresh/SKILL.md", "skills/fresh", ChangeKind.ADDED),
        ("README.md", None, ChangeKind.ADDED),
        ("skills", None, None),
        (".", None, None),
    ],
)
def test_in_a_collection(
    scene: Scene, vault: Vault, path: str, artifact: str | None, change: ChangeKind | None
) -> None:
    """A directory of artifacts, and the collection itself, were called removed."""
    found = vault.which(scene.lib / path)
    assert (found.project, found.collection, found.artifact, found.change) == (None, "lib", artifact, change)
    assert (found.version is not None) == (artifact in (SKILL, REVIEW))


def test_an_artifact_that_was_removed_from_the_collection(scene: Scene, vault: Vault) -> None:
    (scene.lib / REVIEW).unlink()
    found = vault.which(scene.lib / REVIEW)
    assert (found.artifact, found.change) == (REVIEW, ChangeKind.REMOVED)
    assert vault.which(scene.app / f".claude/{REVIEW}").status is Status.REMOVED


def test_outside_of_everything(scene: Scene, vault: Vault, tmp_path: Path) -> None:
    for place in (scene.root, tmp_path, tmp_path / "nowhere/at/all"):
        with pytest.raises(NotFoundError, match="in no project and no collection"):
            vault.which(place)


def test_a_project_of_another_vault(scene: Scene, vault: Vault, tmp_path: Path) -> None:
    write(tmp_path / "lib", PDF, "other\n")
    (tmp_path / "app").mkdir()
    other, _ = Vault.init(tmp_path / "lib")
    other.deploy([SKILL], tmp_path / "app")
    for place in (tmp_path / "app/.claude" / PDF, tmp_path / "lib" / PDF):
        with pytest.raises(NotFoundError, match=r"another vault|not a project of this vault"):
            vault.which(place)
