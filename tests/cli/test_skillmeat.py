"""`casvault skillmeat` and `casvault hash --legacy`, as a user would type them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from casvault import Vault
from casvault.cli.failures import DAMAGE
from tests.interop.skillmeat_home import Fixture, make_fixture, old_hash

from .test_story import H1, H2, H3, H4

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import World

HASH = 64


@pytest.fixture
def moved(world: World) -> Fixture:
    """A home of SkillMeat beside the library, whose collection has another name than the library."""
    return make_fixture(world.base / "old", collection="tools")


def test_the_story_ends_in_files_that_skillmeat_reads(world: World, tmp_path: Path) -> None:
    """Deploy H1, edit both sides, pull the merge H4, deploy it: [H4, H1] were deployed, and the base is a new one."""
    project = ("--project", str(world.project))
    hashes = {}
    for name, text in (("H1", H1), ("H3", H3), ("H4", H4)):
        place = tmp_path / name / "SKILL.md"
        place.parent.mkdir()
        place.write_text(text)
        hashes[name] = old_hash(place.parent)
    world.done("deploy", "skill/pdf", *project)
    deployed = world.project / ".claude/.skillmeat-deployed.toml"
    world.done("skillmeat", "export")
    (first,) = tomllib.loads(deployed.read_text())["deployed"]
    assert (first["content_hash"], first["version_lineage"]) == (hashes["H1"], [hashes["H1"]])
    assert first["merge_base_snapshot"] == hashes["H1"]
    assert "parent_hash" not in first
    world.skill.write_text(H2)
    world.done("snapshot", "-m", "the library moves")
    world.deployed.write_text(H3)
    world.done("pull", "skill/pdf", *project)
    world.done("skillmeat", "export")
    (pulled,) = tomllib.loads(deployed.read_text())["deployed"]
    assert (pulled["content_hash"], pulled["merge_base_snapshot"]) == (hashes["H1"], hashes["H3"])
    assert pulled["local_modifications"] is True
    world.done("deploy", "skill/pdf", *project)
    assert "wrote " in world.done("skillmeat", "export").out
    (last,) = tomllib.loads(deployed.read_text())["deployed"]
    assert last["content_hash"] == hashes["H4"] == old_hash(world.deployed.parent)
    assert last["parent_hash"] == hashes["H1"]
    assert last["version_lineage"] == [hashes["H4"], hashes["H1"]]
    assert last["merge_base_snapshot"] == hashes["H4"]
    assert last["local_modifications"] is False
    assert world.done("skillmeat", "export").out == "1 file as before\n"
    assert world.done("fsck", "--json").document["ok"] is True


def test_there_and_back(world: World, moved: Fixture) -> None:
    out = world.done("skillmeat", "import", "--home", str(moved.home), "--projects", str(moved.projects)).out
    assert out.splitlines()[0] == "tools  2 snapshots imported"
    assert out.splitlines()[-1] == "8 deployments imported"
    assert "skillmeat-import" in world.done("ops", "-n", "1").out
    assert "conflict" in world.done("drift", "--project", str(moved.project("base_hash"))).out
    again = world.done("skillmeat", "import", "--home", str(moved.home), "--projects", str(moved.projects))
    assert again.out == "tools  0 snapshots imported\n0 deployments imported\n"
    texts = {shape: path.read_bytes() for shape in ("lineage", "older") if (path := moved.deployed(shape))}
    exported = world.done("skillmeat", "export", "--home", str(world.base / "out"), "--collection", "tools").out
    assert exported.endswith("6 files as before\n")
    assert {shape: moved.deployed(shape).read_bytes() for shape in texts} == texts


def test_several_projects_may_follow_the_option(world: World, moved: Fixture) -> None:
    projects = [str(moved.project(shape)) for shape in ("lineage", "older", "profiles")]
    found = world.done("skillmeat", "import", "--home", str(moved.home), "--projects", *projects, "--json").document
    assert found["projects"] == ["lineage", "older", "profiles"]


def test_documents(world: World, moved: Fixture) -> None:
    place = moved.deployed("lineage")
    place.write_text(place.read_text().replace(moved.hashes["H2"], moved.hashes["H2"][::-1]).replace("skills", "tools"))
    found = world.done("skillmeat", "import", "--home", str(moved.home), "--projects", str(moved.projects), "--json")
    document = found.document
    assert set(document) == {"collections", "projects", "deployments", "legacy", "left_out", "operation"}
    assert set(document["collections"][0]) == {"name", "directory", "snapshots", "missing"}
    assert set(document["deployments"][0]) == {
        "project", "root", "collection", "artifact", "deployed", "settled", "recognised", "tag",
    }  # fmt: skip
    assert [set(each) for each in document["left_out"]] == [{"file", "artifact", "reason"}]
    exported = world.done("skillmeat", "export", "--json").document
    assert set(exported) == {"files", "operation"}
    assert set(exported["files"][0]) == {"path", "changed"}


def test_what_is_kept_and_left_out_is_said(world: World, moved: Fixture) -> None:
    place = moved.deployed("base_hash")
    text = place.read_text()
    place.write_text(text.replace(moved.hashes["H1"], moved.hashes["H1"][::-1]))
    (moved.snapshots / "20250110-093000-000001.tar.gz").unlink()
    found = world.done("skillmeat", "import", "--home", str(moved.home), "--projects", str(moved.projects))
    assert "snapshot 20250110-093000-000001 is listed, and its archive is not there" in found.err
    assert f"deployed[0].merge_base_snapshot: nothing that was imported has the hash {moved.hashes['H1'][:-13:-1]}" in (
        found.err
    )


def test_damage_names_file_and_key_and_brings_nothing(world: World, moved: Fixture) -> None:
    place = moved.deployed("older")
    place.write_text(place.read_text().replace('sha = "', "sha = 1 # "))
    before = world.done("ops", "--json").document
    found = world.run("skillmeat", "import", "--home", str(moved.home), "--projects", str(moved.projects))
    assert found.code == DAMAGE
    assert f"{place}: artifacts[0].sha: `sha` is not a string but a number" in found.err
    assert world.done("ops", "--json").document == before


def test_without_a_home_there_is_nothing_to_import(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(world.base))
    found = world.run("skillmeat", "import")
    assert found.code == 2
    assert "--home DIR" in found.err


def test_the_home_of_the_user_is_the_default(world: World, moved: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    moved.home.rename(world.base / ".skillmeat")
    monkeypatch.setenv("HOME", str(world.base))
    assert world.done("skillmeat", "import").out.startswith("tools  2 snapshots imported\n")
    assert Vault.open(world.library).log("tools")[1].author == "SkillMeat"


def test_the_legacy_hash_of_files_and_directories(world: World) -> None:
    directory = world.library / "skills/pdf"
    (directory / "a-b.txt").write_text("before a/ in strings, behind it in names\n")
    (directory / "a").mkdir()
    (directory / "a/b.txt").write_text("b\n")
    out = world.done("hash", "--legacy", "skills/pdf", "commands/review.md").out
    expected = [f"{old_hash(world.library / path)}  {path}" for path in ("skills/pdf", "commands/review.md")]
    assert out.splitlines() == expected
    document = world.done("hash", "--legacy", "skills/pdf", "--json").document
    assert document == {"files": [{"path": "skills/pdf", "id": old_hash(directory)}]}
    assert world.run("hash", "--legacy", "nothing").code == 3
