"""The main job, from the command line: a skill goes out, is edited on both sides, comes home, and all of it is undone.

collection   H1 ────────── H2 ─────────── H4 ─── H5
               \\ deploy                 / pull   / pull
project         H1 ─────────────── H3 ───  H4 ─ X
"""

from __future__ import annotations

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


def _version(world: World) -> str:
    return world.done("rev-parse", "skill/pdf").out.strip()


def _content(world: World, version: str) -> str:
    return world.done("cat", f"{version}:SKILL.md").out


def _drift(world: World) -> tuple[str, str]:
    (row,) = world.done("drift", "--project", str(world.project), "--json").document["rows"]
    return row["status"], row["recommendation"]
