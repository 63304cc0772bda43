"""A vault lets its old operations go: what is kept answers as before, and everything ends where the past ends."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from casvault import How, Vault
from casvault.errors import NotFoundError, RefusedError
from casvault.oid import blob_id
from casvault.refs import Limit, Policy
from tests.story.scene import Scene, command, make_scene, text, write
from tests.story.test_continuing import BOTH, pulled
from tests.story.test_earlier_choices import BASE, OURS, THEIRS, begin

KEPT = 8
SKILL = ".claude/skills/pdf/SKILL.md"


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """Many deploys, edits that were only seen, a pull, something taken back, a tag, a pin and a second project."""
    config = scene.lib / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    vault = scene.vault()
    other = scene.root / "other"
    other.mkdir()
    vault.deploy(["skills/pdf"], other)
    for number in range(3):
        write(scene.lib, "skills/pdf/SKILL.md", text(line1=f"version {number}"))
        vault.deploy(["skills/pdf"], scene.app)
        write(scene.app, SKILL, text(line1=f"version {number}", line9=f"seen {number}"))
        vault.drift(scene.app)
        write(scene.app, SKILL, text(line1=f"version {number}"))
        vault.drift(scene.app)
    write(scene.lib, "skills/pdf/SKILL.md", "taken back\n")
    vault.snapshot()
    vault.undo()
    write(scene.app, SKILL, text(line1="version 2", line9="pulled"))
    vault.drift(scene.app)
    vault.pull(["skills/pdf"], scene.app)
    vault.set_retention(Policy(Limit(KEPT), Limit(1)))
    for number in range(KEPT):
        write(scene.lib, "commands/review.md", text(line3=f"{number}"))
        if number == 3:
            write(scene.app, SKILL, text(line1="version 2", line9="pulled", line5="again"))
            vault.drift(scene.app)
        vault.deploy(["skills/pdf"], other) if number == 5 else vault.snapshot(f"number {number}")
    return scene


def answers(vault: Vault, scene: Scene, kept: int) -> dict[str, Any]:
    """What is asked before and after, each cut to what is about operations that stay."""
    first = vault.operations(kept)[-1].number
    figures = vault.figures()
    return {
        "operations": [each for each in vault.operations() if each.number >= first],
        "audit": [entry for entry in vault.iter_audit() if entry.operation >= first],
        "log": vault.log("lib"),
        "versions": vault.log("skills/pdf"),
        "lineage": vault.lineage("skills/pdf"),
        "timeline": [
            [event for event in timeline.events if event.operation >= first]
            for timeline in vault.timeline("skills/pdf")
        ],
        "now": [timeline[:8] for timeline in vault.timeline("skills/pdf", scene.app)],
        "conflicts": vault.conflicts(),
        "drift": [row._replace(last_checked=None) for row in vault.drift(record=False).rows],
        "projects": [each.name for each in vault.projects()],
        "periods": figures.periods[-1].start,
        "retention": vault.retention(),
    }


def test_what_is_kept_answers_as_before(scene: Scene) -> None:
    before = answers(scene.vault(), scene, KEPT)
    plan = scene.vault().plan_retention()
    result = scene.vault().apply_retention(message="as agreed")
    vault = scene.vault()
    assert result.objects > 20
    assert result.bytes_after < result.bytes_before
    assert result.first_kept == plan.first_kept == before["operations"][-1].number
    after = answers(vault, scene, KEPT + 1)
    assert after["operations"][0].kind == "retention apply"
    after["operations"] = after["operations"][1:]
    after["audit"] = [entry for entry in after["audit"] if entry.name != "settings/horizon"]
    assert after == before
    assert [each.number for each in vault.operations()][-1] == plan.first_kept


def test_it_is_whole_afterwards(scene: Scene) -> None:
    scene.vault().apply_retention()
    vault = scene.vault()
    assert vault.fsck().problems == ()
    found = vault.verify_operations()
    assert (found.first_break, found.operations, found.aside) == (None, KEPT + 1, ())
    assert found.let_go == vault.operations()[-1].number - 1
    said = command(scene.lib, "audit", "--verify")
    assert (said.returncode, "were let go by retention" in said.stdout) == (0, True)
    assert [row.going for row in vault.plan_retention().rows if row.going] == []


def test_nothing_is_let_go_twice(scene: Scene) -> None:
    vault = scene.vault()
    count = len(vault.operations())
    assert vault.apply_retention().outcome.operation is not None
    again = vault.apply_retention()
    assert (again.outcome.operation, again.objects) == (None, 0)
    assert len(vault.operations()) == KEPT + 1 < count


def test_undo_down_to_the_oldest_that_is_kept(scene: Scene) -> None:
    vault = scene.vault()
    vault.apply_retention()
    first = vault.operations()[-1].number
    undone = []
    with pytest.raises(NotFoundError) as caught:  # noqa: PT012
        while True:
            undone.append(vault.undo(force=True).number)
    assert (undone[-1], len(undone)) == (first, len(set(undone)))
    assert "were let go by retention on 2023-11-" in (caught.value.remedy or "")
    assert vault.redo().number is not None
    assert vault.fsck().problems == ()


def test_life_goes_on(scene: Scene) -> None:
    """Purges, roll-ups, deploys and another letting go work on what is left, from the caches and without."""
    vault = scene.vault()
    vault.apply_retention()
    secret = b"a secret of many bytes"
    write(scene.lib, "skills/pdf/.env", secret)
    vault.snapshot()
    vault.purge(vault.plan_purge([blob_id(secret).hex()]))
    (scene.lib / "skills/pdf/.env").unlink()
    for number in range(12):
        write(scene.lib, "commands/review.md", text(line4=f"{number}"))
        vault.snapshot()
    assert scene.vault().apply_retention().objects > 0
    assert scene.vault().fsck().problems == ()
    assert scene.vault().verify_operations().first_break is None
    vault.deploy(["commands/review.md"], scene.app)
    assert scene.vault().fsck().problems == ()


def test_what_was_seen_before_is_stored_again(scene: Scene) -> None:
    """A stat cache from before said that the bytes are in the vault, and a snapshot would have relied on it."""
    vault = scene.vault()
    more = scene.root / "more"
    write(more, "skills/extra/SKILL.md", "seen once\n")
    write(more, "skills/extra/again", "seen once more\n")
    time.sleep(0.1)  # what is younger than its scan is not believed anyway
    vault.add_collection(more)
    write(more, "skills/other/SKILL.md", "and again\n")
    vault.snapshot(collection="more")
    vault.remove_collection("more")
    vault.set_retention(Policy(Limit(1), Limit(1)))
    for number in range(6):
        with vault.transaction() as tx:
            tx.set_ref("kept/a", tx.write_commit(tx.write_directory({"f": b"%d" % number})))
    content = blob_id(b"seen once\n")
    assert vault.reader.find_infos([content]) != [None]
    more.rename(scene.root / "away")
    vault.apply_retention()
    assert scene.vault().reader.find_infos([content]) == [None]
    (scene.root / "away").rename(more)
    with pytest.raises(RefusedError, match="when the past was let go"):
        scene.vault().add_collection(more)
    (more / ".casvault-collection").unlink()
    scene.vault().add_collection(more)
    assert scene.vault().read_blob(content) == b"seen once\n"
    assert scene.vault().fsck().problems == ()


def test_inside_of_a_transaction(scene: Scene) -> None:
    vault = scene.vault()
    with pytest.raises(RefusedError), vault.transaction():
        vault.apply_retention()


def test_an_old_commit_is_there_no_more(scene: Scene) -> None:
    vault = scene.vault()
    oldest = vault.operations()[-1].id
    vault.apply_retention()
    assert scene.vault().reader.find_infos([oldest]) == [None]


def test_in_memory() -> None:
    vault = Vault.in_memory()
    assert vault.apply_retention().objects == 0
    for number in range(100):
        with vault.transaction() as tx:
            tx.set_ref("kept/a", tx.write_commit(tx.write_directory({"f": b"%d" % number})))
    vault.set_retention(Policy(Limit(1)))
    assert vault.apply_retention().objects > 50
    assert vault.fsck().problems == ()
    assert vault.verify_operations().first_break is None


def test_conflicts_and_merges_that_wait(tmp_path: Path) -> None:
    """A conflict that was resolved is told by its version, when the operation that ended it was let go; one that waits
    goes on waiting, and the earlier choice is offered as long as it is told by an operation.
    """
    plain = make_scene(tmp_path / "world")
    config = plain.lib / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    vault = plain.vault()
    handle = pulled(plain, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.continue_merge(handle)
    waiting = begin(vault, BASE, OURS, THEIRS)
    vault.set_retention(Policy(Limit(1), Limit(1)))
    for number in range(6):
        with vault.transaction() as tx:
            tx.set_ref("kept/a", tx.write_commit(tx.write_directory({"f": b"%d" % number})))
    before = vault.conflicts()
    timeline = vault.timeline("skills/pdf", plain.app)
    assert vault.apply_retention().objects > 0
    vault = plain.vault()
    assert vault.conflicts() == [before[0], before[1]._replace(operation=None)]
    assert vault.conflicts()[0].merge == waiting
    assert vault.timeline("skills/pdf", plain.app)[0][:8] == timeline[0][:8]
    vault.resolve(waiting, "SKILL.md", How.OURS)
    vault.continue_merge(waiting)
    assert vault.fsck().problems == ()


def test_a_journal_of_what_is_not_known_any_more(scene: Scene) -> None:
    """It must not be taken for one of something that never happened, and forgotten."""
    vault = scene.vault()
    vault.apply_retention()
    with pytest.raises(NotFoundError, match="were let go by retention"):
        vault._repository.log.find_in_chain(1, bytes(16))


def test_states_of_a_project_end_where_they_were_cut(scene: Scene) -> None:
    before = scene.vault().log("projects/app")
    scene.vault().apply_retention()
    vault = scene.vault()
    after = vault.log("projects/app")
    assert (after, 0 < len(after) < len(before)) == (before[: len(after)], True)
    with pytest.raises(NotFoundError):
        vault.rev_parse(f"projects/app~{len(after)}")
    assert vault.rev_parse(f"projects/app~{len(after) - 1}") == after[-1].id


def test_snapshots_say_what_they_are_for(scene: Scene) -> None:
    """Whoever made one, by an operation that was let go, is not known; no other operation is taken for it."""
    before = {each.id: each for each in scene.vault().snapshots()}
    scene.vault().apply_retention()
    first = scene.vault().operations()[-1].number
    for each in scene.vault().snapshots():
        told = before[each.id].operation
        assert each.operation == (told if told is not None and told >= first else None)
