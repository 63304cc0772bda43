"""Merges in progress: named, looked at, settled, aborted, undone; neither side is touched by any of it."""

from __future__ import annotations

import pytest

from casvault import How, Take, Vault
from casvault.deploy.subject import Direction
from casvault.errors import ConflictError, NotFoundError, StaleError, UsageError
from casvault.merge.trees import ConflictKind
from casvault.objects import EXECUTABLE, FILE, SYMLINK, Overlay, read_blob, read_commit
from casvault.pending import read_pending, result_of
from casvault.trees import iter_entries
from tests.story.scene import PDF, Scene, assert_clean, picture, text
from tests.support.merging import Content, begin_merge

SKILL = "skills/pdf"
BASE: Content = {"SKILL.md": text().encode(), "bin": b"\0base", "gone.txt": b"base\n"}
OURS: Content = {"SKILL.md": text(line3="ours").encode(), "bin": b"\0ours"}
THEIRS: Content = {"SKILL.md": text(line3="theirs", line11="clean").encode(), "bin": b"\0theirs", "gone.txt": b"new\n"}


def begin(vault: Vault, artifact: str = SKILL, **options: object) -> str:
    return begin_merge(vault, artifact, BASE, OURS, THEIRS, **options)  # type: ignore[arg-type]


def result(vault: Vault, handle: str) -> dict[str, bytes]:
    """What the merge comes to, once all is settled."""
    oid = vault.find_ref(vault.merge_info(handle).ref)
    assert oid is not None
    overlay = Overlay(vault.reader)
    state = result_of(overlay, read_pending(overlay, oid))
    assert state is not None
    return {entry.name.decode(): read_blob(overlay, entry.id) for entry in iter_entries(overlay, state.id)}


def operations(vault: Vault) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.kind, each.arguments) for each in vault.operations()]


