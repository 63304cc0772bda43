from __future__ import annotations

import os
from pathlib import Path

import pytest

from casvault.files import try_lock_file
from casvault.limits import KIB, MIB, ROLLUP_FACTOR
from casvault.maintenance.rollup import plan_roll_up, remove_leftovers, roll_up, size_class
from casvault.objects import Kind, read_blob, write_blob
from casvault.oid import Oid, blob_id
from casvault.store import Pack, PackDatabase
from tests.story.scene import PDF, Scene, assert_clean, write


@pytest.fixture
def packs(place: Path) -> Path:
    (place / "packs").mkdir()
    return place / "packs"


def fill(packs: Path, contents: list[bytes]) -> list[Oid]:
    """One pack for each content."""
    ids = []
    for content in contents:
        transaction = PackDatabase(packs).begin()
        ids.append(write_blob(transaction, content))
        transaction.publish()
    return ids


def names(packs: Path) -> list[str]:
    return sorted(os.listdir(packs))


class Sized:
    """Stands for a pack where only its size counts."""

    def __init__(self, size: int) -> None:
        self.size = size


def planned(sizes: list[int], budget: int = 256 * MIB) -> list[int]:
    return [pack.size for pack in plan_roll_up([Sized(size) for size in sizes], budget)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("size", "found"),
    [(0, 0), (4 * KIB, 0), (4 * KIB + 8, 1), (32 * KIB, 1), (33 * KIB, 2), (256 * KIB, 2), (2 * MIB, 3), (16 * MIB, 4)],
)
def test_size_class(size: int, found: int) -> None:
    assert size_class(size) == found


def test_plan_a_class_that_is_not_full() -> None:
    assert planned([100] * (ROLLUP_FACTOR - 1) + [5 * KIB] * (ROLLUP_FACTOR - 1)) == []


def test_plan_lowest_full_class_first() -> None:
    assert planned([5 * KIB] * ROLLUP_FACTOR + [100] * ROLLUP_FACTOR) == [100] * ROLLUP_FACTOR


def test_plan_takes_all_of_a_class() -> None:
    assert planned([100] * 11 + [MIB]) == [100] * 11


def test_plan_within_the_budget_only() -> None:
    assert planned([100] * ROLLUP_FACTOR, budget=100 * ROLLUP_FACTOR - 1) == [100] * (ROLLUP_FACTOR - 1)
    assert planned([100] * ROLLUP_FACTOR, budget=199) == []


def test_plan_a_class_beyond_the_budget_in_part() -> None:
    """Packs between 32 and 128 MB never became fewer: their number grew with the vault."""
    assert len(planned([40 * MIB] * 30)) >= 2


def test_roll_up_keeps_every_object_in_fewer_packs(packs: Path) -> None:
    contents = [b"content %d" % number for number in range(ROLLUP_FACTOR)]
    ids = fill(packs, contents)
    database = PackDatabase(packs)
    assert roll_up(database, packs.parent / "lock") == ROLLUP_FACTOR
    fresh = PackDatabase(packs)
    for reader in (database, fresh):
        assert [read_blob(reader, oid) for oid in ids] == contents
        assert len(reader.packs) == 1
    assert sorted(fresh.iter_ids()) == sorted(ids)


def test_roll_up_copies_the_stored_bytes(packs: Path) -> None:
    content = b"to be compressed " * 50
    ids = fill(packs, [content, *(b"%d" % number for number in range(ROLLUP_FACTOR - 1))])

    def stored(database: PackDatabase) -> bytes:
        pack, offset = database.locate(ids[0])
        return bytes(pack.entry(offset))

    before = stored(PackDatabase(packs))
    roll_up(PackDatabase(packs), packs.parent / "lock")
    assert (stored(PackDatabase(packs)), len(before) < len(content)) == (before, True)


def test_roll_up_objects_that_are_in_several_packs_once(packs: Path) -> None:
    ids = fill(packs, [b"%d" % number for number in range(ROLLUP_FACTOR - 1)])
    name = names(packs)[0]
    (packs / f"{'0' * 32}.pack").write_bytes((packs / name).read_bytes())
    roll_up(PackDatabase(packs), packs.parent / "lock")
    assert sorted(PackDatabase(packs).iter_ids()) == sorted(ids)


def test_roll_up_nothing_is_due(packs: Path) -> None:
    fill(packs, [b"a", b"b"])
    before = names(packs)
    assert (roll_up(PackDatabase(packs), packs.parent / "lock"), names(packs)) == (0, before)


def test_roll_up_while_somebody_else_does_it(packs: Path) -> None:
    fill(packs, [b"%d" % number for number in range(ROLLUP_FACTOR)])
    before = names(packs)
    lock = try_lock_file(packs.parent / "lock")
    assert lock is not None
    with lock:
        assert (roll_up(PackDatabase(packs), packs.parent / "lock"), names(packs)) == (0, before)


def test_roll_up_readers_of_the_old_packs_go_on(packs: Path) -> None:
    ids = fill(packs, [b"%d" % number for number in range(ROLLUP_FACTOR)])
    reader = PackDatabase(packs)
    opened = reader.packs
    roll_up(PackDatabase(packs), packs.parent / "lock")
    assert [read_blob(reader, oid) for oid in ids] == [b"%d" % number for number in range(ROLLUP_FACTOR)]
    assert {pack.name for pack in opened}.isdisjoint(names(packs))


def test_roll_up_of_many_transactions_keeps_their_number_small(packs: Path) -> None:
    database = PackDatabase(packs)
    ids = []
    for number in range(100):
        transaction = database.begin()
        ids.append(transaction.write_many([(Kind.BLOB, b"%d" % number)])[0])
        transaction.publish()
        roll_up(database, packs.parent / "lock")
    assert len(names(packs)) < 2 * ROLLUP_FACTOR
    assert set(PackDatabase(packs).iter_ids()) == set(ids)


def test_remove_leftovers_of_writers_that_are_gone(packs: Path) -> None:
    fill(packs, [b"a"])
    kept = names(packs)
    (packs / ".casvault-tmp-0123").write_bytes(b"half a pack")
    remove_leftovers(packs)
    assert names(packs) == kept


def test_remove_leftovers_spares_a_living_writer(packs: Path) -> None:
    transaction = PackDatabase(packs).begin()
    oid = transaction.write_blob_pieces([b"under way"])[0]
    remove_leftovers(packs)
    transaction.publish()
    assert read_blob(PackDatabase(packs), oid) == b"under way"


def damage(packs: Path) -> Pack:
    """One bit in the entries of a pack."""
    path = packs / names(packs)[0]
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.unlink()
    path.write_bytes(data)
    return Pack(path)


def test_command_that_is_done_does_not_fail_for_a_damaged_pack_elsewhere(scene: Scene) -> None:
    """One damaged pack among eight: from then on every command was recorded and ended with an error."""
    vault = scene.vault()
    for number in range(4):
        write(scene.lib, PDF, f"{number}\n")
        vault.snapshot()
    damage(scene.lib / ".casvault/packs")
    vault = scene.vault()
    for number in range(4, 4 + ROLLUP_FACTOR):
        write(scene.lib, PDF, f"{number}\n")
        vault.snapshot()
    assert vault.status().changes == ()


def test_commands_roll_up_by_themselves(scene: Scene) -> None:
    vault = scene.vault()
    for number in range(20):
        write(scene.lib, PDF, f"{number}\n")
        vault.snapshot()
    assert len(names(scene.lib / ".casvault/packs")) < 10
    assert vault.read_blob(blob_id(b"3\n")) == b"3\n"
    assert_clean(vault)
