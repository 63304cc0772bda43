"""Several collections, roots and hand-made copies in one project; and collections that are gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from casvault import Action, Author, DeployStrategy, Origin, PullStrategy, Recommendation, Status, Vault
from casvault.deploy.state import read_deployments
from casvault.errors import LocalEditsError, NotFoundError, RefusedError, UsageError
from casvault.vault.results.projects import DriftRow
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, clock, picture, text, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"


def row_of(vault: Vault, project: Path, artifact: str, root: str = ".claude") -> DriftRow:
    return next(row for row in vault.drift(project).rows if (row.artifact, row.root) == (artifact, root))


@pytest.fixture
def team(scene: Scene) -> Path:
    """A second collection, which has a skill of the same name too."""
    directory = scene.root / "team"
    write(directory, "skills/doc/SKILL.md", text())
    write(directory, PDF, "the team's\n")
    scene.vault().add_collection(directory)
    return directory


def test_two_collections_in_one_project(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    vault.deploy(["skill/doc", "command/review"], scene.app)
    change_line(scene.app / ".claude/skills/doc/SKILL.md", 3, "app")
    change_line(scene.app / f".claude/{REVIEW}", 3, "app")
    change_line(team / "skills/doc/SKILL.md", 9, "team")
    lib, other = picture(scene.lib), picture(team)
    result = vault.pull([], scene.app)
    assert {(row.collection, row.action) for row in result.artifacts} == {
        ("lib", Action.TAKEN),
        ("team", Action.MERGED),
    }
    assert (team / "skills/doc/SKILL.md").read_text() == text(line3="app", line9="team")
    assert (scene.lib / REVIEW).read_text() == text(line3="app")
    vault.undo()
    assert (picture(scene.lib), picture(team)) == (lib, other)
    assert_clean(vault)


def test_an_artifact_that_two_collections_have_must_be_told_apart(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    with pytest.raises(UsageError, match="ambiguous: lib: skills/pdf, team: skills/pdf") as caught:
        vault.deploy([SKILL], scene.app)
    assert "--collection" in (caught.value.remedy or "")
    vault.deploy([SKILL], scene.app, collection="team")
    before = picture(scene.app, own=True), vault.refs()
    with pytest.raises(RefusedError, match="belongs to skills/pdf of collection team"):
        vault.deploy([SKILL], scene.app, collection="lib")
    assert (picture(scene.app, own=True), vault.refs()) == before
    # What is deployed is meant by its name from then on.
    assert [row.collection for row in vault.deploy([SKILL], scene.app).artifacts] == ["team"]


def test_two_roots_in_one_project(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    vault.deploy([SKILL], scene.app, root=".codex")
    change_line(scene.app / f".codex/{PDF}", 3, "codex")
    assert row_of(vault, scene.app, SKILL).status is Status.IN_SYNC
    assert row_of(vault, scene.app, SKILL, ".codex").status is Status.MODIFIED
    with pytest.raises(UsageError, match=r"deployed more than once: \.claude/skills/pdf, \.codex/skills/pdf"):
        vault.pull([SKILL], scene.app)
    assert [row.action for row in vault.pull([SKILL], scene.app, root=".codex").artifacts] == [Action.TAKEN]
    rows = vault.deploy([SKILL], scene.app).artifacts
    assert [(row.root, row.action) for row in rows] == [(".claude", Action.UPDATED), (".codex", Action.NOTHING)]
    assert (scene.app / DEPLOYED).read_text() == text(line3="codex")
    vault.undeploy([SKILL], scene.app, root=".codex")
    assert not (scene.app / f".codex/{SKILL}").exists()
    assert [row.root for row in vault.drift(scene.app).rows] == [".claude"]


def test_edits_in_both_roots_come_home_one_after_the_other(scene: Scene) -> None:
    """Both were fast-forwards of the same version, and the second one silently replaced the first."""
    vault = scene.vault()
    for root, number in ((".claude", 3), (".codex", 9)):
        vault.deploy([SKILL], scene.app, root=root)
        change_line(scene.app / root / PDF, number, root)
    rows = vault.pull([], scene.app).artifacts
    assert [(row.root, row.action) for row in rows] == [(".claude", Action.TAKEN), (".codex", Action.MERGED)]
    assert scene.tip_text() == (scene.lib / PDF).read_text() == text(line3=".claude", line9=".codex")
    assert [row.status for row in vault.drift(scene.app).rows] == [Status.OUTDATED] * 2
    vault.undo()
    assert (scene.lib / PDF).read_text() == text()
    assert_clean(vault)


def test_edits_in_both_roots_that_clash(scene: Scene) -> None:
    vault = scene.vault()
    for root in (".claude", ".codex"):
        vault.deploy([SKILL], scene.app, root=root)
        change_line(scene.app / root / PDF, 3, root)
    preview, result = (vault.pull([], scene.app, preview=preview) for preview in (True, False))
    for rows in (preview.artifacts, result.artifacts):
        assert [(row.root, row.action) for row in rows] == [(".claude", Action.TAKEN), (".codex", Action.PENDING)]
    assert scene.tip_text() == text(line3=".claude")
    assert [info.root for info in vault.merges()] == [".codex"]


def test_projects_that_were_copied_by_hand_are_adopted(scene: Scene) -> None:
    """One copy is of today, one of an earlier version, one was edited, and one is nobody's."""
    vault = scene.vault()
    copies = {name: scene.root / name for name in ("today", "earlier", "edited", "strange")}
    for place in copies.values():
        shutil.copytree(scene.lib / "skills", place / ".claude/skills")
    first = vault.rev_parse("skill/pdf")
    change_line(scene.lib / PDF, 3, "newer")
    vault.snapshot()
    shutil.copy(scene.lib / PDF, copies["today"] / DEPLOYED)
    change_line(copies["edited"] / DEPLOYED, 9, "mine")
    (copies["strange"] / ".claude/skills/pdf").rename(copies["strange"] / ".claude/skills/strange")
    before = {name: picture(place) for name, place in copies.items()}

    actions = {name: [row.action for row in vault.adopt([], place).artifacts] for name, place in copies.items()}
    assert actions == {"today": [Action.ADOPTED], "earlier": [Action.ADOPTED], "edited": [Action.LEFT], "strange": []}
    assert row_of(vault, copies["today"], SKILL).status is Status.IN_SYNC
    row = row_of(vault, copies["earlier"], SKILL)
    assert (row.status, row.behind, row.deployed) == (Status.OUTDATED, 1, first)
    with pytest.raises(RefusedError, match="no version of the artifact"):
        vault.adopt([SKILL], copies["edited"])
    vault.adopt([SKILL], copies["edited"], version="~1")
    row = row_of(vault, copies["edited"], SKILL)
    assert (row.status, row.base_version, row.ahead, row.behind) == (Status.CONFLICT, first, 1, 1)
    vault.pull([SKILL], copies["edited"])
    assert scene.tip_text() == text(line3="newer", line9="mine")
    for name, place in copies.items():
        now = {path: state for path, state in picture(place).items() if path != "casvault.lock"}
        assert (name, now) == (name, before[name])
    assert_clean(vault)