def test_a_merge_says_what_it_is_about(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    (info,) = vault.merges()
    assert info == vault.merge_info(handle)
    assert info[2:10] == (
        Direction.PULL,
        "app",
        ".claude",
        "lib",
        SKILL,
        "merge",
        "collection lib",
        "project app",
    )
    assert [(each.path, each.kind) for each in info.open] == [
        (PDF, ConflictKind.CONTENT),
        ("skills/pdf/bin", ConflictKind.BINARY),
        ("skills/pdf/gone.txt", ConflictKind.OURS_DELETED),
    ]
    assert read_commit(vault.reader, info.ours).root.id != read_commit(vault.reader, info.theirs).root.id
    assert_clean(vault)


def test_a_merge_is_settled_path_by_path(scene: Scene) -> None:
    vault = scene.vault()
    before = picture(scene.lib), picture(scene.app)
    handle = begin(vault)
    edited = text(line3="ours and theirs", line11="clean").encode()
    vault.resolve(handle, "SKILL.md", How.EDIT, edited)
    vault.resolve(handle, "bin", How.BASE)
    done = vault.resolve(handle, "skills/pdf/gone.txt", How.THEIRS, message="needed")
    assert (done.merge.open, done.outcome.operation and done.outcome.operation.message) == ((), b"needed")
    assert [(each.path, each.how) for each in done.merge.conflicts] == [
        (PDF, How.EDIT),
        ("skills/pdf/bin", How.BASE),
        ("skills/pdf/gone.txt", How.THEIRS),
    ]
    assert result(vault, handle) == {"SKILL.md": edited, "bin": b"\0base", "gone.txt": b"new\n"}
    assert before == (picture(scene.lib), picture(scene.app))
    assert operations(vault)[:3] == [
        ("resolve", ("lib", "app", "skills/pdf/gone.txt", "theirs")),
        ("resolve", ("lib", "app", "skills/pdf/bin", "base")),
        ("resolve", ("lib", "app", PDF, "edit")),
    ]
    assert_clean(vault)


def test_a_choice_says_who_made_it(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    resolved = vault.resolve(handle, "SKILL.md", How.OURS)
    oid = vault.find_ref(resolved.merge.ref)
    assert oid is not None
    by = read_pending(vault.reader, oid).settled[PDF.encode()].by
    assert by is not None
    assert by.name == b"Ada"


def test_the_last_choice_stands_and_the_same_again_is_no_operation(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    vault.resolve(handle, "SKILL.md", How.OURS)
    assert vault.resolve(handle, "SKILL.md", How.THEIRS).merge.conflicts[0].how is How.THEIRS
    count = len(vault.operations())
    again = vault.resolve(handle, "SKILL.md", How.THEIRS)
    assert (again.outcome.operation, again.merge.conflicts[0].how) == (None, How.THEIRS)
    assert len(vault.operations()) == count


def test_undo_takes_a_choice_back_and_redo_makes_it_again(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    vault.resolve(handle, "bin", How.OURS)
    vault.undo()
    assert len(vault.merge_info(handle).open) == 3
    vault.redo()
    assert [each.path for each in vault.merge_info(handle).open] == [PDF, "skills/pdf/gone.txt"]


def test_abort_removes_the_merge_and_undo_brings_it_back(scene: Scene) -> None:
    vault = scene.vault()
    before = picture(scene.lib), picture(scene.app)
    handle = begin(vault)
    vault.resolve(handle, "bin", How.OURS)
    aborted = vault.abort_merge(handle)
    assert (aborted.merge.handle, vault.merges()) == (handle, [])
    assert operations(vault)[0] == ("merge abort", ("lib", "app", SKILL))
    assert before == (picture(scene.lib), picture(scene.app))
    vault.undo()
    assert vault.merge_info(handle).conflicts[1].how is How.OURS
    assert_clean(vault)


@pytest.mark.parametrize("name", [SKILL, "skill/pdf", "pdf", "/skills/pdf/"])
def test_a_merge_is_called_by_its_artifact(scene: Scene, name: str) -> None:
    vault = scene.vault()
    handle = begin(vault)
    begin(vault, "skills/other")
    assert vault.merge_info(name).handle == handle


def test_a_merge_is_called_by_its_handle_or_the_beginning_of_it(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    begin(vault, "skills/other")
    for name in (handle, handle[:4], handle[:5].upper()):
        assert vault.merge_info(name).artifact == SKILL
    for wrong in (handle[:3], handle + "0", "", "nothing"):
        with pytest.raises(NotFoundError, match="no such merge in progress"):
            vault.merge_info(wrong)


def test_a_name_that_several_merges_have_lists_them(scene: Scene) -> None:
    vault = scene.vault()
    handles = [begin(vault), begin(vault, project="web")]
    with pytest.raises(UsageError) as caught:
        vault.resolve("skill/pdf", "SKILL.md", How.OURS)
    for handle, project in zip(handles, ("app", "web"), strict=True):
        assert f"{handle} (skills/pdf, project {project})" in caught.value.message
    assert [vault.merge_info(handle).project for handle in handles] == ["app", "web"]


def test_an_artifact_that_is_called_like_a_handle_is_ambiguous(scene: Scene) -> None:
    """Otherwise an abort could hit the merge that was not meant."""
    vault = scene.vault()
    handle = begin(vault)
    begin(vault, f"skills/{handle}")
    with pytest.raises(UsageError, match="several merges have this name"):
        vault.abort_merge(handle)
    assert vault.merge_info(f"skills/{handle}").artifact == f"skills/{handle}"


def test_a_path_that_is_no_conflict(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    with pytest.raises(NotFoundError, match=f"this path is no conflict of merge {handle}"):
        vault.resolve(handle, "README.md", How.OURS)


def test_a_path_that_can_mean_two_conflicts(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin_merge(
        vault,
        SKILL,
        {"x": b"1\n", "skills/pdf/x": b"1\n"},
        {"x": b"2\n", "skills/pdf/x": b"2\n"},
        {"x": b"3\n", "skills/pdf/x": b"3\n"},
    )
    with pytest.raises(UsageError, match="skills/pdf/skills/pdf/x"):
        vault.resolve(handle, "skills/pdf/x", How.OURS)
    assert vault.resolve(handle, "x", How.OURS).merge.open[0].path == "skills/pdf/skills/pdf/x"


@pytest.mark.parametrize("path", ["commands/review.md", "review.md"])
def test_the_one_conflict_of_an_artifact_that_is_a_file(scene: Scene, path: str) -> None:
    vault = scene.vault()
    handle = begin_merge(vault, "commands/review.md", b"1\n", b"2\n", b"3\n")
    assert vault.resolve(handle, path, How.THEIRS).merge.open == ()


def test_a_side_that_deleted_the_artifact(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin_merge(vault, "commands/review.md", b"1\n", None, b"3\n", direction=Direction.DEPLOY)
    info = vault.resolve(handle, "commands/review.md", How.OURS).merge
    assert (info.ours_name, info.conflicts[0].how, info.conflicts[0].chosen) == ("project app", How.OURS, None)


@pytest.mark.parametrize("how", [How.FILE, How.EDIT])
def test_markers_that_are_left_are_refused(scene: Scene, how: How) -> None:
    """Conflict markers must not come into a collection by a choice that says it is done."""
    vault = scene.vault()
    handle = begin(vault)
    marked = vault.conflict_text(handle, "SKILL.md")
    assert marked is not None
    count = len(vault.operations())
    with pytest.raises(ConflictError, match="conflict markers are left in lines 4, 6, ") as caught:
        vault.resolve(handle, "SKILL.md", how, marked.text)
    assert caught.value.place == PDF
    assert (len(vault.operations()), len(vault.merge_info(handle).open)) == (count, 3)


def test_a_line_of_equal_signs_is_left_in_an_edit_but_may_be_meant_in_a_file(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    with pytest.raises(ConflictError, match=r"conflict markers are left in line 2$"):
        vault.resolve(handle, "SKILL.md", How.EDIT, b"Heading\n=======\n")
    assert vault.resolve(handle, "SKILL.md", How.FILE, b"Heading\n=======\n").merge.conflicts[0].how is How.FILE


@pytest.mark.parametrize(
    ("path", "how", "content", "message"),
    [
        ("SKILL.md", How.OURS, b"x", "content goes with a file, an edit"),
        ("SKILL.md", How.FILE, None, "content goes with a file, an edit"),
        ("SKILL.md", How.EDIT, None, "content goes with a file, an edit"),
        ("bin", How.EDIT, b"x", "cannot be edited: no lines clash in it"),
    ],
)
def test_a_choice_that_there_is_not(scene: Scene, path: str, how: How, content: bytes | None, message: str) -> None:
    vault = scene.vault()
    handle = begin(vault)
    with pytest.raises(UsageError, match=message):
        vault.resolve(handle, path, how, content)


def test_a_base_that_there_is_not(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin_merge(vault, SKILL, {"k": b"k"}, {"k": b"k", "new": b"1\n"}, {"k": b"k", "new": b"2\n"})
    with pytest.raises(UsageError, match="there is no base: both sides added it"):
        vault.resolve(handle, "new", How.BASE)


def test_a_binary_file_is_settled_by_a_file(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin(vault)
    chosen = vault.resolve(handle, "bin", How.FILE, b"\0<<<<<<< x\n").merge.conflicts[1].chosen
    assert chosen is not None
    assert vault.read_blob(chosen.id) == b"\0<<<<<<< x\n"


def test_a_file_keeps_a_change_of_the_mode_by_the_other_side(scene: Scene) -> None:
    """An edit of the lines must not lose that the other side made the file executable."""
    vault = scene.vault()
    handle = begin_merge(vault, SKILL, {"run": b"1\n"}, {"run": b"2\n"}, {"run": (EXECUTABLE, b"3\n")})
    chosen = vault.resolve(handle, "run", How.EDIT, b"4\n").merge.conflicts[0].chosen
    assert chosen is not None
    assert chosen.mode == EXECUTABLE


def test_a_file_in_the_place_of_a_symlink(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin_merge(vault, SKILL, *({"to": (SYMLINK, target)} for target in (b"a", b"b", b"c")))
    with pytest.raises(UsageError, match="neither side is a file"):
        vault.resolve(handle, "to", How.FILE, b"x")
    chosen = vault.resolve(handle, "to", How.THEIRS).merge.conflicts[0].chosen
    assert chosen is not None
    assert (chosen.mode, vault.read_blob(chosen.id)) == (SYMLINK, b"c")


def test_a_file_here_and_a_directory_there(scene: Scene) -> None:
    vault = scene.vault()
    handle = begin_merge(vault, SKILL, {"x": b"1\n", "k": b"k"}, {"x": b"2\n", "k": b"k"}, {"x/in": b"3\n", "k": b"k"})
    assert vault.conflict_text(handle, "x") is None
    chosen = vault.resolve(handle, "x", How.FILE, b"4\n").merge.conflicts[0].chosen
    assert chosen is not None
    assert chosen.mode == FILE


def test_a_merge_that_is_over_by_the_time_of_the_choice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody aborts while the choice is on its way: it must not bring the merge back."""
    vault, other = scene.vault(), scene.vault()
    handle = begin(vault)
    found = vault._find_merge(handle)
    other.abort_merge(handle)
    monkeypatch.setattr(vault, "_find_merge", lambda name: found)
    with pytest.raises(StaleError, match="continued or aborted meanwhile"):
        vault.resolve(handle, "SKILL.md", How.OURS)
    with pytest.raises(StaleError, match="continued or aborted meanwhile"):
        vault.abort_merge(handle)
    assert other.merges() == []


def test_a_conflict_that_became_another_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tip moves while somebody looks at a conflict: what was chosen was not chosen for the new one."""
    vault, other = scene.vault(), scene.vault()
    handle = begin(vault)
    found = vault._find_merge(handle)
    begin_merge(other, SKILL, BASE, {**OURS, "SKILL.md": text(line3="newer").encode()}, THEIRS)  # type: ignore[dict-item]
    monkeypatch.setattr(vault, "_find_merge", lambda name: found)
    with pytest.raises(StaleError, match="the conflict is another one meanwhile"):
        vault.resolve(handle, "SKILL.md", How.OURS)
    assert vault.resolve(handle, "bin", How.OURS).merge.conflicts[1].how is How.OURS


def test_merges_are_not_removed_by_hand(scene: Scene) -> None:
    vault = scene.vault()
    begin(vault)
    (info,) = vault.merges()
    with pytest.raises(UsageError, match="not changed by hand"), vault.transaction() as transaction:
        transaction.set_ref(info.ref, None)


def test_hunks_are_settled_all_at_once(scene: Scene) -> None:
    vault = scene.vault()
    contents = (text(), text(line1="a", line9="b"), text(line1="c", line9="d"))
    handle = begin_merge(vault, SKILL, *({"SKILL.md": each.encode()} for each in contents))
    with pytest.raises(UsageError, match="nothing is chosen for hunk 2"):
        vault.resolve_hunks(handle, "SKILL.md", {1: Take.OURS})
    assert len(vault.merge_info(handle).open) == 1
    conflict = vault.resolve_hunks(handle, "SKILL.md", {2: Take.OURS, 1: Take.THEIRS}).merge.conflicts[0]
    assert conflict.how is How.HUNKS
    assert conflict.chosen is not None
    assert vault.read_blob(conflict.chosen.id) == text(line1="c", line9="b").encode()


def test_a_deletion_has_no_hunks(scene: Scene) -> None:
    """The empty side of its one hunk would be an empty file, which neither side wants."""
    vault = scene.vault()
    handle = begin_merge(vault, SKILL, {"x": b"1\n", "y": b""}, {"x": b"2\n", "y": b""}, {"y": b""})
    with pytest.raises(UsageError, match="no hunks to choose from"):
        vault.resolve_hunks(handle, "x", {1: Take.THEIRS})
