"""Undo, redo and what they leave alone, on real directories."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from casvault import UpdateStrategy, Vault
from casvault.errors import ConflictError, NotFoundError, UsageError
from casvault.oid import blob_id
from casvault.vault.updating import UpdateRequest, directory_upstream
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, picture, text, write

Act = Callable[[Scene, Vault], object]


def edit_and_snapshot(scene: Scene, vault: Vault) -> object:
    change_line(scene.lib / PDF, 1, "edited")
    return vault.snapshot("edit")


def restore_first(scene: Scene, vault: Vault) -> object:
    return vault.restore("@~1")


def pull_edit(scene: Scene, vault: Vault) -> object:
    change_line(scene.app / ".claude" / PDF, 8, "in the project")
    return vault.pull(["skill/pdf"], scene.app)


def transact(scene: Scene, vault: Vault) -> object:
    with vault.transaction("by hand") as tx:
        tx.collection("api").put("models/m", b"1")
        tx.set_ref("branches/main", tx.write_commit(tx.write_directory({"f": b"f"})))
    return tx.outcome


def update(scene: Scene, vault: Vault) -> object:
    """The collection's directory has an edit that is recorded, and then merged with what upstream has."""
    vendor = scene.root / "vendor/skills/pdf"
    write(vendor, "SKILL.md", text(line9="of upstream"))
    change_line(scene.lib / PDF, 1, "edited")
    return vault.update([UpdateRequest("skill/pdf", directory_upstream(vendor))], strategy=UpdateStrategy.OVERWRITE)


def move_onto_tags(scene: Scene, vault: Vault) -> object:
    """To where another artifact has left a tag."""
    vault.remove(["skill/new"])
    return vault.move("skill/pdf", "skills/new")


ACTS: dict[str, Act] = {
    "snapshot": edit_and_snapshot,
    "restore": restore_first,
    "restore of a path": lambda scene, vault: vault.restore("@~1", [PDF]),
    "deploy": lambda scene, vault: vault.deploy(["command/review"], scene.app),
    "deploy of an update": lambda scene, vault: vault.deploy(["skill/pdf"], scene.app),
    "pull": pull_edit,
    "collection add": lambda scene, vault: vault.add_collection(scene.root / "second"),
    "collection remove": lambda scene, vault: vault.remove_collection("lib"),
    "transaction": transact,
    "restore of a version": lambda scene, vault: vault.restore_version("skill/pdf", "~1"),
    "revert": lambda scene, vault: vault.revert("skill/pdf", "second"),
    "tag": lambda scene, vault: vault.tag("skill/pdf", "first", "~1"),
    "tag by force": lambda scene, vault: vault.tag("skill/pdf", "second", "~1", force=True),
    "tag delete": lambda scene, vault: vault.delete_tag("skill/pdf", "second"),
    "mv": lambda scene, vault: vault.move("skill/pdf", "skills/moved"),
    "update": update,
}
every_act = pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))


def pictures(scene: Scene) -> list[dict[str, tuple[str, bytes]]]:
    return [picture(place) for place in (scene.lib, scene.app, scene.root / "second")]


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """Two snapshots; the first version of skill/pdf is deployed, and the second is not."""
    write(scene.root / "second", "skills/x/SKILL.md", text())
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.lib / PDF, 3, "second snapshot")
    write(scene.lib, "skills/new/SKILL.md", text())
    vault.snapshot()
    vault.tag("skill/pdf", "second")
    vault.tag("skill/new", "first")
    return vault


def test_undo_of_a_move_to_where_tags_were_left(scene: Scene, vault: Vault) -> None:
    refs = vault.refs()
    move_onto_tags(scene, vault)
    assert [(tag.label, tag.former) for tag in vault.tags("skills/new")] == [("second", False), ("first", True)]
    vault.undo()
    vault.undo()
    assert vault.refs() == refs
    assert_clean(vault)


@every_act
def test_undo_takes_refs_and_files_back(scene: Scene, vault: Vault, act: Act) -> None:
    refs = vault.refs()
    act(scene, vault)
    after_refs, after = vault.refs(), pictures(scene)
    assert after_refs != refs
    vault.undo()
    undone = pictures(scene)
    assert vault.refs() == refs
    vault.redo()
    assert (vault.refs(), pictures(scene)) == (after_refs, after)
    assert_clean(vault)
    assert [name for name, _ in vault.refs()] == [name for name, _ in after_refs]
    vault.undo()
    assert pictures(scene) == undone


@pytest.mark.parametrize("name", ["restore", "restore of a path", "deploy", "deploy of an update"])
def test_undo_of_a_command_that_wrote_files_leaves_them_as_before(scene: Scene, vault: Vault, name: str) -> None:
    before = pictures(scene)
    ACTS[name](scene, vault)
    written = pictures(scene)
    vault.undo()
    assert written != before
    files = [{path: found for path, found in seen.items() if found[1]} for seen in (*before, *pictures(scene))]
    assert files[:3] == files[3:]


def test_undo_of_a_snapshot_leaves_the_edit_on_disk(scene: Scene, vault: Vault) -> None:
    edit_and_snapshot(scene, vault)
    vault.undo()
    assert [change.path for change in vault.status().changes] == ["skills/pdf"]


