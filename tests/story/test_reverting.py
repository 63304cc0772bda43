"""compare, revert and restore of versions of one artifact."""

from __future__ import annotations

import subprocess

import pytest

from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.vault.vault import Vault
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write
from tests.support.git import needs_git


def edit(scene: Scene, number: int, value: str, path: str = PDF) -> str:
    """Change a line, take a snapshot, and answer the version's id."""
    change_line(scene.lib / path, number, value)
    vault = scene.vault()
    vault.snapshot()
    return vault.rev_parse("/".join(path.split("/")[:2])).hex()


def state(scene: Scene) -> object:
    vault = scene.vault()
    return picture(scene.lib, own=True), vault.refs(), len(vault.operations())


def test_revert_takes_one_version_out_of_the_middle(scene: Scene) -> None:
    edit(scene, 1, "one")
    bad = edit(scene, 5, "five")
    newest = edit(scene, 10, "ten")
    vault = scene.vault()
    result = vault.revert("skill/pdf", bad, message="It broke forms")
    assert (result.source.hex(), result.created) == (bad, True)
    assert [(file.path, file.change.value) for file in result.files] == [(PDF, "modified")]
    assert (scene.lib / PDF).read_text() == text(line1="one", line10="ten")
    info = vault.show("skill/pdf")
    assert (info.id, info.origin, info.message) == (result.version, "revert", "It broke forms")
    assert [parent.hex() for parent in info.parents] == [newest]
    assert vault.operations()[0].arguments == ("lib", "skills/pdf", bad)
    assert vault.status().changes == ()
    vault.undo()
    assert (scene.lib / PDF).read_text() == text(line1="one", line5="five", line10="ten")
    assert_clean(vault)


def test_revert_brings_files_and_modes_back(scene: Scene) -> None:
    (scene.lib / "skills/pdf/old.txt").unlink()
    write(scene.lib, "skills/pdf/new.txt", "new\n")
    (scene.lib / PDF).chmod(0o755)
    bad = edit(scene, 1, "one")
    edit(scene, 8, "eight")
    scene.vault().revert("skill/pdf", bad)
    assert sorted(path.name for path in (scene.lib / "skills/pdf").iterdir()) == ["SKILL.md", "old.txt"]
    assert (scene.lib / PDF).stat().st_mode & 0o111 == 0
    assert (scene.lib / PDF).read_text() == text(line8="eight")


def test_revert_of_a_file(scene: Scene) -> None:
    bad = edit(scene, 1, "one", REVIEW)
    edit(scene, 8, "eight", REVIEW)
    scene.vault().revert("review", bad)
    assert (scene.lib / REVIEW).read_text() == text(line8="eight")


def test_revert_records_first_what_the_directory_holds(scene: Scene) -> None:
    bad = edit(scene, 1, "one")
    change_line(scene.lib / PDF, 8, "eight")
    write(scene.lib, "skills/other/SKILL.md", "other\n")
    vault = scene.vault()
    vault.revert("skill/pdf", bad)
    assert (scene.lib / PDF).read_text() == text(line8="eight")
    assert [info.origin for info in vault.lineage("skill/pdf")] == ["revert", "edit", "edit", "import"]
    assert vault.rev_parse("skill/other") is not None


def test_revert_that_conflicts_changes_nothing(scene: Scene) -> None:
    bad = edit(scene, 5, "five")
    edit(scene, 5, "FIVE")
    before = state(scene)
    with pytest.raises(ConflictError, match="was changed again since") as caught:
        scene.vault().revert("skill/pdf", bad)
    assert caught.value.conflicts == (f"{PDF}: content",)
    assert state(scene) == before


def test_revert_of_what_is_gone_already(scene: Scene) -> None:
    bad = edit(scene, 5, "five")
    vault = scene.vault()
    vault.revert("skill/pdf", bad)
    before = state(scene)
    result = vault.revert("skill/pdf", bad)
    assert (result.created, result.files, result.outcome.operation) == (False, (), None)
    assert state(scene) == before


def test_revert_of_a_revert(scene: Scene) -> None:
    bad = edit(scene, 5, "five")
    vault = scene.vault()
    back = vault.revert("skill/pdf", bad).version
    vault.revert("skill/pdf", back.hex())
    assert (scene.lib / PDF).read_text() == text(line5="five")


