"""branch, merge and snapshots of plain directories, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import World

OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}


@pytest.fixture
def notes(world: World) -> Path:
    """A plain directory, recorded on the branch main."""
    directory = world.base / "notes"
    directory.mkdir()
    (directory / "a.md").write_text("one\ntwo\nthree\n")
    world.done("snapshot", "--branch", "main", str(directory), "-m", "First")
    return directory


def record(world: World, branch: str, directory: Path, content: str) -> None:
    (directory / "a.md").write_text(content)
    world.done("snapshot", "--branch", branch, str(directory))


@pytest.fixture
def clash(world: World, notes: Path) -> World:
    world.done("branch", "try", "main")
    record(world, "main", notes, "one\nmain\nthree\n")
    record(world, "try", notes, "one\ntry\nthree\n")
    return world


def test_a_directory_is_recorded_and_then_the_current_one(world: World, notes: Path) -> None:
    again = world.done("snapshot", "--branch", "main", str(notes))
    assert again.out.startswith("main: nothing has changed since ")
    (notes / "b.md").write_text("more\n")
    document = world.done("--vault", str(world.library), "snapshot", "--branch", "main", "--json", at=notes).document
    assert set(document) == {"branch", "tip", "created", "ignored", "notes", *OUTCOME}
    assert (document["branch"], document["created"]) == ("main", True)
    assert sorted(path.name for path in notes.iterdir()) == ["a.md", "b.md"]


def test_branches_can_be_looked_at_as_any_history(world: World, notes: Path) -> None:
    record(world, "main", notes, "one\nTWO\nthree\n")
    log = world.done("log", "branches/main", "--oneline").out.splitlines()
    assert len(log) == 2
    assert log[1].endswith("First")
    assert "-two\n+TWO\n" in world.done("diff", "branches/main~1", "branches/main").out
    world.done("restore", "branches/main~1", "--to", str(world.base / "old"))
    assert (world.base / "old/a.md").read_text() == "one\ntwo\nthree\n"


def test_branch_lists_makes_and_forgets(world: World, notes: Path) -> None:
    assert world.done("branch", "try", "main").out.startswith("try: begins at ")
    assert world.done("branch", "try", "main").out.startswith("try: stands already at ")
    rows = [line.split() for line in world.done("branch").out.splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [("main", "First"), ("try", "First")]
    listed = world.done("branch", "--json").document["branches"]
    assert set(listed[0]) == {"name", "tip", "seconds", "zone", "subject"}
    assert world.done("branch", "-d", "try").out == "try: forgotten; `casvault undo` brings it back\n"
    assert world.run("branch", "-d", "try").code == 3
    world.done("undo")
    assert len(world.done("branch").out.splitlines()) == 2


def test_no_branches(world: World) -> None:
    assert world.done("branch").out == "no branches; `casvault snapshot --branch NAME DIR` makes one\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["branch", "try"], "try: say where the branch begins"),
        (["branch", "try", "-d", "main"], "try: -d takes one branch"),
        (["snapshot", "somewhere"], "somewhere: a collection is named with --collection"),
        (["snapshot", "--branch", "main", "--collection", "lib"], "a branch belongs to no collection"),
        (["snapshot", "--branch", "a:b", "."], "a:b: no branch can have this name"),
        (["merge", "main"], "into"),
    ],
)
def test_what_cannot_be_meant(world: World, notes: Path, arguments: list[str], message: str) -> None:
    result = world.run(*arguments)
    assert (result.code, message in result.err) == (2, True), result.err


def test_merge_moves_forward(world: World, notes: Path) -> None:
    world.done("branch", "try", "main")
    record(world, "try", notes, "new\n")
    assert world.done("merge", "try", "--into", "main").out.startswith("main: fast-forward, at ")
    document = world.done("merge", "try", "--into", "main", "--json").document
    assert set(document) == {"into", "source", "action", "tip", "conflicts", "merge", *OUTCOME}
    assert (document["action"], document["operation"]) == ("up_to_date", None)


def test_a_conflict_is_shown_resolved_and_continued(clash: World) -> None:
    result = clash.run("merge", "try", "--into", "main")
    (handle,) = [each["handle"] for each in clash.done("merges", "list", "--json").document["merges"]]
    assert result.code == 4
    assert result.out.splitlines()[1:] == [
        "  a.md  content",
        f"1 conflict, and nothing was changed: casvault merges show {handle}",
    ]
    assert clash.done("merges", "list").out == f"{handle}  branch  main  branch try → branch main  1 open\n"
    shown = clash.done("merges", "show", "main").out.splitlines()
    assert shown[0] == f"{handle} merge into main from branch try into branch main"
    assert "<<<<<<< branch main" in shown
    assert clash.run("merges", "continue", "main").code == 4
    clash.done("resolve", "main", "a.md", "--hunk", "1=union")
    ended = clash.done("merges", "continue", "main", "-m", "Both").out
    assert ended.startswith("main: merged, at ")
    assert clash.done("cat", "branches/main:a.md").out == "one\nmain\ntry\nthree\n"
    assert clash.done("log", "branches/main", "--oneline").out.splitlines()[0].endswith("Both")


def test_a_merge_of_branches_is_aborted(clash: World) -> None:
    assert clash.run("merge", "try", "--into", "main").code == 4
    assert clash.done("merges", "abort", "main").out.splitlines()[0].endswith("merge into main: aborted")
    assert clash.done("merges", "list").out == "no merges in progress\n"
