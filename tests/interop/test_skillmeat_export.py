"""Moving out to SkillMeat: its files with what has changed, and the way there and back."""

from __future__ import annotations

import shutil
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from casvault import PullStrategy, Vault
from casvault.deploy.state import read_deployments
from casvault.errors import NotFoundError, RefusedError
from casvault.interop.skillmeat import export_skillmeat, import_skillmeat
from casvault.oid import blob_id

from .skillmeat_home import FIRST, SECOND, SHAPES, Fixture, make_fixture, old_hash, write_files


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return make_fixture(tmp_path)


@pytest.fixture
def vault(fixture: Fixture) -> Vault:
    """With everything imported."""
    vault = fixture.vault()
    import_skillmeat(vault, fixture.home, [fixture.projects])
    return vault


def records(fixture: Fixture, shape: str) -> list[dict[str, Any]]:
    table = tomllib.loads(fixture.deployed(shape).read_text())
    found: list[dict[str, Any]] = table["artifacts" if shape == "older" else "deployed"]
    return found


def members(archive: Path) -> dict[str, bytes | None]:
    """The files with their contents, and the directories."""
    with tarfile.open(archive) as tar:
        return {each.name: None if (file := tar.extractfile(each)) is None else file.read() for each in tar}


def texts_below(place: Path) -> dict[str, bytes]:
    """All files but casvault's own; a path in full in one of them is cut off."""
    files = [path for path in place.rglob("*") if path.is_file() and ".casvault" not in path.name]
    return {
        str(path.relative_to(place)): path.read_bytes().replace(str(place).encode(), b"")
        for path in files
        if path.suffix != ".gz"
    }


def deployments(vault: Vault, project: str) -> dict[str, tuple[Any, Any]]:
    """The versions deployed and settled, by place."""
    state = vault.find_ref(f"projects/{project}")
    found = read_deployments(vault.reader, state)
    contents = {oid: vault.read_commit(oid).root for each in found.values() for oid in each[:2]}
    return {str(place): (contents[each.deployed], contents[each.settled]) for place, each in found.items()}


def test_what_has_not_changed_stays_byte_by_byte(fixture: Fixture, vault: Vault) -> None:
    before = {shape: fixture.deployed(shape).read_bytes() for shape in SHAPES}
    home = {path: path.read_bytes() for path in fixture.home.rglob("*") if path.is_file()}
    result = export_skillmeat(vault, fixture.home, collections=["lib"])
    assert {shape: fixture.deployed(shape).read_bytes() for shape in SHAPES} == before
    changed = [each.path for each in result.files if each.changed]
    assert changed == [fixture.snapshots / "snapshots.toml"]
    own = fixture.snapshots / "snapshots.toml"
    home[own] = home[own].replace(b"/home/ada/.skillmeat/snapshots/lib", str(fixture.snapshots).encode())
    assert {path: path.read_bytes() for path in fixture.home.rglob("*") if path.is_file()} == home
    assert result.outcome.operation is None


