"""Interrupted directories: journals as a command leaves them that is cut off, and what becomes of them."""

from __future__ import annotations

import shutil

import pytest

from casvault import Status, Vault
from casvault.deploy.journal import JOURNAL, Journal, read_journal, write_journal
from casvault.deploy.marker import marker_snapshot
from casvault.deploy.run import written_files
from casvault.errors import ConflictError, InterruptedTargetError, UsageError
from casvault.oid import Oid
from casvault.refs import Operation
from casvault.repository import Repository
from tests.story.scene import PDF, Scene, assert_clean, change_line, command, text, write

DEPLOYED = f".claude/{PDF}"
PROJECT = b"projects/app"
UPDATE = text(line1="update")


def newest(scene: Scene) -> Operation:
    tip = Repository.open(scene.lib / ".casvault").log.tip()
    assert tip is not None
    return tip.operation


def journal_of(operation: Operation, ref: bytes, marker: Oid | None = None) -> Journal:
    writes = written_files(operation).get(ref, ())
    return Journal(operation.transaction, operation.number, ref, marker, writes)


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """The update is recorded as deployed, its journal stands, and its file is not written."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.lib / PDF, 1, "update")
    vault.deploy(["skill/pdf"], scene.app)
    write(scene.app, DEPLOYED, text())
    write_journal(scene.app, journal_of(newest(scene), PROJECT))
    return vault


def test_interrupted_is_said_and_nothing_else_is_done(scene: Scene, vault: Vault) -> None:
    refs = vault.refs()
    assert vault.interrupted() == [scene.app]
    for act in (
        lambda: vault.deploy(["command/review"], scene.app),
        lambda: vault.pull(["skill/pdf"], scene.app),
        vault.undo,
        vault.redo,
    ):
        with pytest.raises(InterruptedTargetError, match="was cut off"):
            act()
    assert (vault.refs(), (scene.app / DEPLOYED).read_text()) == (refs, text())


def test_interrupted_project_is_no_hindrance_elsewhere(scene: Scene, vault: Vault) -> None:
    other = scene.root / "other"
    other.mkdir()
    assert vault.deploy(["skill/pdf"], other).artifacts[0].wrote


def test_recover_finishes_what_was_recorded(scene: Scene, vault: Vault) -> None:
    (result,) = vault.recover()
    assert (result.directory, result.taken_back, result.written, result.kept) == (scene.app, False, 1, ())
    assert ((scene.app / DEPLOYED).read_text(), vault.interrupted()) == (UPDATE, [])
    assert vault.drift(scene.app).rows[0].status is Status.IN_SYNC


def test_recover_when_all_was_written_but_the_journal(scene: Scene, vault: Vault) -> None:
    write(scene.app, DEPLOYED, UPDATE)
    (result,) = vault.recover(scene.app)
    assert (result.written, result.kept, vault.interrupted()) == (0, (), [])


def test_recover_back_takes_the_operation_back(scene: Scene, vault: Vault) -> None:
    (result,) = vault.recover(scene.app, back=True)
    assert (result.taken_back, (scene.app / DEPLOYED).read_text()) == (True, text())
    assert vault.drift(scene.app).rows[0].status is Status.OUTDATED
    assert [operation.kind for operation in vault.operations(2)] == ["undo", "deploy"]
    assert_clean(vault)


def test_recover_back_after_the_file_was_written(scene: Scene, vault: Vault) -> None:
    write(scene.app, DEPLOYED, UPDATE)
    vault.recover(scene.app, back=True)
    assert (scene.app / DEPLOYED).read_text() == text()


def test_recover_where_nothing_was_cut_off(scene: Scene) -> None:
    vault = scene.vault()
    assert (vault.recover(), vault.recover(scene.lib)) == ([], [])


def test_recover_what_is_neither_collection_nor_project(scene: Scene) -> None:
    with pytest.raises(UsageError, match="neither a collection nor a project"):
        scene.vault().recover(scene.app)


def test_journal_of_an_operation_that_never_happened_is_forgotten(scene: Scene, vault: Vault) -> None:
    write_journal(scene.app, journal_of(newest(scene), PROJECT)._replace(transaction=bytes(16)))
    assert (vault.interrupted(), read_journal(scene.app), (scene.app / DEPLOYED).read_text()) == ([], None, text())


def test_journal_of_a_number_that_is_not_reached_is_forgotten(scene: Scene, vault: Vault) -> None:
    write_journal(scene.app, journal_of(newest(scene), PROJECT)._replace(number=newest(scene).number + 1))
    assert (vault.interrupted(), read_journal(scene.app)) == ([], None)


def test_journal_of_an_older_operation_is_found_in_the_chain(scene: Scene, vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.collection("api").put("models/m", b"1")
    assert vault.interrupted() == [scene.app]


def test_taking_back_that_was_cut_off_lets_the_first_journal_stand_again(scene: Scene, vault: Vault) -> None:
    first = (scene.app / JOURNAL).read_bytes()
    never = Journal(bytes(16), newest(scene).number + 1, PROJECT, None, (), first)
    write_journal(scene.app, never)
    assert vault.interrupted() == [scene.app]
    assert (scene.app / JOURNAL).read_bytes() == first


def test_journal_without_files_is_finished_by_the_next_command(scene: Scene) -> None:
    """A snapshot that was cut off before it could set the marker."""
    vault = scene.vault()
    before = marker_snapshot(scene.lib)
    change_line(scene.lib / PDF, 1, "update")
    tip = vault.snapshot().snapshot
    write_journal(scene.lib, journal_of(newest(scene), b"collections/lib", before))
    assert (vault.interrupted(), marker_snapshot(scene.lib)) == ([], before)
    write_journal(scene.lib, journal_of(newest(scene), b"collections/lib", tip))
    vault.snapshot()
    assert (marker_snapshot(scene.lib), read_journal(scene.lib)) == (tip, None)


def test_recover_after_an_edit_of_the_old_file_is_refused_by_name(scene: Scene, vault: Vault) -> None:
    """The old bytes with an edit, under the newer record, looked like an edit of that; the next pull took them home."""
    change_line(scene.app / DEPLOYED, 8, "edit")
    with pytest.raises(ConflictError) as caught:
        vault.recover()
    assert DEPLOYED in caught.value.conflicts[0]
    assert (vault.interrupted(), (scene.app / DEPLOYED).read_text()) == ([scene.app], text(line8="edit"))


def test_recover_back_after_an_edit_of_the_old_file_keeps_it(scene: Scene, vault: Vault) -> None:
    change_line(scene.app / DEPLOYED, 8, "edit")
    vault.recover(scene.app, back=True)
    vault.pull(["skill/pdf"], scene.app)
    assert scene.tip_text() == text(line1="update", line8="edit")


@pytest.fixture
def both(scene: Scene) -> Vault:
    """A deploy from a stale copy of the collection, recorded, with both journals standing and no file written."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    there, copied = scene.copy()
    change_line(scene.lib / PDF, 1, "update")
    tip = vault.snapshot().snapshot
    before = (there / ".casvault-collection").read_bytes()
    copied.deploy(["skill/pdf"], scene.app)
    operation = newest(scene)
    assert set(written_files(operation)) == {PROJECT, b"collections/lib"}
    for place, path, ref, marker in ((scene.app, DEPLOYED, PROJECT, None), (there, PDF, b"collections/lib", tip)):
        write(place, path, text())
        write_journal(place, journal_of(operation, ref, marker))
    (there / ".casvault-collection").write_bytes(before)
    return copied


