"""Merges that wait: pulled or deployed into a conflict, resolved in every way, continued, met again, given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casvault import Action, DeployStrategy, How, PullStrategy, Recommendation, Status, Vault
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.vault.results.projects import DriftRow
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


CHOICES: list[tuple[How, bytes | None, str]] = [
    (How.OURS, None, text(line3="lib")),
    (How.THEIRS, None, text(line3="app")),
    (How.BASE, None, text()),
    (How.FILE, BOTH, BOTH.decode()),
    (How.EDIT, BOTH, BOTH.decode()),
]


@pytest.mark.parametrize(("how", "content", "result"), CHOICES, ids=[choice[0].name for choice in CHOICES])
def test_a_pull_is_resolved_and_taken_home(scene: Scene, how: How, content: bytes | None, result: str) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    before = picture(scene.lib), picture(scene.app)
    with pytest.raises(ConflictError, match="open conflicts"):
        vault.continue_merge(handle)
    vault.resolve(handle, "SKILL.md", how, content)
    assert (picture(scene.lib), picture(scene.app)) == before
    done = vault.continue_merge(handle, message="united").artifact
    assert (done.action, len(done.parents), vault.merges()) == (Action.MERGED, 2, [])
    assert (scene.lib / PDF).read_text() == scene.tip_text() == result
    assert (scene.app / DEPLOYED).read_text() == text(line3="app")
    row = row_of(vault, scene.app)
    assert row.status is (Status.IN_SYNC if how is How.THEIRS else Status.OUTDATED)
    # What was decided is not asked again: the update goes into the project, and nothing is left to pull.
    vault.deploy([], scene.app)
    assert (scene.app / DEPLOYED).read_text() == result
    assert [each.action for each in vault.pull([], scene.app).artifacts] == [Action.NOTHING]
    for _ in range(2 if how is not How.THEIRS else 1):
        vault.undo()
    assert (picture(scene.lib), picture(scene.app)) == before or how is How.THEIRS
    assert_clean(vault)


@pytest.mark.parametrize(
    ("how", "content"), [choice[:2] for choice in CHOICES], ids=[choice[0].name for choice in CHOICES]
)
def test_a_deploy_is_resolved_and_written_into_the_project(scene: Scene, how: How, content: bytes | None) -> None:
    vault = scene.vault()
    handle = deployed(scene, vault)
    before = picture(scene.lib), picture(scene.app)
    vault.resolve(handle, "SKILL.md", how, content)
    done = vault.continue_merge(handle).artifact
    # Ours is the side that receives the result: the project.
    expected = {How.OURS: text(line3="app"), How.THEIRS: text(line3="lib"), How.BASE: text()}
    assert (done.action, picture(scene.lib), vault.merges()) == (Action.MERGED, before[0], [])
    assert (scene.app / DEPLOYED).read_text() == expected.get(how, BOTH.decode())
    row = row_of(vault, scene.app)
    assert (row.settled, row.deployed, row.behind) == (done.version, row.collection_version, 0)
    assert row.status is (Status.IN_SYNC if how is How.THEIRS else Status.AHEAD)
    # The next update finds the decision made: only what is new is merged.
    change_line(scene.lib / PDF, 9, "next")
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE)
    assert (scene.app / DEPLOYED).read_text() == expected.get(how, BOTH.decode()).replace("line 9", "next")
    vault.undo()
    vault.undo()
    assert picture(scene.app) == before[1]
    assert_clean(vault)


def test_the_collection_moved_on_elsewhere_while_a_pull_waited(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    change_line(scene.lib / PDF, 9, "meanwhile")
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
    assert (scene.lib / PDF).read_text() == text(line3="both", line9="meanwhile")
    assert row_of(vault, scene.app).status is Status.OUTDATED
    assert_clean(vault)


def test_the_collection_moved_on_in_the_same_line_while_a_pull_waited(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.lib / PDF, 3, "meanwhile")
    before = picture(scene.lib), picture(scene.app)
    again = vault.continue_merge(handle)
    assert (again.artifact.action, again.is_complete, again.artifact.merge) == (Action.PENDING, False, handle)
    assert (picture(scene.lib), picture(scene.app)) == before
    marked = vault.conflict_text(handle, "SKILL.md")
    assert marked is not None
    # What was decided before is a side of the new conflict, and its base is what it was decided against.
    assert all(word in marked.text for word in (b"meanwhile\n", b"both\n", b"lib\n"))
    vault.resolve(handle, "SKILL.md", How.FILE, text(line3="at last").encode())
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
    assert scene.tip_text() == text(line3="at last")
    assert vault.merges() == []
    assert_clean(vault)


def test_the_project_moved_on_while_a_deploy_waited(scene: Scene) -> None:
    """The newer observation knew nothing of the one that was merged, so there was a conflict that is none."""
    vault = scene.vault()
    handle = deployed(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.app / DEPLOYED, 9, "meanwhile")
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
    assert (scene.app / DEPLOYED).read_text() == text(line3="both", line9="meanwhile")
    assert row_of(vault, scene.app).behind == 0


def test_the_project_moved_on_in_the_same_line_while_a_deploy_waited(scene: Scene) -> None:
    vault = scene.vault()
    handle = deployed(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.app / DEPLOYED, 3, "meanwhile")
    before = picture(scene.lib), picture(scene.app)
    assert vault.continue_merge(handle).artifact.action is Action.PENDING
    assert (picture(scene.lib), picture(scene.app)) == before
    vault.resolve(handle, "SKILL.md", How.OURS)
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
    assert (scene.app / DEPLOYED).read_text() == text(line3="meanwhile")
    assert row_of(vault, scene.app).status is Status.AHEAD
    assert_clean(vault)


def test_the_project_took_its_edit_back_while_a_deploy_waited(scene: Scene) -> None:
    """The result would have brought back what was taken back, as if nothing had happened."""
    vault = scene.vault()
    handle = deployed(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.app / DEPLOYED, 3, "line 3")
    assert vault.continue_merge(handle).artifact.action is Action.PENDING
    assert (scene.app / DEPLOYED).read_text() == text()


def test_the_collection_moved_on_while_a_deploy_waited(scene: Scene) -> None:
    """The result is of the update that was on its way; the newer one is the next."""
    vault = scene.vault()
    handle = deployed(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.lib / PDF, 9, "meanwhile")
    vault.continue_merge(handle)
    assert (scene.app / DEPLOYED).read_text() == BOTH.decode()
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE)
    assert (scene.app / DEPLOYED).read_text() == text(line3="both", line9="meanwhile")


@pytest.mark.parametrize("begin", [pulled, deployed])
def test_a_merge_is_given_up(scene: Scene, begin: Any) -> None:
    vault = scene.vault()
    handle = begin(scene, vault)
    before = picture(scene.lib), picture(scene.app)
    vault.resolve(handle, "SKILL.md", How.OURS)
    vault.abort_merge(handle)
    assert (picture(scene.lib), picture(scene.app), vault.merges()) == (*before, [])
    row = row_of(vault, scene.app)
    assert (row.status, row.recommendation) == (Status.CONFLICT, Recommendation.RESOLVE)
    with pytest.raises(NotFoundError):
        vault.continue_merge(handle)


def two_conflicts(scene: Scene, vault: Vault) -> str:
    vault.deploy([SKILL], scene.app)
    for directory, value in ((scene.lib, "lib"), (scene.app / ".claude", "app")):
        change_line(directory / PDF, 3, value)
        write(directory, "skills/pdf/old.txt", f"{value}\n")
    handle = waiting(vault.pull([SKILL], scene.app))
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.resolve(handle, "old.txt", How.THEIRS)
    return handle


def test_a_second_pull_keeps_what_was_decided_where_the_conflict_is_the_same(scene: Scene) -> None:
    vault = scene.vault()
    handle = two_conflicts(scene, vault)
    write(scene.app, ".claude/skills/pdf/old.txt", "app, again\n")
    assert waiting(vault.pull([SKILL], scene.app)) == handle
    info = vault.merge_info(handle)
    assert {each.path: each.how for each in info.conflicts} == {PDF: How.FILE, "skills/pdf/old.txt": None}
    vault.resolve(handle, "old.txt", How.THEIRS)
    vault.continue_merge(handle)
    assert (scene.lib / PDF).read_bytes() == BOTH
    assert (scene.lib / "skills/pdf/old.txt").read_text() == "app, again\n"


def test_a_second_pull_of_the_same_is_no_operation(scene: Scene) -> None:
    vault = scene.vault()
    handle = two_conflicts(scene, vault)
    count = len(vault.operations())
    assert waiting(vault.pull([SKILL], scene.app)) == handle
    assert (len(vault.operations()), vault.merge_info(handle).open) == (count, ())


@pytest.mark.parametrize("how", ["edited away", "overwritten", "deployed over", "undeployed", "forked"])
def test_a_merge_ends_with_the_conflict(scene: Scene, how: str) -> None:
    """Nothing waits for an artifact whose sides came together in another way."""
    vault = scene.vault()
    pulled(scene, vault)
    if how == "edited away":
        change_line(scene.app / DEPLOYED, 3, "line 3")
        change_line(scene.app / DEPLOYED, 9, "elsewhere")
        vault.pull([SKILL], scene.app)
    elif how == "overwritten":
        vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    elif how == "deployed over":
        vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE)
    elif how == "undeployed":
        vault.undeploy([SKILL], scene.app)
    else:
        vault.pull([SKILL], scene.app, strategy=PullStrategy.FORK)
    assert vault.merges() == []
    vault.undo()
    assert len(vault.merges()) == 1


def test_a_pull_of_several_takes_what_is_clean_and_names_what_waits(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL, "command/review"], scene.app)
    change_line(scene.lib / PDF, 3, "lib")
    change_line(scene.app / DEPLOYED, 3, "app")
    change_line(scene.app / f".claude/{REVIEW}", 3, "app")
    result = vault.pull([], scene.app)
    assert [(row.artifact, row.action) for row in result.artifacts] == [
        (REVIEW, Action.TAKEN),
        (SKILL, Action.PENDING),
    ]
    assert (result.is_complete, scene.tip_text(REVIEW)) == (False, text(line3="app"))
    assert (scene.lib / PDF).read_text() == text(line3="lib")


def test_a_pull_is_continued_without_its_project(scene: Scene) -> None:
    """Its edits are in the vault; but a deploy has nowhere to write to."""
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    scene.app.rename(scene.root / "gone")
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
    assert (scene.lib / PDF).read_bytes() == BOTH


def test_a_deploy_is_not_continued_without_its_project(scene: Scene) -> None:
    vault = scene.vault()
    handle = deployed(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    scene.app.rename(scene.root / "gone")
    with pytest.raises(NotFoundError, match="not where it was"):
        vault.continue_merge(handle)
    (scene.root / "gone").rename(scene.app)
    assert vault.continue_merge(handle).artifact.action is Action.MERGED


def test_the_artifact_is_gone_from_the_collection_by_then(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.remove([SKILL])
    with pytest.raises(RefusedError, match="not in the collection any more"):
        vault.continue_merge(handle)
    vault.restore("@~1", [SKILL])
    assert vault.continue_merge(handle).artifact.action is Action.MERGED
