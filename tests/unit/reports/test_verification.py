"""The chain of operations, damaged for real: the first break is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import RefusedError
from casvault.formats.record import Record, decode_record, encode_record, record_name
from casvault.oid import Oid
from casvault.refs import Context, Plan, RefEdit
from casvault.vault.results.reports import Break
from tests.story.scene import PDF, Scene, change_line


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """A vault of five operations."""
    vault = scene.vault()
    vault.deploy(["skills/pdf"], scene.app)
    for number in range(3):
        change_line(scene.lib / PDF, number, f"new {number}")
        vault.snapshot()
    return vault


def records(vault: Vault) -> Path:
    assert vault.path is not None
    return vault.path / "ops"


def read(vault: Vault, number: int) -> Record:
    return decode_record((records(vault) / record_name(number)).read_bytes(), number)


def replace(vault: Vault, number: int, data: bytes) -> None:
    place = records(vault) / record_name(number)
    os.chmod(place, 0o644)
    place.write_bytes(data)


def broken(scene: Scene) -> Break:
    """The first break, as a process finds it that knows nothing yet."""
    found = scene.vault().verify_operations().first_break
    assert found is not None
    return found


def test_a_chain_that_is_whole(vault: Vault) -> None:
    result = vault.verify_operations()
    assert result.first_break is None
    assert (result.operations, result.records, result.aside) == (5, 5, ())
    assert result.changes == 5


def test_an_empty_vault_is_whole() -> None:
    assert Vault.in_memory().verify_operations().first_break is None


def test_a_vault_in_memory_is_gone_over_too() -> None:
    vault = Vault.in_memory()
    with vault.transaction() as transaction:
        transaction.collection("lib").put("skills/a", b"a")
    assert vault.verify_operations()[:3] == (1, 1, 1)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_record_that_is_gone(scene: Scene, vault: Vault, number: int) -> None:
    (records(vault) / record_name(number)).unlink()
    assert broken(scene) == Break(number, f"operation record {number}", "the record is gone")


def test_the_newest_record_is_gone(scene: Scene, vault: Vault) -> None:
    """The records below it are a whole chain; only the directory, and the packs, know that there was more."""
    tip = vault.rev_parse("@")
    (records(vault) / record_name(5)).unlink()
    message = f"it is at snapshot {tip.short}, to which no operation up to 4 led"
    assert broken(scene) == Break(None, str(scene.lib), message)


def test_the_newest_record_is_gone_of_what_no_directory_tells(scene: Scene, vault: Vault) -> None:
    """It is told as an operation aside: a refused command leaves the same, so it is no proof."""
    vault.deploy(["skills/pdf"], scene.app)
    (records(vault) / record_name(6)).unlink()
    result = scene.vault().verify_operations()
    assert (result.first_break, result.aside) == (None, (6,))


def test_a_refused_command_is_no_break(scene: Scene, vault: Vault) -> None:
    """Its operation was published, and never recorded."""
    with pytest.raises(RefusedError):
        vault.deploy(["commands/review.md"], _blocked(scene))
    assert vault.verify_operations().first_break is None


def _blocked(scene: Scene) -> Path:
    """A project in which a symlink stands where a directory belongs."""
    place = scene.root / "blocked"
    (place / ".claude").mkdir(parents=True)
    (place / ".claude/commands").symlink_to(scene.root)
    return place


def test_all_records_are_gone(scene: Scene, vault: Vault) -> None:
    for place in records(vault).iterdir():
        place.unlink()
    assert broken(scene) == Break(None, "ops/", "the operation records are gone")


def test_two_records_that_were_swapped(scene: Scene, vault: Vault) -> None:
    places = [records(vault) / record_name(number) for number in (2, 3)]
    contents = [place.read_bytes() for place in places]
    for number, content in zip((2, 3), reversed(contents), strict=True):
        replace(vault, number, content)
    assert broken(scene) == Break(3, "operation record 3", "it says that it is number 2")


def test_a_record_with_the_name_of_another_operation(scene: Scene, vault: Vault) -> None:
    """It is a valid record with the right number, and only the chain tells that it is not the right one."""
    forged = read(vault, 3)._replace(operation=read(vault, 2).operation)
    replace(vault, 3, encode_record(forged))
    found = broken(scene)
    assert (found.operation, found.place) == (3, "operation record 3")
    assert found.message == f"the record names another operation: {forged.operation.short}"


def test_a_record_with_another_transaction(scene: Scene, vault: Vault) -> None:
    replace(vault, 2, encode_record(read(vault, 2)._replace(transaction=bytes(16))))
    assert broken(scene).operation == 2


def test_the_newest_record_leads_back_in_the_chain(scene: Scene, vault: Vault) -> None:
    """What came after is cut off, while the numbers look as if nothing had happened."""
    replace(vault, 5, encode_record(read(vault, 5)._replace(operation=read(vault, 2).operation)))
    found = broken(scene)
    assert (found.operation, found.message) == (5, "operation 2 stands where number 5 must be")


def test_a_record_that_leads_nowhere(scene: Scene, vault: Vault) -> None:
    replace(vault, 5, encode_record(read(vault, 5)._replace(operation=Oid(bytes(32)))))
    assert broken(scene)[0::2] == (5, "no pack holds this object")


def test_a_flipped_bit_in_a_record(scene: Scene, vault: Vault) -> None:
    data = bytearray((records(vault) / record_name(4)).read_bytes())
    data[50] ^= 1
    replace(vault, 4, bytes(data))
    assert broken(scene) == Break(4, "operation record 4", "the checksum is wrong")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8, 0.97])
def test_a_flipped_bit_in_a_pack(scene: Scene, vault: Vault, part: float) -> None:
    assert vault.path is not None
    pack = max((vault.path / "packs").iterdir(), key=lambda each: each.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[int(part * len(data))] ^= 4
    os.chmod(pack, 0o644)
    pack.write_bytes(data)
    assert broken(scene).place == pack.name


def test_a_pack_that_is_gone(scene: Scene, vault: Vault) -> None:
    assert vault.path is not None
    for pack in (vault.path / "packs").iterdir():
        pack.unlink()
    assert broken(scene)[0::2] == (5, "no pack holds this object")


def test_a_ref_that_went_somewhere_else(scene: Scene, vault: Vault) -> None:
    """A collection whose snapshots do not come from each other: history was written anew."""
    repository = vault._repository
    first = vault.log(limit=None)[-1].id
    tip = vault.rev_parse("@")
    stage = repository.begin()
    context = Context(vault._signature(), lambda: bytes(range(16)))
    plan = Plan([RefEdit(b"collections/lib", tip, first)], "snapshot")
    repository.log.commit(stage, context, lambda view: plan)
    found = broken(scene)
    assert (found.operation, found.place) == (6, "collections/lib")
    assert found.message == f"snapshot moved it from {tip.short} to {first.short}, which does not come from there"


def test_a_transaction_id_that_was_used_twice(scene: Scene, vault: Vault) -> None:
    for number in (6, 7):
        change_line(scene.lib / PDF, number, "again")
        scene.vault(new_transaction_id=lambda: b"the same as ever").snapshot()
    found = broken(scene)
    assert (found.operation, found.message) == (6, "its transaction id is that of operation 7")


def test_an_undo_may_go_back(scene: Scene, vault: Vault) -> None:
    vault.undo()
    vault.undo()
    vault.redo()
    assert vault.verify_operations().first_break is None


def test_records_that_were_dropped_are_not_missed(scene: Scene, vault: Vault) -> None:
    assert vault.path is not None
    settings = vault.path / "vault.toml"
    settings.write_text(settings.read_text() + "keep_records = 4\n")
    for number in range(10):
        change_line(scene.lib / PDF, number, f"more {number}")
        scene.vault().snapshot()
    left = len(list(records(vault).iterdir()))
    assert left < 10
    result = scene.vault().verify_operations()
    assert (result.operations, result.records, result.first_break) == (15, left, None)
    settings.write_text(settings.read_text().replace("keep_records = 4", "keep_records = 64"))
    assert scene.vault().verify_operations().first_break is None
    (records(vault) / record_name(14)).unlink()
    assert broken(scene) == Break(14, "operation record 14", "the record is gone")


def test_a_gap_among_older_records(scene: Scene, vault: Vault) -> None:
    for number in range(4):
        change_line(scene.lib / PDF, number, f"more {number}")
        scene.vault().snapshot()
    (records(vault) / record_name(3)).unlink()
    assert broken(scene) == Break(3, "operation record 3", "the record is gone")
    for number in (1, 2):
        (records(vault) / record_name(number)).unlink()
    assert scene.vault().verify_operations().first_break is None  # they may be dropped in this order
