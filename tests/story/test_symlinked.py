"""Artifacts whose own root is a symlink: looked at with a note, written through only when asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casvault import Action, Status, Vault
from casvault.errors import RefusedError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write

SKILL = "skills/pdf"


def linked(place: Path, target: Path) -> None:
    """Move what is at a place elsewhere, and put a symlink to it there."""
    shutil.move(place, target)
    place.symlink_to(target)


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """Both kinds of artifact are deployed, then symlinks in the project; the collection has an update of each."""
    vault = scene.vault()
    vault.deploy([SKILL, "command/review"], scene.app)
    linked(scene.app / f".claude/{SKILL}", scene.root / "skill")
    linked(scene.app / f".claude/{REVIEW}", scene.root / "review.md")
    for path in (PDF, REVIEW):
        change_line(scene.lib / path, 3, "lib")
    return vault


def everything(scene: Scene, vault: Vault) -> object:
    return picture(scene.root, own=True), vault.refs(), len(vault.operations())


def test_drift_looks_through_them_and_says_so(scene: Scene, vault: Vault) -> None:
    """The notes of the scan were dropped: nothing told that what was looked at lies elsewhere."""
    result = vault.drift(scene.app)
    assert {row.artifact: row.status for row in result.rows} == dict.fromkeys((SKILL, REVIEW), Status.OUTDATED)
    assert [note.partition(":")[0] for note in result.notes] == [f".claude/{REVIEW}", f".claude/{SKILL}"]
    assert all("a symlink; what it leads to was taken" in note for note in result.notes)
    change_line(scene.root / "skill/SKILL.md", 9, "app")
    assert {row.artifact: row.status for row in vault.drift(scene.app).rows}[SKILL] is Status.CONFLICT


Command = Callable[..., Any]
WRITERS: dict[str, Command] = {
    "deploy": lambda vault, scene, **options: vault.deploy([], scene.app, **options),
    "deploy by name": lambda vault, scene, **options: vault.deploy([SKILL, "command/review"], scene.app, **options),
    "undeploy": lambda vault, scene, **options: vault.undeploy([SKILL, "command/review"], scene.app, **options),
}


@pytest.mark.parametrize("how", WRITERS)
def test_nothing_is_written_through_them_unless_asked_for(scene: Scene, vault: Vault, how: str) -> None:
    before = everything(scene, vault)
    with pytest.raises(RefusedError, match="symlink") as caught:
        WRITERS[how](vault, scene)
    assert "--follow" in (caught.value.remedy or "")
    assert everything(scene, vault) == before
    files = picture(scene.root)
    WRITERS[how](vault, scene, follow=True)
    if how == "undeploy":
        assert not (scene.root / "skill/SKILL.md").exists()
    else:
        assert (scene.app / f".claude/{SKILL}").is_symlink()
        assert (scene.app / f".claude/{REVIEW}").is_symlink()
        assert (scene.root / "skill/SKILL.md").read_text() == text(line3="lib")
        assert (scene.root / "review.md").read_text() == text(line3="lib")
        assert {row.status for row in vault.drift(scene.app).rows} == {Status.IN_SYNC}
    vault.undo()
    after = picture(scene.root)
    if how == "undeploy":
        # A file's symlink is what was removed, and a file comes back in its place; what it led to was never touched.
        assert (scene.app / f".claude/{REVIEW}").read_text() == (scene.root / "review.md").read_text() == text()
        after[f"app/.claude/{REVIEW}"] = files[f"app/.claude/{REVIEW}"]
    assert _files(after) == _files(files)
    assert_clean(vault)


def _files(found: dict[str, tuple[str, bytes]]) -> dict[str, tuple[str, bytes]]:
    """Without directories, and what lies behind a symlink only once."""
    return {path: state for path, state in found.items() if not state[0].startswith("0o4")}


def test_what_is_not_written_needs_no_follow(scene: Scene, vault: Vault) -> None:
    change_line(scene.root / "skill/SKILL.md", 9, "app")
    before = picture(scene.app)
    assert [row.action for row in vault.pull([SKILL], scene.app).artifacts] == [Action.MERGED]
    assert scene.tip_text() == text(line3="lib", line9="app")
    assert {path for path in before if path != "casvault.lock"} == set(picture(scene.app)) - {"casvault.lock"}
    vault.pin(["command/review"], scene.app)
    assert (scene.app / f".claude/{REVIEW}").is_symlink()


def test_a_symlink_in_the_collection(scene: Scene) -> None:
    write(scene.root, "elsewhere/SKILL.md", text())
    (scene.lib / "skills/linked").symlink_to(scene.root / "elsewhere")
    vault = scene.vault()
    assert any("skills/linked: a symlink" in note for note in vault.status().notes)
    vault.deploy(["skill/linked"], scene.app)
    deployed = scene.app / ".claude/skills/linked"
    assert (deployed.is_symlink(), (deployed / "SKILL.md").read_text()) == (False, text())
    change_line(deployed / "SKILL.md", 3, "app")
    before = everything(scene, vault)
    with pytest.raises(RefusedError, match="symlink"):
        vault.pull(["skill/linked"], scene.app)
    assert everything(scene, vault) == before
    vault.pull(["skill/linked"], scene.app, follow=True)
    assert (scene.root / "elsewhere/SKILL.md").read_text() == text(line3="app")
    assert (scene.lib / "skills/linked").is_symlink()
    vault.undo()
    assert (scene.root / "elsewhere/SKILL.md").read_text() == text()
    assert_clean(vault)


def test_a_symlink_that_leads_back_to_itself(scene: Scene, vault: Vault) -> None:
    (scene.app / f".claude/{SKILL}").unlink()
    (scene.app / f".claude/{SKILL}").symlink_to("pdf")
    with pytest.raises(RefusedError, match="leads back to itself"):
        vault.drift(scene.app)
