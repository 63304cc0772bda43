"""What a command leaves in a project that is new, or a copy of another one: nothing, unless it does something."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casvault import Action, Status, Vault
from casvault.errors import RefusedError, UsageError
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"
Command = Callable[[Vault, Path], Any]


def everything(scene: Scene, project: Path) -> object:
    vault = scene.vault()
    assert vault.path is not None
    own = {path.name: path.read_bytes() for path in vault.path.iterdir() if path.is_file()}
    return picture(project, own=True), picture(scene.lib, own=True), own, vault.refs(), len(vault.operations())


@pytest.mark.parametrize(
    "command",
    [
        lambda vault, project: vault.deploy([SKILL], project),
        lambda vault, project: vault.adopt([SKILL], project),
    ],
)
def test_a_refusal_leaves_no_trace_in_a_new_project(scene: Scene, command: Command) -> None:
    """Its marker stayed behind, and its name was taken for good."""
    write(scene.app, DEPLOYED, "mine\n")
    before = everything(scene, scene.app)
    with pytest.raises(RefusedError):
        command(scene.vault(), scene.app)
    assert everything(scene, scene.app) == before


@pytest.fixture
def copied(scene: Scene) -> Path:
    """A copy of a project, with an edit of its own, that nobody has told the vault of."""
    scene.vault().deploy([SKILL, "command/review"], scene.app)
    copied = scene.root / "copied"
    shutil.copytree(scene.app, copied)
    change_line(copied / DEPLOYED, 3, "edited in the copy")
    return copied


@pytest.mark.parametrize(
    "command",
    [
        lambda vault, project: vault.deploy([SKILL], project),
        lambda vault, project: vault.deploy([], project, version="~1"),
        lambda vault, project: vault.pull([SKILL], project, delete=True),
    ],
)
def test_a_refusal_leaves_no_trace_in_a_copy(scene: Scene, copied: Path, command: Command) -> None:
    """It had been registered under a name of its own, in an operation, before it was refused."""
    shutil.rmtree(copied / f".claude/{SKILL}")
    change_line(scene.lib / PDF, 5, "lib")
    before = everything(scene, copied)
    with pytest.raises((RefusedError, UsageError)):
        command(scene.vault(), copied)
    assert everything(scene, copied) == before


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (lambda vault, project, **options: vault.deploy([], project, **options), "dry_run"),
        (lambda vault, project, **options: vault.undeploy([SKILL], project, **options), "dry_run"),
        (lambda vault, project, **options: vault.adopt([SKILL], project, **options), "dry_run"),
        (lambda vault, project, **options: vault.pull([], project, **options), "preview"),
    ],
    ids=["deploy", "undeploy", "adopt", "pull"],
)
def test_a_preview_in_a_copy_is_what_happens_then(
    scene: Scene, copied: Path, command: Callable[..., Any], flag: str
) -> None:
    """A preview took everything in the copy for files that were never deployed."""
    vault = scene.vault()
    before = everything(scene, copied)
    shown = command(vault, copied, **{flag: True})
    assert everything(scene, copied) == before
    done = command(vault, copied)
    assert [(row.artifact, row.status, row.action, row.files) for row in shown.artifacts] == [
        (row.artifact, row.status, row.action, row.files) for row in done.artifacts
    ]
    assert done.project == "app-2"


def test_drift_of_a_copy_records_nothing_and_says_so(scene: Scene, copied: Path) -> None:
    vault = scene.vault()
    before = everything(scene, copied)
    result = vault.drift(copied)
    assert {row.artifact: row.status for row in result.rows}[SKILL] is Status.MODIFIED
    assert (result.recorded, len(result.notes)) == (0, 1)
    assert "copy of another project" in result.notes[0]
    assert everything(scene, copied) == before


def test_a_copy_and_its_original_go_their_own_ways(scene: Scene, copied: Path) -> None:
    vault = scene.vault()
    assert [row.action for row in vault.pull([SKILL], copied).artifacts] == [Action.TAKEN]
    assert {row.artifact: row.status for row in vault.drift(copied).rows}[SKILL] is Status.IN_SYNC
    assert {row.artifact: row.status for row in vault.drift(scene.app).rows}[SKILL] is Status.OUTDATED
    vault.undeploy([SKILL], copied)
    assert (scene.app / DEPLOYED).exists()
    assert_clean(vault)


def test_a_moved_project_is_found_again(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edited")
    vault.drift(scene.app)
    moved = scene.root / "moved"
    shutil.move(scene.app, moved)
    (row,) = vault.drift(moved).rows
    assert (row.project, row.status, row.observed is not None) == ("app", Status.MODIFIED, True)
    assert [row.action for row in vault.pull([SKILL], moved).artifacts] == [Action.TAKEN]
    assert [(project.name, project.directory) for project in vault.projects()] == [("app", moved)]


def test_a_copy_of_a_project_that_is_gone_is_that_project(scene: Scene, copied: Path) -> None:
    vault = scene.vault()
    shutil.rmtree(scene.app)
    assert vault.pull([SKILL], copied).project == "app"
    assert [(project.name, project.directory) for project in vault.projects()] == [("app", copied)]