def test_there_and_back_again_is_the_identity(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    """What is exported into an empty home gives another vault the same snapshots, versions and deployments."""
    out = tmp_path / "out"
    export_skillmeat(vault, out, collections=["lib"])
    assert sorted(path.name for path in (out / "snapshots/lib").iterdir()) == [
        f"{FIRST}.tar.gz",
        f"{SECOND}.tar.gz",
        "snapshots.toml",
    ]
    for name in ("collection.toml", "collection.lock", "skills/pdf/SKILL.md", "commands/review.md"):
        assert (out / "collections/lib" / name).read_bytes() == (fixture.lib / name).read_bytes()
    for snapshot in (FIRST, SECOND):
        packed, own = (members(place / f"{snapshot}.tar.gz") for place in (out / "snapshots/lib", fixture.snapshots))
        assert packed == own
    projects = tmp_path / "copies"
    shutil.copytree(fixture.projects, projects, ignore=shutil.ignore_patterns(".casvault-*", "casvault.lock"))
    other = fixture.vault("other")
    result = import_skillmeat(other, out, [projects])
    assert [each.id for each in other.log("lib")[1:]] == [each.id for each in vault.log("lib")[1:]]
    assert len(result.deployments) == 8
    names = [each.name for each in vault.projects()]
    assert [deployments(other, name) for name in names] == [deployments(vault, name) for name in names]
    again = tmp_path / "again"
    export_skillmeat(other, again, collections=["lib"])
    assert texts_below(again) == texts_below(out)
    for snapshot in (FIRST, SECOND):
        one, two = ((place / f"snapshots/lib/{snapshot}.tar.gz").read_bytes() for place in (out, again))
        assert one == two


def test_a_new_version_is_written_into_its_record(fixture: Fixture, vault: Vault) -> None:
    project = fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    result = export_skillmeat(vault, projects=[project])
    assert [(each.path, each.changed) for each in result.files] == [(fixture.deployed("lineage"), True)]
    (record,) = records(fixture, "lineage")
    h1, h2, h3 = (fixture.hashes[name] for name in ("H1", "H2", "H3"))
    assert record["content_hash"] == old_hash(project / ".claude/skills/pdf") == h3
    assert (record["parent_hash"], record["collection_sha"], record["merge_base_snapshot"]) == (h2, h3, h3)
    assert record["version_lineage"] == [h3, h2, h1]
    assert record["favourite"] == {"rank": 1}
    assert record["local_modifications"] is False
    assert record["last_modified_check"] == "2025-02-13T12:00:00+01:00"
    assert record["deployed_at"].endswith("+01:00")
    assert record["deployed_at"] > "2025-02-12"
    assert "snapshot_id" in record
    text = fixture.deployed("lineage").read_text()
    assert text.startswith("# written by hand once\n")
    assert f'version_lineage = [\n    "{h3}",\n    "{h2}",\n    "{h1}",\n]' in text


def test_a_tag_does_not_pass_to_another_version(fixture: Fixture, vault: Vault) -> None:
    project = fixture.project("base_hash")
    vault.pull(["skills/pdf"], project, strategy=PullStrategy.MERGE)
    export_skillmeat(vault, projects=[project])
    (record,) = records(fixture, "base_hash")
    assert (record["version_tag"], record["content_hash"]) == ("v1.1.0", fixture.hashes["H2"])
    assert record["merge_base_snapshot"] == old_hash(project / ".claude/skills/pdf")
    vault.deploy(["skills/pdf"], project)
    export_skillmeat(vault, projects=[project])
    (record,) = records(fixture, "base_hash")
    assert record["content_hash"] == old_hash(fixture.lib / "skills/pdf")
    assert "version_tag" not in record
    assert "is_major_change" not in record


def test_the_tag_of_the_deployed_version_is_written(fixture: Fixture, vault: Vault) -> None:
    project = fixture.project("base_hash")
    vault.pull(["skills/pdf"], project, strategy=PullStrategy.MERGE)
    vault.deploy(["skills/pdf"], project)
    vault.tag("skills/pdf", "v2.0.0", major=True, collection="lib")
    vault.tag("skills/pdf", "tables", collection="lib")
    export_skillmeat(vault, projects=[project])
    (record,) = records(fixture, "base_hash")
    assert (record["version_tag"], record["is_major_change"]) == ("v2.0.0", True)
    vault.move("skills/pdf", "skills/pdf-tools", collection="lib")
    vault.tag(
        "skills/pdf-tools", "v2.0.1", str(vault.tags("skills/pdf-tools", collection="lib")[0].version), collection="lib"
    )
    export_skillmeat(vault, projects=[project])
    assert records(fixture, "base_hash")[0]["version_tag"] == "v2.0.1"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_takes_a_new_version_and_is_read_again(fixture: Fixture, vault: Vault, shape: str) -> None:
    project = fixture.project(shape)
    if shape in ("base_hash", "base_snapshot"):
        vault.pull(["skills/pdf"], project, strategy=PullStrategy.OVERWRITE)
    vault.deploy(["skills/pdf"], project)
    export_skillmeat(vault, projects=[project])
    record = records(fixture, shape)[0]
    root = ".codex" if shape == "profiles" else ".claude"
    assert record["sha" if shape == "older" else "content_hash"] == old_hash(project / root / "skills/pdf")
    assert import_skillmeat(vault, fixture.home, [project]).outcome.operation is None
    other = fixture.vault("other")
    shutil.copytree(project, fixture.base / "copy/app", ignore=shutil.ignore_patterns(".casvault-*"))
    export_skillmeat(vault, fixture.base / "out", collections=["lib"])
    result = import_skillmeat(other, fixture.base / "out", [fixture.base / "copy/app"])
    assert (result.legacy, result.left_out) == ((), ())


def test_deployments_come_and_go(fixture: Fixture, vault: Vault) -> None:
    project = fixture.project("sha_only")
    vault.undeploy(["commands/review.md"], project)
    vault.deploy(["agents/helper.md"], project, collection="lib")
    export_skillmeat(vault, projects=[project])
    first, second = records(fixture, "sha_only")
    assert first["collection_sha"] == fixture.hashes["H1"]
    assert "content_hash" not in first
    assert (second["artifact_name"], second["artifact_type"]) == ("helper", "agent")
    assert (second["artifact_path"], second["from_collection"]) == ("agents/helper.md", "lib")
    assert second["content_hash"] == second["collection_sha"] == fixture.hashes["helper"]
    assert second["version_lineage"] == [fixture.hashes["helper"]]
    assert "parent_hash" not in second


def test_a_project_that_skillmeat_never_saw_gets_a_file(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    vault.deploy(["skills/pdf"], tmp_path / "new", root=".codex")
    export_skillmeat(vault, projects=[tmp_path / "new"])
    table = tomllib.loads((tmp_path / "new/.claude/.skillmeat-deployed.toml").read_text())
    (record,) = table["deployed"]
    assert (record["profile_root_dir"], record["artifact_path"]) == (".codex", "skills/pdf")
    assert import_skillmeat(vault, None, [tmp_path / "new"]).outcome.operation is None


def test_legacy_ids_are_written_back(fixture: Fixture) -> None:
    place = fixture.deployed("lineage")
    unknown = fixture.hashes["H1"][::-1]
    place.write_text(place.read_text().replace(fixture.hashes["H1"], unknown))
    text = place.read_bytes()
    vault, project = fixture.vault(), fixture.project("lineage")
    result = import_skillmeat(vault, fixture.home, [project])
    assert {each.hash for each in result.legacy} == {unknown}
    export_skillmeat(vault, projects=[project])
    assert place.read_bytes() == text
    vault.deploy(["skills/pdf"], project)
    export_skillmeat(vault, projects=[project])
    assert records(fixture, "lineage")[0]["version_lineage"] == [fixture.hashes["H3"], fixture.hashes["H2"], unknown]


def test_what_skillmeat_wrote_meanwhile_is_not_overwritten(fixture: Fixture, vault: Vault) -> None:
    place, project = fixture.deployed("lineage"), fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    place.write_text(place.read_text() + "\n# mine\n")
    text = place.read_bytes()
    with pytest.raises(RefusedError, match="changed since it was imported"):
        export_skillmeat(vault, projects=[project])
    assert place.read_bytes() == text
    export_skillmeat(vault, projects=[project], force=True)
    assert records(fixture, "lineage")[0]["content_hash"] == fixture.hashes["H3"]
    kept = vault.find_ref("skillmeat/projects/lineage")
    assert kept is not None
    found = f"{kept.hex()}~1:files/.claude/.skillmeat-deployed.toml"
    assert b"".join(vault.cat(found)) == text
    assert vault.fsck().problems == ()


def test_an_export_that_was_cut_off_is_done_again(fixture: Fixture, vault: Vault) -> None:
    """The new text was kept before it was written, and what still stood there was taken for somebody's change."""
    place, project = fixture.deployed("lineage"), fixture.project("lineage")
    old = place.read_bytes()
    vault.deploy(["skills/pdf"], project)
    export_skillmeat(vault, projects=[project])
    new = place.read_bytes()
    place.write_bytes(old)
    assert [each.changed for each in export_skillmeat(vault, projects=[project]).files] == [True]
    assert place.read_bytes() == new != old


def test_nothing_is_written_through_a_symlink(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    """The root of a profile that leads elsewhere let the file be written there."""
    project = fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    (project / ".claude").rename(tmp_path / "elsewhere")
    (project / ".claude").symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere/.skillmeat-deployed.toml").read_bytes()
    with pytest.raises(RefusedError, match="is a symlink"):
        export_skillmeat(vault, projects=[project])
    assert (tmp_path / "elsewhere/.skillmeat-deployed.toml").read_bytes() == before


def test_no_symlink_is_replaced(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    """A file that was a symlink, as those who keep such files elsewhere have them, became a file of its own."""
    place, project = fixture.deployed("lineage"), fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    place.rename(tmp_path / "mine.toml")
    place.symlink_to(tmp_path / "mine.toml")
    with pytest.raises(RefusedError, match="a symlink, which would be replaced"):
        export_skillmeat(vault, projects=[project])
    assert place.is_symlink()


@pytest.mark.parametrize("is_manifest", [False, True])
def test_what_is_written_during_the_export_is_not_overwritten(
    fixture: Fixture, vault: Vault, monkeypatch: pytest.MonkeyPatch, *, is_manifest: bool
) -> None:
    """A file that SkillMeat wrote between the look at it and its replacement was lost."""
    project = fixture.project("lineage")
    place = fixture.lib / "collection.toml" if is_manifest else fixture.deployed("lineage")
    text = place.read_bytes() + b"\n# mine\n"
    vault.deploy(["skills/pdf"], project)
    write_files(fixture.lib, {"skills/new/SKILL.md": "# new\n"})
    vault.snapshot(collection="lib")
    begin = vault.transaction

    def write_first(*arguments: str, **options: str) -> Any:
        place.write_bytes(text)
        return begin(*arguments, **options)

    monkeypatch.setattr(vault, "transaction", write_first)
    with pytest.raises(RefusedError, match="changed"):
        export_skillmeat(vault, fixture.home, [project], collections=["lib"])
    assert place.read_bytes() == text


def test_a_text_that_was_purged_is_none(fixture: Fixture, vault: Vault) -> None:
    """Where the text of one project's file was purged, no project could be exported or imported any more."""
    place, project = fixture.deployed("lineage"), fixture.project("lineage")
    vault.purge(vault.plan_purge([blob_id(place.read_bytes()).hex()]))
    with pytest.raises(RefusedError, match="what it says would be lost"):
        export_skillmeat(vault)
    place.unlink()
    export_skillmeat(vault)
    assert [each["content_hash"] for each in records(fixture, "lineage")] == [fixture.hashes["H2"]]
    import_skillmeat(vault, fixture.home, [fixture.projects])
    vault.deploy(["skills/pdf"], project)
    export_skillmeat(vault, projects=[project])
    assert records(fixture, "lineage")[0]["version_lineage"] == [fixture.hashes["H3"], fixture.hashes["H2"]]


def test_what_was_purged_of_an_earlier_version_is_in_nobodys_way(fixture: Fixture, vault: Vault) -> None:
    """A secret that was purged from a version which is deployed no more made every export and import fail."""
    project = fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    write_files(fixture.lib, {"skills/pdf/.env": "a secret\n"})
    vault.deploy(["skills/pdf"], project)
    (fixture.lib / "skills/pdf/.env").unlink()
    vault.deploy(["skills/pdf"], project)
    vault.purge(vault.plan_purge(["skills/pdf/.env"], collection="lib"))
    export_skillmeat(vault, projects=[project])
    h1, h2, h3 = (fixture.hashes[name] for name in ("H1", "H2", "H3"))
    assert records(fixture, "lineage")[0]["version_lineage"] == [h3, h2, h1]
    import_skillmeat(vault, fixture.home, [fixture.projects])


def test_what_is_not_utf_8_is_named(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    """The name of an artifact or a tag that TOML cannot say ended the export as a bug of casvault."""
    write_files(fixture.lib, {"skills/a\udcff/SKILL.md": "# a\n"})
    vault.snapshot(collection="lib")
    with pytest.raises(RefusedError, match=r"a\\udcff.*not UTF-8"):
        export_skillmeat(vault, tmp_path / "out", collections=["lib"])
    project = fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    vault.tag("skills/pdf", "v\udcff", collection="lib")
    with pytest.raises(RefusedError, match=r"v\\udcff.*not UTF-8"):
        export_skillmeat(vault, projects=[project])
    assert not (tmp_path / "out").exists()


def test_a_collection_tells_what_it_has_now(fixture: Fixture, vault: Vault) -> None:
    write_files(fixture.lib, {"skills/new/SKILL.md": "# new\n", "skills/pdf/SKILL.md": "# another\n"})
    (fixture.lib / "commands/review.md").unlink()
    (fixture.lib / "agents/helper.md").rename(fixture.lib / "agents/assistant.md")
    vault.snapshot("changes", collection="lib")
    export_skillmeat(vault, fixture.home, collections=["lib"])
    manifest = tomllib.loads((fixture.lib / "collection.toml").read_text())
    assert [(each["type"], each["name"], each["path"]) for each in manifest["artifacts"]] == [
        ("skill", "pdf", "skills/pdf"),
        ("agent", "assistant", "agents/assistant.md"),
        ("skill", "new", "skills/new"),
    ]
    assert manifest["collection"]["colour"] == "green"
    assert manifest["artifacts"][0]["metadata"] == {"title": "PDF"}
    entries = tomllib.loads((fixture.lib / "collection.lock").read_text())["lock"]["entries"]
    assert {key: each["content_hash"] for key, each in entries.items()} == {
        "pdf::skill": old_hash(fixture.lib / "skills/pdf"),
        "assistant::agent": fixture.hashes["helper"],
        "new::skill": old_hash(fixture.lib / "skills/new"),
    }
    assert entries["pdf::skill"]["resolved_sha"] == "0123456789abcdef0123456789abcdef01234567"


def test_own_snapshots_become_archives_when_asked(fixture: Fixture, vault: Vault) -> None:
    write_files(fixture.lib, {"skills/pdf/SKILL.md": "# another\n"})
    vault.snapshot("changes", collection="lib")
    export_skillmeat(vault, fixture.home, collections=["lib"], all_snapshots=True)
    listed = tomllib.loads((fixture.snapshots / "snapshots.toml").read_text())["snapshots"]
    assert [each["message"] for each in listed] == ["before sync", "pdf improved", "from SkillMeat", "changes"]
    newest = fixture.snapshots / f"{listed[-1]['id']}.tar.gz"
    assert listed[-1]["tarball_path"] == str(newest)
    assert members(newest)["lib/skills/pdf/SKILL.md"] == b"# another\n"
    versions = vault.lineage("skills/pdf", collection="lib")
    assert import_skillmeat(vault, fixture.home).collections[0].snapshots == ()
    assert vault.lineage("skills/pdf", collection="lib") == versions


def test_a_home_that_has_something_else_is_refused(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    write_files(tmp_path / "out/collections/lib", {"x": "mine\n"})
    with pytest.raises(RefusedError, match="there is something already"):
        export_skillmeat(vault, tmp_path / "out", collections=["lib"])
    (fixture.lib / "collection.lock").write_text("[lock]\n")
    with pytest.raises(RefusedError, match="changed since it was imported"):
        export_skillmeat(vault, fixture.home, collections=["lib"])
    with pytest.raises(NotFoundError):
        export_skillmeat(vault, fixture.home, collections=["other"])
    with pytest.raises(NotFoundError):
        export_skillmeat(vault, projects=[tmp_path])


def test_a_collection_of_casvault_alone_becomes_one_of_skillmeat(fixture: Fixture, tmp_path: Path) -> None:
    vault = fixture.vault()
    write_files(fixture.base / "own", {"skills/a/SKILL.md": "# a\n", "commands/b.md": "b\n"})
    vault.snapshot("first")
    export_skillmeat(vault, tmp_path / "out")
    other = Vault.in_memory()
    manifest = tomllib.loads((tmp_path / "out/collections/own/collection.toml").read_text())
    assert [each["name"] for each in manifest["artifacts"]] == ["b", "a"]
    assert not (tmp_path / "out/snapshots").exists()
    (tmp_path / "third").mkdir()
    other = Vault.init(tmp_path / "third")[0]
    assert import_skillmeat(other, tmp_path / "out").legacy == ()
    assert other.read_files("own", "skills/a") == {"SKILL.md": b"# a\n"}