def test_recover_two_directories_of_one_operation(scene: Scene, both: Vault) -> None:
    assert both.interrupted() == [scene.app, scene.root / "copy"]
    both.recover()
    files = [scene.app / DEPLOYED, scene.root / "copy" / PDF]
    assert ([file.read_text() for file in files], both.interrupted()) == ([UPDATE, UPDATE], [])


def test_recover_back_two_directories_of_one_operation(scene: Scene, both: Vault) -> None:
    both.recover(back=True)
    assert both.interrupted() == []


def test_recover_after_one_directory_was_taken_back_does_not_finish_the_other(scene: Scene, both: Vault) -> None:
    """`recover --back COPY`, then `recover`: the project got the files of the operation that had been undone."""
    both.recover(scene.root / "copy", back=True)
    both.recover()
    assert (scene.app / DEPLOYED).read_text() == text()


def test_recover_is_no_success_where_something_is_in_the_way(scene: Scene) -> None:
    """It said "finished" and ended with 0, and the directory was interrupted as before."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    shutil.rmtree(scene.app / ".claude/skills/pdf")
    write_journal(scene.app, journal_of(newest(scene), PROJECT))
    in_the_way = write(scene.app, ".claude/skills/pdf", "a file where a directory belongs")
    result = command(scene.app, "recover")
    assert result.returncode == 4
    assert "not finished" in result.stdout
    assert "move it away" in result.stderr
    assert vault.interrupted() == [scene.app]
    in_the_way.unlink()
    assert command(scene.app, "recover").returncode == 0
    assert (scene.app / DEPLOYED).read_text() == text()


def test_a_journal_of_what_never_happened_is_no_interruption(scene: Scene) -> None:
    """Status called the directory interrupted, and drift recorded no edits, where there was nothing to recover."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    for directory, ref in ((scene.lib, b"collections/lib"), (scene.app, PROJECT)):
        write_journal(directory, journal_of(newest(scene), PROJECT)._replace(transaction=bytes(16), ref=ref))
    change_line(scene.app / DEPLOYED, 3, "edited")
    assert not vault.status().interrupted
    result = vault.drift(scene.app)
    assert (result.recorded, result.notes) == (1, ())
