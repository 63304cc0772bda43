"""Moving in from SkillMeat: collections with their past, deployments with true bases, and nothing by halves."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from casvault import PullStrategy, Status, Vault
from casvault.errors import MalformedError, NotFoundError, RefusedError
from casvault.interop.skillmeat import import_skillmeat

from .skillmeat_home import FIRST, H1, H2, H3, SECOND, SHAPES, Fixture, make_fixture, old_hash, write_files


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return make_fixture(tmp_path)


@pytest.fixture
def vault(fixture: Fixture) -> Vault:
    return fixture.vault()


def skill(vault: Vault, version: object) -> str:
    return b"".join(vault.cat(f"{version}:SKILL.md")).decode()


def statuses(vault: Vault, project: Path) -> dict[str, Status]:
    return {row.artifact: row.status for row in vault.drift(project).rows}


def test_snapshots_come_first_and_the_directory_last(fixture: Fixture, vault: Vault) -> None:
    result = import_skillmeat(vault, fixture.home)
    assert [(each.name, each.snapshots, each.missing) for each in result.collections] == [("lib", (FIRST, SECOND), ())]
    log = vault.log("lib")
    assert [each.message for each in log] == ["from SkillMeat", "pdf improved", "before sync"]
    assert [each.author for each in log] == ["Ada", "SkillMeat", "SkillMeat"]
    assert [each.seconds for each in log[1:]] == [1739268900, 1736501400]
    versions = vault.lineage("skills/pdf", collection="lib")
    assert [skill(vault, each.id) for each in versions] == [each["SKILL.md"] for each in (H3, H2, H1)]
    assert len(vault.lineage("commands/review.md", collection="lib")) == 1
    assert result.legacy == ()
    assert vault.fsck().problems == ()


def test_recorded_hashes_become_bases(fixture: Fixture, vault: Vault) -> None:
    """In every shape of the file: H1 or H2 is found by its hash, or by the snapshot that has it."""
    result = import_skillmeat(vault, fixture.home, [fixture.projects])
    assert sorted(result.projects) == sorted(SHAPES)
    assert (result.legacy, result.left_out) == ((), ())
    found = {(each.project, each.root, each.artifact): each for each in result.deployments}
    texts = {
        key: (skill(vault, each.deployed), skill(vault, each.settled))
        for key, each in found.items()
        if each.artifact == "skills/pdf"
    }
    h1, h2 = H1["SKILL.md"], H2["SKILL.md"]
    assert texts == {
        ("sha_only", ".claude", "skills/pdf"): (h1, h1),
        ("lineage", ".claude", "skills/pdf"): (h2, h2),
        ("base_hash", ".claude", "skills/pdf"): (h2, h1),
        ("base_snapshot", ".claude", "skills/pdf"): (h2, h1),
        ("profiles", ".codex", "skills/pdf"): (h1, h1),
        ("older", ".claude", "skills/pdf"): (h1, h1),
    }
    assert ("profiles", ".cursor/team", "agents/helper.md") in found
    assert ("sha_only", ".claude", "commands/review.md") in found
    assert not any(each.recognised for each in result.deployments)
    assert vault.fsck().problems == ()


def test_what_nobody_has_edited_is_the_version_that_was_deployed(fixture: Fixture, vault: Vault) -> None:
    """An older merge base made an unedited copy look like local edits, which a deploy then refused to replace."""
    write_files(fixture.project("base_hash") / ".claude/skills/pdf", H2)
    result = import_skillmeat(vault, fixture.home, [fixture.project("base_hash")])
    assert skill(vault, result.deployments[0].settled) == H2["SKILL.md"]
    assert statuses(vault, fixture.project("base_hash")) == {"skills/pdf": Status.OUTDATED}


def test_drift_and_pull_use_the_true_base(fixture: Fixture, vault: Vault) -> None:
    import_skillmeat(vault, fixture.home, [fixture.projects])
    assert statuses(vault, fixture.project("sha_only")) == {
        "skills/pdf": Status.OUTDATED,
        "commands/review.md": Status.IN_SYNC,
    }
    project = fixture.project("base_hash")
    assert statuses(vault, project) == {"skills/pdf": Status.CONFLICT}
    vault.pull(["skills/pdf"], project, strategy=PullStrategy.MERGE)
    merged = H3["SKILL.md"].replace("five", "five, as here")
    assert (fixture.lib / "skills/pdf/SKILL.md").read_text() == merged


def test_a_second_import_changes_nothing(fixture: Fixture, vault: Vault) -> None:
    import_skillmeat(vault, fixture.home, [fixture.projects])
    tip = vault.operations(1)[0].id
    again = import_skillmeat(vault, fixture.home, [fixture.projects])
    assert again.outcome.operation is None
    assert (again.deployments, again.collections[0].snapshots) == ((), ())
    assert vault.operations(1)[0].id == tip


def test_a_second_import_leaves_what_was_deployed_since(fixture: Fixture, vault: Vault) -> None:
    """The file of SkillMeat is older than what casvault has done, and must not bring it back."""
    import_skillmeat(vault, fixture.home, [fixture.projects])
    project = fixture.project("sha_only")
    vault.deploy(["skills/pdf"], project)
    import_skillmeat(vault, fixture.home, [fixture.projects])
    assert statuses(vault, project)["skills/pdf"] is Status.IN_SYNC


def test_what_skillmeat_did_since_is_taken_over(fixture: Fixture, vault: Vault) -> None:
    import_skillmeat(vault, fixture.home, [fixture.projects])
    place = fixture.deployed("sha_only")
    place.write_text(place.read_text().replace(fixture.hashes["H1"], fixture.hashes["H2"]))
    result = import_skillmeat(vault, fixture.home, [fixture.project("sha_only")])
    (row,) = result.deployments
    assert skill(vault, row.settled) == H2["SKILL.md"]


def test_a_look_of_skillmeat_at_its_file_is_no_news(fixture: Fixture, vault: Vault) -> None:
    """It notes there when it looked; that must not bring back what was deployed before."""
    import_skillmeat(vault, fixture.home, [fixture.projects])
    place, project = fixture.deployed("lineage"), fixture.project("lineage")
    vault.deploy(["skills/pdf"], project)
    place.write_text(place.read_text().replace("2025-02-13", "2025-02-14"))
    assert import_skillmeat(vault, fixture.home, [project]).deployments == ()
    assert statuses(vault, project) == {"skills/pdf": Status.IN_SYNC}


def test_what_belongs_to_another_deployment_is_refused_as_a_whole(fixture: Fixture, vault: Vault) -> None:
    """The refusal comes when everything is registered already, and all of that has to go again."""
    write_files(fixture.base / "own", {"skills/pdf/SKILL.md": "# mine\n"})
    project = fixture.project("lineage")
    shutil.rmtree(project / ".claude/skills")
    vault.deploy(["skills/pdf"], project)
    write_files(project, {".claude/skills/pdf/SKILL.md": H2["SKILL.md"]})
    tip = vault.operations(1)[0].id
    with pytest.raises(RefusedError, match="belongs to skills/pdf of collection own"):
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert vault.operations(1)[0].id == tip
    assert list(fixture.base.rglob("home/**/.casvault-*")) == []
    assert [each.name for each in vault.projects()] == ["lineage"]
    assert {path.parent.name for path in fixture.projects.rglob(".casvault-project")} == {"lineage"}


def test_a_tag_that_a_record_names_is_told(fixture: Fixture, vault: Vault) -> None:
    result = import_skillmeat(vault, fixture.home, [fixture.project("base_hash")])
    assert [each.tag for each in result.deployments] == ["v1.1.0"]


def test_imports_into_two_vaults_give_the_same_snapshots(fixture: Fixture, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(fixture.home, copy / "home")
    one, other = fixture.vault("one"), fixture.vault("other")
    import_skillmeat(one, fixture.home)
    import_skillmeat(other, copy / "home")
    assert [each.id for each in one.log("lib")[1:]] == [each.id for each in other.log("lib")[1:]]


def test_a_hash_of_nothing_is_kept_and_named(fixture: Fixture, vault: Vault) -> None:
    """No base is made up: the deployment is none, unless the project has the content of a version."""
    place = fixture.deployed("base_hash")
    text = place.read_text()
    for name in ("H1", "H2"):
        text = text.replace(fixture.hashes[name], fixture.hashes[name][::-1])
    place.write_text(text)
    result = import_skillmeat(vault, fixture.home, [fixture.project("base_hash")])
    reversed_hashes = [fixture.hashes[name][::-1] for name in ("H2", "H1", "H1")]
    assert [each.hash for each in result.legacy] == reversed_hashes
    assert [each.key for each in result.legacy] == [
        "deployed[0].content_hash",
        "deployed[0].merge_base_snapshot",
        "deployed[0].version_lineage[1]",
    ]
    assert {each.file for each in result.legacy} == {str(place)}
    assert result.deployments == ()
    assert [each.artifact for each in result.left_out] == ["skills/pdf"]
    assert statuses(vault, fixture.project("base_hash")) == {}


def test_a_copy_of_a_version_is_recognised_where_no_hash_leads(fixture: Fixture, vault: Vault) -> None:
    place = fixture.deployed("lineage")
    place.write_text(place.read_text().replace(fixture.hashes["H2"], fixture.hashes["H2"][::-1]))
    result = import_skillmeat(vault, fixture.home, [fixture.project("lineage")])
    (row,) = result.deployments
    assert row.recognised
    assert skill(vault, row.settled) == H2["SKILL.md"]


def test_what_only_a_project_has_becomes_part_of_the_history(fixture: Fixture, vault: Vault) -> None:
    """Without snapshots, an unedited copy in a project is the only witness of what the collection had."""
    shutil.rmtree(fixture.snapshots)
    result = import_skillmeat(vault, fixture.home, [fixture.project("sha_only")])
    row = next(each for each in result.deployments if each.artifact == "skills/pdf")
    assert (skill(vault, row.settled), row.recognised) == (H1["SKILL.md"], False)
    assert statuses(vault, fixture.project("sha_only"))["skills/pdf"] is Status.OUTDATED
    assert [skill(vault, each.id) for each in vault.lineage("skills/pdf", collection="lib")] == [
        H3["SKILL.md"],
        H1["SKILL.md"],
    ]


def test_files_that_casvault_ignores_do_not_hide_a_base(fixture: Fixture, vault: Vault) -> None:
    """SkillMeat hashes what casvault leaves out; a recorded hash with it in must still find its version."""
    write_files(fixture.lib, {"skills/pdf/scripts/__pycache__/run.pyc": "compiled\n"})
    project = fixture.project("lineage")
    write_files(project, {".claude/skills/pdf/SKILL.md": H3["SKILL.md"].replace("five", "six")})
    place = fixture.deployed("lineage")
    place.write_text(place.read_text().replace(fixture.hashes["H2"], old_hash(fixture.lib / "skills/pdf")))
    result = import_skillmeat(vault, fixture.home, [project])
    (row,) = result.deployments
    assert skill(vault, row.settled) == H3["SKILL.md"]


def test_a_directory_that_is_a_collection_already_gets_its_past(fixture: Fixture, tmp_path: Path) -> None:
    """Snapshots that are older than the collection's own cannot be put below it; its versions come from them all the
    same, so that deployments of them have a base."""
    vault = Vault.init(fixture.lib)[0]
    result = import_skillmeat(vault, fixture.home, [fixture.project("lineage")])
    assert result.collections[0].snapshots == (FIRST, SECOND)
    assert statuses(vault, fixture.project("lineage")) == {"skills/pdf": Status.OUTDATED}
    assert len(vault.read_commit(vault.rev_parse("skills/pdf")).parents) == 2
    assert import_skillmeat(vault, fixture.home, [fixture.project("lineage")]).outcome.operation is None


def test_snapshots_that_come_later_are_added(fixture: Fixture, vault: Vault) -> None:
    late = fixture.snapshots / f"{SECOND}.tar.gz"
    listing = fixture.snapshots / "snapshots.toml"
    text = listing.read_text()
    listing.write_text(text[: text.index("[[snapshots]]", 5)])
    kept = late.rename(fixture.base / "late")
    import_skillmeat(vault, fixture.home)
    kept.rename(late)
    listing.write_text(text)
    result = import_skillmeat(vault, fixture.home, [fixture.project("lineage")])
    assert result.collections[0].snapshots == (SECOND,)
    assert statuses(vault, fixture.project("lineage")) == {"skills/pdf": Status.OUTDATED}


def test_what_skillmeat_snapshots_from_now_on_goes_on_top(fixture: Fixture, vault: Vault) -> None:
    import_skillmeat(vault, fixture.home)
    (fixture.lib / "skills/pdf/SKILL.md").write_text("# fourth\n")
    newer = fixture.snapshots / "20300101-000000-000000.tar.gz"
    with tarfile.open(newer, "w:gz") as tar:
        tar.add(fixture.lib, arcname="lib")
    (fixture.lib / "skills/pdf/SKILL.md").write_text("# fifth\n")
    assert import_skillmeat(vault, fixture.home).collections[0].snapshots == ("20300101-000000-000000",)
    texts = [skill(vault, each.id) for each in vault.lineage("skills/pdf", collection="lib")]
    assert texts == ["# fifth\n", "# fourth\n", *(each["SKILL.md"] for each in (H3, H2, H1))]
    messages = ["from SkillMeat", "", "from SkillMeat", "pdf improved", "before sync"]
    assert [each.message for each in vault.log("lib")] == messages
    assert import_skillmeat(vault, fixture.home).outcome.operation is None


def test_a_listed_snapshot_without_its_archive_is_named(fixture: Fixture, vault: Vault) -> None:
    (fixture.snapshots / f"{FIRST}.tar.gz").unlink()
    result = import_skillmeat(vault, fixture.home)
    assert (result.collections[0].snapshots, result.collections[0].missing) == ((SECOND,), (FIRST,))


def test_the_import_is_one_operation_and_can_be_undone(fixture: Fixture, vault: Vault) -> None:
    before = vault.refs()
    import_skillmeat(vault, fixture.home, [fixture.projects])
    vault.undo()
    assert vault.refs() == before
    assert (fixture.project("lineage") / ".claude/skills/pdf/SKILL.md").read_text() == H2["SKILL.md"]
    again = import_skillmeat(vault, fixture.home, [fixture.projects])
    assert len(again.deployments) == 8
    assert [each.message for each in vault.log("lib")] == ["from SkillMeat", "pdf improved", "before sync"]


def test_a_collection_that_nobody_has_is_left_out(fixture: Fixture, vault: Vault) -> None:
    place = fixture.deployed("lineage")
    place.write_text(place.read_text().replace('from_collection = "lib"', 'from_collection = "gone"'))
    result = import_skillmeat(vault, fixture.home, [fixture.project("lineage")])
    assert [each.reason for each in result.left_out] == ["there is no collection 'gone'"]


def test_a_path_is_never_made_up_from_a_name(fixture: Fixture, vault: Vault) -> None:
    """The record of the project `profiles` has the name pdf-tools, and its path is skills/pdf; and the other way."""
    place = fixture.deployed("lineage")
    place.write_text(place.read_text().replace('"skills/pdf"', '"skills/pdf-as-it-was"'))
    result = import_skillmeat(vault, fixture.home, [fixture.project("lineage"), fixture.project("profiles")])
    assert [each.artifact for each in result.left_out] == ["skills/pdf-as-it-was"]
    assert [each.artifact for each in result.deployments] == ["skills/pdf", "agents/helper.md"]


def test_projects_are_found_in_a_directory_or_missed_by_name(fixture: Fixture, vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NotFoundError, match=r"\.skillmeat-deployed\.toml"):
        import_skillmeat(vault, fixture.home, [tmp_path / "nothing"])
    with pytest.raises(NotFoundError, match="not SkillMeat's home"):
        import_skillmeat(vault, tmp_path / "nothing")


def test_a_name_that_is_taken_is_refused(fixture: Fixture) -> None:
    vault = fixture.vault("lib")
    tip = vault.operations(1)[0].id
    with pytest.raises(RefusedError, match="there is a collection of this name"):
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert vault.operations(1)[0].id == tip
    assert not (fixture.lib / ".casvault-collection").exists()


CORRUPT = {
    "sha_only": ('collection_sha = "{H1}"', "collection_sha = 1", "deployed[0].collection_sha"),
    "lineage": ('    "{H1}",', '    "H1",', "deployed[0].version_lineage"),
    "base_hash": ('merge_base_snapshot = "{H1}"', 'merge_base_snapshot = "H1"', "deployed[0].merge_base_snapshot"),
    "base_snapshot": (
        '"20250110-093000-000001"', '"20251310-093000-000001"', "deployed[0].merge_base_snapshot",
    ),
    "profiles": ('profile_root_dir = ".cursor"', 'profile_root_dir = "../x"', "deployed[1].profile_root_dir"),
    "older": ('deployed-at = "2025-01-20T12:00:00Z"\ndeployed-from', 'deployed-at = "soon"\ndeployed-from',
              "artifacts[0].deployed-at"),
}  # fmt: skip
TRUNCATED = {
    "sha_only": ('collection_sha = "{review}"', "deployed[1].collection_sha"),
    "lineage": ('    "{H1}",', "version_lineage"),
    "base_hash": ('{H1}"\nsnapshot_id', "merge_base_snapshot"),
    "base_snapshot": ("0110-093000-000001", "merge_base_snapshot"),
    "profiles": ('codex"\nprofile_root', "platform"),
    "older": ('sha = "', "artifacts[0].sha"),
}


def assert_nothing_came(fixture: Fixture, vault: Vault, before: bytes) -> None:
    assert vault.operations(1)[0].id == before
    markers = [*fixture.base.rglob("home/**/.casvault-*"), *fixture.projects.rglob(".casvault-*")]
    assert markers == []
    assert vault.projects() == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_corrupt_file_is_named_and_nothing_comes(fixture: Fixture, vault: Vault, shape: str) -> None:
    old, new, key = CORRUPT[shape]
    place, tip = fixture.deployed(shape), vault.operations(1)[0].id
    text, old = place.read_text(), old.format(**fixture.hashes)
    assert old in text
    place.write_text(text.replace(old, new))
    with pytest.raises(MalformedError) as caught:
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert caught.value.place == f"{place}: {key}"
    assert_nothing_came(fixture, vault, tip)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_truncated_file_is_named_and_nothing_comes(fixture: Fixture, vault: Vault, shape: str) -> None:
    start, key = TRUNCATED[shape]
    place, tip = fixture.deployed(shape), vault.operations(1)[0].id
    text, start = place.read_text(), start.format(**fixture.hashes)
    assert start in text
    place.write_text(text[: text.index(start)])
    with pytest.raises(MalformedError) as caught:
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert caught.value.place == f"{place}: {key}"
    assert_nothing_came(fixture, vault, tip)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "skills/../../x", "", ".git/config", "skills//x"])
def test_a_path_that_leads_elsewhere_is_refused(fixture: Fixture, vault: Vault, path: str) -> None:
    place, tip = fixture.deployed("lineage"), vault.operations(1)[0].id
    place.write_text(place.read_text().replace('"skills/pdf"', f'"{path}"'))
    with pytest.raises(MalformedError, match="not a relative path") as caught:
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert caught.value.place == f"{place}: deployed[0].artifact_path"
    assert_nothing_came(fixture, vault, tip)


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("collections/lib/collection.toml", 'path = "skills/pdf"', 'path = "../pdf"', "artifacts[0].path"),
        ("collections/lib/collection.toml", '[collection]\nname = "lib"', "[collection]", "collection.name"),
        ("collections/lib/collection.toml", '"2025-01-01T08:00:00"\n\n[art', '"2025-01', "added"),
        ("collections/lib/collection.lock", 'content_hash = "', 'content_hash = "x', "content_hash"),
        ("collections/lib/collection.lock", "content_hash = ", "contents = ", "content_hash"),
        ("snapshots/lib/snapshots.toml", f'id = "{SECOND}"', 'id = "yesterday"', "snapshots[1].id"),
        ("snapshots/lib/snapshots.toml", 'timestamp = "2025-01', 'timestamp = "x', "snapshots[0].timestamp"),
    ],
)
def test_a_wrong_file_of_the_home_is_named(
    fixture: Fixture, vault: Vault, file: str, old: str, new: str, key: str
) -> None:
    place, tip = fixture.home / file, vault.operations(1)[0].id
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))
    with pytest.raises(MalformedError) as caught:
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert str(caught.value.place).startswith(f"{place}: ")
    assert str(caught.value.place).endswith(key)
    assert_nothing_came(fixture, vault, tip)


@pytest.mark.parametrize("size", [0, 10, 100, 300])
def test_a_truncated_archive_is_named_and_nothing_comes(fixture: Fixture, vault: Vault, size: int) -> None:
    place, tip = fixture.snapshots / f"{SECOND}.tar.gz", vault.operations(1)[0].id
    place.write_bytes(place.read_bytes()[:size])
    with pytest.raises(MalformedError) as caught:
        import_skillmeat(vault, fixture.home, [fixture.projects])
    assert str(caught.value.place).startswith(str(place))
    assert_nothing_came(fixture, vault, tip)
