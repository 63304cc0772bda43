"""lineage, log of paths, snapshots, show and diff by artifact: what is printed, and the documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import World

VERSION = {
    "id", "content", "mode", "parents", "tags", "origin", "collection", "path", "author", "mail", "seconds", "zone",
    "message", "where",
}  # fmt: skip
SNAPSHOT = {
    "id", "parents", "collection", "author", "mail", "seconds", "zone", "message", "purposes", "operation", "command",
    "artifacts",
}  # fmt: skip
ARTIFACT = {
    "path", "name", "kind", "version", "content", "mode", "size", "origin", "source", "tags", "projects",
}  # fmt: skip
DIFF = {
    "path", "kind", "change", "moved_from", "old_version", "new_version", "old_content", "new_content", "added",
    "modified", "removed",
}  # fmt: skip


@pytest.fixture
def merged(world: World) -> World:
    """Deployed, edited on both sides, pulled as a merge, deployed again."""
    project = str(world.project)
    world.done("deploy", "skill/pdf", "--project", project)
    world.skill.write_text(world.skill.read_text().replace("one", "ONE"))
    world.done("snapshot", "-m", "the library moves")
    world.deployed.write_text(world.deployed.read_text().replace("five", "FIVE"))
    world.done("pull", "skill/pdf", "--project", project)
    world.done("deploy", "skill/pdf", "--project", project)
    return world


def masked(text: str) -> str:
    """With what differs from run to run replaced: ids and times."""
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d [+-]\d{4})?", "TIME", text)


def test_lineage_as_a_drawing(merged: World) -> None:
    drawn = masked(merged.done("lineage", "skill/pdf", "--graph", "--oneline").out)
    middle = sorted(line[4:].strip() for line in drawn.splitlines()[2:4])
    assert drawn.splitlines()[:2] == ["*    ID  TIME  merge skills/pdf", "|\\"]
    assert middle == ["ID  TIME  edit skills/pdf", "ID  TIME  edit skills/pdf · the library moves"]
    assert drawn.splitlines()[4:] == ["|/", "*  ID  TIME  import skills/pdf"]


def test_lineage_beside_its_drawing_has_an_edge_on_every_line(merged: World) -> None:
    lines = merged.done("lineage", "skill/pdf", "--graph", "--where").out.splitlines()
    last = next(number for number, line in enumerate(lines) if "by import" in line) - 1
    assert {line[0] for line in lines[:last]} == {"*", "|"}
    assert [line[:3] for line in lines[:2]] == ["*  ", "|\\ "]
    assert sum("*" in line[:4] for line in lines) == 4
    assert lines[last].startswith("*  version ")
    assert [line[:3] for line in lines[last + 1 :]] == ["   "] * (len(lines) - last - 1)


def test_lineage_in_words(merged: World) -> None:
    said = masked(merged.done("lineage", "skill/pdf", "--where", "-n", "1").out)
    assert said.splitlines()[:4] == [
        "version ID",
        "Artifact: skills/pdf in lib, by merge",
        "Content:  ID",
        "Parents:  ID ID",
    ]
    assert said.splitlines()[6:] == [
        "Held by:  lib: 1 snapshot, from ID, the newest",
        "          app: .claude/skills/pdf deployed, settled",
    ]


def test_lineage_as_a_document(merged: World) -> None:
    versions = merged.done("lineage", "skill/pdf", "--json").document["versions"]
    assert [set(version) for version in versions] == [VERSION] * 4
    assert [versions[0]["origin"], versions[-1]["origin"], versions[0]["where"]] == ["merge", "import", None]
    version = merged.done("lineage", "skill/pdf", "--where", "--json").document["versions"][0]
    (held,) = version["where"]["snapshots"]
    assert set(held) == {"collection", "path", "brought", "newest", "number", "current", "snapshots"}
    assert held["snapshots"] == held["brought"] == [merged.done("rev-parse", "@").out.strip()]
    assert version["where"]["projects"] == [
        {
            "project": "app",
            "root": ".claude",
            "collection": "lib",
            "path": "skills/pdf",
            "roles": ["deployed", "settled"],
        }
    ]


def test_the_deployed_sequence(merged: World) -> None:
    asked = ("lineage", "skill/pdf", "--deployments", str(merged.project))
    every = merged.done("lineage", "skill/pdf", "--json").document["versions"]
    deployed = merged.done(*asked, "--json").document["versions"]
    assert deployed == [every[0], every[-1]]
    assert masked(merged.done(*asked, "--oneline").out).splitlines() == [
        "ID  TIME  merge skills/pdf",
        "ID  TIME  import skills/pdf",
    ]
    assert merged.run(*asked, "--graph").code == 2


def test_log_of_paths(merged: World) -> None:
    def log(*arguments: str) -> list[str]:
        return [commit["id"] for commit in merged.done("log", "--json", *arguments).document["commits"]]

    every = log()
    assert len(every) == 3
    assert log("skills/pdf/SKILL.md") == log("--", "skills/pdf") == log("@", "--", "skills") == every
    assert log("--", "commands/review.md", "nothing") == [every[-1]]
    assert log("--", "nothing") == []
    assert log("@~1", "--", "skills/pdf/SKILL.md") == every[1:]
    assert log("-n", "1", "--", "skills") == every[:1]
    # A path that is an artifact means its versions, as before.
    types = {commit["type"] for commit in merged.done("log", "skills/pdf", "--json").document["commits"]}
    assert types == {"version"}
    assert merged.run("log", "skills/pdf/never").code == 3


def test_snapshots_in_words(merged: World) -> None:
    said = [re.sub(r" +", " ", line) for line in masked(merged.done("snapshots").out).splitlines()]
    assert said == [
        "ID TIME pull, merge base pull (operation 4)",
        "ID TIME manual snapshot (operation 3) the library moves",
        "ID TIME import init (operation 1)",
    ]
    only = masked(merged.done("snapshots", "--purpose", "merge-base", "--artifacts").out).splitlines()
    assert [re.sub(r" +", " ", line).strip() for line in only[1:]] == [
        "commands/review.md command ID",
        "skills/pdf skill ID app deployed+settled",
    ]
    assert "one of manual, import" in merged.run("snapshots", "--purpose", "fun").err


def test_snapshots_as_documents(merged: World) -> None:
    listed = merged.done("snapshots", "--artifacts", "--json").document["snapshots"]
    assert [set(each) for each in listed] == [SNAPSHOT] * 3
    assert listed[0]["purposes"] == ["pull", "merge_base"]
    assert [set(each) for each in listed[0]["artifacts"]] == [ARTIFACT] * 2
    assert merged.done("show", "@", "--artifacts", "--json").document == {"snapshot": listed[0]}
    assert merged.done("snapshots", "--json", "-n", "1").document["snapshots"][0]["artifacts"] is None
    assert "Purpose:  pull, merge base, made by operation 4 (pull)" in merged.done("show", "--artifacts").out
    assert merged.run("show", "skill/pdf", "--artifacts").code == 2


def test_diff_by_artifact(merged: World) -> None:
    merged.done("mv", "skill/pdf", "skills/tools")
    (row,) = merged.done("diff", "@~2", "@", "--artifacts", "--json").document["artifacts"]
    assert set(row) == DIFF
    assert (row["path"], row["change"], row["moved_from"], row["modified"]) == (
        "skills/tools",
        "added",
        "skills/pdf",
        1,
    )
    said = masked(merged.done("diff", "@~2", "@", "--artifacts").out)
    assert said == "  A  skills/tools, was skills/pdf  ID..ID  files: 1 modified\n"
    assert merged.run("diff", "@~2", "@", "--artifacts", "--exit-code").code == 6
    assert merged.run("diff", "@~2", "@", "--artifacts", "--stat").code == 2
