"""Timelines: when edits were seen first, and what they came to; read off what was recorded on the way."""

from __future__ import annotations

import shutil

import pytest

from casvault import DeployStrategy, How, PullStrategy, Vault
from casvault.errors import NotFoundError
from casvault.vault.results.reports import ArtifactTimeline, Ending, EventKind
from tests.story.scene import PDF, Scene, change_line
from tests.story.test_continuing import BOTH, DEPLOYED, SKILL, pulled


def line(scene: Scene, vault: Vault) -> ArtifactTimeline:
    (found,) = vault.timeline(SKILL, scene.app)
    return found


def kinds(found: ArtifactTimeline) -> list[EventKind]:
    return [event.kind for event in found.events]


def edit(scene: Scene, vault: Vault, number: int, value: str) -> int:
    """Edit a line in the project and look; when that was."""
    change_line(scene.app / DEPLOYED, number, value)
    vault.drift(scene.app)
    return vault.operations()[0].seconds


@pytest.fixture
def vault(scene: Scene) -> Vault:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    return vault


def test_a_fresh_deployment(scene: Scene, vault: Vault) -> None:
    found = line(scene, vault)
    assert kinds(found) == [EventKind.DEPLOYED]
    assert (found.modified, found.first_seen, found.episodes) == (False, None, ())
    assert (found.deployed, found.settled, found.observed) == (vault.rev_parse(SKILL),) * 2 + (None,)
    assert found.deployed_at is not None
    assert found.deployed_at.seconds == vault.operations()[0].seconds
    assert found.last_checked is None


def test_the_first_sight_stays_through_later_edits_and_ends_when_it_is_clean_again(scene: Scene, vault: Vault) -> None:
    first = edit(scene, vault, 3, "one")
    edit(scene, vault, 4, "two")
    found = line(scene, vault)
    assert found.modified is True
    assert found.first_seen is not None
    assert found.first_seen.seconds <= first
    seen = found.first_seen
    assert found.parent == found.settled
    (episode,) = found.episodes
    assert (episode.since, episode.until, episode.edits, episode.version) == (seen, None, 2, found.observed)
    edit(scene, vault, 3, "line 3")
    ended = edit(scene, vault, 4, "line 4")
    found = line(scene, vault)
    assert (found.modified, found.first_seen, found.observed) == (False, None, None)
    (episode,) = found.episodes
    assert episode.until is not None
    assert (episode.since, episode.until.seconds, episode.ending, episode.edits) == (
        seen,
        ended,
        Ending.REVERTED,
        3,
    )
    assert kinds(found)[1:] == [EventKind.MODIFIED, EventKind.EDITED, EventKind.EDITED, EventKind.REVERTED]


def test_each_time_of_edits_is_kept(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "one")
    vault.pull([SKILL], scene.app)
    edit(scene, vault, 4, "two")
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE)
    found = line(scene, vault)
    assert [episode.ending for episode in found.episodes] == [Ending.PULLED, Ending.DEPLOYED_OVER]
    assert [event.kind for event in found.events if event.command in ("pull", "deploy")] == [
        EventKind.DEPLOYED,
        EventKind.PULLED,
        EventKind.REPLACED,
    ]


def test_edits_that_nobody_saw_before_the_pull(scene: Scene, vault: Vault) -> None:
    change_line(scene.app / DEPLOYED, 3, "one")
    assert line(scene, vault).modified is True
    assert line(scene, vault).first_seen is None
    vault.pull([SKILL], scene.app)
    found = line(scene, vault)
    (episode,) = found.episodes
    assert (episode.ending, episode.version) == (Ending.PULLED, found.settled)


def test_an_update_that_kept_the_edits(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "mine")
    change_line(scene.lib / PDF, 9, "theirs")
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE)
    found = line(scene, vault)
    assert [episode.ending for episode in found.episodes] == [Ending.MERGED]
    assert kinds(found)[-1] is EventKind.MERGED


