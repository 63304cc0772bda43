"""Tags of artifacts: made once, found everywhere, and taken along wherever their artifacts go."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import NotFoundError, RefusedError, UsageError
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, clock, text, write


@pytest.fixture
def team(scene: Scene) -> Path:
    """Another collection of the same vault, with a directory of its own."""
    directory = scene.root / "team"
    write(directory, "skills/doc/SKILL.md", "doc\n")
    scene.vault().add_collection(directory)
    return directory


def labels(vault: Vault, artifact: str = "skills/pdf", collection: str = "lib") -> list[str]:
    return [tag.label for tag in vault.tags(artifact, collection=collection) if not tag.former]


def former(vault: Vault, artifact: str) -> list[str]:
    return [tag.label for tag in vault.tags(artifact) if tag.former]


def tag_refs(vault: Vault) -> list[str]:
    return [name for prefix in ("version-tags", "former-tags") for name, _ in vault.refs(prefix)]


def edit(scene: Scene, number: int, value: str, path: str = PDF) -> None:
    change_line(scene.lib / path, number, value)
    scene.vault().snapshot()


def test_a_tag_names_the_newest_version_and_stays_with_it(scene: Scene) -> None:
    vault = scene.vault()
    first = vault.rev_parse("skill/pdf")
    result = vault.tag("skill/pdf", "v1.0.0", message="The first", major=True)
    assert (result.artifact, result.version, result.created, result.replaced) == ("skills/pdf", first, True, None)
    edit(scene, 1, "one")
    vault.tag("skill/pdf", "v1.1.0")
    newest, oldest = vault.tags("skill/pdf")
    assert (newest.label, newest.version) == ("v1.1.0", vault.rev_parse("skill/pdf"))
    assert oldest[:2] == ("v1.0.0", first)
    assert (oldest.author, oldest.mail, oldest.message, oldest.major) == ("Ada", "ada@example.org", "The first", True)
    assert oldest.seconds > 1_700_000_000
    assert vault.rev_parse("skill/pdf@v1.0.0") == first
    assert_clean(vault)


def test_the_same_tag_again_is_no_change(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1", message="One")
    number = len(vault.operations())
    assert not vault.tag("skill/pdf", "v1", message="One").created
    assert len(vault.operations()) == number


def test_a_tag_does_not_move_but_by_force_which_is_recorded(scene: Scene) -> None:
    vault = scene.vault()
    first = vault.tag("skill/pdf", "v1").version
    edit(scene, 1, "one")
    before = vault.refs()
    with pytest.raises(RefusedError, match=f"names version {first.short} already"):
        vault.tag("skill/pdf", "v1")
    assert vault.refs() == before
    result = vault.tag("skill/pdf", "v1", force=True)
    assert (result.replaced, result.created) == (first, True)
    assert [(tag.version, tag.replaced) for tag in vault.tags("skill/pdf")] == [(result.version, first)]
    operation = vault.operations()[0]
    assert operation.arguments == ("lib", "skills/pdf", "v1", result.version.hex(), "--force")
    vault.undo()
    assert vault.refs() == before


def test_other_words_for_the_same_version_take_force_too(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1", message="One")
    with pytest.raises(RefusedError, match="with other words"):
        vault.tag("skill/pdf", "v1", message="Two")
    vault.tag("skill/pdf", "v1", message="Two", force=True)
    assert [tag.message for tag in vault.tags("skill/pdf")] == ["Two"]


@pytest.mark.parametrize(
    "label", ["stable", "a/b/c", "with space", "größe ✓", "v1~1", "v1^2", "a:b", "@x", "{y}", ".", "..", "%2F", "-x"]
)
def test_any_label(scene: Scene, label: str) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    version = vault.tag("skill/pdf", label).version
    edit(scene, 1, "one")
    assert set(labels(vault)) == {"v1", label}
    assert vault.rev_parse(f"skill/pdf@{label}") == version
    assert vault.compare("skill/pdf", label).old == version
    assert b"".join(vault.cat(f"skill/pdf@{label}:SKILL.md")).decode() == text()


@pytest.mark.parametrize("label", ["", " ", "a\nb", "a\rb", "a\0b", "x" * 1025, "ab" * 32])
def test_what_cannot_be_a_label(scene: Scene, label: str) -> None:
    vault = scene.vault()
    before = vault.refs()
    with pytest.raises(UsageError):
        vault.tag("skill/pdf", label)
    assert vault.refs() == before


def test_tags_of_two_artifacts_never_meet(scene: Scene) -> None:
    """A label that looks like the rest of another artifact's path is no tag of that one."""
    write(scene.lib, "skills/pdf-a/SKILL.md", "a\n")
    write(scene.lib, "models/x/y", "y\n")
    vault = scene.vault()
    vault.snapshot()
    vault.tag("skill/pdf", "-a/v1")
    vault.tag("skills/pdf-a", "v1")
    assert (labels(vault, "skills/pdf"), labels(vault, "skills/pdf-a")) == (["-a/v1"], ["v1"])
    assert vault.rev_parse("skills/pdf@-a/v1") == vault.rev_parse("skills/pdf")


