"""What the machine, and the questions asked while it was made, have found: one small story each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, PullStrategy, Status, Vault
from casvault.errors import LocalEditsError, RefusedError
from tests.support.dying import run_until_death

LINES = [f"line {number}\n" for number in range(8)]


class Scene:
    """A collection with two skills, and a project that has them."""

    def __init__(self, root: Path) -> None:
        self.root, self.lib, self.app = root, root / "lib", root / "app"
        for skill in ("one", "two"):
            write(self.lib / "skills" / skill / "SKILL.md", "".join(LINES))
            write(self.lib / "skills" / skill / "a.txt", "a\n")
        self.app.mkdir()
        self.vault, _ = Vault.init(self.lib, here=self.lib)
        self.vault.deploy(["skills/one", "skills/two"], self.app)

    def skill(self, name: str = "one", project: Path | None = None, root: str = ".claude") -> Path:
        return (project or self.app) / root / "skills" / name

    def reset(self, template: Path) -> None:
        for name in ("lib", "app"):
            shutil.rmtree(self.root / name)
            shutil.copytree(template / name, self.root / name)

    def statuses(self, project: Path) -> dict[str, Status]:
        return {f"{row.root}/{row.artifact}": row.status for row in self.vault.drift(project).rows}


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def edit(path: Path, line: int, text: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines[line] = text + "\n"
    path.write_text("".join(lines))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_pull_of_all_takes_the_edits_of_both_roots(scene: Scene) -> None:
    """Both rows said fast-forward, but the collection had only the second root's edit: the first one's was not in any
    version of it, and counted as settled.
    """
    scene.vault.deploy(["skills/one"], scene.app, root=".cursor")
    edit(scene.skill() / "SKILL.md", 0, "one root")
    edit(scene.skill(root=".cursor") / "SKILL.md", 7, "the other root")
    rows = {row.root: row for row in scene.vault.pull([], scene.app).artifacts if row.artifact == "skills/one"}
    assert [rows[root].action for root in (".claude", ".cursor")] == [Action.TAKEN, Action.MERGED]
    lines = (scene.lib / "skills/one/SKILL.md").read_text().splitlines()
    assert (lines[0], lines[7]) == ("one root", "the other root")
    assert rows[".cursor"].parents[0] == rows[".claude"].version
    assert set(scene.statuses(scene.app).values()) == {Status.IN_SYNC, Status.OUTDATED}


def test_a_pull_of_all_does_not_take_edits_to_where_it_takes_a_deletion(scene: Scene) -> None:
    """The deletion was reported, and the edit of the other root put in its place."""
    scene.vault.deploy(["skills/one"], scene.app, root=".cursor")
    shutil.rmtree(scene.skill())
    edit(scene.skill(root=".cursor") / "SKILL.md", 7, "the other root")
    rows = {row.root: row.action for row in scene.vault.pull([], scene.app, delete=True).artifacts[:3:2]}
    assert rows == {".claude": Action.DELETED, ".cursor": Action.LEFT}
    assert not (scene.lib / "skills/one").exists()
    assert "the other root" in (scene.skill(root=".cursor") / "SKILL.md").read_text()


def test_a_fork_that_would_lie_on_files_of_the_project_is_refused(scene: Scene) -> None:
    """It was recorded, then met the files, and left the project interrupted."""
    write(scene.skill("one-app") / "SKILL.md", "somebody's own\n")
    edit(scene.skill() / "SKILL.md", 0, "edited")
    operations = len(scene.vault.operations())
    for preview in (True, False):
        with pytest.raises(RefusedError, match="in the way"):
            scene.vault.pull(["skills/one"], scene.app, strategy=PullStrategy.FORK, relink=True, preview=preview)
    assert scene.vault.interrupted() == []
    assert len(scene.vault.operations()) == operations
    assert (scene.skill("one-app") / "SKILL.md").read_text() == "somebody's own\n"


def test_a_fork_that_would_lie_on_another_deployment_is_refused(scene: Scene) -> None:
    """The deployment whose artifact is gone from the collection was forgotten, with the edits that only it had."""
    edit(scene.skill() / "SKILL.md", 0, "edited")
    scene.vault.pull(["skills/one"], scene.app, strategy=PullStrategy.FORK)
    scene.vault.deploy(["skills/one-app"], scene.app)
    edit(scene.skill("one-app") / "SKILL.md", 3, "edited too")
    scene.vault.remove(["skills/one-app"])
    with pytest.raises(RefusedError, match="is deployed here"):
        scene.vault.pull(["skills/one"], scene.app, strategy=PullStrategy.FORK, relink=True)
    assert scene.statuses(scene.app)[".claude/skills/one-app"] is Status.REMOVED_MODIFIED


def test_an_artifact_that_was_moved_onto_another_deployment_does_not_stop_the_others(scene: Scene) -> None:
    """One such artifact made every `deploy` of all fail, with the advice to move away what casvault had put there."""
    scene.vault.remove(["skills/one"])
    scene.vault.move("skills/two", "skills/one")
    rows = {row.artifact: row for row in scene.vault.deploy([], scene.app).artifacts}
    assert rows["skills/two"].action is Action.LEFT
    assert "undeploy" in str(rows["skills/two"].remedy)
    with pytest.raises(RefusedError, match="deployed here too"):
        scene.vault.deploy(["skills/two"], scene.app)


def test_a_refused_command_registers_no_project(scene: Scene) -> None:
    """A directory that was refused had become a project, and a copy had been given its name and a state."""
    web, copy = scene.root / "web", scene.root / "copy"
    write(scene.skill("one", web) / "SKILL.md", "somebody's own\n")
    shutil.copytree(scene.app, copy)
    edit(scene.skill("one", copy) / "SKILL.md", 0, "edited")
    edit(scene.lib / "skills/one/SKILL.md", 0, "an update")
    before = scene.vault.refs()
    for project in (web, copy):
        marker = project / ".casvault-project"
        text = marker.read_bytes() if marker.exists() else None
        with pytest.raises(LocalEditsError):
            scene.vault.deploy(["skills/one"], project)
        assert (marker.read_bytes() if marker.exists() else None) == text
    assert scene.vault.refs() == before


def test_a_preview_in_a_copy_says_what_is_done_there(scene: Scene) -> None:
    """The preview took everything in a copy for what was never deployed."""
    copy = scene.root / "copy"
    shutil.copytree(scene.app, copy)
    edit(scene.lib / "skills/one/SKILL.md", 0, "an update")
    planned = scene.vault.deploy([], copy, dry_run=True).artifacts
    done = scene.vault.deploy([], copy).artifacts
    assert [row.action for row in planned] == [row.action for row in done] == [Action.UPDATED, Action.NOTHING]


def test_a_copy_has_what_its_original_had_when_it_was_made(scene: Scene) -> None:
    """It was registered with what the original had by then: the old content looked like an edit of the new version, and
    a pull from the copy took everybody's update back.
    """
    copy = scene.root / "copy"
    shutil.copytree(scene.app, copy)
    edit(scene.lib / "skills/one/SKILL.md", 0, "an update")
    scene.vault.deploy([], scene.app)
    assert scene.statuses(copy)[".claude/skills/one"] is Status.OUTDATED
    edit(scene.skill("two", copy) / "SKILL.md", 0, "edited in the copy")
    scene.vault.pull([], copy)
    assert (scene.lib / "skills/one/SKILL.md").read_text().startswith("an update\n")
    assert (scene.lib / "skills/two/SKILL.md").read_text().startswith("edited in the copy\n")
    assert scene.statuses(copy)[".claude/skills/one"] is Status.OUTDATED


def test_undo_of_what_brought_a_directory_to_its_collection(scene: Scene) -> None:
    """The files went back, but the directory counted as one that holds the collection's snapshot: what it held looked
    like an edit, and the next command recorded what had been undone before.
    """
    edit(scene.lib / "skills/one/SKILL.md", 0, "an update")
    snapshot = scene.vault.snapshot().snapshot
    scene.vault.undo(refs_only=True)
    tip = scene.vault.status().tip
    scene.vault.deploy([], scene.app)
    assert (scene.lib / "skills/one/SKILL.md").read_text() == "".join(LINES)
    scene.vault.undo()
    assert (scene.lib / "skills/one/SKILL.md").read_text().startswith("an update\n")
    status = scene.vault.status()
    assert (status.snapshot, status.tip, status.changes) == (snapshot, tip, ())


def test_a_lock_file_that_is_gone_comes_again_with_what_is_put_back(scene: Scene) -> None:
    """It was written only where the project's state changed: artifacts were put back, and it was not."""
    lock = scene.app / "casvault.lock"
    text = lock.read_bytes()
    lock.unlink()
    shutil.rmtree(scene.skill())
    scene.vault.deploy([], scene.app)
    assert lock.read_bytes() == text


