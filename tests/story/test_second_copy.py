"""Several copies of one collection's directory, stale and restored ones: what one did is not undone by another."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from casvault import Status, Vault
from casvault.errors import CasvaultError, ConflictError, RefusedError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, clock, command, picture, text, write

EDITED = text(line0="zero, by the first copy")


@pytest.fixture
def stale(scene: Scene) -> tuple[Path, Vault]:
    """A copy of the directory, made before the first one edited a command and took a snapshot."""
    copy = scene.copy()
    write(scene.lib, REVIEW, EDITED)
    scene.vault().snapshot("an edit")
    return copy


def test_a_stale_copy_adds_a_file(scene: Scene, stale: tuple[Path, Vault]) -> None:
    there, vault = stale
    write(there, "skills/new/SKILL.md", "new\n")
    result = vault.snapshot("an addition")
    assert result.created
    assert [change.path for change in result.changes] == ["skills/new"]
    assert scene.tip_text(REVIEW) == EDITED
    assert (there / REVIEW).read_text() == EDITED
    assert vault.status().changes == ()
    assert len(vault.show(str(result.snapshot)).parents) == 2

    assert not (scene.lib / "skills/new").exists()
    scene.vault().snapshot()
    assert picture(scene.lib) == picture(there)
    assert scene.vault().status().changes == ()
    assert not scene.vault().snapshot().created
    assert_clean(vault)


def test_two_copies_edit_different_lines_of_one_file(scene: Scene, stale: tuple[Path, Vault]) -> None:
    there, vault = stale
    change_line(there / REVIEW, 9, "nine, by the copy")
    vault.snapshot()
    assert scene.tip_text(REVIEW) == text(line0="zero, by the first copy", line9="nine, by the copy")
    assert (there / REVIEW).read_text() == scene.tip_text(REVIEW)
    scene.vault().snapshot()
    assert picture(scene.lib) == picture(there)


@pytest.mark.parametrize("edit", ["same line", "deletion", "binary", "a directory"])
def test_clashing_edits_change_neither_copy(scene: Scene, stale: tuple[Path, Vault], edit: str) -> None:
    there, vault = stale
    if edit == "same line":
        change_line(there / REVIEW, 0, "zero, by the copy")
    elif edit == "binary":
        write(there, REVIEW, b"\0\1\2")
    else:
        (there / REVIEW).unlink()
        if edit == "a directory":
            write(there, f"{REVIEW}/part.md", "part\n")
    write(there, "skills/fine/SKILL.md", "no clash here\n")
    before = picture(there, own=True), picture(scene.lib, own=True), vault.refs(), len(vault.operations())
    with pytest.raises(ConflictError) as caught:
        vault.snapshot()
    assert caught.value.conflicts
    assert all(line.startswith(REVIEW) for line in caught.value.conflicts)
    assert (picture(there, own=True), picture(scene.lib, own=True), vault.refs(), len(vault.operations())) == before
    assert_clean(vault)


def test_clashing_edits_are_exit_code_4(scene: Scene, stale: tuple[Path, Vault]) -> None:
    there, _ = stale
    change_line(there / REVIEW, 0, "zero, by the copy")
    before = picture(there, own=True)
    done = command(there, "snapshot")
    assert done.returncode == 4
    assert REVIEW in done.stderr
    assert "Traceback" not in done.stderr
    assert picture(there, own=True) == before


def test_a_deletion_in_the_first_copy_reaches_the_stale_one(scene: Scene) -> None:
    there, vault = scene.copy()
    (scene.lib / "skills/pdf/old.txt").unlink()
    (scene.lib / REVIEW).unlink()
    scene.vault().snapshot()
    write(there, "skills/new/SKILL.md", "new\n")
    vault.snapshot()
    assert not (there / REVIEW).exists()
    assert not (there / "skills/pdf/old.txt").exists()
    assert sorted(path for path, _ in vault.iter_artifacts("lib")) == ["skills/new", "skills/pdf"]


def test_deploying_from_a_stale_copy_takes_the_tip_along(scene: Scene, stale: tuple[Path, Vault]) -> None:
    there, vault = stale
    change_line(there / REVIEW, 9, "nine, by the copy")
    vault.deploy(["commands/review.md"], scene.app)
    both = text(line0="zero, by the first copy", line9="nine, by the copy")
    assert (scene.app / ".claude" / REVIEW).read_text() == both
    assert (there / REVIEW).read_text() == both
    assert [row.status for row in scene.vault().drift(scene.app).rows] == [Status.IN_SYNC]


def test_pulling_into_a_stale_copy_keeps_what_the_first_one_did(scene: Scene) -> None:
    scene.vault().deploy(["skills/pdf"], scene.app)
    there, vault = scene.copy()
    change_line(scene.lib / PDF, 0, "zero, by the first copy")
    scene.vault().snapshot()
    change_line(scene.app / ".claude" / PDF, 9, "nine, in the project")
    change_line(there / PDF, 5, "five, by the copy")
    vault.pull(["skills/pdf"], scene.app)
    expected = text(line0="zero, by the first copy", line5="five, by the copy", line9="nine, in the project")
    assert scene.tip_text() == expected
    assert (there / PDF).read_text() == expected
    scene.vault().snapshot()
    assert (scene.lib / PDF).read_text() == expected


def test_a_restored_backup_is_brought_up_to_the_tip(scene: Scene) -> None:
    backup = scene.root / "backup"
    shutil.copytree(scene.lib, backup, ignore=shutil.ignore_patterns(".casvault"))
    write(scene.lib, REVIEW, EDITED)
    write(scene.lib, "skills/new/SKILL.md", "new\n")
    scene.vault().snapshot()
    for name in ("skills", "commands"):
        shutil.rmtree(scene.lib / name)
    shutil.copytree(backup, scene.lib, dirs_exist_ok=True)
    change_line(scene.lib / REVIEW, 9, "nine, after the backup")
    scene.vault().snapshot()
    assert (scene.lib / REVIEW).read_text() == text(line0="zero, by the first copy", line9="nine, after the backup")
    assert (scene.lib / "skills/new/SKILL.md").read_text() == "new\n"
    assert scene.vault().status().changes == ()


def test_old_files_under_a_new_marker_are_an_edit_on_top_of_the_history(scene: Scene) -> None:
    old = picture(scene.lib)
    write(scene.lib, REVIEW, EDITED)
    kept = scene.vault().snapshot().snapshot
    write(scene.lib, REVIEW, text())
    result = scene.vault().snapshot()
    assert picture(scene.lib) == old
    assert [commit.id for commit in scene.vault().log()][:2] == [result.snapshot, kept]


def test_undo_with_refs_only_leaves_files_and_loses_nothing(scene: Scene) -> None:
    write(scene.lib, REVIEW, EDITED)
    snapshot = scene.vault().snapshot().snapshot
    before = picture(scene.lib)
    scene.vault().undo(refs_only=True)
    assert picture(scene.lib) == before
    write(scene.lib, "skills/new/SKILL.md", "new\n")
    scene.vault().snapshot()
    assert scene.vault().status().changes == ()
    assert "skills/new" in dict(scene.vault().iter_artifacts("lib"))
    assert b"".join(scene.vault().cat(f"{snapshot}:{REVIEW}")) == EDITED.encode()
    assert_clean(scene.vault())


def test_what_is_undone_with_refs_only_does_not_depend_on_unrelated_edits(scene: Scene) -> None:
    """A snapshot whose tip is an ancestor of the directory's snapshot fast-forwards: an unrelated new file redoes what
    was undone, while without one the next snapshot takes the undone edit out of the directory.
    """
    write(scene.lib, REVIEW, EDITED)
    scene.vault().snapshot()
    scene.vault().undo(refs_only=True)
    there, vault = scene.copy()
    scene.vault().snapshot()
    write(there, "skills/new/SKILL.md", "new\n")
    vault.snapshot()
    assert (there / REVIEW).read_text() == (scene.lib / REVIEW).read_text()


def test_undo_in_a_stale_copy_and_a_snapshot_keep_the_first_copys_edit(scene: Scene, stale: tuple[Path, Vault]) -> None:
    """Copy (stale) adds and snapshots, undoes that, snapshots again: the first copy's edit was silently reverted."""
    there, vault = stale
    write(there, "skills/new/SKILL.md", "new\n")
    vault.snapshot()
    vault.undo()
    assert (there / "skills/new/SKILL.md").exists()
    vault.snapshot()
    assert scene.tip_text(REVIEW) == EDITED


