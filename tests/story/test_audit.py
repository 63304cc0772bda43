"""The audit: every change with its ids, newest first, of one artifact or project, in a time, of some kinds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casvault import Vault
from casvault.errors import NotFoundError, UsageError
from casvault.vault.results.reports import AuditEntry, AuditKind
from tests.story.scene import Scene, change_line
from tests.story.test_continuing import DEPLOYED, SKILL


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """init, deploy, observe, pull, mv, branch."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "mine")
    vault.drift(scene.app)
    vault.pull([SKILL], scene.app)
    vault.move(SKILL, "skills/paper")
    vault.create_branch("old", "@~1")
    return vault


def rows(found: list[AuditEntry]) -> list[tuple[int, str, AuditKind, str | None]]:
    return [(entry.operation, entry.command, entry.kind, entry.artifact or entry.name) for entry in found]


def test_everything_newest_first(vault: Vault) -> None:
    assert rows(list(vault.iter_audit())) == [
        (6, "branch", AuditKind.BRANCH, "old"),
        (5, "mv", AuditKind.SNAPSHOT, None),
        (5, "mv", AuditKind.VERSION, "skills/paper"),
        (5, "mv", AuditKind.VERSION, "skills/pdf"),
        (4, "pull", AuditKind.SNAPSHOT, None),
        (4, "pull", AuditKind.VERSION, "skills/pdf"),
        (4, "pull", AuditKind.PULL, "skills/pdf"),
        (4, "pull", AuditKind.OBSERVATION, "skills/pdf"),
        (3, "observe", AuditKind.OBSERVATION, "skills/pdf"),
        (2, "deploy", AuditKind.DEPLOYMENT, "skills/pdf"),
        (1, "init", AuditKind.SNAPSHOT, None),
        (1, "init", AuditKind.VERSION, "commands/review.md"),
        (1, "init", AuditKind.VERSION, "skills/pdf"),
    ]


def test_ids_before_and_after_who_and_when(scene: Scene, vault: Vault) -> None:
    pulled = next(vault.iter_audit(kinds=[AuditKind.PULL]))
    timeline = vault.timeline("skills/paper", scene.app)[0]
    assert (pulled.before, pulled.after) == (vault.lineage("skills/paper")[-1].id, timeline.settled)
    operation = vault.operations()[2]
    assert (pulled.operation, pulled.id) == (operation.number, operation.id)
    assert (pulled.author, pulled.mail, pulled.at.seconds) == ("Ada", "ada@example.org", operation.seconds)


def test_an_artifact_under_all_its_names(vault: Vault) -> None:
    """It was moved: what happened at the old path is its history too."""
    numbers = [entry.operation for entry in vault.iter_audit("paper")]
    assert numbers == [5, 5, 4, 4, 4, 3, 2, 1]
    assert [entry.operation for entry in vault.iter_audit("review")] == [1]


def test_a_project(scene: Scene, vault: Vault) -> None:
    wanted = [4, 4, 3, 2]
    assert [entry.operation for entry in vault.iter_audit("app")] == wanted
    assert [entry.operation for entry in vault.iter_audit(str(scene.app))] == wanted


def test_an_artifact_that_is_gone(scene: Scene, vault: Vault) -> None:
    vault.remove(["review"])
    assert [entry.operation for entry in vault.iter_audit("commands/review.md")] == [7, 1]


def test_limit_time_and_kinds(vault: Vault) -> None:
    assert len(list(vault.iter_audit(limit=3))) == 3
    snapshots = list(vault.iter_audit(kinds=[AuditKind.SNAPSHOT]))
    assert [entry.operation for entry in snapshots] == [5, 4, 1]
    at = datetime.fromtimestamp(snapshots[1].at.seconds, UTC)
    assert {entry.operation for entry in vault.iter_audit(since=at)} == {4, 5, 6}
    assert {entry.operation for entry in vault.iter_audit(until=at)} == {1, 2, 3, 4}
    assert {entry.operation for entry in vault.iter_audit(since=at, until=at)} == {4}


def test_a_name_of_nothing_and_of_two_things(scene: Scene, vault: Vault) -> None:
    with pytest.raises(NotFoundError):
        vault.iter_audit("nothing")
    (scene.root / "review").mkdir()
    vault.deploy(["review"], scene.root / "review")
    with pytest.raises(UsageError, match=r"project review, commands/review\.md"):
        vault.iter_audit("review")


def test_an_operation_that_only_wrote_files_is_in_it(scene: Scene) -> None:
    """What was removed in a project is put back: no ref moves."""
    vault = scene.vault()
    vault.deploy(["review"], scene.app)
    (scene.app / ".claude/commands/review.md").unlink()
    vault.deploy(["review"], scene.app)
    assert rows(list(vault.iter_audit(limit=1))) == [(3, "deploy", AuditKind.NOTHING, None)]


def test_figures_of_a_small_vault(vault: Vault) -> None:
    found = vault.figures()
    assert found.operations == 6
    assert found.total.objects == vault.fsck().reachable
    assert sum(share.sizes.objects for share in found.kinds) == found.total.objects
    assert sum(share.sizes.stored for share in found.encodings) == found.total.stored
    assert found.total.stored < found.pack_bytes
    assert [(row.artifact, row.projects, row.deployments) for row in found.deployed] == [("skills/pdf", 1, 1)]
    assert [(row.project, row.operations, row.deployments, row.pulls) for row in found.projects] == [("app", 3, 1, 1)]
    (period,) = found.periods
    assert (period.operations, period.snapshots, period.versions, period.pulls) == (6, 3, 5, 1)
    assert period.total == found.total == period.added
    assert found.copies == period.copies
    assert vault.plot(found).startswith("<svg ")