def test_an_earlier_version_is_found_by_drift(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["command/review"], scene.app)
    shutil.copytree(scene.lib / SKILL, scene.app / ".claude" / SKILL)
    change_line(scene.lib / PDF, 3, "newer")
    rows = {row.artifact: row for row in vault.drift(scene.app, untracked=True).rows}
    assert (rows[SKILL].status, rows[SKILL].recommendation) == (Status.DIFFERS, Recommendation.ADOPT)
    assert [row.action for row in vault.deploy([SKILL], scene.app).artifacts] == [Action.UPDATED]
    assert (scene.app / DEPLOYED).read_text() == text(line3="newer")


@pytest.mark.parametrize("names", [[], ["skill/doc"]])
@pytest.mark.parametrize("prune", [False, True])
def test_a_collection_that_was_removed_takes_nothing_along(
    scene: Scene, team: Path, names: list[str], prune: bool
) -> None:
    """That it is not known what a collection holds does not mean that it holds nothing."""
    vault = scene.vault()
    vault.deploy(["skill/doc"], scene.app)
    vault.remove_collection("team")
    before = picture(scene.app)
    result = vault.drift(scene.app)
    (row,) = result.rows
    assert (row.status, row.collection_version) == (Status.IN_SYNC, None)
    assert any("team is not in the vault any more" in note for note in result.notes)
    assert [each.action for each in vault.deploy(names, scene.app, prune=prune).artifacts] == [Action.NOTHING]
    assert picture(scene.app) == before
    change_line(scene.app / ".claude/skills/doc/SKILL.md", 3, "edited")
    edited = picture(scene.app)
    if names:
        with pytest.raises(LocalEditsError):
            vault.deploy(names, scene.app, prune=prune)
    else:
        assert [each.action for each in vault.deploy(names, scene.app, prune=prune).artifacts] == [Action.KEPT]
    assert picture(scene.app) == edited
    with pytest.raises(NotFoundError, match="team is not in the vault any more"):
        vault.pull(["skill/doc"], scene.app)
    vault.undeploy(["skill/doc"], scene.app)
    assert not (scene.app / ".claude/skills/doc").exists()
    vault.undo()
    assert picture(scene.app) == edited
    assert_clean(vault)


