"""Letting go beside readers and writers, in threads with vaults of their own and in processes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from casvault import Vault
from casvault.errors import RefusedError
from casvault.refs import Limit, Policy
from casvault.repository.underway import Underway

ROUNDS = 40
SHARED = 6


@pytest.fixture
def place(tmp_path: Path) -> Path:
    Vault.init(tmp_path)
    config = tmp_path / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    Vault.open(tmp_path).set_retention(Policy(Limit(1)))
    return tmp_path


def put(vault: Vault, name: str, number: int) -> None:
    """Some of few contents, which others have just let go, or are about to."""
    with vault.transaction() as tx:
        files = {f"{each}": b"shared %d" % ((number + each) % SHARED) * 20 for each in range(3)}
        tx.set_ref(f"kept/{name}", tx.write_commit(tx.write_directory(files), (), f"{number % SHARED}"))


def write_many(place: Path, name: str, reopens: bool) -> None:
    vault = Vault.open(place, clock=lambda: (1_700_000_000, 0))
    for number in range(ROUNDS):
        if reopens:
            vault = Vault.open(place, clock=lambda: (1_700_000_000, 0))
        put(vault, name, number)
        time.sleep(0.002)


def read_many(place: Path, done: Any) -> None:
    reads = 0
    while not done.is_set() or not reads:
        vault = Vault.open(place)
        for name, oid in vault.refs("kept"):
            commit = vault.read_commit(oid)
            assert [vault.read_blob(entry.id)[:6] for entry in vault.iter_tree(commit.root.id)] == [b"shared"] * 3, name
        assert vault.operations()
        assert list(vault.iter_audit())
        reads += 1


def test_writers_and_readers_in_processes(place: Path) -> None:
    """What a transaction relies on without writing it must not go before it is recorded."""
    context = multiprocessing.get_context("spawn")
    done = context.Event()
    writers = [context.Process(target=write_many, args=(place, f"w{number}", bool(number % 2))) for number in range(2)]
    reader = context.Process(target=read_many, args=(place, done))
    for process in (*writers, reader):
        process.start()
    vault, let_go = Vault.open(place), 0
    while any(process.is_alive() for process in writers):
        let_go += vault.apply_retention().objects
    done.set()
    for process in (*writers, reader):
        process.join()
    assert [process.exitcode for process in (*writers, reader)] == [0, 0, 0]
    assert let_go > ROUNDS
    assert Vault.open(place).fsck().problems == ()
    assert Vault.open(place).verify_operations().first_break is None


def test_a_vault_that_was_open_all_the_time_relies_on_nothing_that_is_gone(place: Path) -> None:
    """It has the old packs open, in which the contents still are."""
    old = Vault.open(place)
    put(old, "a", 0)
    other = Vault.open(place)
    with other.transaction() as tx:
        tx.set_ref("kept/a", None)
    for number in range(5):
        with other.transaction() as tx:
            tx.set_ref("kept/b", tx.write_commit(tx.write_directory({"f": b"%d" % number})))
    let_go = other._repository.let_go

    def looked_at(ids: Any) -> None:
        """The other one lists the packs between the record and the removal, and then no more by itself."""
        assert old.operations(1)[0].kind == "retention apply"
        let_go(ids)

    other._repository.let_go = looked_at  # type: ignore[method-assign]
    assert other.apply_retention().objects > 0
    put(old, "a", 0)
    assert Vault.open(place).fsck().problems == ()


def test_waits_for_a_transaction(place: Path) -> None:
    vault = Vault.open(place)
    ended: list[str] = []

    def let_go() -> None:
        Vault.open(place).apply_retention()
        ended.append("let go")

    with vault.transaction() as tx:
        thread = threading.Thread(target=let_go)
        thread.start()
        time.sleep(0.2)
        put(vault, "nested", 1)  # a second one within the first does not wait for who waits for the first
        tx.set_ref("kept/a", tx.write_commit(tx.write_directory({"f": b"f"})))
        ended.append("transaction")
    thread.join()
    assert ended == ["transaction", "let go"]
    assert Vault.open(place).fsck().problems == ()


@pytest.mark.parametrize("in_memory", [False, True])
def test_others_wait_until_it_is_done(tmp_path: Path, in_memory: bool) -> None:
    path = None if in_memory else tmp_path / "lock"
    one = Underway(path)
    other = one if in_memory else Underway(path)
    seen: list[str] = []

    def join() -> None:
        leave = other.join()
        seen.append("joined")
        leave()

    with one.alone():
        thread = threading.Thread(target=join)
        thread.start()
        time.sleep(0.1)
        seen.append("alone")
    thread.join()
    assert seen == ["alone", "joined"]


def test_a_transaction_that_nobody_ended(place: Path) -> None:
    """It kept others out for as long as the process lived."""
    vault = Vault.open(place)
    transaction = vault.transaction()
    with pytest.raises(RefusedError):
        vault.apply_retention()
    del transaction
    vault.apply_retention()


def test_where_no_lock_can_be_made(tmp_path: Path) -> None:
    """A vault that cannot be written has transactions that write nothing, such as those of previews."""
    Underway(tmp_path / "gone/lock").join()()