def test_the_first_version_cannot_be_reverted(scene: Scene) -> None:
    before = state(scene)
    with pytest.raises(RefusedError, match="where the artifact begins"):
        scene.vault().revert("skill/pdf", "skill/pdf")
    assert state(scene) == before


def test_revert_of_a_merge_goes_back_to_its_first_parent(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / ".claude" / PDF, 2, "of the project")
    edit(scene, 9, "of the library")
    vault.pull(["skill/pdf"], scene.app)
    merged = vault.show("skill/pdf")
    assert len(merged.parents) == 2
    vault.revert("skill/pdf", merged.id.hex())
    assert (scene.lib / PDF).read_text() == text(line9="of the library")


def test_restore_a_version(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    edit(scene, 1, "one")
    change_line(scene.lib / PDF, 2, "two")
    write(scene.lib, "skills/pdf/new.txt", "new\n")
    result = vault.restore_version("skill/pdf", "v1", message="Back")
    assert sorted(file.change.value for file in result.files) == ["modified", "removed"]
    assert (scene.lib / PDF).read_text() == text()
    assert not (scene.lib / "skills/pdf/new.txt").exists()
    origins = [(info.origin, info.message) for info in vault.lineage("skill/pdf")]
    assert origins == [("restore", "Back"), ("edit", "Back"), ("edit", ""), ("import", "")]
    assert not vault.restore_version("skill/pdf", "v1").created
    assert_clean(vault)


def test_versions_of_another_artifact_are_refused(scene: Scene) -> None:
    vault = scene.vault()
    other = vault.rev_parse("review").hex()
    before = state(scene)
    for command in (vault.revert, vault.restore_version):
        with pytest.raises(Exception, match="is no version of skills/pdf"):
            command("skill/pdf", other)
        with pytest.raises(NotFoundError):
            command("skill/none", other)
    assert state(scene) == before


def test_compare_with_renames(scene: Scene) -> None:
    vault = scene.vault()
    first = vault.rev_parse("skill/pdf").hex()
    (scene.lib / PDF).rename(scene.lib / "skills/pdf/README.md")
    write(scene.lib, "skills/pdf/new.txt", "new\n")
    (scene.lib / "skills/pdf/old.txt").chmod(0o755)
    change_line(scene.lib / "skills/pdf/README.md", 3, "three")
    vault.snapshot()
    found = vault.compare("skill/pdf", first)
    assert [(each.change.value, each.path, each.old_path) for each in found.changes] == [
        ("renamed", "skills/pdf/README.md", PDF),
        ("added", "skills/pdf/new.txt", None),
        ("mode", "skills/pdf/old.txt", None),
    ]
    patch = b"".join(vault.compare_text("skill/pdf", first)).decode()
    assert patch.startswith(
        f"diff --git a/{PDF} b/skills/pdf/README.md\nrename from {PDF}\nrename to skills/pdf/README.md\n"
        f"--- a/{PDF}\n+++ b/skills/pdf/README.md\n"
    )
    assert vault.compare("skill/pdf", "~1", "~1").changes == ()


@needs_git
def test_git_makes_the_newer_version_of_the_older_one_by_the_patch(scene: Scene) -> None:
    vault = scene.vault()
    vault.restore_to(scene.root / "old", "skill/pdf")
    (scene.lib / PDF).rename(scene.lib / "skills/pdf/READ me.md")
    change_line(scene.lib / "skills/pdf/READ me.md", 3, "three")
    (scene.lib / "skills/pdf/old.txt").unlink()
    write(scene.lib, "skills/pdf/deep/new.txt", "new\n").chmod(0o755)
    vault.snapshot()
    patch = b"".join(vault.compare_text("skill/pdf", "~1"))
    command = ["git", "apply", "-p3", "--unsafe-paths"]
    done = subprocess.run(command, cwd=scene.root / "old", input=patch, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert picture(scene.root / "old") == picture(scene.lib / "skills/pdf")


def test_compare_in_memory() -> None:
    vault = Vault.in_memory()
    for content in (b"one\n", b"two\n"):
        with vault.transaction() as tx:
            tx.collection("lib").put("commands/a.md", content)
    found = vault.compare("command/a", "~1")
    assert [(each.change.value, each.path) for each in found.changes] == [("modified", "commands/a.md")]
    assert vault.revert("command/a", "command/a").files[0].path == "commands/a.md"
    assert vault.read_files("lib", "commands/a.md") == {"": b"one\n"}