def test_a_copy_without_a_lock_file_has_no_deployments(scene: Scene) -> None:
    """A copy of a project in which nothing was deployed took over what the original was given later."""
    scene.vault.undeploy(["skills/one", "skills/two"], scene.app)
    copy = scene.root / "copy"
    shutil.copytree(scene.app, copy)
    scene.vault.deploy(["skills/one"], scene.app)
    assert scene.vault.drift(copy).rows == ()
    scene.vault.deploy(["skills/two"], copy)
    assert scene.statuses(copy) == {".claude/skills/two": Status.IN_SYNC}


def test_drift_against_a_directory_that_is_behind_and_has_edits(scene: Scene) -> None:
    """MissingObjectError: the merge that is the next snapshot took bytes that had only been hashed."""
    edit(scene.lib / "skills/one/SKILL.md", 7, "recorded")
    scene.vault.snapshot()
    scene.vault.undo(refs_only=True)
    edit(scene.lib / "skills/one/SKILL.md", 0, "not recorded")
    scene.vault.status()
    assert scene.statuses(scene.app)[".claude/skills/one"] is Status.OUTDATED


@pytest.mark.parametrize("becomes", ["file", "directory"])
def test_taking_back_where_a_file_and_a_directory_change_places(scene: Scene, tmp_path: Path, becomes: str) -> None:
    """Cut off while the path was absent or half written, it stayed so: nothing said that it was not as before."""
    scene.vault.deploy(["skills/one"], scene.app)
    if becomes == "directory":
        shutil.rmtree(scene.skill())
        scene.skill().write_text("a file\n")
        scene.vault.pull(["skills/one"], scene.app)
        write(tmp_path / "new/SKILL.md", "a directory\n")
        scene.skill().unlink()
        shutil.copytree(tmp_path / "new", scene.skill())
        write(scene.skill() / "more/b.txt", "b\n")
    else:
        shutil.rmtree(scene.skill())
        scene.skill().write_text("a file\n")
    template = tmp_path / "template"
    shutil.copytree(scene.root, template, ignore=shutil.ignore_patterns("template", "new"))
    before = files(scene.lib)
    taken_back = 0
    for change in range(200):
        scene.reset(template)
        vault = Vault.open(scene.lib)
        if run_until_death(lambda vault=vault: vault.pull(["skills/one"], scene.app), change):
            break
        if vault.interrupted():
            assert all(result.taken_back for result in vault.recover(back=True))
            taken_back += 1
            assert files(scene.lib) == before, f"change {change}"
    assert taken_back > 5


