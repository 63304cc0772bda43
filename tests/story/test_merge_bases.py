"""Pulls and deploys over tangled histories: the base is right, and nothing taken home is silently taken back."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, PullStrategy, Status, Vault
from casvault.errors import CasvaultError, ConflictError, RefusedError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write
from tests.support.dying import run_until_death

SKILL = "skills/pdf"


def project(scene: Scene, name: str) -> Path:
    """Another project with the skill deployed."""
    directory = scene.root / name
    directory.mkdir(exist_ok=True)
    scene.vault().deploy([SKILL], directory)
    return directory


def in_project(directory: Path, path: str = PDF) -> Path:
    return directory / ".claude" / path


def statuses(scene: Scene, directory: Path) -> list[Status]:
    return [row.status for row in scene.vault().drift(directory).rows]


def test_two_projects_pull_each_others_edits_again_and_again(scene: Scene) -> None:
    """V0 ── a1 ──── M1 ── a2 ──── M3 …      each project edits its own lines, pulls, and takes the update
    └─ b1 ──┘  └─ b2 ──┘
    """
    one, two = project(scene, "one"), project(scene, "two")
    expected: dict[str, str] = {}
    for turn in range(4):
        for number, directory in ((turn, one), (turn + 7, two)):
            value = f"turn {turn} of {directory.name}"
            change_line(in_project(directory), number, value)
            expected[f"line{number}"] = value
        scene.vault().pull([SKILL], one)
        scene.vault().pull([SKILL], two)
        assert scene.tip_text() == text(**expected)
        for directory in (one, two):
            scene.vault().deploy([SKILL], directory)
            assert statuses(scene, directory) == [Status.IN_SYNC]
            assert in_project(directory).read_text() == text(**expected)
    assert_clean(scene.vault())


def test_projects_that_never_take_the_update_pull_again_and_again(scene: Scene) -> None:
    """Each pull merges from what this project pulled last, so lines changed twice do not clash."""
    one, two = project(scene, "one"), project(scene, "two")
    for turn in range(4):
        change_line(in_project(one), 0, f"one {turn}")
        change_line(in_project(two), 11, f"two {turn}")
        scene.vault().pull([SKILL], one)
        scene.vault().pull([SKILL], two)
        assert scene.tip_text() == text(line0=f"one {turn}", line11=f"two {turn}")


def test_customised_projects_merge_updates_and_then_come_home(scene: Scene) -> None:
    """Criss-cross: both projects merge the update into their edits; then both are pulled."""
    one, two = project(scene, "one"), project(scene, "two")
    change_line(in_project(one), 0, "one")
    change_line(in_project(two), 11, "two")
    change_line(scene.lib / PDF, 5, "update")
    for directory in (one, two):
        scene.vault().deploy([SKILL], directory, strategy=DeployStrategy.MERGE)
        assert statuses(scene, directory) in ([Status.MODIFIED], [Status.AHEAD])
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line0="one", line5="update")
    scene.vault().pull([SKILL], two)
    assert scene.tip_text() == text(line0="one", line5="update", line11="two")
    scene.vault().deploy([SKILL], one)
    assert in_project(one).read_text() == scene.tip_text()


def test_criss_cross_with_several_bases_is_a_conflict_or_right(scene: Scene) -> None:
    """V0 ─ C1 ──── C2      C2 = C1 + P1 in the collection, P2 = P1 + C1 in the project: two merge bases
    └ P1 ─X── P2
    """
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "collection")
    scene.vault().snapshot()
    change_line(in_project(one), 11, "project")
    scene.vault().pull([SKILL], one)
    scene.vault().undo()
    scene.vault().deploy([SKILL], one, strategy=DeployStrategy.MERGE)
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line0="collection", line11="project")
    change_line(scene.lib / PDF, 5, "five")
    change_line(in_project(one), 7, "seven")
    before = picture(scene.lib), picture(one)
    try:
        scene.vault().pull([SKILL], one)
    except ConflictError:
        assert (picture(scene.lib), picture(one)) == before
    else:
        assert scene.tip_text() == text(line0="collection", line5="five", line7="seven", line11="project")


def test_a_revert_in_the_collection_is_not_undone_by_a_pull(scene: Scene) -> None:
    one = project(scene, "one")
    change_line(in_project(one), 0, "a bad idea")
    scene.vault().pull([SKILL], one)
    scene.vault().restore("@~1")
    assert scene.tip_text() == text()
    assert statuses(scene, one) == [Status.OUTDATED]
    assert scene.vault().pull([SKILL], one).outcome.operation is None
    assert scene.tip_text() == text()
    change_line(in_project(one), 11, "a good one")
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line11="a good one")
    scene.vault().deploy([SKILL], one)
    assert in_project(one).read_text() == text(line11="a good one")


def test_a_revert_of_an_overwriting_pull_stands(scene: Scene) -> None:
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "collection")
    change_line(in_project(one), 0, "project")
    scene.vault().pull([SKILL], one, strategy=PullStrategy.OVERWRITE)
    assert statuses(scene, one) == [Status.IN_SYNC]
    scene.vault().restore("@~1")
    assert scene.tip_text() == text(line0="collection")
    assert statuses(scene, one) == [Status.OUTDATED]
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line0="collection")


def test_a_collection_that_went_there_and_back_takes_the_edit(scene: Scene) -> None:
    """A → B → A in the collection, an edit on the first A in the project: both parents, and no conflict."""
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "there")
    scene.vault().snapshot()
    change_line(scene.lib / PDF, 0, "line 0")
    scene.vault().snapshot()
    change_line(in_project(one), 11, "edit")
    row = scene.vault().pull([SKILL], one).artifacts[0]
    assert not row.fast_forward
    assert len(row.parents) == 2
    assert scene.tip_text() == text(line11="edit")


def test_deletion_mode_and_line_endings_of_a_project_are_applied(scene: Scene) -> None:
    write(scene.lib, "skills/pdf/run.sh", "#!/bin/sh\n")
    write(scene.lib, "skills/pdf/crlf.txt", text().replace("\n", "\r\n"))
    write(scene.lib, "skills/pdf/mixed.txt", "one\r\ntwo\nthree\r\n" + text() + "no newline")
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "collection")
    crlf = text(line0="collection").replace("\n", "\r\n").encode()
    write(scene.lib, "skills/pdf/crlf.txt", crlf)
    in_project(one, "skills/pdf/old.txt").unlink()
    in_project(one, "skills/pdf/run.sh").chmod(0o755)
    write(one, ".claude/skills/pdf/crlf.txt", text(line11="project").replace("\n", "\r\n"))
    scene.vault().pull([SKILL], one)
    assert not (scene.lib / "skills/pdf/old.txt").exists()
    assert os.access(scene.lib / "skills/pdf/run.sh", os.X_OK)
    merged = text(line0="collection", line11="project").replace("\n", "\r\n").encode()
    assert (scene.lib / "skills/pdf/crlf.txt").read_bytes() == merged
    assert (scene.lib / "skills/pdf/mixed.txt").read_bytes().endswith(b"line 11\nno newline")
    scene.vault().deploy([SKILL], one)
    assert picture(one / ".claude/skills/pdf") == picture(scene.lib / "skills/pdf")


@pytest.mark.parametrize("what", ["binary", "mode", "deletion", "directory", "symlink", "both added"])
def test_clashes_change_neither_side(scene: Scene, what: str) -> None:
    one = project(scene, "one")
    mine, theirs = in_project(one, "skills/pdf/old.txt"), scene.lib / "skills/pdf/old.txt"
    if what == "both added":
        write(one, ".claude/skills/pdf/new.txt", "a\n")
        write(scene.lib, "skills/pdf/new.txt", "b\n")
    else:
        theirs.write_bytes(b"\0theirs" if what == "binary" else b"theirs\n")
        mine.unlink()
        if what == "binary":
            mine.write_bytes(b"\0mine")
        elif what == "directory":
            write(mine, "inside.txt", "inside\n")
        elif what == "symlink":
            mine.symlink_to("SKILL.md")
        elif what == "mode":
            mine.write_text("mine\n")
            mine.chmod(0o755)
    change_line(in_project(one), 3, "no clash")
    before = picture(scene.lib), picture(one, own=True)
    for preview in (True, False):
        row = scene.vault().pull([SKILL], one, preview=preview).artifacts[0]
        assert (row.action, len(row.conflicts), row.files) == (Action.PENDING, 1, ())
    row = scene.vault().deploy([SKILL], one, strategy=DeployStrategy.MERGE).artifacts[0]
    assert (row.action, len(row.conflicts), row.wrote) == (Action.PENDING, 1, False)
    assert (picture(scene.lib), picture(one, own=True)) == before
    assert_clean(scene.vault())


@pytest.mark.parametrize("back", [False, True])
def test_file_and_directory_change_places(scene: Scene, back: bool) -> None:
    """One side replaces a file by a directory (or back), the other edits another file."""
    path = "skills/pdf/old.txt"
    if back:
        (scene.lib / path).unlink()
        write(scene.lib, f"{path}/inside.txt", "inside\n")
    one = project(scene, "one")
    if back:
        shutil.rmtree(in_project(one, path))
        write(one, f".claude/{path}", "a file again\n")
    else:
        in_project(one, path).unlink()
        write(one, f".claude/{path}/inside.txt", "inside\n")
    change_line(scene.lib / PDF, 0, "collection")
    scene.vault().pull([SKILL], one)
    assert (scene.lib / path).is_dir() is not back
    assert scene.tip_text() == text(line0="collection")
    scene.vault().deploy([SKILL], one)
    assert picture(one / ".claude/skills/pdf") == picture(scene.lib / "skills/pdf")
    scene.vault().undo()
    scene.vault().undo()
    assert (scene.lib / path).is_dir() is back
    assert_clean(scene.vault())


def test_undo_of_a_pull_under_later_edits(scene: Scene) -> None:
    one = project(scene, "one")
    change_line(in_project(one), 0, "pulled")
    scene.vault().pull([SKILL], one)
    change_line(scene.lib / PDF, 11, "later")
    scene.vault().undo()
    assert (scene.lib / PDF).read_text() == text(line11="later")
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line0="pulled", line11="later")


def test_a_pull_from_a_copy_of_a_project_does_not_turn_against_the_first(scene: Scene) -> None:
    """The copy's pull settled the original's deployment: its untouched old content then counted as an edit of the new
    version, and the next pull reverted the collection by fast-forward.
    """
    one = project(scene, "one")
    two = scene.root / "two"
    shutil.copytree(one, two)
    change_line(in_project(two), 0, "edited in the copy")
    scene.vault().pull([SKILL], two)
    assert statuses(scene, one) == [Status.OUTDATED]
    scene.vault().pull([SKILL], one)
    assert scene.tip_text() == text(line0="edited in the copy")


def interrupt_deploy(scene: Scene, one: Path) -> None:
    """A deploy of the skill dies after its record, before its files."""
    saved = scene.root / "saved"
    shutil.copytree(scene.lib, saved / "lib")
    shutil.copytree(one, saved / "one")
    old = in_project(one).read_text()
    for change in range(60):
        for name in ("lib", "one"):
            shutil.rmtree(scene.root / name)
            shutil.copytree(saved / name, scene.root / name)
        run_until_death(lambda: scene.vault().deploy([SKILL], one), change)
        if scene.vault().interrupted() and in_project(one).read_text() == old:
            return
    raise AssertionError("no death between the record and the files")


def test_an_edit_before_recovery_does_not_revert_the_update(scene: Scene) -> None:
    """A deploy dies after its record; the user edits the file; recover left it and named it. The deployment was
    settled at the update, so the next pull carried the old content home as a fast-forward.
    """
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "update")
    scene.vault().snapshot()
    interrupt_deploy(scene, one)
    change_line(in_project(one), 11, "edit")
    with contextlib.suppress(RefusedError):
        scene.vault().recover()
    with contextlib.suppress(RefusedError):
        scene.vault().pull([SKILL], one)
    assert scene.tip_text() in (text(line0="update"), text(line0="update", line11="edit"))
    assert in_project(one).read_text().endswith("edit\n")


def test_one_of_the_two_recoveries_works_whatever_was_edited(scene: Scene) -> None:
    """An edit of the very lines that the update changes: both were refused, and every command says to recover."""
    one = project(scene, "one")
    change_line(scene.lib / PDF, 0, "update")
    scene.vault().snapshot()
    interrupt_deploy(scene, one)
    change_line(in_project(one), 0, "edit")
    for back in (False, True):
        with contextlib.suppress(ConflictError):
            scene.vault().recover(back=back)
    assert scene.vault().interrupted() == []
    assert in_project(one).read_text() == text(line0="edit")


def move_and_link(file: Path, to: Path) -> None:
    file.rename(to)
    file.symlink_to(to)


def test_deploying_to_a_file_that_is_a_symlink(scene: Scene) -> None:
    """An artifact of one file that the user has linked elsewhere: `wrote` was true, nothing was written, and the next
    pull reverted the update in the collection by fast-forward.
    """
    scene.vault().deploy([REVIEW], scene.app)
    move_and_link(in_project(scene.app, REVIEW), scene.root / "shared.md")
    change_line(scene.lib / REVIEW, 0, "update")
    try:
        scene.vault().deploy([REVIEW], scene.app)
    except CasvaultError:
        scene.vault().snapshot()
    else:
        assert in_project(scene.app, REVIEW).read_text() == text(line0="update")
    assert statuses(scene, scene.app) in ([Status.OUTDATED], [Status.IN_SYNC])
    scene.vault().pull([REVIEW], scene.app)
    assert scene.tip_text(REVIEW) == text(line0="update")


def test_pulling_into_a_collection_file_that_is_a_symlink(scene: Scene) -> None:
    """The pull is recorded, the file behind the link stays old, the marker says that it is new: the next snapshot
    recorded the old content as an edit on top.
    """
    move_and_link(scene.lib / REVIEW, scene.root / "shared.md")
    scene.vault().deploy([REVIEW], scene.app)
    change_line(in_project(scene.app, REVIEW), 0, "good edit")
    try:
        scene.vault().pull([REVIEW], scene.app)
    except CasvaultError:
        return
    scene.vault().snapshot()
    assert scene.tip_text(REVIEW) == text(line0="good edit")


def test_a_pull_that_replaces_a_directory_with_ignored_files_in_it(scene: Scene) -> None:
    """The project made a file of a directory; in the collection an ignored file lies in it. The directory is left, and
    the next snapshot took the pull back.
    """
    write(scene.lib, "skills/pdf/part/one.txt", "one\n")
    one = project(scene, "one")
    write(scene.lib, "skills/pdf/part/one.txt~", "an editor's backup\n")
    shutil.rmtree(in_project(one, "skills/pdf/part"))
    write(one, ".claude/skills/pdf/part", "a file now\n")
    try:
        scene.vault().pull([SKILL], one)
    except CasvaultError:
        return
    scene.vault().snapshot()
    assert scene.vault().read_files("lib", SKILL)["part"] == b"a file now\n"


IN_THE_WAY = "the emptied directory is in the way of the file, and the target is interrupted for good"


def test_restoring_what_was_a_plain_file_and_is_a_directory_of_artifacts(scene: Scene) -> None:
    """It was recorded, the agent's file removed, and then neither `recover` nor `recover --back` could finish it."""
    write(scene.lib, "agents/x", "plain\n")
    old = scene.vault().snapshot().snapshot
    (scene.lib / "agents/x").unlink()
    write(scene.lib, "agents/x/y.md", "an agent\n")
    new = scene.vault().snapshot().snapshot
    for snapshot in (old, new):
        scene.vault().restore(str(snapshot))
        assert (scene.lib / "agents/x").is_dir() is (snapshot == new)
        assert scene.vault().status().changes == ()


