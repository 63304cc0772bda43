"""Projects and collections as directories: copies, moves, names, and what stands where."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault import Status, Vault
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, Marker, read_marker, write_marker
from casvault.errors import CasvaultError, NotFoundError, RefusedError, UsageError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write

DEPLOYED = f".claude/{PDF}"


def project_names(vault: Vault) -> list[str]:
    return [project.name for project in vault.projects()]


def snapshot_of(vault: Vault, *names: str) -> list[bool]:
    found = [collection.name for collection in vault.collections()]
    return [name in found for name in names]


def unfinished_marker(vault: Vault, name: str) -> Marker:
    """What a command leaves that is cut off between the marker and the rest."""
    config = vault._repository.config
    return Marker(str(vault.path), config.id.hex(), name, "cut off")


def test_deploy_registers_the_directory_under_its_name(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    assert [(project.name, project.directory) for project in vault.projects()] == [("app", scene.app)]


def test_deploy_second_directory_of_the_same_name(scene: Scene) -> None:
    vault = scene.vault()
    other = scene.root / "elsewhere/app"
    other.mkdir(parents=True)
    names = [vault.deploy(["skill/pdf"], place).project for place in (scene.app, other, scene.app)]
    assert names == ["app", "app-2", "app"]


@pytest.mark.parametrize(
    ("directory", "name"), [(".hidden", "hidden"), ("a:b", "a-b"), ("-x ", "x"), ("...", "project")]
)
def test_deploy_to_a_directory_whose_name_is_no_project_name(scene: Scene, directory: str, name: str) -> None:
    place = scene.root / directory
    place.mkdir()
    assert scene.vault().deploy(["skill/pdf"], place).project == name


def test_deploy_to_a_copy_registers_it_under_a_new_name(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    shutil.copytree(scene.app, scene.root / "copied")
    assert vault.deploy(["command/review"], scene.root / "copied").project == "app-2"
    assert [(project.name, project.deployments) for project in vault.projects()] == [("app", 1), ("app-2", 2)]


def test_deploy_to_a_moved_project_keeps_its_name(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    moved = scene.root / "moved"
    shutil.move(scene.app, moved)
    assert vault.deploy(["command/review"], moved).project == "app"
    assert [(project.directory, project.deployments) for project in vault.projects()] == [(moved, 2)]


def test_pull_from_a_copy_leaves_the_original_outdated(scene: Scene) -> None:
    """The copy's edit was settled for the original, whose old bytes looked like an edit, and were pulled over it."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    copied = scene.root / "copied"
    shutil.copytree(scene.app, copied)
    change_line(copied / DEPLOYED, 3, "edited in the copy")
    vault.pull(["skill/pdf"], copied)
    vault.pull(["skill/pdf"], scene.app)
    assert scene.tip_text() == text(line3="edited in the copy")


