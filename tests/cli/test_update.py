"""update, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import SKILL, World


@pytest.fixture
def upstream(world: World) -> Path:
    directory = world.base / "vendor"
    directory.mkdir()
    (directory / "SKILL.md").write_text(SKILL)
    return directory


def test_from_is_said_once(world: World, upstream: Path) -> None:
    first = world.done("update", "skill/tool", "--from", "../vendor")
    assert first.out.startswith("skills/tool  imported from vendor as ")
    assert world.done("update", "--check").out.startswith("skills/tool  up to date")
    (upstream / "SKILL.md").write_text(SKILL.replace("two", "TWO"))
    check = world.run("update", "--check", "--exit-code")
    assert (check.code, check.out.split("  ")[:2]) == (6, ["skills/tool", "behind: 1 file"])
    preview = world.done("update", "--all", "--preview").out.splitlines()
    assert preview[-1] == "nothing was changed: this was a preview"
    assert world.done("update", "skill/tool").out.startswith("skills/tool  fast-forward from vendor as ")
    assert (world.library / "skills/tool/SKILL.md").read_text() == SKILL.replace("two", "TWO")


def test_what_json_says(world: World, upstream: Path) -> None:
    document = world.done("update", "skill/tool", "--from", str(upstream), "--json").document
    assert set(document) == {
        "preview", "artifacts", "operation", "written", "removed", "kept", "left", "notes"
    }  # fmt: skip
    (row,) = document["artifacts"]
    assert (row["artifact"], row["action"], row["source"]) == ("skills/tool", "imported", "vendor")
    assert row["version"] == row["upstream"]
    (known,) = world.done("update", "--check", "--json").document["upstreams"]
    assert known["upstream"]["location"] == str(upstream)
    assert (known["is_behind"], known["is_edited"], known["files"], known["problem"]) == (False, False, [], None)


def test_a_clash_ends_with_4_and_is_finished_like_any_other(world: World, upstream: Path) -> None:
    world.done("update", "skill/tool", "--from", str(upstream))
    mine = world.library / "skills/tool/SKILL.md"
    mine.write_text(SKILL.replace("two", "mine"))
    (upstream / "SKILL.md").write_text(SKILL.replace("two", "theirs"))
    clash = world.run("update", "skill/tool")
    assert (clash.code, mine.read_text()) == (4, SKILL.replace("two", "mine"))
    assert "both sides changed the same" in clash.err
    assert "upstream vendor → collection lib" in world.done("merges", "list").out
    assert ">>>>>>> upstream vendor" in world.done("merges", "show", "skill/tool").out
    world.done("resolve", "skill/tool", "SKILL.md", "--theirs")
    ended = world.done("merges", "continue", "skill/tool", "--json").document
    assert ended["artifacts"][0]["action"] == "merged"
    assert mine.read_text() == SKILL.replace("two", "theirs")
    assert world.done("merges", "list").out == "no merges in progress\n"


def test_nothing_in_common(world: World, upstream: Path) -> None:
    (upstream / "SKILL.md").write_text("something else\n")
    refused = world.run("update", "skill/pdf", "--from", str(upstream))
    assert (refused.code, "--strategy overwrite" in refused.err) == (4, True)
    world.done("update", "skill/pdf", "--from", str(upstream), "--strategy", "overwrite")
    assert world.skill.read_text() == "something else\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name artifacts, or say --all"),
        (["--all", "skill/pdf"], "--all goes without names"),
        (["--from", "x"], "--from is said of one artifact"),
        (["skill/pdf", "--ref", "v1"], "--ref goes with --from"),
        (["skill/pdf", "--exit-code"], "--exit-code goes with --check"),
        (["skill/pdf"], "nothing says where it comes from"),
    ],
)
def test_wrong_arguments(world: World, arguments: list[str], words: str) -> None:
    result = world.run("update", *arguments)
    assert (result.code, words in result.err) == (2, True)


def test_a_machine_that_was_never_told(world: World, upstream: Path) -> None:
    world.done("update", "skill/tool", "--from", str(upstream))
    (world.library / ".casvault/places.json").write_text("{}")
    check = world.done("update", "--check")
    assert "unknown" in check.out
    assert "this machine was never told where it is" in check.err
    assert "nobody has said where that is" in world.run("update", "skill/tool").err
    world.done("update", "skill/tool", "--from", str(upstream))
    assert world.done("update", "--check").out.startswith("skills/tool  up to date")


def test_check_asks_which_collection_is_meant(world: World, upstream: Path) -> None:
    """With two collections and none of them at hand, it said that nothing came from anywhere, and that all was well."""
    world.done("update", "skill/tool", "--from", str(upstream))
    (world.base / "team/skills/own").mkdir(parents=True)
    (world.base / "team/skills/own/SKILL.md").write_text("own\n")
    world.done("collection", "add", str(world.base / "team"))
    elsewhere = ("--vault", str(world.library), "update", "--check")
    asked = world.run(*elsewhere, at=world.project)
    assert (asked.code, "say which collection is meant" in asked.err) == (2, True)
    assert world.done(*elsewhere, "--collection", "lib", at=world.project).out.startswith("skills/tool  up to date")
