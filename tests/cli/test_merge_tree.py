"""`casvault merge-tree`: what a merge would give, and nothing is changed by asking."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import SKILL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import World


def fork(world: World, ours: str, theirs: str) -> tuple[str, str]:
    """Two snapshots with one parent, in which the skill is this text."""
    snapshots = []
    for content in (ours, theirs):
        world.skill.write_text(content)
        world.done("snapshot")
        snapshots.append(world.done("rev-parse", "@").out.strip())
        world.done("undo")
    return snapshots[0], snapshots[1]


@pytest.fixture
def clash(world: World) -> tuple[str, str]:
    return fork(world, SKILL.replace("two", "deux"), SKILL.replace("two", "zwei"))


def _everything(world: World) -> Iterator[tuple[Path, bytes]]:
    """All files but packs and caches."""
    for path in sorted(world.base.rglob("*")):
        if path.is_file() and not {"packs", "cache"} & set(path.parts):
            yield path, path.read_bytes()


def test_a_clean_merge_is_a_tree_with_both_sides(world: World) -> None:
    sides = fork(world, SKILL.replace("one", "un"), SKILL.replace("five", "fünf"))
    before = list(_everything(world))
    verdict, tree = world.done("merge-tree", *sides).out.split()
    assert verdict == "clean"
    assert world.done("cat", f"{tree}:skills/pdf/SKILL.md").out == SKILL.replace("one", "un").replace("five", "fünf")
    assert "tree" in world.done("ls-tree", f"{tree}:skills").out, "merged content, not a version"
    assert list(_everything(world)) == before
    assert world.done("fsck").code == 0


def test_a_version_that_one_side_changed_stays_a_link(world: World) -> None:
    ours = fork(world, SKILL.replace("one", "un"), SKILL + "six\n")[0]
    (world.library / "commands/review.md").write_text("Review that.\n")
    world.skill.write_text(SKILL)
    world.done("snapshot")
    theirs = world.done("rev-parse", "@").out.strip()
    tree = world.done("merge-tree", ours, theirs).out.split()[1]
    assert world.done("ls-tree", f"{tree}:skills").out == world.done("ls-tree", f"{ours}:skills").out
    assert world.done("ls-tree", f"{tree}:commands").out == world.done("ls-tree", f"{theirs}:commands").out


def test_a_conflict_is_marked_up_and_listed(world: World, clash: tuple[str, str]) -> None:
    before = list(_everything(world))
    result = world.run("merge-tree", *clash)
    head, *conflicts = result.out.splitlines()
    verdict, tree = head.split()
    assert (result.code, verdict, conflicts) == (4, "conflict", ["skills/pdf/SKILL.md: content"])
    shown = world.done("cat", f"{tree}:skills/pdf/SKILL.md").out
    assert f"<<<<<<< {clash[0]}\ndeux\n||||||| base\ntwo\n=======\nzwei\n>>>>>>> {clash[1]}\n" in shown
    assert shown.startswith("# pdf\n\none\n")
    assert "commands" in world.done("ls-tree", tree).out
    assert list(_everything(world)) == before


def test_a_merge_of_parts_of_trees_needs_a_base(world: World, clash: tuple[str, str]) -> None:
    parts = [f"{side}:skills/pdf" for side in clash]
    result = world.run("merge-tree", *parts)
    assert result.code == 2
    assert "--base" in result.err
    assert world.run("merge-tree", *parts, "--base", "@:skills/pdf").out.splitlines()[1:] == ["SKILL.md: content"]


def test_a_base_that_is_named_is_the_base(world: World, clash: tuple[str, str]) -> None:
    ours, theirs = clash
    assert world.done("merge-tree", ours, theirs, "--base", ours).out.startswith("clean ")
    assert world.done("merge-tree", ours, theirs, "--base", theirs).out.startswith("clean ")


def test_renames_are_named(world: World) -> None:
    old, one, other = (world.skill.with_name(name) for name in ("OLD.md", "ONE.md", "OTHER.md"))
    old.write_text("".join(f"line {number}\n" for number in range(20)))
    world.done("snapshot")
    sides = []
    for before, path in ((old, one), (one, other)):
        before.rename(path)
        world.done("snapshot")
        sides.append(world.done("rev-parse", "@").out.strip())
        world.done("undo")
    result = world.run("merge-tree", *sides)
    assert result.out.splitlines()[1:] == [
        "skills/pdf/ONE.md: renamed differently (base skills/pdf/OLD.md, theirs skills/pdf/OTHER.md)"
    ]


def test_unrelated_histories_are_refused_without_a_base(world: World) -> None:
    one, other = (world.done("rev-parse", name).out.strip() for name in ("skill/pdf", "command/review"))
    result = world.run("merge-tree", one, other)
    assert result.code == 3
    assert "--base" in result.err


def test_json_has_all_of_a_conflict(world: World, clash: tuple[str, str]) -> None:
    result = world.run("merge-tree", *clash, "--json")
    assert result.code == 4
    assert set(result.document) == {"ours", "theirs", "tree", "clean", "conflicts", "notes"}
    (found,) = result.document["conflicts"]
    assert (found["path"], found["kind"]) == ("skills/pdf/SKILL.md", "content")
    assert {len(found[side]) for side in ("base", "ours", "theirs")} == {64}
    assert {found[f"{side}_path"] for side in ("base", "our", "their")} == {"skills/pdf/SKILL.md"}


class _Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_stdin_has_a_line_for_each_pair(world: World, clash: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = clash
    pairs = f"{ours} {theirs}\n{theirs}\t{ours}\n@ @\n"
    monkeypatch.setattr(sys, "stdin", _Stdin(pairs.encode()))
    result = world.done("merge-tree", "--stdin")
    lines = [line.split() for line in result.out.splitlines()]
    assert [line[0] for line in lines] == ["conflict", "conflict", "clean"]
    assert world.run("merge-tree", ours, theirs).out.split()[1] == lines[0][1]
    monkeypatch.setattr(sys, "stdin", _Stdin(pairs.encode()))
    document = world.done("merge-tree", "--stdin", "--json").document
    assert [each["tree"] for each in document["merges"]] == [line[1] for line in lines]


@pytest.mark.parametrize("line", ["@", "@ @ @", ""])
def test_stdin_names_the_line_that_is_wrong(world: World, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(f"@ @\n{line}\n".encode()))
    result = world.run("merge-tree", "--stdin")
    assert (result.code, result.raw) == (2, b"")
    assert "line 2" in result.err


@pytest.mark.parametrize("arguments", ["", "@", "@ @ --stdin", "@ @ @"])
def test_arguments_that_make_no_sense(world: World, arguments: str) -> None:
    assert world.run("merge-tree", *arguments.split()).code == 2
