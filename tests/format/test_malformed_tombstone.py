"""Each rule of tombstones, broken once; and what is read of those that are right."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError
from casvault.objects import FILE, Commit, Field, MemoryObjects, Root, canonical, write_blob, write_commit
from casvault.oid import Oid, blob_id
from casvault.refs import (
    RefEdit,
    View,
    purged_error,
    purged_ref,
    read_purged,
    read_tombstones,
    write_allowances,
    write_tombstones,
)
from casvault.trees import empty_root
from tests.support.objects import WHO, numbered_id

ONE, TWO = blob_id(b"one"), blob_id(b"three")
SIZES = {ONE: 3, TWO: 5}


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects()


def view_of(store: MemoryObjects, refs: dict[bytes, Oid]) -> View:
    empty = View(store, empty_root())
    return View(store, empty.edited(store, [RefEdit(name, None, oid) for name, oid in refs.items()]))


def refs_of(commits: dict[Oid, Oid]) -> dict[bytes, Oid]:
    return {purged_ref(oid): commit for oid, commit in commits.items()}


def test_none_in_a_view_without_any(store: MemoryObjects) -> None:
    assert read_tombstones(View(store, empty_root())) == {}


def test_tombstones_are_read_as_they_were_written(store: MemoryObjects) -> None:
    commits = write_tombstones(store, WHO, b"why", SIZES)
    found = read_tombstones(view_of(store, refs_of(commits)))
    assert {oid: each.size for oid, each in found.items()} == SIZES
    assert {(each.who, each.reason, each.allowed) for each in found.values()} == {(WHO, b"why", False)}


def test_one_commit_for_all_of_one_purge(store: MemoryObjects) -> None:
    assert len(set(write_tombstones(store, WHO, b"", SIZES).values())) == 1


def test_many_are_spread_over_commits(store: MemoryObjects) -> None:
    many = {numbered_id(number): 1 for number in range(10_001)}
    commits = write_tombstones(store, WHO, b"", many)
    assert (len(commits), len(set(commits.values()))) == (10_001, 2)
    assert read_purged(view_of(store, refs_of(commits))) == many


def test_allowed_ones_are_no_more_withheld(store: MemoryObjects) -> None:
    commits = write_tombstones(store, WHO, b"", SIZES)
    known = read_tombstones(view_of(store, refs_of(commits)))
    commits |= write_allowances(store, WHO, b"a test", [known[ONE]])
    view = view_of(store, refs_of(commits))
    assert read_purged(view) == {TWO: 5}
    assert (read_tombstones(view)[ONE].allowed, read_tombstones(view)[ONE].reason) == (True, b"a test")


@pytest.mark.parametrize(("seconds", "shown"), [(1_700_000_000, "2023-11-14"), (1 << 62, f"second {1 << 62}")])
def test_the_error_has_who_when_and_why(store: MemoryObjects, seconds: int, shown: str) -> None:
    commits = write_tombstones(store, WHO._replace(seconds=seconds), b"why\n", SIZES)
    error = purged_error(read_tombstones(view_of(store, refs_of(commits)))[ONE])
    assert str(error) == f"{ONE}: these bytes were purged by Ada on {shown}: why"


def field(*parts: Any) -> Field:
    return (b"object", canonical.encode(parts))


GOOD = ((b"type", b"tombstone"), field(ONE, 3))


@pytest.mark.parametrize(
    ("commit", "message"),
    [
        (Commit(empty_root(), (), WHO, WHO, b"", fields=((b"type", b"snapshot"), field(ONE, 3))), "no tombstone"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(field(ONE, 3),)), "no tombstone"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=((b"type", b"allowance"), field(ONE, 3))), "no tombstone"),
        (Commit(empty_root(), (numbered_id(1),), WHO, WHO, b"", fields=GOOD), "no tombstone"),
        (Commit(Root(FILE, 3, ONE), (), WHO, WHO, b"", fields=GOOD), "no tombstone"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0],)), "does not name its object"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(TWO, 3))), "does not name its object"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(ONE))), "not [id, size]"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(ONE, 3, 3))), "not [id, size]"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(ONE[:20], 3))), "not [id, size]"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(3, ONE))), "not [id, size]"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(ONE, 0))), "the size 0 is out of range"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], field(ONE, 1 << 63))), "is out of range"),
        (Commit(empty_root(), (), WHO, WHO, b"", fields=(GOOD[0], (b"object", b"\x90\x90"))), "tombstone"),
    ],
)
def test_malformed(store: MemoryObjects, commit: Commit, message: str) -> None:
    view = view_of(store, {purged_ref(ONE): write_commit(store, commit)})
    with pytest.raises(MalformedError) as refused:
        read_tombstones(view)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", [b"x", ONE.hex()[:-1].encode(), ONE.hex().upper().encode(), b"below/" + b"0" * 64])
def test_malformed_name(store: MemoryObjects, name: bytes) -> None:
    write_blob(store, b"one")
    tombstone = write_commit(store, Commit(empty_root(), (), WHO, WHO, b"", fields=GOOD))
    with pytest.raises(MalformedError, match="does not name its object"):
        read_tombstones(view_of(store, {b"purged/" + name: tombstone}))
