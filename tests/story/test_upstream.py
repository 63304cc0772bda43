"""Artifacts that come from upstream: what was changed here lives through every update."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Action, How, Origin, UpdateStrategy, Vault
from casvault.errors import ConflictError, NotFoundError, RefusedError, UsageError
from casvault.store import PackDatabase
from casvault.vault.results.updates import UpdateResult, UpdateRow
from casvault.vault.updating import UpdateRequest, directory_upstream
from tests.story.scene import PDF, Scene, assert_clean, change_line, picture, text, write

TOOL = "skills/tool/SKILL.md"


@pytest.fixture
def upstream(scene: Scene) -> Path:
    """A directory that somebody else looks after."""
    directory = scene.root / "vendor" / "tool"
    write(directory, "SKILL.md", text())
    write(directory, "data/table.csv", "1,2\n")
    return directory


def update(vault: Vault, upstream: Path, artifact: str = "skill/tool", **options: object) -> UpdateResult:
    return vault.update([UpdateRequest(artifact, directory_upstream(upstream))], **options)  # type: ignore[arg-type]


def only(result: UpdateResult) -> UpdateRow:
    (row,) = result.artifacts
    return row


def origins(vault: Vault, artifact: str = "skill/tool") -> list[Origin | None]:
    return [version.origin for version in vault.lineage(artifact)]


def test_an_import_and_then_every_update_as_it_comes(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    first = only(update(vault, upstream))
    assert (first.artifact, first.action, first.version) == ("skills/tool", Action.IMPORTED, first.upstream)
    assert picture(scene.lib / "skills/tool") == picture(upstream)
    assert update(vault, upstream).outcome.operation is None
    write(upstream, "data/table.csv", "1,2,3\n")
    (upstream / "SKILL.md").unlink()
    second = only(update(vault, upstream))
    assert second.action is Action.TAKEN
    assert {change.path for change in second.files} == {TOOL, "skills/tool/data/table.csv"}
    assert picture(scene.lib / "skills/tool") == picture(upstream)
    assert origins(vault) == [Origin.UPSTREAM, Origin.UPSTREAM]
    assert_clean(vault)


def test_what_was_changed_here_lives_through_five_updates(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    change_line(scene.lib / TOOL, 11, "mine")
    for number in range(5):
        change_line(upstream / "SKILL.md", number, f"theirs {number}")
        row = only(update(vault, upstream))
        assert row.action is Action.MERGED
        assert row.version is not None
        assert vault.show(row.version.hex()).parents[1] == row.upstream
    theirs = {f"line{number}": f"theirs {number}" for number in range(5)}
    assert (scene.lib / TOOL).read_text() == text(**theirs, line11="mine")
    assert origins(vault).count(Origin.UPSTREAM) == 6
    assert_clean(vault)


def test_a_preview_changes_nothing(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    change_line(upstream / "SKILL.md", 2, "theirs")
    before, tip = picture(scene.lib), vault.rev_parse("@")
    result = update(vault, upstream, preview=True)
    assert (result.preview, only(result).action, len(only(result).files)) == (True, Action.TAKEN, 1)
    assert (picture(scene.lib), vault.rev_parse("@")) == (before, tip)


def test_a_clash_waits_and_is_resolved_together_with_what_came_since(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    change_line(scene.lib / TOOL, 5, "mine")
    change_line(upstream / "SKILL.md", 5, "theirs")
    change_line(upstream / "SKILL.md", 1, "also theirs")
    before = picture(scene.lib)
    result = update(vault, upstream)
    row = only(result)
    assert (result.is_complete, row.action, row.version) == (False, Action.PENDING, None)
    assert picture(scene.lib) == before
    assert row.merge is not None
    again = update(vault, upstream)
    assert (again.outcome.operation, only(again).upstream) == (None, row.upstream)
    with pytest.raises(ConflictError):
        vault.continue_update(row.merge)
    vault.resolve(row.merge, "SKILL.md", How.THEIRS)
    change_line(scene.lib / TOOL, 9, "meanwhile")
    ended = only(vault.continue_update(row.merge))
    assert ended.action is Action.MERGED
    assert (scene.lib / TOOL).read_text() == text(line1="also theirs", line5="theirs", line9="meanwhile")
    assert vault.merges() == []
    assert only(update(vault, upstream)).action is Action.NOTHING
    resolved = [each for version in vault.lineage("skill/tool") for each in vault.resolved_in(version.id.hex())]
    assert [(each.path, each.how) for each in resolved] == [(TOOL, How.THEIRS)]
    vault.undo()
    assert len(vault.merges()) == 1
    assert_clean(vault)


def test_what_is_changed_in_the_same_place_while_it_waits_is_a_new_conflict(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    change_line(scene.lib / TOOL, 5, "mine")
    change_line(upstream / "SKILL.md", 5, "theirs")
    merge = only(update(vault, upstream)).merge
    assert merge is not None
    vault.resolve(merge, "SKILL.md", How.THEIRS)
    change_line(scene.lib / TOOL, 5, "mine again")
    before = picture(scene.lib)
    assert only(vault.continue_update(merge)).action is Action.PENDING
    assert picture(scene.lib) == before
    vault.resolve(merge, "SKILL.md", How.OURS)
    assert only(vault.continue_update(merge)).action is Action.MERGED
    assert (scene.lib / TOOL).read_text() == text(line5="mine again")


def test_a_later_update_that_fits_ends_the_one_that_waits(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    change_line(scene.lib / TOOL, 5, "mine")
    change_line(upstream / "SKILL.md", 5, "theirs")
    update(vault, upstream)
    change_line(upstream / "SKILL.md", 5, "line 5")
    change_line(upstream / "SKILL.md", 0, "fixed")
    assert only(update(vault, upstream)).action is Action.MERGED
    assert vault.merges() == []
    assert (scene.lib / TOOL).read_text() == text(line0="fixed", line5="mine")


def test_the_first_time_an_earlier_version_tells_what_was_changed_here(scene: Scene, upstream: Path) -> None:
    """It was copied from there by hand, long ago, and changed; nothing says so but its content."""
    write(scene.lib, TOOL, text())
    write(scene.lib, "skills/tool/data/table.csv", "1,2\n")
    vault = scene.vault()
    vault.snapshot("copied")
    copied = vault.rev_parse("skill/tool")
    change_line(scene.lib / TOOL, 5, "mine")
    row = only(update(vault, upstream))
    assert row.upstream is not None
    assert vault.show(row.upstream.hex()).parents == (copied,)
    assert (row.action, row.files) == (Action.MERGED, ())
    change_line(upstream / "SKILL.md", 8, "theirs")
    assert only(update(vault, upstream)).action is Action.MERGED
    assert (scene.lib / TOOL).read_text() == text(line5="mine", line8="theirs")


def test_without_anything_in_common_a_choice_is_asked_for(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    before = picture(scene.lib)
    with pytest.raises(RefusedError, match="never came from there") as caught:
        update(vault, upstream, "skill/pdf")
    assert "--strategy overwrite" in (caught.value.remedy or "")
    assert (picture(scene.lib), vault.operations()[0].kind) == (before, "init")
    kept = only(update(vault, upstream, "skill/pdf", strategy=UpdateStrategy.KEEP))
    assert (kept.action, kept.files) == (Action.KEPT, ())
    assert picture(scene.lib) == before
    change_line(upstream / "SKILL.md", 3, "theirs")
    assert only(update(vault, upstream, "skill/pdf")).action is Action.MERGED
    assert (scene.lib / PDF).read_text() == text(line3="theirs")
    assert (scene.lib / "skills/pdf/old.txt").exists()


def test_overwriting_records_what_was_there(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    change_line(scene.lib / PDF, 0, "not in a snapshot yet")
    row = only(update(vault, upstream, "skill/pdf", strategy=UpdateStrategy.OVERWRITE))
    assert row.action is Action.OVERWRITTEN
    assert picture(scene.lib / "skills/pdf") == picture(upstream)
    edited = next(version for version in vault.lineage("skill/pdf") if version.origin is Origin.EDIT)
    assert b"".join(vault.cat(f"{edited.id.hex()}:SKILL.md")).startswith(b"not in a snapshot yet")
    change_line(scene.lib / PDF, 1, "mine")
    again = only(update(vault, upstream, "skill/pdf", strategy=UpdateStrategy.OVERWRITE))
    assert (again.action, picture(scene.lib / "skills/pdf")) == (Action.OVERWRITTEN, picture(upstream))


def test_a_moved_artifact_and_a_fork_still_know_where_they_come_from(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    vault.move("skill/tool", "tool-two")
    vault.copy("skill/tool-two", "tool-three")
    assert [(each.artifact, each.location) for each in vault.upstreams()] == [
        ("skills/tool-three", str(upstream)),
        ("skills/tool-two", str(upstream)),
    ]
    change_line(upstream / "SKILL.md", 3, "theirs")
    for name in ("skill/tool-two", "skill/tool-three"):
        assert only(update(vault, upstream, name)).files[0].path.endswith("SKILL.md")
    assert (scene.lib / "skills/tool-three/SKILL.md").read_text() == text(line3="theirs")


def test_check_says_what_is_behind_and_stores_nothing(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    (known,) = vault.upstreams(["skill/tool"])
    fetch = directory_upstream(upstream).fetch
    assert vault.check_upstream(known, fetch)[1:3] == (False, False)
    change_line(upstream / "SKILL.md", 3, "theirs")
    change_line(scene.lib / TOOL, 9, "mine")
    vault.snapshot()
    objects = vault.fsck().objects
    checked = vault.check_upstream(known, fetch)
    assert (checked.is_behind, checked.is_edited, [each.path for each in checked.files]) == (True, True, [TOOL])
    assert vault.fsck().objects == objects
    upstream.rename(upstream.with_name("elsewhere"))
    assert "upstream is not there" in (vault.check_upstream(known, fetch).problem or "")
    with pytest.raises(NotFoundError, match="upstream is not there"):
        update(vault, upstream)
    with pytest.raises(UsageError, match="nothing says where it comes from"):
        vault.upstreams(["skill/pdf"])


def test_no_object_knows_where_a_directory_is(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    known = list(PackDatabase(scene.lib / ".casvault/packs").iter_ids())
    assert len(known) > 5
    assert [data for _, data in vault.reader.read_many(known) if str(scene.root).encode() in data] == []


def test_an_artifact_that_was_removed_comes_back_with_its_lineage(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    update(vault, upstream)
    vault.remove(["skill/tool"])
    row = only(update(vault, upstream))
    assert (row.action, picture(scene.lib / "skills/tool")) == (Action.IMPORTED, picture(upstream))
    assert origins(vault) == [Origin.RECREATE, Origin.UPSTREAM]


def test_names_that_cannot_be(scene: Scene, upstream: Path) -> None:
    vault = scene.vault()
    with pytest.raises(NotFoundError, match="none can be there"):
        update(vault, upstream, "tool")
    with pytest.raises(UsageError, match="named twice"):
        vault.update([UpdateRequest(name, directory_upstream(upstream)) for name in ("skill/tool", "skills/tool")])