def test_undo_of_the_first_copys_work_from_a_stale_one(scene: Scene, stale: tuple[Path, Vault]) -> None:
    """The copy is two snapshots behind and undoes the last: its marker then named one that its files were never at."""
    there, vault = stale
    write(scene.lib, "skills/third/SKILL.md", "third\n")
    scene.vault().snapshot()
    vault.undo()
    vault.snapshot()
    assert scene.tip_text(REVIEW) == EDITED
    assert (there / REVIEW).read_text() == EDITED


def test_undo_from_the_first_copy_of_what_the_stale_one_did(scene: Scene, stale: tuple[Path, Vault]) -> None:
    """The merge wrote the first copy's edit into the stale one; undone from the first, it went from the first."""
    there, vault = stale
    write(there, "skills/new/SKILL.md", "new\n")
    vault.snapshot()
    scene.vault().undo()
    assert (scene.lib / REVIEW).read_text() == EDITED
    scene.vault().snapshot()
    assert scene.tip_text(REVIEW) == EDITED


def test_undo_after_a_restored_backup(scene: Scene) -> None:
    """A backup two snapshots old; undo of the last; snapshot: the one between was silently reverted."""
    backup = scene.root / "backup"
    shutil.copytree(scene.lib, backup, ignore=shutil.ignore_patterns(".casvault"))
    write(scene.lib, REVIEW, EDITED)
    scene.vault().snapshot()
    change_line(scene.lib / PDF, 3, "three")
    scene.vault().snapshot()
    shutil.copytree(backup, scene.lib, dirs_exist_ok=True)
    scene.vault().undo()
    scene.vault().snapshot()
    assert scene.tip_text(REVIEW) == EDITED


def test_a_collection_whose_addition_was_undone_is_added_again(scene: Scene) -> None:
    """collection add, undo, collection add: every file of the directory was deleted."""
    other = scene.root / "other"
    write(other, "skills/a/SKILL.md", "precious\n")
    scene.vault().add_collection(other)
    scene.vault().undo()
    before = picture(other)
    scene.vault().add_collection(other)
    assert picture(other) == before
    assert dict(scene.vault().iter_artifacts("other")).keys() == {"skills/a"}


def test_a_snapshot_in_the_directory_of_a_removed_collection(scene: Scene) -> None:
    """collection remove, snapshot from within the directory: every file of it was deleted."""
    scene.vault().remove_collection("lib")
    before = picture(scene.lib)
    with contextlib.suppress(CasvaultError):
        Vault.discover(scene.lib, clock=clock).snapshot()
    assert picture(scene.lib) == before


def test_a_removed_marker_is_no_reason_to_make_snapshot_after_snapshot(scene: Scene) -> None:
    (scene.lib / ".casvault-collection").unlink()
    before = len(scene.vault().operations())
    try:
        scene.vault().snapshot()
        scene.vault().snapshot()
    except RefusedError:
        return
    assert len(scene.vault().operations()) == before
