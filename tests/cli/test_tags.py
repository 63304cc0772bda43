"""tag, bump, compare, revert, changelog and restore of versions, as typed."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import SKILL, World

OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}
TAG = {
    "collection", "artifact", "label", "version", "created", "major", "replaced", "suggestion", "deleted", *OUTCOME,
}  # fmt: skip
TAG_ROW = {
    "label", "version", "id", "author", "mail", "seconds", "zone", "message", "major", "replaced", "former",
}  # fmt: skip
BUMP = {"collection", "artifact", "old", "new", "bump", "current", "next", "reasons", "notes"}
COMPARISON = {"collection", "artifact", "old", "new", "old_tags", "new_tags", "changes", "notes"}
CHANGE = {"change", "path", "old_path", "old", "new"}
VERSION = {"collection", "artifact", "source", "version", "created", "files", "conflicts", "merge", *OUTCOME}
SECTION = {
    "labels", "version", "seconds", "zone", "message", "major", "bump", "since", "versions", "changes",
}  # fmt: skip


def edit(world: World, old: str, new: str, message: str = "") -> None:
    world.skill.write_text(world.skill.read_text().replace(old, new))
    world.done("snapshot", "-m", message)


@pytest.fixture
def tagged(world: World) -> World:
    """v1.0.0, an edit, v1.1.0, and an edit that has no tag."""
    world.done("tag", "skill/pdf", "v1.0.0", "-m", "The *first*")
    edit(world, "one", "ONE", "Louder")
    world.done("tag", "skill/pdf", "v1.1.0", "--major")
    edit(world, "five", "FIVE")
    return world


def test_tag_makes_lists_and_forgets(world: World) -> None:
    made = world.done("tag", "skill/pdf", "v1.0.0", "-m", "The first")
    assert made.out.startswith("skills/pdf@v1.0.0: version ")
    assert world.done("tag", "skill/pdf", "v1.0.0", "-m", "The first").out.endswith("already\n")
    for arguments in (["tag", "skill/pdf"], ["tag", "pdf", "--list"]):
        (row,) = world.done(*arguments).out.splitlines()
        assert row.startswith("v1.0.0  ")
        assert row.endswith("The first")
    assert world.done("tag", "pdf", "v1.0.0", "-d").out == (
        "skills/pdf@v1.0.0: forgotten; `casvault undo` brings it back\n"
    )
    assert world.done("tag", "pdf").out == "no tags; `casvault tag pdf v1.0.0` makes one\n"


def test_tag_as_json(world: World) -> None:
    document = world.done("tag", "skill/pdf", "v1.0.0", "--major", "--json").document
    assert set(document) == TAG
    assert (document["label"], document["created"], document["major"], document["deleted"]) == (
        "v1.0.0", True, True, False,
    )  # fmt: skip
    (row,) = world.done("tag", "skill/pdf", "--json").document["tags"]
    assert set(row) == TAG_ROW
    assert (row["author"], row["major"], row["version"]) == ("Ann", True, document["version"])
    assert set(world.done("tag", "pdf", "v1.0.0", "--delete", "--json").document) == TAG


def test_a_tag_moves_by_force_only_and_that_is_seen(world: World) -> None:
    first = world.done("tag", "skill/pdf", "v1", "--json").document["version"]
    edit(world, "one", "ONE")
    refused = world.run("tag", "skill/pdf", "v1")
    assert refused.code == 4
    assert f"this tag names version {first[:12]} already" in refused.err
    assert "--force" in refused.err
    forced = world.done("tag", "skill/pdf", "v1", "--force")
    assert f"it named {first[:12]} before" in forced.out
    assert f"was {first[:12]}" in world.done("tag", "skill/pdf").out
    assert "--force" in world.done("ops", "-n", "1").out


def test_tag_auto(tagged: World) -> None:
    document = tagged.done("tag", "skill/pdf", "--auto", "--json").document
    assert set(document["suggestion"]) == BUMP
    assert (document["label"], document["suggestion"]["bump"]) == ("v1.1.1", "patch")
    again = tagged.run("tag", "skill/pdf", "--auto")
    assert (again.code, "nothing has changed since v1.1.1" in again.err) == (4, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--auto", "v1"],
        ["--auto", "--list"],
        ["--auto", "--force"],
        ["v1", "--list"],
        ["--delete"],
        ["v1", "v2", "--delete"],
        ["v1", "--strict"],
        ["--major"],
        [""],
        ["a\nb"],
    ],
)
def test_tag_arguments_that_do_not_go_together(world: World, arguments: list[str]) -> None:
    assert world.run("tag", "skill/pdf", *arguments).code == 2
    assert world.done("tag", "skill/pdf").out.startswith("no tags")


def test_bump(tagged: World) -> None:
    lines = tagged.done("bump", "skill/pdf").out.splitlines()
    assert lines == ["skills/pdf: patch, v1.1.0 → v1.1.1", "  patch  modified  skills/pdf/SKILL.md"]
    document = tagged.done("bump", "skill/pdf", "--json").document
    assert set(document) == BUMP
    assert document["reasons"] == [
        {"bump": "patch", "change": "modified", "path": "skills/pdf/SKILL.md", "old_path": None}
    ]
    tagged.skill.rename(tagged.skill.parent / "README.md")
    tagged.done("snapshot")
    assert "renamed  skills/pdf/README.md  was skills/pdf/SKILL.md" in tagged.done("bump", "pdf").out
    assert tagged.done("bump", "pdf", "--strict", "--json").document["next"] == "v2.0.0"
    assert tagged.done("bump", "pdf", "~1", "~1").out == "skills/pdf: none, since v1.1.0\n"
    assert tagged.done("bump", "review").out == "commands/review.md: no version tag yet; the first would be v0.1.0\n"


def test_bump_says_what_is_not_recorded(tagged: World) -> None:
    tagged.skill.write_text("other\n")
    assert "that is in no version yet" in tagged.done("bump", "skill/pdf").err


def test_compare(tagged: World) -> None:
    result = tagged.done("compare", "skill/pdf", "v1.0.0", "v1.1.0")
    head, change = result.out.splitlines()
    assert head.startswith("skills/pdf: ")
    assert "(v1.0.0) → " in head
    assert head.endswith("(v1.1.0), 1 file")
    assert change == "  M  skills/pdf/SKILL.md"
    document = tagged.done("compare", "skill/pdf", "v1.0.0", "--json", "-p").document
    assert set(document) == {*COMPARISON, "patch"}
    assert [set(each) for each in document["changes"]] == [CHANGE]
    assert (document["old_tags"], document["new_tags"]) == (["v1.0.0"], [])
    assert "-one\n+ONE\n" in document["patch"]
    assert "-one\n+ONE\n" in tagged.done("compare", "skill/pdf", "v1.0.0", "--text").out
    assert tagged.run("compare", "skill/pdf", "v1.0.0", "--exit-code").code == 6
    assert tagged.run("compare", "skill/pdf", "~0", "--exit-code").code == 0


def test_revert(tagged: World) -> None:
    document = tagged.done("revert", "skill/pdf", "v1.1.0", "-m", "Softer", "--json").document
    assert set(document) == VERSION
    assert [(each["path"], each["change"]) for each in document["files"]] == [("skills/pdf/SKILL.md", "modified")]
    assert tagged.skill.read_text() == SKILL.replace("five", "FIVE")
    assert tagged.done("revert", "skill/pdf", "v1.1.0").out.startswith("skills/pdf: nothing is left to revert of ")
    edit(tagged, "FIVE", "Five")
    before = tagged.skill.read_text()
    clash = tagged.run("revert", "skill/pdf", "~2", "--json")
    assert (clash.code, set(clash.document)) == (4, VERSION)
    assert [each["path"] for each in clash.document["conflicts"]] == ["skills/pdf/SKILL.md"]
    assert tagged.skill.read_text() == before
    handle = clash.document["merge"]
    assert "revert" in tagged.done("merges", "list").out
    assert "revert of skills/pdf" in tagged.done("merges", "show", handle).out
    assert tagged.run("merges", "continue", handle).code == 4
    tagged.done("resolve", handle, "SKILL.md", "--theirs")
    assert set(tagged.done("merges", "continue", handle, "--json").document) == VERSION
    assert tagged.skill.read_text() == SKILL.replace("one", "ONE")


def test_restore_of_a_version(tagged: World) -> None:
    document = tagged.done("restore", "skill/pdf@v1.0.0", "--json").document
    assert set(document) == VERSION
    assert tagged.skill.read_text() == SKILL
    assert tagged.done("restore", "v1.1.0", "skill/pdf").out.startswith("skills/pdf: restored from ")
    assert tagged.skill.read_text() == SKILL.replace("one", "ONE")
    assert tagged.done("restore", "skill/pdf@v1.1.0").out.startswith("skills/pdf: it is already as in ")
    tagged.done("restore", "skill/pdf@v1.0.0", "--to", str(tagged.base / "old"))
    assert (tagged.base / "old/SKILL.md").read_text() == SKILL


def test_deploy_by_label(tagged: World) -> None:
    tagged.done("deploy", "skill/pdf", "--version", "v1.0.0", "--pin", "--project", str(tagged.project))
    assert tagged.deployed.read_text() == SKILL
    drift = tagged.done("drift", "--json").document["rows"][0]
    assert (drift["pin"], drift["deployed_tags"], drift["collection_tags"]) == ("v1.0.0", ["v1.0.0"], [])
    assert "pinned to v1.0.0" in tagged.done("drift").out
    tagged.done("unpin", "skill/pdf", "--project", str(tagged.project))
    assert "at v1.0.0" in tagged.done("drift").out
    assert tagged.done("rev-parse", "skill/pdf@{in:app}").out == tagged.done("rev-parse", "skill/pdf@v1.0.0").out


def test_status_shows_tags(world: World) -> None:
    world.done("tag", "skill/pdf", "v1.0.0")
    world.skill.write_text("other\n")
    assert "  M  skills/pdf  since v1.0.0" in world.done("status").out
    assert world.done("status", "--json").document["changes"][0]["tags"] == ["v1.0.0"]


def test_changelog(tagged: World) -> None:
    lines = tagged.done("changelog", "skill/pdf").out.splitlines()
    assert lines[0] == "# Changelog of skills/pdf"
    headings = [line.split(" (")[0] for line in lines if line.startswith("## ")]
    assert headings == ["## Unreleased", "## v1.1.0", "## v1.0.0"]
    behind = lines.index("- `skills/pdf/SKILL.md`") + 2
    assert [line for line in lines if line.endswith(" **major**")] == [lines[behind]]
    assert "The \\*first\\*" in lines
    assert any(line.startswith("- Louder, edit (") for line in lines)


def test_changelog_as_json(tagged: World) -> None:
    document = tagged.done("changelog", "skill/pdf", "--json").document
    assert json.loads(tagged.done("changelog", "skill/pdf", "--format", "json").raw) == document
    assert set(document) == {"collection", "artifact", "sections", "notes"}
    assert [set(section) for section in document["sections"]] == [SECTION] * 3
    assert [section["labels"] for section in document["sections"]] == [[], ["v1.1.0"], ["v1.0.0"]]
    assert [section["major"] for section in document["sections"]] == [False, True, False]
    assert set(document["sections"][1]["versions"][0]) == {"id", "origin", "author", "seconds", "zone", "message"}
    part = tagged.done("changelog", "pdf", "--from", "v1.0.0", "--to", "v1.1.0", "--json").document
    assert [section["labels"] for section in part["sections"]] == [["v1.1.0"]]
