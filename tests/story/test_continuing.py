"""Merges that wait: pulled or deployed into a conflict, resolved in every way, continued, met again, given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casvault import Action, DeployStrategy, How, PullStrategy, Recommendation, Status, Vault
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.vault.results import DriftRow
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write

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
