from __future__ import annotations

import os
from pathlib import Path

import pytest

from casvault.errors import DamageError, MissingObjectError, UnsupportedError
from casvault.files import try_lock_file
from casvault.formats.pack import Encoding
from casvault.maintenance.removal import is_lingering, iter_lingering, remove_objects
from casvault.objects import Kind, read_blob, write_blob
from casvault.oid import Oid, blob_id
from casvault.store import Pack, PackDatabase
from tests.support.packs import Forged, write_pack


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    return tmp_path / "packs"


def fill(packs: Path, *contents: bytes) -> list[Oid]:
    """One pack of these contents."""
    transaction = PackDatabase(packs).begin()
    ids = [write_blob(transaction, content) for content in contents]
    transaction.publish()
    return ids


def forged(packs: Path, *contents: bytes) -> None:
    """One pack more of these contents, those that are there already too."""
    entries = [Forged(blob_id(content), Encoding.RAW, content, len(content)) for content in contents]
    write_pack(packs, entries, f"{os.urandom(16).hex()}.pack")


def remove(packs: Path, *ids: Oid, wait: bool = True) -> bool:
    return remove_objects(PackDatabase(packs), packs.parent / "lock", frozenset(ids), wait=wait)


def held(packs: Path) -> list[list[Oid]]:
    """What each pack holds, verified."""
    return sorted(sorted(Pack(path).verify()) for path in packs.glob("*.pack"))


def test_only_packs_with_the_object_are_rewritten(packs: Path) -> None:
    one, two = fill(packs, b"one", b"two")
    three = fill(packs, b"three")[0]
    before = {path.name for path in packs.iterdir() if three in set(Pack(path).index.iter_ids())}
    assert remove(packs, one)
    assert held(packs) == sorted([[two], [three]])
    assert before < {path.name for path in packs.iterdir()}


def test_every_copy_goes(packs: Path) -> None:
    forged(packs, b"one", b"two")
    forged(packs, b"one", b"three")
    assert remove(packs, blob_id(b"one"))
    assert held(packs) == sorted([[blob_id(b"two")], [blob_id(b"three")]])


def test_pack_of_nothing_else_goes_as_a_whole(packs: Path) -> None:
    ids = fill(packs, b"one", b"two")
    assert remove(packs, *ids)
    assert list(packs.iterdir()) == []


def test_objects_of_every_kind_and_size_are_kept(packs: Path) -> None:
    large = os.urandom(3 << 20)
    transaction = PackDatabase(packs).begin()
    ids = transaction.write_many([(Kind.BLOB, b"one"), (Kind.BLOB, b"x" * 9999), (Kind.TREE, b"\x92\x00\x90")])
    ids.append(transaction.write_blob_pieces([large[:1000], large[1000:]])[0])
    transaction.publish()
    remove(packs, ids[0])
    database = PackDatabase(packs)
    assert held(packs) == [sorted(ids[1:])]
    assert b"".join(database.iter_blob(ids[3])) == large


def test_removing_what_is_not_there_changes_nothing(packs: Path) -> None:
    fill(packs, b"one")
    before = sorted(packs.iterdir())
    assert remove(packs, blob_id(b"nothing"))
    assert sorted(packs.iterdir()) == before


def test_leftovers_of_dead_writers_go_too(packs: Path) -> None:
    """They may hold the bytes, and nobody else would look at them."""
    fill(packs, b"one")
    (packs / ".casvault-tmp-0123").write_bytes(b"one")
    remove(packs, blob_id(b"one"))
    assert list(packs.iterdir()) == []


def test_reader_with_the_old_pack_open_goes_on_and_misses_when_it_looks_again(packs: Path) -> None:
    one, two = fill(packs, b"one", b"two")
    reader = PackDatabase(packs)
    remove(packs, one)
    assert read_blob(reader, one) == b"one"
    reader.refresh()
    assert read_blob(reader, two) == b"two"
    with pytest.raises(MissingObjectError):
        read_blob(reader, one)


def test_somebody_else_at_the_packs(packs: Path) -> None:
    one = fill(packs, b"one")[0]
    lock = try_lock_file(packs.parent / "lock")
    assert lock is not None
    with lock:
        assert not remove(packs, one, wait=False)
    assert is_lingering(PackDatabase(packs), [one])
    assert remove(packs, one, wait=False)


def test_lingering_names_object_and_pack(packs: Path) -> None:
    one = fill(packs, b"one", b"two")[0]
    database = PackDatabase(packs)
    (found,) = iter_lingering(database, [one, blob_id(b"no")])
    assert (found.id, found.pack) == (one, database.packs[0].name)
    assert not is_lingering(database, [blob_id(b"no")])


def test_damaged_pack_is_told_and_the_others_are_rewritten(packs: Path) -> None:
    forged(packs, b"one", b"two")
    path = next(packs.iterdir())
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    forged(packs, b"one", b"three")
    with pytest.raises(DamageError, match="checksum of the entries"):
        remove(packs, blob_id(b"one"))
    assert [blob_id(b"three")] in [sorted(Pack(each).index.iter_ids()) for each in packs.glob("*.pack")]
    assert path.exists()


@pytest.mark.parametrize("encoding", [Encoding.ZSTD_DICT, Encoding.PATCH, Encoding.CHUNKS])
def test_pack_with_entries_that_need_others_is_left_alone(packs: Path, encoding: Encoding) -> None:
    """What goes may be what another entry is made from."""
    one = blob_id(b"one")
    needy = Forged(blob_id(b"two"), encoding, one + b"...", 3)
    write_pack(packs, [Forged(one, Encoding.RAW, b"one", 3), needy])
    with pytest.raises(UnsupportedError):
        remove(packs, one)
    assert [path.name for path in packs.iterdir()] == ["00.pack"]