def test_only_versions_of_the_artifact_can_be_tagged(scene: Scene) -> None:
    vault = scene.vault()
    other = vault.rev_parse("review").hex()
    for version in (other, "@", "review"):
        with pytest.raises(UsageError, match="no version of skills/pdf"):
            vault.tag("skill/pdf", "v1", version)
    with pytest.raises(NotFoundError):
        vault.tag("skill/none", "v1")
    assert tag_refs(vault) == []


def test_changes_that_no_version_has_are_said(scene: Scene) -> None:
    vault = scene.vault()
    assert vault.tag("skill/pdf", "v1").outcome.notes == ()
    change_line(scene.lib / PDF, 1, "one")
    (note,) = vault.tag("skill/pdf", "v2").outcome.notes
    assert note.startswith("skills/pdf is changed in ")
    assert vault.tag("skill/pdf", "v3", "v1").outcome.notes == ()


def test_delete_and_back(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    vault.delete_tag("skill/pdf", "v1")
    assert labels(vault) == []
    with pytest.raises(NotFoundError, match="no such tag"):
        vault.delete_tag("skill/pdf", "v1")
    vault.undo()
    assert labels(vault) == ["v1"]


def test_two_at_once_cannot_give_one_name_to_two_versions(scene: Scene) -> None:
    vault, other = scene.vault(), scene.vault()
    first = vault.rev_parse("skill/pdf")
    edit(scene, 1, "one")
    other.tag("skill/pdf", "v1", first.hex())
    with pytest.raises(RefusedError):
        vault.tag("skill/pdf", "v1")
    assert vault.rev_parse("skill/pdf@v1") == first


def test_move_takes_the_tags_along_and_undo_brings_them_back(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    version = vault.tag("skill/pdf", "v1", collection="lib").version
    before = vault.refs("version-tags")
    vault.move("skill/pdf", "pdf2", collection="lib")
    assert tag_refs(vault) == ["version-tags/lib/skills%2Fpdf2/v1"]
    assert vault.rev_parse("skill/pdf2@v1", collection="lib") == version
    vault.move("skill/pdf2", "team:skill/pdf3", collection="lib")
    assert tag_refs(vault) == ["version-tags/team/skills%2Fpdf3/v1"]
    assert vault.rev_parse("skill/pdf3@v1", collection="team") == version
    vault.undo()
    vault.undo()
    assert vault.refs("version-tags") == before
    assert_clean(vault)


def test_a_rename_on_disk_takes_the_tags_along(scene: Scene) -> None:
    vault = scene.vault()
    version = vault.tag("skill/pdf", "v1").version
    (scene.lib / "skills/pdf").rename(scene.lib / "skills/new")
    vault.snapshot()
    assert tag_refs(vault) == ["version-tags/lib/skills%2Fnew/v1"]
    assert vault.rev_parse("skill/new@v1") == version


def test_a_copy_has_none_of_the_tags(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    vault.copy("skill/pdf", "pdf2")
    assert (labels(vault), labels(vault, "skill/pdf2")) == (["v1"], [])


def test_a_removed_artifact_keeps_its_tags_and_has_them_again_when_it_is_back(scene: Scene) -> None:
    vault = scene.vault()
    version = vault.tag("skill/pdf", "v1").version
    vault.remove(["skill/pdf"])
    assert labels(vault, "skill/pdf") == ["v1"]
    assert vault.rev_parse("skill/pdf@v1") == version
    write(scene.lib, PDF, "again\n")
    vault.snapshot()
    assert vault.show("skill/pdf").origin == "recreate"
    assert (labels(vault), former(vault, "skill/pdf")) == (["v1"], [])


@pytest.mark.parametrize("by_hand", [False, True])
def test_another_artifact_that_comes_to_the_path_does_not_get_the_tags(scene: Scene, by_hand: bool) -> None:
    """Two artifacts had a tag v1: the one that went, and the one that took its place. None is lost."""
    write(scene.lib, "skills/doc/SKILL.md", "doc\n")
    vault = scene.vault()
    vault.snapshot()
    old = vault.tag("skill/pdf", "v1").version
    new = vault.tag("skill/doc", "v1").version
    vault.remove(["skill/pdf"])
    if by_hand:
        (scene.lib / "skills/doc").rename(scene.lib / "skills/pdf")
        vault.snapshot()
    else:
        vault.move("skill/doc", "pdf")
    assert vault.rev_parse("skill/pdf@v1") == new
    assert [(tag.version, tag.former) for tag in vault.tags("skill/pdf")] == [(new, False), (old, True)]
    assert vault.rev_parse("former-tags/lib/skills%2Fpdf/v1") == vault.tags("skill/pdf")[1].id
    vault.undo()
    assert vault.rev_parse("skill/pdf@v1") == old
    assert former(vault, "skill/pdf") == []
    assert_clean(vault)


def test_former_tags_of_one_name_are_kept_apart(scene: Scene) -> None:
    vault = scene.vault()
    versions = set()
    for name in ("a", "b", "c"):
        write(scene.lib, f"skills/{name}/SKILL.md", f"{name}\n")
        vault.snapshot()
        versions.add(vault.tag(f"skill/{name}", "v1").version)
    versions.add(vault.tag("skill/pdf", "v1").version)
    for name in ("a", "b", "c"):
        vault.remove(["skill/pdf"])
        vault.move(f"skill/{name}", "pdf")
    assert labels(vault) == ["v1"]
    assert former(vault, "skill/pdf") == ["v1", "v1~2", "v1~3"]
    assert {tag.version for tag in vault.tags("skill/pdf")} == versions


def test_a_directory_that_is_behind_takes_no_tags_away(scene: Scene) -> None:
    """Two copies of the directory add the same artifact; the one that comes second knows of no artifact there."""
    copy, behind = scene.copy()
    write(scene.lib, "skills/new/SKILL.md", text())
    vault = scene.vault()
    vault.snapshot()
    vault.tag("skill/new", "v1")
    write(copy, "skills/new/SKILL.md", text())
    behind.snapshot()
    assert (labels(vault, "skill/new"), former(vault, "skill/new")) == (["v1"], [])


def test_a_new_collection_of_an_old_name_has_no_tags_of_the_old_one(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    vault.tag("skill/doc", "v1", collection="team")
    vault.remove_collection("team")
    other = scene.root / "other"
    write(other, "skills/doc/SKILL.md", "another\n")
    vault.add_collection(other, "team")
    assert labels(vault, "skill/doc", "team") == []
    assert tag_refs(vault) == ["former-tags/team/skills%2Fdoc/v1"]


def test_the_same_collection_added_again_has_its_tags(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    vault.tag("skill/doc", "v1", collection="team")
    vault.remove_collection("team")
    vault.add_collection(team)
    assert labels(vault, "skill/doc", "team") == ["v1"]


def test_refs_of_tags_are_not_set_by_hand(scene: Scene) -> None:
    vault = scene.vault()
    for name in ("version-tags/lib/skills%2Fpdf/v1", "former-tags/lib/skills%2Fpdf/v1"):
        with pytest.raises(UsageError), vault.transaction() as tx:
            tx.set_ref(name, vault.rev_parse("skill/pdf"))


def test_the_next_tag_by_what_has_changed(scene: Scene) -> None:
    vault = scene.vault()
    first = vault.tag_next("skill/pdf", message="Begin")
    assert (first.label, first.major) == ("v0.1.0", False)
    with pytest.raises(RefusedError, match=r"nothing has changed since v0\.1\.0"):
        vault.tag_next("skill/pdf")
    edit(scene, 1, "one")
    assert vault.tag_next("skill/pdf").label == "v0.1.1"
    write(scene.lib, "skills/pdf/more.txt", "more\n")
    vault.snapshot()
    assert vault.tag_next("skill/pdf").label == "v0.2.0"
    vault.tag("skill/pdf", "v1.0.0")
    (scene.lib / "skills/pdf/old.txt").unlink()
    vault.snapshot()
    result = vault.tag_next("skill/pdf")
    assert (result.label, result.major) == ("v2.0.0", True)
    assert result.suggestion is not None
    assert [reason.path for reason in result.suggestion.reasons] == ["skills/pdf/old.txt"]
    assert labels(vault) == ["v2.0.0", "v1.0.0", "v0.2.0", "v0.1.1", "v0.1.0"]


def test_bump_counts_from_the_highest_tag_that_the_version_comes_from(scene: Scene) -> None:
    """The highest label is on an older version; one on a fork of the artifact does not count."""
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.10.0")
    edit(scene, 1, "one")
    vault.tag("skill/pdf", "v1.9.0")
    edit(scene, 2, "two")
    bump = vault.bump("skill/pdf")
    assert (bump.current, bump.next) == ("v1.10.0", "v1.10.1")
    assert vault.bump("skill/pdf", "v1.9.0").next == "v1.10.1"
    assert vault.bump("skill/pdf", "v1.10.0", "v1.9.0").next == "v1.10.1"
    assert vault.bump("skill/pdf", "v1.9.0", "v1.9.0").next is None


def test_bump_of_a_file(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("review", "1.0.0")
    edit(scene, 3, "three", REVIEW)
    bump = vault.bump("review")
    assert [(reason.bump.value, reason.path) for reason in bump.reasons] == [("patch", REVIEW)]
    assert bump.next == "1.0.1"


def test_pins_by_label(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.0.0")
    edit(scene, 1, "one")
    vault.deploy(["skill/pdf"], scene.app, version="v1.0.0", pin=True)
    (row,) = vault.drift(scene.app).rows
    assert (row.pin, row.deployed_tags, row.collection_tags) == ("v1.0.0", ("v1.0.0",), ())
    vault.unpin(["skill/pdf"], scene.app)
    vault.pin(["skill/pdf"], scene.app)
    assert vault.drift(scene.app).rows[0].pin == "v1.0.0"


def test_a_pin_by_another_artifacts_name_for_a_tag(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1:2")
    vault.deploy(["skill/pdf"], scene.app, version="skill/pdf@v1:2", pin=True)
    assert vault.drift(scene.app).rows[0].pin == "v1:2"


def test_status_shows_the_tags_of_what_is_changed(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.0.0")
    change_line(scene.lib / PDF, 1, "one")
    change_line(scene.lib / REVIEW, 1, "one")
    assert [(row.path, row.tags) for row in vault.status().changes] == [(REVIEW, ()), ("skills/pdf", ("v1.0.0",))]


def test_the_lock_file_has_the_highest_tag_of_the_settled_version(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.0.0")
    vault.tag("skill/pdf", "latest")
    vault.deploy(["skill/pdf"], scene.app)
    lock = scene.app / "casvault.lock"
    assert 'tag = "v1.0.0"\n' in lock.read_text()


def test_a_later_tag_leaves_lock_files_alone_until_the_next_change(scene: Scene) -> None:
    """Nobody has written anything else into the lock file, and so nothing is said to have been replaced."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    lock = scene.app / "casvault.lock"
    before = lock.read_text()
    vault.tag("skill/pdf", "v1.0.0")
    vault.deploy(["skill/pdf"], scene.app)
    assert lock.read_text() == before
    result = vault.deploy(["review"], scene.app)
    assert result.outcome.notes == ()
    assert lock.read_text().count('tag = "v1.0.0"\n') == 1


def test_a_copy_of_a_project_is_recognised_whatever_was_tagged_since(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.0.0")
    vault.deploy(["skill/pdf"], scene.app)
    there = scene.root / "app2"
    there.mkdir()
    for path in (".claude/skills/pdf/SKILL.md", ".claude/skills/pdf/old.txt", "casvault.lock", ".casvault-project"):
        write(there, path, (scene.app / path).read_bytes())
    vault.tag("skill/pdf", "v2.0.0")
    edit(scene, 1, "one")
    vault.deploy(["skill/pdf"], scene.app)
    rows = Vault.discover(there, vault=scene.lib, clock=clock).drift(there).rows
    assert [(row.status.value, row.deployed_tags) for row in rows] == [("outdated", ("v2.0.0", "v1.0.0"))]


def test_a_label_is_looked_up_where_the_artifact_has_gone(scene: Scene, team: Path) -> None:
    """The deployment knows the artifact by its old place, and the tag is at the new one."""
    vault = scene.vault()
    vault.tag("skill/pdf", "v1", collection="lib")
    vault.deploy(["skill/pdf"], scene.app, collection="lib")
    vault.move("skill/pdf", "team:", collection="lib")
    change_line(team / PDF, 1, "one")
    vault.snapshot(collection="team")
    vault.deploy(["skill/pdf"], scene.app, version="v1", pin=True, collection="lib")
    (row,) = vault.drift(scene.app).rows
    assert (row.pin, row.deployed_tags) == ("v1", ("v1",))
    assert 'tag = "v1"\n' in (scene.app / "casvault.lock").read_text()
    assert (scene.app / ".claude" / PDF).read_text() == text()
