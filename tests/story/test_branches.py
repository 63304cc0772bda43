"""Branches of plain directories: recorded, merged, met in conflicts, resolved and continued."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import How, Merging, Vault
from casvault.errors import ConflictError, NotFoundError, RefusedError, StaleError, UsageError
from casvault.vault.results.branches import BranchMerge
from tests.story.scene import Scene, assert_clean, change_line, clock, picture, text, write


def notes(scene: Scene, name: str = "notes") -> Path:
    """A plain directory, which knows of no vault."""
    directory = scene.root / name
    write(directory, "a.md", text())
    write(directory, "sub/b.md", text())
    (directory / "link").symlink_to("sub/b.md")
    (directory / "empty").mkdir()
    return directory


def record(vault: Vault, name: str, directory: Path, **lines: str) -> str:
    """A commit of the directory in which a.md has these lines."""
    write(directory, "a.md", text(**lines))
    return vault.snapshot_branch(name, directory, "edit").tip.hex()


def fork(scene: Scene, vault: Vault, ours: dict[str, str], theirs: dict[str, str]) -> Path:
    """main and try, each with a change of its own.

        1 --- main
         \\
          try
    """
    directory = notes(scene)
    record(vault, "main", directory)
    vault.create_branch("try", "main")
    record(vault, "main", directory, **ours)
    record(vault, "try", directory, **theirs)
    return directory


def content(vault: Vault, revision: str) -> str:
    return b"".join(vault.cat(revision)).decode()


def pending(scene: Scene, vault: Vault) -> BranchMerge:
    fork(scene, vault, {"line3": "ours"}, {"line3": "theirs"})
    return vault.merge_branch("try", "main")


def test_a_plain_directory_is_recorded_and_laid_out_again(scene: Scene) -> None:
    vault, directory = scene.vault(), notes(scene)
    write(directory, "node_modules/x.js", "x")
    before = picture(directory, own=True)
    first = vault.snapshot_branch("notes", directory, "first")
    assert (first.created, first.ignored) == (True, ("node_modules",))
    assert picture(directory, own=True) == before
    again = vault.snapshot_branch("notes", directory)
    assert (again.created, again.tip) == (False, first.tip)
    record(vault, "notes", directory, line3="three")
    log = vault.log("branches/notes")
    assert [each.message for each in log] == ["edit", "first"]
    assert [change.path for change in vault.diff("branches/notes~1", "branches/notes")] == ["a.md"]
    vault.restore_to(scene.root / "copy", first.tip.hex())
    expected = {path: state for path, state in before.items() if not path.startswith("node_modules")}
    assert picture(scene.root / "copy") == expected
    assert_clean(vault)


def test_what_the_branch_holds_is_not_hidden_by_a_later_ignore_rule(scene: Scene) -> None:
    vault, directory = scene.vault(), notes(scene)
    vault.snapshot_branch("notes", directory)
    write(directory, ".casvaultignore", "*.md\n")
    write(directory, "new.md", "new\n")
    vault.snapshot_branch("notes", directory)
    names = {line.path for line in vault.ls_tree("branches/notes", recursive=True)}
    assert {"a.md", "sub/b.md"} <= names
    assert "new.md" not in names


def test_an_empty_directory_is_not_taken_for_a_removal_of_everything(scene: Scene) -> None:
    vault = scene.vault()
    vault.snapshot_branch("notes", notes(scene))
    (scene.root / "bare").mkdir()
    with pytest.raises(RefusedError, match="the directory is empty, but the branch has content"):
        vault.snapshot_branch("notes", scene.root / "bare")
    with pytest.raises(NotFoundError, match="no such directory"):
        vault.snapshot_branch("notes", scene.root / "nowhere")


def test_branches_are_made_listed_and_forgotten(scene: Scene) -> None:
    vault, directory = scene.vault(), notes(scene)
    first = vault.snapshot_branch("main", directory, "first\n\nmore").tip
    assert vault.create_branch("feature/x", "main").created
    assert not vault.create_branch("feature/x", "branches/main").created
    assert [(info.name, info.tip, info.subject) for info in vault.branches()] == [
        ("feature/x", first, "first"),
        ("main", first, "first"),
    ]
    record(vault, "main", directory, line3="three")
    with pytest.raises(RefusedError, match="there is a branch of this name already"):
        vault.create_branch("feature/x", "main")
    vault.delete_branch("feature/x")
    with pytest.raises(NotFoundError, match="no such branch"):
        vault.delete_branch("feature/x")
    vault.undo()
    assert [info.name for info in vault.branches()] == ["feature/x", "main"]


@pytest.mark.parametrize("name", ["", "branches/", "-d", "@x", "a:b", " a", "a//b"])
def test_names_that_no_branch_can_have(scene: Scene, name: str) -> None:
    with pytest.raises(UsageError):
        scene.vault().snapshot_branch(name, notes(scene))


def test_a_merge_moves_forward_where_that_is_all(scene: Scene) -> None:
    vault, directory = scene.vault(), notes(scene)
    record(vault, "main", directory)
    vault.create_branch("try", "main")
    tip = record(vault, "try", directory, line3="three")
    result = vault.merge_branch("try", "main")
    assert (result.action, result.tip.hex()) == (Merging.FAST_FORWARD, tip)
    again = vault.merge_branch("try", "main")
    assert (again.action, again.outcome.operation) == (Merging.UP_TO_DATE, None)
    assert vault.merge_branch("main", "try").action is Merging.UP_TO_DATE
    vault.undo()
    assert vault.find_ref("branches/main") != result.tip


def test_a_merge_of_both_has_both_as_parents_and_nothing_that_git_lacks(scene: Scene) -> None:
    vault = scene.vault()
    fork(scene, vault, {"line1": "ours"}, {"line9": "theirs"})
    sides = tuple(vault.rev_parse(f"branches/{name}") for name in ("main", "try"))
    result = vault.merge_branch("try", "main")
    commit = vault.read_commit(result.tip)
    assert (result.action, commit.parents, commit.fields) == (Merging.MERGED, sides, ())
    assert commit.message == b"Merge try into main"
    assert content(vault, "branches/main:a.md") == text(line1="ours", line9="theirs")
    assert_clean(vault)


def test_a_criss_cross_is_merged_over_both_bases(scene: Scene) -> None:
    """Each branch has merged the other's first commit; one base alone would show a change of line 5 on one side only.

        1 -- a -- c -- e        main, e changes line 5
         \\    \\ /
          \\    X
           \\  / \\
            b -- d -- f         try, f changes line 9
    """
    vault = scene.vault()
    directory = fork(scene, vault, {"line1": "a"}, {"line11": "b"})
    vault.create_branch("a", "main")
    vault.create_branch("b", "try")
    vault.merge_branch("b", "main")
    vault.merge_branch("a", "try")
    record(vault, "main", directory, line1="a", line11="b", line5="e")
    record(vault, "try", directory, line1="a", line11="b", line9="f")
    assert len(vault.merge_bases("branches/main", "branches/try")) == 2
    assert vault.merge_branch("try", "main").action is Merging.MERGED
    assert content(vault, "branches/main:a.md") == text(line1="a", line5="e", line9="f", line11="b")


def test_conflicts_wait_and_are_resolved_by_the_same_commands(scene: Scene) -> None:
    vault = scene.vault()
    result = pending(scene, vault)
    before = vault.find_ref("branches/main")
    assert (result.action, result.tip, [row.path for row in result.conflicts]) == (Merging.PENDING, before, ["a.md"])
    (info,) = vault.merges()
    assert (info.handle, info.direction.value, info.artifact) == (result.merge, "branch", "main")
    assert (info.ours_name, info.theirs_name) == ("branch main", "branch try")
    with pytest.raises(ConflictError):
        vault.continue_branch("main")
    vault.resolve("main", "a.md", How.THEIRS)
    ended = vault.continue_branch("main")
    assert (ended.action, vault.merges()) == (Merging.MERGED, [])
    assert vault.read_commit(ended.tip).parents == (info.ours, info.theirs)
    assert content(vault, "branches/main:a.md") == text(line3="theirs")
    vault.undo()
    assert (vault.find_ref("branches/main"), len(vault.merges())) == (before, 1)
    assert_clean(vault)


def test_a_resolution_is_offered_to_the_merge_the_other_way_round(scene: Scene) -> None:
    vault = scene.vault()
    pending(scene, vault)
    vault.create_branch("old", "main")
    vault.resolve("main", "a.md", How.FILE, b"both\n")
    vault.continue_branch("main")
    assert vault.merge_branch("old", "try").action is Merging.PENDING
    vault.resolve("try", "a.md", How.REUSE)
    vault.continue_branch("try")
    assert content(vault, "branches/try:a.md") == "both\n"


def test_a_branch_that_moved_on_is_merged_with_the_result(scene: Scene) -> None:
    vault = scene.vault()
    pending(scene, vault)
    vault.resolve("main", "a.md", How.THEIRS)
    moved = record(vault, "main", scene.root / "notes", line3="ours", line9="later")
    ended = vault.continue_branch("main")
    assert ended.action is Merging.MERGED
    assert content(vault, "branches/main:a.md") == text(line3="theirs", line9="later")
    assert vault.is_ancestor(moved, "branches/main")


def test_a_branch_that_moved_on_and_clashes_waits_again(scene: Scene) -> None:
    vault = scene.vault()
    first = pending(scene, vault)
    vault.resolve("main", "a.md", How.THEIRS)
    moved = record(vault, "main", scene.root / "notes", line3="later")
    ended = vault.continue_branch("main")
    assert (ended.action, ended.merge, ended.tip.hex()) == (Merging.PENDING, first.merge, moved)
    (info,) = vault.merges()
    assert (info.ours.hex(), len(info.open)) == (moved, 1)
    vault.resolve("main", "a.md", How.OURS)
    assert vault.continue_branch("main").action is Merging.MERGED
    assert content(vault, "branches/main:a.md") == text(line3="later")
    assert_clean(vault)


def test_a_merge_whose_branch_was_forgotten_can_only_be_aborted(scene: Scene) -> None:
    vault = scene.vault()
    result = pending(scene, vault)
    vault.resolve("main", "a.md", How.OURS)
    vault.delete_branch("main")
    with pytest.raises(NotFoundError, match="no such branch"):
        vault.continue_branch("main")
    assert result.merge is not None
    vault.abort_merge(result.merge)
    assert vault.merges() == []


def test_histories_that_do_not_meet_are_merged_only_when_asked(scene: Scene) -> None:
    vault, directory = scene.vault(), notes(scene)
    record(vault, "main", directory, line3="ours")
    record(vault, "other", directory, line3="theirs")
    with pytest.raises(RefusedError, match="no commit in common"):
        vault.merge_branch("other", "main")
    result = vault.merge_branch("other", "main", unrelated=True)
    assert [(row.path, row.kind.value) for row in result.conflicts] == [("a.md", "both added")]


def test_the_history_of_a_collection_is_no_branch_to_merge(scene: Scene) -> None:
    vault = scene.vault()
    record(vault, "main", notes(scene))
    with pytest.raises(UsageError, match="history of a collection"):
        vault.merge_branch("lib", "main")


def test_merges_of_artifacts_and_branches_are_not_taken_for_each_other(scene: Scene) -> None:
    vault = scene.vault()
    handle = pending(scene, vault).merge
    assert handle is not None
    with pytest.raises(UsageError, match="neither a pull nor a deploy"):
        vault.continue_merge(handle)
    vault.deploy(["skills/pdf"], scene.app)
    change_line(scene.lib / "skills/pdf/SKILL.md", 3, "lib")
    change_line(scene.app / ".claude/skills/pdf/SKILL.md", 3, "app")
    vault.pull(["skills/pdf"], scene.app)
    with pytest.raises(UsageError, match="no merge of branches"):
        vault.continue_branch("skills/pdf")
    assert len(vault.drift(scene.app).rows) > 0


def test_a_snapshot_does_not_take_back_what_came_to_the_branch_while_it_looked(scene: Scene) -> None:
    """The other's commit would have been undone by the next one, unseen by whoever made that."""
    others, directory = scene.vault(), notes(scene)
    record(others, "main", directory)
    moved: list[str] = []

    def meddling_clock() -> tuple[int, int]:
        """The time is asked for once the branch was looked at."""
        if not moved:
            moved.append("")
            moved[0] = record(others, "main", notes(scene, "elsewhere"), line3="theirs")
        return clock()

    write(directory, "a.md", text(line5="mine"))
    with pytest.raises(StaleError, match="moved this branch meanwhile"):
        scene.vault(clock=meddling_clock).snapshot_branch("main", directory)
    assert others.rev_parse("branches/main").hex() == moved[0]