def test_undo_undo_goes_two_back(scene: Scene, vault: Vault) -> None:
    refs = [vault.refs()]
    for name in ("snapshot", "deploy"):
        ACTS[name](scene, vault)
        refs.append(vault.refs())
    found = []
    for _ in range(2):
        vault.undo()
        found.append(vault.refs())
    assert found == [refs[1], refs[0]]


def test_redo_redo_comes_two_back(scene: Scene, vault: Vault) -> None:
    refs = []
    for name in ("snapshot", "deploy"):
        ACTS[name](scene, vault)
        refs.append(vault.refs())
    vault.undo()
    vault.undo()
    found = []
    for _ in range(2):
        vault.redo()
        found.append(vault.refs())
    assert found == refs


def test_redo_after_another_step_is_closed(scene: Scene, vault: Vault) -> None:
    edit_and_snapshot(scene, vault)
    vault.undo()
    ACTS["deploy"](scene, vault)
    with pytest.raises(NotFoundError, match="nothing to redo"):
        vault.redo()


def test_undo_until_nothing_is_left(scene: Scene) -> None:
    vault = scene.vault()
    edit_and_snapshot(scene, vault)
    vault.undo()
    with pytest.raises(NotFoundError, match="nothing to undo"):
        vault.undo()


def test_undo_keeps_later_edits_elsewhere_in_a_file(scene: Scene, vault: Vault) -> None:
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / ".claude" / PDF, 9, "later")
    vault.undo()
    assert (scene.app / ".claude" / PDF).read_text() == text(line9="later")


def test_undo_of_a_file_that_clashes_changes_nothing(scene: Scene, vault: Vault) -> None:
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / ".claude" / PDF, 3, "later")
    refs, before = vault.refs(), pictures(scene)
    with pytest.raises(ConflictError) as caught:
        vault.undo()
    assert caught.value.conflicts == (f".claude/{PDF}: content",)
    assert (vault.refs(), pictures(scene)) == (refs, before)


def test_undo_by_force_keeps_what_it_replaces_in_the_vault(scene: Scene, vault: Vault) -> None:
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.app / ".claude" / PDF, 3, "later")
    replaced = (scene.app / ".claude" / PDF).read_bytes()
    vault.undo(force=True)
    assert (scene.app / ".claude" / PDF).read_text() == text()
    assert vault.read_blob(blob_id(replaced)) == replaced


def test_undo_refs_only_touches_no_file(scene: Scene, vault: Vault) -> None:
    refs = vault.refs()
    vault.deploy(["skill/pdf"], scene.app)
    before = pictures(scene)
    vault.undo(refs_only=True)
    assert (vault.refs(), pictures(scene)) == (refs, before)


def test_undo_where_the_directory_is_gone(scene: Scene, vault: Vault) -> None:
    vault.deploy(["skill/pdf"], scene.app)
    shutil.move(scene.app, scene.root / "moved")
    with pytest.raises(NotFoundError, match="is not where it was"):
        vault.undo()


def test_undo_refs_only_then_snapshot_keeps_it_undone(scene: Scene, vault: Vault) -> None:
    edit_and_snapshot(scene, vault)
    vault.undo(refs_only=True)
    change_line(scene.lib / REVIEW, 5, "elsewhere")
    vault.snapshot()
    assert scene.tip_text().splitlines()[1] == "line 1"


def test_undo_from_a_stale_copy_leaves_others_edits(scene: Scene) -> None:
    """The copy held snapshot 0; an undo there set its marker to snapshot 1, and its next snapshot reverted that."""
    vault = scene.vault()
    _, copied = scene.copy()
    for number in (1, 2):
        change_line(scene.lib / PDF, number, "edited")
        vault.snapshot()
    copied.undo()
    copied.snapshot()
    assert scene.tip_text().splitlines()[1:3] == ["edited", "line 2"]


def test_redo_names_a_directory_that_goes_along_only_later(scene: Scene, vault: Vault) -> None:
    """The files that the redone step had written stayed as they were, and nobody was told."""
    vault.restore("@~1")
    vault.undo(refs_only=True)
    vault.snapshot()
    written = picture(scene.lib)
    vault.undo()
    (note,) = vault.redo().outcome.notes
    assert note == f"{scene.lib} is at another snapshot than the collection: it goes along with its next one"
    assert picture(scene.lib) != written
    vault.snapshot()
    assert picture(scene.lib) == written


@pytest.mark.parametrize("kind", ["undo", "redo", "init", "observe", "upkeep"])
def test_transaction_of_a_kind_that_undo_goes_by(kind: str) -> None:
    """An embedder's operation of the kind `undo` could never be undone, and hid what was before it."""
    vault = Vault.in_memory()
    with pytest.raises(UsageError, match="meaning of its own"):
        vault.transaction("mine", kind=kind)
    assert vault.operations() == []


def test_undo_of_what_only_brought_the_directory_up_to_date(scene: Scene, vault: Vault) -> None:
    """The files went back, but the directory went on saying that it was at the newer snapshot: the next one recorded
    what came after as taken back.
    """
    vault.restore("@~1")
    vault.undo(refs_only=True)
    stale, status = picture(scene.lib, own=True), vault.status()
    assert status.snapshot != status.tip
    vault.snapshot()
    assert picture(scene.lib) != stale
    vault.undo()
    assert picture(scene.lib, own=True) == stale
    assert vault.status() == status
    vault.snapshot()
    assert vault.status().changes == ()
    assert (scene.lib / "skills/new/SKILL.md").exists()
    assert_clean(vault)