def test_the_same_edit_on_both_sides(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "same")
    change_line(scene.lib / PDF, 3, "same")
    vault.pull([SKILL], scene.app)
    found = line(scene, vault)
    assert [episode.ending for episode in found.episodes] == [Ending.CONVERGED]
    assert kinds(found)[-1] is EventKind.SETTLED


def test_a_conflict_in_between(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.continue_merge(handle)
    found = line(scene, vault)
    assert kinds(found) == [
        EventKind.DEPLOYED,
        EventKind.CONFLICT,
        EventKind.MODIFIED,
        EventKind.RESOLVED,
        EventKind.PULLED,
    ]
    assert [episode.ending for episode in found.episodes] == [Ending.PULLED]


def test_undo_and_undeploy(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "mine")
    vault.pull([SKILL], scene.app)
    vault.undo()
    found = line(scene, vault)
    assert kinds(found)[-2:] == [EventKind.UNDONE, EventKind.MODIFIED]
    assert found.episodes[-1].until is None
    vault.undeploy([SKILL], scene.app)
    found = line(scene, vault)
    assert (found.deployed, found.status, found.modified) == (None, None, None)
    assert kinds(found)[-1] is EventKind.UNDEPLOYED
    assert found.episodes[-1].ending is Ending.UNDEPLOYED


def test_pins(scene: Scene, vault: Vault) -> None:
    vault.pin([SKILL], scene.app)
    vault.unpin([SKILL], scene.app)
    assert kinds(line(scene, vault))[1:] == [EventKind.PINNED, EventKind.UNPINNED]


def test_a_move_is_followed_back(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "mine")
    vault.pull([SKILL], scene.app)
    vault.move(SKILL, "skills/paper")
    vault.deploy(["skills/paper"], scene.app)
    (found,) = vault.timeline("skills/paper", scene.app)
    assert kinds(found)[:3] == [EventKind.DEPLOYED, EventKind.MODIFIED, EventKind.PULLED]
    assert EventKind.MOVED in kinds(found)
    assert [episode.ending for episode in found.episodes] == [Ending.PULLED]


def test_all_projects_and_one_that_is_not_there(scene: Scene, vault: Vault) -> None:
    other = scene.root / "other"
    other.mkdir()
    vault.deploy([SKILL], other)
    shutil.rmtree(other)
    found = {each.project: each for each in vault.timeline("pdf")}
    assert found.keys() == {"app", "other"}
    assert (found["other"].directory, found["other"].modified, found["other"].status) == (None, None, None)
    assert found["other"].deployed is not None
    with pytest.raises(NotFoundError):
        vault.timeline("review")


def test_the_fleet_names_what_is_not_there_and_filters(scene: Scene, vault: Vault) -> None:
    other = scene.root / "other"
    other.mkdir()
    vault.deploy([SKILL, "commands/review.md"], other)
    edit(scene, vault, 3, "mine")
    change_line(scene.lib / "commands/review.md", 1, "newer")
    vault.snapshot()
    before = vault.operations()
    rows = vault.fleet().rows
    assert [(row.drift.project, row.drift.artifact, row.drift.status.value, row.drift.behind) for row in rows] == [
        ("app", "skills/pdf", "modified", 0),
        ("other", "commands/review.md", "outdated", 1),
        ("other", "skills/pdf", "in_sync", 0),
    ]
    assert [row.drift.artifact for row in vault.fleet(behind=True).rows] == ["commands/review.md"]
    assert len(vault.fleet(artifact="pdf").rows) == 2
    status = rows[0].drift.status
    assert [row.directory for row in vault.fleet(statuses=[status]).rows] == [scene.app]
    assert rows[0].drift.first_seen is not None
    shutil.rmtree(other)
    result = vault.fleet()
    assert [(each.project, each.directory, each.deployments) for each in result.missing] == [("other", other, 2)]
    assert [row.drift.project for row in result.rows] == ["app"]
    assert vault.operations() == before


def test_pull_overwrite_ends_edits_as_pulled(scene: Scene, vault: Vault) -> None:
    edit(scene, vault, 3, "mine")
    change_line(scene.lib / PDF, 3, "theirs")
    vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    assert [episode.ending for episode in line(scene, vault).episodes] == [Ending.PULLED]
