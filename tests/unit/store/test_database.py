from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from casvault.errors import FailureError, MalformedError, MissingObjectError
from casvault.objects import Kind, ObjectInfo, read_blob, write_blob
from casvault.oid import Oid, blob_id
from casvault.store import PackDatabase
from casvault.store.database import SMALL_PACK
from tests.support.objects import numbered_id
from tests.support.packs import pack_bytes, raw_entry, write_pack

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = raw_entry(b"one"), raw_entry(b"two")


def test_database_of_an_empty_directory(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    assert database.packs == list(database.iter_ids()) == []
    with pytest.raises(MissingObjectError, match=f"^{ONE.oid}: no pack holds this object$"):
        read_blob(database, ONE.oid)


def test_database_of_a_directory_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="No such file or directory"):
        PackDatabase(tmp_path / "absent")


def test_database_ignores_other_files(tmp_path: Path) -> None:
    write_pack(tmp_path, [ONE])
    (tmp_path / "tmp-0123").write_bytes(b"half a pack")
    (tmp_path / "notes.txt").write_bytes(b"")
    assert [ONE.oid] == list(PackDatabase(tmp_path).iter_ids())


def test_database_looks_again_for_what_it_misses(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    write_pack(tmp_path, [ONE])
    assert [ObjectInfo(Kind.BLOB, 3), None] == database.find_infos([ONE.oid, TWO.oid])
    write_pack(tmp_path, [TWO], "01.pack")
    assert read_blob(database, TWO.oid) == b"two"


def test_database_refresh_says_whether_packs_have_come(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    assert not database.refresh()
    path = write_pack(tmp_path, [ONE])
    assert database.refresh()
    assert not database.refresh()
    path.unlink()
    assert not database.refresh()
    assert database.packs == []


def test_database_after_a_roll_up_by_somebody_else(tmp_path: Path) -> None:
    old = [write_pack(tmp_path, [ONE]), write_pack(tmp_path, [TWO], "01.pack")]
    database = PackDatabase(tmp_path)
    write_pack(tmp_path, [ONE, TWO], "02.pack")
    for path in old:
        path.unlink()
    assert [read_blob(database, entry.oid) for entry in (ONE, TWO)] == [b"one", b"two"]
    database.refresh()
    assert [read_blob(database, entry.oid) for entry in (ONE, TWO)] == [b"one", b"two"]
    assert [pack.name for pack in database.packs] == ["02.pack"]


def test_database_forget(tmp_path: Path) -> None:
    write_pack(tmp_path, [ONE])
    write_pack(tmp_path, [TWO], "01.pack")
    database = PackDatabase(tmp_path)
    database.forget(["00.pack"])
    assert (database.find(ONE.oid), [TWO.oid]) == (None, list(database.iter_ids()))


def test_database_with_a_large_pack(tmp_path: Path) -> None:
    entries = [raw_entry(b"%d" % number) for number in range(SMALL_PACK + 1)]
    write_pack(tmp_path, entries)
    write_pack(tmp_path, [ONE], "01.pack")
    database = PackDatabase(tmp_path)
    wanted = [entries[0], ONE, entries[-1]]
    assert [(Kind.BLOB, entry.stored) for entry in wanted] == list(database.read_many(e.oid for e in wanted))
    database.forget(["00.pack"])
    assert [database.find(entry.oid) is None for entry in (entries[0], ONE)] == [True, False]


@pytest.mark.parametrize("prefix", ["", "0", "00", "abc", str(ONE.oid)])
def test_database_find_prefix_over_several_packs(tmp_path: Path, prefix: str) -> None:
    entries = [ONE, *(raw_entry(b"%d" % number) for number in range(300))]
    write_pack(tmp_path, entries[:200])
    write_pack(tmp_path, entries[100:], "01.pack")
    expected = sorted({entry.oid for entry in entries if str(entry.oid).startswith(prefix)})
    assert expected == PackDatabase(tmp_path).find_prefix(prefix)


def test_database_names_the_damaged_index_that_hides_an_object(tmp_path: Path) -> None:
    path = tmp_path / "00.pack"
    data = bytearray(pack_bytes([ONE]))
    data[16 + 20 + 3 + 1024 + 31] ^= 1
    path.write_bytes(data)
    with pytest.raises(MalformedError, match=r"^00.pack: the checksum of the index is wrong$") as caught:
        read_blob(PackDatabase(tmp_path), ONE.oid)
    assert caught.value.remedy == f"object {ONE.oid.short} may be in this pack; run `casvault fsck`"


def test_database_read_by_threads_while_packs_come(tmp_path: Path) -> None:
    database = PackDatabase(tmp_path)
    ids: list[Oid] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                for oid in ids:
                    assert oid == blob_id(read_blob(database, oid))
                assert database.find_infos([numbered_id(-1)]) == [None]
        except BaseException as error:
            failures.append(error)
            raise

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(15):
        transaction = database.begin()
        oid = write_blob(transaction, b"content %d" % number)
        transaction.publish()
        ids.append(oid)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(database.packs) == 15