def test_a_stale_copy_takes_a_plain_file_for_a_directory_of_artifacts(scene: Scene) -> None:
    write(scene.lib, "agents/x/y.md", "an agent\n")
    scene.vault().snapshot()
    there, vault = scene.copy()
    shutil.rmtree(scene.lib / "agents/x")
    write(scene.lib, "agents/x", "plain\n")
    scene.vault().snapshot()
    vault.snapshot()
    assert (there / "agents/x").read_text() == "plain\n"
    assert vault.interrupted() == []


def test_restoring_what_was_a_file_and_is_a_directory(scene: Scene) -> None:
    old = scene.vault().rev_parse("@")
    (scene.lib / REVIEW).unlink()
    write(scene.lib, f"{REVIEW}/part.txt", "part\n")
    new = scene.vault().snapshot().snapshot
    for snapshot in (old, new, old):
        scene.vault().restore(str(snapshot))
        assert (scene.lib / REVIEW).is_dir() is (snapshot == new)
        assert scene.vault().status().changes == ()
    assert_clean(scene.vault())


def test_a_deploy_that_keeps_edits_names_a_version_that_is_there(scene: Scene) -> None:
    one = project(scene, "one")
    change_line(in_project(one), 0, "edit")
    row = scene.vault().deploy([SKILL], one, strategy=DeployStrategy.MERGE).artifacts[0]
    assert scene.vault().reader.find_infos([row.version]) != [None]