def test_deploy_through_a_symlink_is_the_same_project(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    (scene.root / "link").symlink_to(scene.app)
    names = [vault.deploy(["skill/pdf"], place).project for place in (scene.root / "link", scene.app)]
    assert (names, project_names(vault)) == (["app", "app"], ["app"])


def test_deploy_after_a_registration_that_was_cut_off_has_a_state_of_its_own(scene: Scene) -> None:
    """Crash after the marker; another directory of the same name; then both were one project. A race does the same."""
    vault = scene.vault()
    first, second = scene.root / "first/app", scene.root / "second/app"
    for place in (first, second):
        place.mkdir(parents=True)
    write_marker(first, PROJECT_MARKER, unfinished_marker(vault, "app"))
    vault.deploy(["skill/pdf"], second)
    vault.deploy(["skill/pdf"], first)
    assert len(project_names(vault)) == 2


def test_add_collection_after_one_that_was_cut_off_is_not_mixed_with_another(scene: Scene) -> None:
    """Crash after the marker; a second collection of the name; then each got the other's files. A race does it, too."""
    vault = scene.vault()
    first, second = scene.root / "first", scene.root / "second"
    write(first, "skills/one/SKILL.md", "one")
    write(second, "skills/two/SKILL.md", "two")
    write_marker(first, COLLECTION_MARKER, unfinished_marker(vault, "tools"))
    vault.add_collection(second, "tools")
    with pytest.raises(CasvaultError):
        vault.add_collection(first, "tools")
    assert not (first / "skills/two").exists()


@pytest.mark.parametrize("how", ["removed", "undone"])
def test_add_collection_again_keeps_its_files(scene: Scene, how: str) -> None:
    """All files of the directory were removed, no collection was there, and the command called itself done."""
    vault = scene.vault()
    second = scene.root / "second"
    write(second, "skills/one/SKILL.md", "one")
    vault.add_collection(second)
    before = picture(second)
    if how == "removed":
        vault.remove_collection("second")
    else:
        vault.undo()
    vault.add_collection(second)
    assert (picture(second), snapshot_of(vault, "second")) == (before, [True])


def test_add_collection_again_elsewhere_is_a_move(scene: Scene) -> None:
    vault = scene.vault()
    second = scene.root / "second"
    write(second, "skills/one/SKILL.md", "one")
    vault.add_collection(second)
    moved = scene.root / "moved"
    shutil.move(second, moved)
    vault.add_collection(moved, "second")
    assert {found.name: found.directory for found in vault.collections()}["second"] == moved
    assert [change.path for change in vault.status("second").changes] == []


def test_add_collection_of_a_name_that_is_taken(scene: Scene) -> None:
    second = scene.root / "second"
    second.mkdir()
    with pytest.raises(RefusedError, match="collection of this name"):
        scene.vault().add_collection(second, "lib")
    assert list(second.iterdir()) == []


def test_add_collection_that_is_no_directory(scene: Scene) -> None:
    with pytest.raises(UsageError, match="not a directory"):
        scene.vault().add_collection(scene.root / "none")


def test_deploy_into_a_collection(scene: Scene) -> None:
    place = scene.lib / "skills"
    with pytest.raises(RefusedError, match="is in the collection lib"):
        scene.vault().deploy(["skill/pdf"], place)


def test_deploy_to_a_project_of_another_vault(scene: Scene) -> None:
    scene.vault().deploy(["skill/pdf"], scene.app)
    other = write(scene.root / "other", PDF, text()).parents[2]
    vault, _ = Vault.init(other)
    with pytest.raises(RefusedError, match="another vault"):
        vault.deploy(["skill/pdf"], scene.app)


@pytest.mark.parametrize("root", ["", ".", "..", "/etc", ".git", "a/../b", ".casvault"])
def test_deploy_to_a_root_that_may_not_be_written(scene: Scene, root: str) -> None:
    before = picture(scene.root)
    with pytest.raises(CasvaultError):
        scene.vault().deploy(["skill/pdf"], scene.app, root=root)
    assert picture(scene.root) == before


def test_deploy_two_roots_are_two_deployments(scene: Scene) -> None:
    vault = scene.vault()
    for root in (".claude", ".codex"):
        vault.deploy(["skill/pdf"], scene.app, root=root)
    change_line(scene.app / DEPLOYED, 1, "edit")
    found = {row.root: row.status for row in vault.drift(scene.app).rows}
    assert found == {".claude": Status.MODIFIED, ".codex": Status.IN_SYNC}


def test_pull_by_the_short_name_of_the_collections_own_rule(scene: Scene) -> None:
    rule = '[[rules]]\npath = "prompts/**/*.txt"\nkind = "prompt"\nsuffix = ".txt"\n'
    write(scene.lib, "casvault.toml", rule)
    write(scene.lib, "prompts/a/x.txt", text())
    vault = scene.vault()
    vault.deploy(["prompt/a/x"], scene.app)
    write(scene.app, ".claude/prompts/a/x.txt", text(line1="edit"))
    assert vault.pull(["prompt/a/x"], scene.app).artifacts[0].fast_forward


def test_drift_goes_by_the_ignore_rules_of_the_collection(scene: Scene) -> None:
    write(scene.lib, ".casvaultignore", "*.log\n")
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    write(scene.app, ".claude/skills/pdf/run.log", "noise")
    assert vault.drift(scene.app).rows[0].status is Status.IN_SYNC


def test_drift_of_a_place_that_is_another_directory_by_now(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    shutil.move(scene.app, scene.root / "moved")
    write(scene.app, "README", "another project")
    assert vault.drift().rows == ()


def test_deploy_one_name_that_is_no_list(scene: Scene) -> None:
    """Its letters were taken for artifacts."""
    with pytest.raises(UsageError, match="a list of artifacts"):
        scene.vault().deploy("skill/pdf", scene.app)


def test_deploy_nothing(scene: Scene) -> None:
    with pytest.raises(UsageError, match="nothing is deployed here"):
        scene.vault().deploy([], scene.app)


def test_pull_from_what_is_no_project(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="not a project"):
        scene.vault().pull(["skill/pdf"], scene.app)


def test_pull_preview_changes_nothing(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / DEPLOYED, 3, "edit")
    change_line(scene.lib / PDF, 8, "update")
    refs, before = vault.refs(), picture(scene.root)
    result = vault.pull(["skill/pdf"], scene.app, preview=True)
    assert [change.path for row in result.artifacts for change in row.files] == [PDF]
    assert (vault.refs(), picture(scene.root)) == (refs, before)


def test_snapshot_records_the_marker_in_each_directory(scene: Scene) -> None:
    vault = scene.vault()
    change_line(scene.lib / REVIEW, 1, "edit")
    tip = vault.snapshot().snapshot
    marker = read_marker(scene.lib, COLLECTION_MARKER)
    assert marker is not None
    assert (marker.snapshot, marker.name) == (tip, "lib")


def test_snapshot_of_a_file_that_became_a_directory(scene: Scene) -> None:
    write(scene.lib, "notes/docs/x", "a plain file in no artifact")
    write(scene.lib, "LICENSES", "a file")
    vault = scene.vault()
    vault.snapshot()
    (scene.lib / "LICENSES").unlink()
    write(scene.lib, "LICENSES/deep/MIT", "now a directory")
    vault.snapshot()
    assert vault.status().changes == ()


def test_snapshot_of_a_directory_that_became_a_file(scene: Scene) -> None:
    write(scene.lib, "LICENSES/deep/MIT", "a directory")
    vault = scene.vault()
    vault.snapshot()
    shutil.rmtree(scene.lib / "LICENSES")
    write(scene.lib, "LICENSES", "now a file")
    vault.snapshot()
    assert vault.status().changes == ()
    assert_clean(vault)


def empty(directory: Path) -> None:
    for path in directory.iterdir():
        if not path.name.startswith(".casvault"):
            shutil.rmtree(path)


def test_snapshot_of_an_emptied_directory_is_refused(scene: Scene) -> None:
    empty(scene.lib)
    with pytest.raises(RefusedError, match="is empty"):
        scene.vault().snapshot()


def test_restore_of_an_emptied_directory_is_the_remedy_that_is_named(scene: Scene) -> None:
    before = picture(scene.lib)
    empty(scene.lib)
    scene.vault().restore()
    assert picture(scene.lib) == before


def test_snapshot_of_an_emptied_directory_of_empty_files_is_refused(scene: Scene) -> None:
    second = scene.root / "second"
    write(second, "skills/x/.keep", "")
    vault = scene.vault()
    vault.add_collection(second)
    empty(second)
    with pytest.raises(RefusedError):
        vault.snapshot(collection="second")