def test_taking_back_what_has_not_changed_anything_yet(scene: Scene, tmp_path: Path) -> None:
    """An undo of nothing but files, cut off before it wrote the first one, could not be taken back: there was nothing
    to be done, so nothing was recorded, and the project stayed interrupted.
    """
    shutil.rmtree(scene.skill())
    scene.vault.deploy(["skills/one"], scene.app)
    template = tmp_path / "template"
    shutil.copytree(scene.root, template, ignore=shutil.ignore_patterns("template"))
    taken_back = 0
    for change in range(200):
        scene.reset(template)
        vault = Vault.open(scene.lib)
        if run_until_death(vault.undo, change):
            break
        if vault.interrupted():
            vault.recover(back=True)
            assert vault.interrupted() == []
            assert (scene.skill() / "a.txt").read_text() == "a\n"
            taken_back += 1
    assert taken_back > 2


def test_edits_are_recorded_before_they_move_along(scene: Scene) -> None:
    """The edited files went to the artifact's new place, and only the operation's own list of files knew them."""
    scene.vault.move("skills/two", "skills/renamed")
    edit(scene.skill("two") / "SKILL.md", 0, "edited")
    (row,) = scene.vault.deploy(["skills/two"], scene.app, strategy=DeployStrategy.MERGE).artifacts
    assert row.action is Action.MOVED
    assert (scene.skill("renamed") / "SKILL.md").read_text().startswith("edited\n")
    found = {each.artifact: each.observed for each in scene.vault.drift(scene.app, record=False).rows}
    assert found["skills/renamed"] == row.version


def test_a_move_that_no_snapshot_has_yet_is_not_followed_onto_files(scene: Scene) -> None:
    """The way was looked at by the last snapshot, in which nothing had moved: the deploy was recorded, then met the
    files, and left the project interrupted.
    """
    (scene.lib / "skills/two").rename(scene.lib / "skills/renamed")
    write(scene.skill("renamed") / "SKILL.md", "somebody's own\n")
    with pytest.raises(LocalEditsError, match="in the way"):
        scene.vault.deploy(["skills/two"], scene.app)
    rows = {row.artifact: row.action for row in scene.vault.deploy([], scene.app).artifacts}
    assert rows == {"skills/one": Action.NOTHING, "skills/two": Action.LEFT}
    assert scene.vault.interrupted() == []
    assert (scene.skill("renamed") / "SKILL.md").read_text() == "somebody's own\n"


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted((directory / "skills").rglob("*"))
        if path.is_file() and not path.name.startswith(".casvault-tmp")
    }


def test_an_edit_made_after_a_crash_is_not_taken_back(scene: Scene, tmp_path: Path) -> None:
    """What is neither the old content nor the new one is somebody's, and stays."""
    edit(scene.lib / "skills/one/SKILL.md", 0, "an update")
    write(scene.lib / "skills/one/b.txt", "b\n")
    template = tmp_path / "template"
    shutil.copytree(scene.root, template, ignore=shutil.ignore_patterns("template"))
    kept = 0
    for change in range(200):
        scene.reset(template)
        vault = Vault.open(scene.lib)
        if run_until_death(lambda vault=vault: vault.deploy([], scene.app, strategy=DeployStrategy.MERGE), change):
            break
        if vault.interrupted():
            write(scene.skill() / "mine.txt", "mine\n")
            edit(scene.skill() / "SKILL.md", 7, "mine")
            vault.recover(back=True)
            assert (scene.skill() / "mine.txt").read_text() == "mine\n"
            assert (scene.skill() / "SKILL.md").read_text() == "".join([*LINES[:7], "mine\n"])
            assert not (scene.skill() / "b.txt").exists()
            kept += 1
    assert kept > 3