@pytest.mark.parametrize("root", ["..", "/x", ".git", "x/../../y", "a//b"])
def test_roots_that_lead_out_of_a_project(scene: Scene, root: str) -> None:
    with pytest.raises(CasvaultError):
        scene.vault().deploy([SKILL], scene.app, root=root)
    assert picture(scene.app) == {}
    assert set(os.listdir(scene.root)) == {"lib", "app"}


def test_a_root_that_makes_no_sense_is_a_usage_error(scene: Scene) -> None:
    with pytest.raises(CasvaultError) as caught:
        scene.vault().deploy([SKILL], scene.app, root="a//b")
    assert caught.value.code == "usage"


def backend_vault() -> Vault:
    vault = Vault.in_memory()
    with vault.transaction() as tx:
        for name in ("one", "two"):
            tx.collection("lib").put(f"skills/{name}", {"SKILL.md": name.encode()})
    return vault


@pytest.mark.parametrize("path", ["skills/one/SKILL.md", "skills/one/deeper"])
def test_an_artifact_below_another_is_refused(path: str) -> None:
    vault = backend_vault()
    before = vault.refs()
    with pytest.raises(CasvaultError), vault.transaction() as tx:
        tx.collection("lib").put(path, b"x")
    assert vault.refs() == before


def test_an_artifact_above_others_is_refused() -> None:
    """`put("skills", …)` removed every skill without a word."""
    vault = backend_vault()
    try:
        with vault.transaction() as tx:
            tx.collection("lib").put("skills", b"x")
    except CasvaultError:
        pass
    assert [path for path, _ in vault.iter_artifacts("lib")] == ["skills/one", "skills/two"]


@pytest.mark.parametrize(
    ("there", "new"),
    [("branches/a", "branches/a/b"), ("branches/a/b", "branches/a"), (None, "collections"), (None, "")],
)
def test_refs_above_and_below_others_are_refused(there: str | None, new: str) -> None:
    vault = backend_vault()
    with vault.transaction() as tx:
        commit = tx.write_commit(tx.write_directory({"a": b"1"}))
        if there is not None:
            tx.set_ref(there, commit)
    before = vault.refs()
    with pytest.raises(CasvaultError), vault.transaction() as tx:
        tx.set_ref(new, commit)
    assert vault.refs() == before