def test_a_pull_of_all_without_one_of_the_collections(scene: Scene, team: Path) -> None:
    """It took nothing at all, because of an artifact that nobody had named."""
    vault = scene.vault()
    vault.deploy(["skill/doc", "command/review"], scene.app)
    vault.remove_collection("team")
    change_line(scene.app / f".claude/{REVIEW}", 3, "app")
    assert vault.pull([], scene.app).is_complete
    change_line(scene.app / ".claude/skills/doc/SKILL.md", 3, "app")
    change_line(scene.app / f".claude/{REVIEW}", 5, "app")
    result = vault.pull([], scene.app)
    assert [(row.artifact, row.action) for row in result.artifacts] == [
        (REVIEW, Action.TAKEN),
        ("skills/doc", Action.LEFT),
    ]
    assert (scene.lib / REVIEW).read_text() == text(line3="app", line5="app")


def test_a_collection_comes_back(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    vault.deploy(["skill/doc"], scene.app)
    vault.remove_collection("team")
    change_line(team / "skills/doc/SKILL.md", 3, "team")
    vault.add_collection(team)
    assert row_of(vault, scene.app, "skills/doc").status is Status.OUTDATED


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_collection_whose_directory_is_missing_or_empty(scene: Scene, team: Path, how: str) -> None:
    """A disk that is not mounted is no deletion of everything."""
    vault = scene.vault()
    vault.deploy(["skill/doc", "command/review"], scene.app)
    team.rename(scene.root / "aside")
    if how == "empty":
        team.mkdir()
        shutil.copy(scene.root / "aside/.casvault-collection", team)
    before = picture(scene.app, own=True), vault.refs()
    for run in (
        lambda: vault.drift(scene.app),
        lambda: vault.deploy([], scene.app, prune=True),
        lambda: vault.deploy(["skill/doc"], scene.app),
        lambda: vault.pull([], scene.app),
        lambda: vault.which(scene.app / ".claude/skills/doc"),
    ):
        with pytest.raises((NotFoundError, RefusedError), match=r"not there|is empty"):
            run()
        assert (picture(scene.app, own=True), vault.refs()) == before
    # What the other collection has is not affected.
    assert [row.action for row in vault.deploy(["command/review"], scene.app).artifacts] == [Action.NOTHING]


@pytest.mark.parametrize("keep_files", [False, True])
def test_undeploy_records_edits_and_undo_brings_them_back(scene: Scene, keep_files: bool, tmp_path: Path) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edited")
    (scene.app / f".claude/{SKILL}/run.pyc").write_bytes(b"ignored")
    before = picture(scene.app)
    result = vault.undeploy([SKILL], scene.app, keep_files=keep_files)
    state = vault.find_ref("projects/app")
    assert state is not None
    assert vault.drift(scene.app).rows == ()
    left = [path for path in picture(scene.app) if path.endswith((".md", ".txt", ".pyc"))]
    assert left == (
        [f".claude/{SKILL}/{name}" for name in ("SKILL.md", "old.txt", "run.pyc")]
        if keep_files
        else [f".claude/{SKILL}/run.pyc"]
    )
    assert bool(result.outcome.left) == (not keep_files)
    (recorded,) = read_deployments(vault.reader, vault.show(str(state)).parents[0]).values()
    vault.restore_to(tmp_path / "restored", str(recorded.observed))
    assert (tmp_path / "restored/SKILL.md").read_text() == text(line3="edited")
    vault.undo()
    assert picture(scene.app) == before
    assert row_of(vault, scene.app, SKILL).status is Status.MODIFIED
    assert_clean(vault)


@pytest.mark.parametrize("name", [None, "skills/mine"])
@pytest.mark.parametrize("relink", [False, True])
def test_a_fork(scene: Scene, name: str | None, relink: bool) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edited")
    before = picture(scene.lib), picture(scene.app)
    (row,) = vault.pull([SKILL], scene.app, strategy=PullStrategy.FORK, fork_as=name, relink=relink).artifacts
    path = name or "skills/pdf-app"
    assert (row.action, row.path, (scene.lib / path / "SKILL.md").read_text()) == (
        Action.FORKED,
        path,
        text(line3="edited"),
    )
    assert (scene.lib / PDF).read_text() == text()
    assert [info.origin for info in vault.lineage(path)][:2] == [Origin.FORK, Origin.EDIT]
    rows = {each.artifact: each.status for each in vault.drift(scene.app).rows}
    assert rows == ({path: Status.IN_SYNC} if relink else {SKILL: Status.MODIFIED})
    assert (scene.app / ".claude" / path).exists() == relink
    assert (scene.app / DEPLOYED).exists() == (not relink)
    vault.undo()
    assert (picture(scene.lib), picture(scene.app)) == before
    vault.redo()
    if not relink:
        (again,) = vault.pull([SKILL], scene.app, strategy=PullStrategy.FORK).artifacts
        assert again.path == ("skills/pdf-app-2" if name is None else "skills/pdf-app")
    assert_clean(vault)


def test_a_project_that_is_ahead_of_its_collection(scene: Scene) -> None:
    """It holds a version that the collection does not have, and nothing besides: here, a merge that was made in it."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "app")
    change_line(scene.lib / PDF, 9, "lib")
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE)
    row = row_of(vault, scene.app, SKILL)
    assert (row.status, row.ahead, row.behind, row.recommendation) == (Status.AHEAD, 2, 0, Recommendation.PULL)
    before = picture(scene.app, own=True), vault.refs()
    with pytest.raises(LocalEditsError, match="ahead"):
        vault.deploy([SKILL], scene.app)
    assert [each.action for each in vault.deploy([], scene.app).artifacts] == [Action.KEPT]
    assert (picture(scene.app, own=True), vault.refs()) == before
    (forced,) = vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE).artifacts
    assert (forced.action, (scene.app / DEPLOYED).read_text()) == (Action.REPLACED, text(line9="lib"))
    vault.undo()
    (pulled,) = vault.pull([SKILL], scene.app).artifacts
    assert (pulled.action, scene.tip_text()) == (Action.TAKEN, text(line3="app", line9="lib"))
    assert_clean(vault)


def test_an_ignored_file_that_the_collection_has_now(scene: Scene, tmp_path: Path) -> None:
    """Drift called the copy outdated, an update without a hitch, and deploy then found edits in the way."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    write(scene.app, ".casvaultignore", "*.secret\n")
    secret = write(scene.app, f".claude/{SKILL}/key.secret", "precious\n")
    assert row_of(vault, scene.app, SKILL).status is Status.IN_SYNC
    write(scene.lib, f"{SKILL}/key.secret", "from the collection\n")
    assert row_of(vault, scene.app, SKILL).status is Status.CONFLICT
    assert [each.action for each in vault.deploy([], scene.app).artifacts] == [Action.LEFT]
    assert secret.read_text() == "precious\n"
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE)
    assert secret.read_text() == "from the collection\n"
    vault.undo()
    assert secret.read_text() == "precious\n"
    assert_clean(vault)


@pytest.mark.parametrize("command", ["deploy", "pull"])
def test_what_is_undeployed_just_before_the_locks_are_taken_stays_away(scene: Scene, command: str) -> None:
    """A deploy or pull of everything listed the deployments before it held the project's directory, and what somebody
    else had undeployed in between was put back, or taken home.
    """
    other = scene.vault()
    other.deploy(["skill/pdf", "command/review"], scene.app)

    class Overtaken(Vault):
        def _work(self, *arguments: Any, **options: Any) -> Any:
            other.undeploy(["skill/pdf"], scene.app)
            return super()._work(*arguments, **options)

    vault = Overtaken.open(scene.lib, author=Author("Bob", "bob@example.org"), clock=clock)
    result = getattr(vault, command)([], scene.app)
    assert [row.artifact for row in result.artifacts] == ["commands/review.md"]
    assert not (scene.app / ".claude/skills/pdf").exists()
    assert [row.artifact for row in other.drift(scene.app).rows] == ["commands/review.md"]
    assert_clean(other)
