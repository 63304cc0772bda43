"""What scripts ask of merge-base: common ancestors, ancestry and heads, one question or many."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Result, World


def test_merge_base_of_a_snapshot_and_its_parent_is_the_parent(world: World) -> None:
    first = world.done("rev-parse", "@").out
    world.skill.write_text("new\n")
    world.done("snapshot")
    assert world.done("merge-base", "@", "@~1").out == first
    assert world.done("merge-base", "@", "@~1", "--all").out == first
    assert world.run("merge-base", "@", "skill/pdf").code == 3


def ask(world: World, monkeypatch: pytest.MonkeyPatch, pairs: bytes, *more: str) -> Result:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(pairs)))
    return world.run("merge-base", "--stdin", *more)


def test_merge_base_answers_pairs_a_line_each_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, skill = (world.done("rev-parse", name).out.strip() for name in ("@", "skill/pdf"))
    world.skill.write_text("new\n")
    world.done("snapshot")
    result = ask(world, monkeypatch, b"@ @~1\n@~1\t@\n@ skill/pdf\nskill/pdf skill/pdf~1\n")
    assert (result.code, result.out) == (0, f"{first}\n{first}\n\n{skill}\n")
    document = ask(world, monkeypatch, b"@ @~1\n@ skill/pdf\n", "--json").document
    assert document["pairs"] == [
        {"one": "@", "other": "@~1", "bases": [first]},
        {"one": "@", "other": "skill/pdf", "bases": []},
    ]


def test_merge_base_names_the_line_that_is_no_pair(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    result = ask(world, monkeypatch, b"@ @\n@ @ @\n@ @\n")
    assert (result.code, len(result.out.splitlines())) == (2, 1)
    assert result.err.startswith("error: standard input, line 2: not two revisions")


def test_merge_base_answers_a_pair_before_it_reads_the_next(world: World) -> None:
    """A program that asks, and waits for the answer before it asks again, must not wait for ever."""
    command = [sys.executable, "-m", "casvault", "merge-base", "--stdin"]
    with subprocess.Popen(command, cwd=world.library, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(b"@ @\n")
            process.stdin.flush()
            assert len(process.stdout.readline()) == 65
        process.stdin.close()
        assert process.wait() == 0


def test_merge_base_is_ancestor_speaks_by_its_exit_code(world: World) -> None:
    world.skill.write_text("new\n")
    world.done("snapshot")
    for one, other, code in (("@~1", "@", 0), ("@", "@", 0), ("@", "@~1", 6), ("@", "skill/pdf", 6)):
        result = world.run("merge-base", "--is-ancestor", one, other)
        assert (result.code, result.raw, result.err) == (code, b"", "")
    answered = world.run("merge-base", "--is-ancestor", "@", "@~1", "--json")
    assert (answered.code, answered.document["is_ancestor"]) == (6, False)


def test_merge_base_independent_keeps_those_that_no_other_comes_from(world: World) -> None:
    world.skill.write_text("new\n")
    world.done("snapshot")
    tip, skill = (world.done("rev-parse", name).out for name in ("@", "skill/pdf"))
    assert world.done("merge-base", "--independent", "@~1", "skill/pdf", "@", "@").out == skill + tip


def test_merge_base_of_several_is_that_with_their_merge(world: World) -> None:
    for text in ("new\n", "newer\n"):
        world.skill.write_text(text)
        world.done("snapshot")
    second = world.done("rev-parse", "@~1").out
    assert world.done("merge-base", "@", "@~2", "@~1", "skill/pdf", "--all").out == second


@pytest.mark.parametrize(
    "arguments",
    ["", "@", "--is-ancestor @", "--is-ancestor @ @ @", "--independent", "--stdin @", "--all --is-ancestor @ @"],
)
def test_merge_base_refuses_what_is_no_question(world: World, arguments: str) -> None:
    assert world.run("merge-base", *arguments.split()).code == 2
