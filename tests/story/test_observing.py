"""What drift says and records as time goes by: edits seen first, ended, begun anew; deploys at different times."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault import Status, Vault
from casvault.errors import FailureError
from casvault.vault.results.projects import DriftResult, DriftRow
from tests.story.privileges import read_only
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, command, picture, text, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000

    def __call__(self) -> tuple[int, int]:
        return self.now, 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(scene: Scene, clock: Clock) -> Vault:
    return scene.vault(clock=clock)


def row_of(result: DriftResult, artifact: str = SKILL) -> DriftRow:
    return next(row for row in result.rows if row.artifact == artifact)


def test_each_deployment_has_its_own_time(scene: Scene, vault: Vault, clock: Clock) -> None:
    first = clock.now
    vault.deploy([SKILL], scene.app)
    clock.now += 1000
    vault.deploy(["command/review"], scene.app)
    clock.now += 1000
    vault.deploy([], scene.app)
    result = vault.drift(scene.app)
    assert {row.artifact: row.last_deployed for row in result.rows} == {SKILL: first, REVIEW: first + 1000}
    change_line(scene.lib / PDF, 3, "lib")
    clock.now += 1000
    vault.deploy([], scene.app)
    result = vault.drift(scene.app)
    assert {row.artifact: row.last_deployed for row in result.rows} == {SKILL: first + 3000, REVIEW: first + 1000}


def test_when_edits_were_seen_first(scene: Scene, vault: Vault, clock: Clock) -> None:
    """A later edit is part of the same story; one that begins after the copy was clean again is another one."""
    vault.deploy([SKILL], scene.app)
    assert row_of(vault.drift(scene.app)).first_seen is None
    file = scene.app / DEPLOYED
    clock.now += 10
    change_line(file, 3, "edited")
    began = clock.now
    result = vault.drift(scene.app)
    assert (row_of(result).first_seen, result.recorded) == (began, 1)
    for value in ("again", "and again"):
        clock.now += 100
        change_line(file, 5, value)
        assert row_of(vault.drift(scene.app)).first_seen == began
    clock.now += 100
    file.write_text(text())
    result = vault.drift(scene.app)
    assert (row_of(result).status, row_of(result).first_seen, row_of(result).observed) == (Status.IN_SYNC, None, None)
    clock.now += 100
    change_line(file, 3, "a new beginning")
    assert row_of(vault.drift(scene.app)).first_seen == clock.now
    vault.pull([SKILL], scene.app)
    clock.now += 100
    change_line(file, 3, "after the pull")
    assert row_of(vault.drift(scene.app)).first_seen == clock.now
    assert_clean(vault)


def test_a_look_at_all_projects_is_at_most_one_operation(scene: Scene, vault: Vault) -> None:
    other = scene.root / "other"
    other.mkdir()
    for place in (scene.app, other):
        vault.deploy([SKILL, "command/review"], place)
        change_line(place / DEPLOYED, 3, place.name)
        change_line(place / f".claude/{REVIEW}", 3, place.name)
    count = len(vault.operations())
    result = vault.drift()
    assert (result.recorded, len(vault.operations())) == (4, count + 1)
    assert (result.operation, vault.operations()[0].kind) == (vault.operations()[0].number, "observe")
    refs = vault.refs()
    again = vault.drift()
    assert (again.recorded, again.operation, len(vault.operations()), vault.refs()) == (0, None, count + 1, refs)
    assert again.rows == tuple(
        row._replace(last_checked=ours.last_checked) for row, ours in zip(result.rows, again.rows, strict=True)
    )


def test_looking_without_recording(scene: Scene, vault: Vault) -> None:
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edited")
    change_line(scene.lib / PDF, 3, "lib")
    before = vault.refs(), len(vault.operations()), picture(scene.app, own=True), picture(scene.lib, own=True)
    result = vault.drift(scene.app, record=False)
    row = row_of(result)
    assert (row.status, row.ahead, row.conflicts, row.observed, result.recorded) == (Status.CONFLICT, 1, 1, None, 0)
    after = vault.refs(), len(vault.operations()), picture(scene.app, own=True), picture(scene.lib, own=True)
    assert after == before


def test_a_large_edit_is_named_and_not_recorded(scene: Scene, vault: Vault) -> None:
    assert vault.path is not None
    write(scene.lib, "skills/pdf/data.bin", b"\0" * 10)
    vault.deploy([SKILL, "command/review"], scene.app)
    _limit(vault, 1000)
    again = scene.vault()
    write(scene.app, ".claude/skills/pdf/data.bin", b"\0" * 1001)
    change_line(scene.app / f".claude/{REVIEW}", 3, "small")
    result = again.drift(scene.app)
    assert result.notes == ("not recorded, as they are larger than observe_max_size: .claude/skills/pdf/data.bin",)
    assert (result.recorded, row_of(result).status, row_of(result).observed) == (1, Status.MODIFIED, None)
    # What asks for it by name takes it all the same.
    again.pull([SKILL], scene.app)
    assert (scene.lib / "skills/pdf/data.bin").read_bytes() == b"\0" * 1001


def _limit(vault: Vault, size: int) -> None:
    assert vault.path is not None
    config = vault.path / "vault.toml"
    config.chmod(0o644)
    config.write_text(config.read_text() + f"observe_max_size = {size}\n")


def test_a_vault_that_cannot_be_written_is_looked_at_all_the_same(scene: Scene, vault: Vault) -> None:
    assert vault.path is not None
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edited")
    count = len(vault.operations())
    with read_only(vault.path):
        result = scene.vault().drift(scene.app)
    row = row_of(result)
    assert (row.status, row.observed, result.recorded, len(result.notes)) == (Status.MODIFIED, None, 0, 1)
    assert "nothing was recorded" in result.notes[0]
    assert len(vault.operations()) == count


def test_an_edit_that_drift_has_recorded_is_not_lost(scene: Scene, vault: Vault, tmp_path: Path) -> None:
    """Somebody runs `git checkout` in the project: the edit is still in the vault, and can be had from there."""
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "precious")
    observed = row_of(vault.drift(scene.app)).observed
    assert observed is not None
    (scene.app / DEPLOYED).write_text(text())
    vault.drift(scene.app)
    vault.restore_to(tmp_path / "rescued", str(observed))
    assert (tmp_path / "rescued/SKILL.md").read_text() == text(line3="precious")
    assert_clean(vault)


def test_one_project_that_cannot_be_read_says_nothing_of_the_others(scene: Scene, vault: Vault) -> None:
    """A symlink to nothing in one of a hundred projects, and `drift --all` told nothing of any."""
    other = scene.root / "other"
    other.mkdir()
    for project in (scene.app, other):
        vault.deploy([SKILL], project)
    change_line(other / DEPLOYED, 3, "edited")
    shutil.rmtree(scene.app / ".claude" / SKILL)
    (scene.app / ".claude" / SKILL).symlink_to("/nowhere/at/all")
    result = vault.drift()
    assert [(row.project, row.status) for row in result.rows] == [("other", Status.MODIFIED)]
    assert (result.recorded, result.skipped) == (1, ("app",))
    assert "project app was not looked at" in result.notes[0]
    done = command(scene.lib, "drift", "--all")
    assert (done.returncode, "a symlink to something that is not there" in done.stderr) == (1, True)
    with pytest.raises(FailureError, match="not there"):
        vault.drift(scene.app)
