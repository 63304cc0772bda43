"""The main job, from the command line: a skill goes out, is edited on both sides, comes home, and all of it is undone.

collection   H1 ────────── H2 ─────────── H4 ─── H5
               \\ deploy                 / pull   / pull
project         H1 ─────────────── H3 ───  H4 ─ X
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from casvault import Vault

if TYPE_CHECKING:
    from .conftest import World

H1 = "# pdf\n\none\ntwo\nthree\nfour\nfive\n"
H2 = H1.replace("one", "one, as the library has it")
H3 = H1.replace("five", "five, as the project has it")
H4 = H2.replace("five", "five, as the project has it")
X = H4.replace("three", "three, edited after the pull")
KEPT = H3.replace("three", "three, edited after the pull")
"""What undoing the deploy of H4 leaves in the project: its own H3, with the later edit."""


def test_the_story(world: World) -> None:
    project = ("--project", str(world.project))
    assert world.skill.read_text() == H1

    assert "skills/pdf  deployed" in world.done("deploy", "skill/pdf", *project).out
    assert world.deployed.read_text() == H1
    h1 = _version(world)

    world.skill.write_text(H2)
    assert _drift(world) == ("outdated", "deploy")
    world.done("snapshot", "-m", "the library moves")
    h2 = _version(world)
    world.deployed.write_text(H3)

    assert _drift(world) == ("conflict", "merge")
    assert "both sides changed" in world.done("drift", *project).out
    assert world.run("drift", *project, "--exit-code").code == 6
    assert (world.skill.read_text(), world.deployed.read_text()) == (H2, H3)

    preview = world.done("pull", "skill/pdf", *project, "--preview").out
    assert "this was a preview" in preview
    assert (world.skill.read_text(), world.deployed.read_text()) == (H2, H3)
    assert _version(world) == h2

    pulled = world.done("pull", "skill/pdf", *project, "--json").document["artifacts"][0]
    assert pulled["status"] == "conflict"
    assert (world.skill.read_text(), world.deployed.read_text()) == (H4, H3)
    h4 = _version(world)
    assert pulled["version"] == h4
    base = world.done("show", h1, "--json").document
    assert pulled["base"] == world.done("rev-parse", f"{h1}:", "--json").document["id"], base
    parents = world.done("show", h4, "--json").document["commit"]["parents"]
    assert parents[0] == h2
    assert _content(world, parents[1]) == H3
    assert world.done("merge-base", *parents).out.strip() == h1

    assert "skills/pdf  updated" in world.done("deploy", "skill/pdf", *project).out
    assert world.deployed.read_text() == H4
    deployed = Vault.open(world.library).deployments(world.project, "skill/pdf")
    assert [oid.hex() for oid in deployed] == [h4, h1]
    assert _drift(world) == ("in_sync", "nothing")

    _check_reports(world, h1, h2, h4, parents[1])

    world.deployed.write_text(X)
    again = world.done("pull", "skill/pdf", *project, "--json").document["artifacts"][0]
    assert again["fast_forward"] is True
    assert world.done("show", "skill/pdf", "--json").document["commit"]["parents"] == [h4]
    assert world.skill.read_text() == X

    # All the way back. The edit after the pull is kept by each undo, until the last one, which would have to remove it.
    for skill, deployed_text in ((H4, X), (H4, KEPT), (H2, KEPT), (H2, KEPT)):
        said = world.done("undo").out
        assert said.startswith("undid operation ")
        assert "casvault redo" in said
        assert (world.skill.read_text(), world.deployed.read_text()) == (skill, deployed_text), said
    refused = world.run("undo")
    assert refused.code == 4
    assert "skills/pdf" in refused.err
    assert world.deployed.read_text() == KEPT
    world.done("undo", "--force")
    assert not world.deployed.exists()
    assert world.done("drift").out.startswith("nothing is deployed")

    # And forward again.
    for skill, deployed_text in ((H2, KEPT), (H2, KEPT), (H4, KEPT), (H4, X), (X, X)):
        assert world.done("redo").out.startswith("took back operation ")
        assert (world.skill.read_text(), world.deployed.read_text()) == (skill, deployed_text)
    assert world.run("redo").code == 3
    assert _version(world) == again["version"]
    assert world.done("fsck", "--json").document["ok"] is True


def _check_reports(world: World, h1: str, h2: str, h4: str, h3: str) -> None:
    """What the story has yielded so far: who did what, and when edits were seen and came home."""
    project = ("--project", str(world.project))
    (line,) = world.done("timeline", "skill/pdf", *project, "--json").document["timelines"]
    assert (line["deployed"], line["settled"], line["observed"], line["modified"]) == (h4, h4, None, False)
    (episode,) = line["episodes"]
    assert (episode["version"], episode["ending"]) == (h3, "pulled")
    assert [(event["kind"], event["after"]) for event in line["events"]] == [
        ("deployed", h1),
        ("modified", h3),
        ("pulled", h3),
        ("deployed", h4),
    ]
    assert episode["since"] == line["events"][1]["at"]
    entries = world.done("audit", "skill/pdf", "--json").document["entries"]
    versions = [(each["before"], each["after"]) for each in entries if each["kind"] == "version"]
    assert versions == [(h2, h4), (h1, h2), (None, h1)]
    assert [each["after"] for each in entries if each["kind"] == "deployment"] == [h4, h1]
    assert {(each["author"], each["mail"]) for each in entries} == {("Ann", "ann@example.org")}
    assert world.done("conflicts", "--json").document["conflicts"] == []
    assert world.done("audit", "--verify", "--json").document["ok"] is True


def test_the_story_with_a_conflict(conflict: World) -> None:
    """The same line on both sides: the whole record of what was met, and of how it was resolved."""
    h2 = conflict.done("snapshot", "--json") and _version(conflict)
    assert conflict.run("pull", "skill/pdf", "--project", str(conflict.project)).code == 4
    (waiting,) = conflict.done("conflicts", "--unresolved", "--json").document["conflicts"]
    assert (waiting["open"], waiting["strategy"], waiting["completed"]) == (["skills/pdf/SKILL.md"], None, None)
    conflict.done("resolve", "pdf", "SKILL.md", "--hunk", "1=union")
    conflict.done("merges", "continue", "pdf")
    h4 = _version(conflict)
    ours, theirs = conflict.done("show", h4, "--json").document["commit"]["parents"]
    (record,) = conflict.done("conflicts", "--json").document["conflicts"]
    base = conflict.done("rev-parse", f"{theirs}~1:", "--json").document["id"]
    assert {key: record[key] for key in ("artifact", "project", "direction", "strategy", "by", "undone", "open")} == {
        "artifact": "skills/pdf",
        "project": "app",
        "direction": "pull",
        "strategy": "merge",
        "by": "Ann",
        "undone": False,
        "open": [],
    }
    assert (record["base"], record["ours"], record["theirs"], record["result"]) == (base, ours, theirs, h4)
    assert ours == h2
    detected, completed = (datetime.fromisoformat(record[key]) for key in ("detected", "completed"))
    assert detected == datetime.fromisoformat(waiting["detected"])
    assert completed >= detected
    assert completed.tzinfo is not None
    (path,) = record["paths"]
    assert (path["path"], path["kind"], path["hunks"], path["how"]) == ("skills/pdf/SKILL.md", "content", 1, "hunks")
    assert (path["by"], path["result"]["size"]) == ("Ann", len(conflict.skill.read_bytes()))
    (line,) = conflict.done("timeline", "skill/pdf", "--json").document["timelines"]
    assert [event["kind"] for event in line["events"]] == ["deployed", "conflict", "modified", "resolved", "pulled"]


def _version(world: World) -> str:
    return world.done("rev-parse", "skill/pdf").out.strip()


def _content(world: World, version: str) -> str:
    return world.done("cat", f"{version}:SKILL.md").out


def _drift(world: World) -> tuple[str, str]:
    (row,) = world.done("drift", "--project", str(world.project), "--json").document["rows"]
    return row["status"], row["recommendation"]
