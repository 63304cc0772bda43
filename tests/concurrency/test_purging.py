"""A purge beside readers, writers and roll-ups, each with a view of the packs of its own."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from casvault import Vault
from casvault.errors import MissingObjectError, PurgedError
from casvault.maintenance.rollup import roll_up
from casvault.oid import blob_id
from casvault.store import PackDatabase

SECRET = bytes(random.Random(4).choices(range(1, 256), k=64))
ROUNDS = 12


@pytest.fixture
def place(tmp_path: Path) -> Path:
    Vault.init(tmp_path)
    return tmp_path


def put(place: Path, name: str, content: bytes) -> None:
    vault = Vault.open(place)
    with vault.transaction() as tx:
        tx.set_ref(f"kept/{name}", tx.write_commit(tx.write_directory({"f": content})))


def purge(place: Path, content: bytes) -> None:
    vault = Vault.open(place)
    assert vault.purge(vault.plan_purge([blob_id(content).hex()])).remaining == ()


def is_in_packs(place: Path, content: bytes) -> bool:
    return PackDatabase(place / ".casvault/packs").find(blob_id(content)) is not None


def run_beside(work: Any, failures: list[BaseException]) -> threading.Thread:
    """A thread whose failure is kept."""

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_readers_lose_nothing_but_the_secrets(place: Path) -> None:
    """Packs go under a reader that has others open, again and again; a miss looks for them anew."""
    secrets = [b"%d " % number + SECRET for number in range(ROUNDS)]
    others = [b"%d other" % number for number in range(ROUNDS)]
    with Vault.open(place).transaction() as tx:
        files = {str(number): content for number, content in enumerate((*secrets, *others))}
        tx.set_ref("kept/all", tx.write_commit(tx.write_directory(files)))
    done = threading.Event()
    failures: list[BaseException] = []
    reads: list[int] = []

    def read() -> None:
        while not done.is_set():
            reader = Vault.open(place)
            for secret in secrets:
                with suppress(PurgedError):
                    assert reader.read_blob(blob_id(secret)) == secret
            assert [reader.read_blob(blob_id(other)) for other in others] == others
            reads.append(1)

    threads = [run_beside(read, failures) for _ in range(2)]
    for secret in secrets:
        purge(place, secret)
    done.set()
    for thread in threads:
        thread.join()
    assert (failures, bool(reads)) == ([], True)
    assert [is_in_packs(place, secret) for secret in secrets] == [False] * ROUNDS
    assert Vault.open(place).fsck().problems == ()


def test_reader_that_was_open_all_the_time(place: Path) -> None:
    """It may go on with what it has open, and is told of the purge once it looks again."""
    put(place, "a", SECRET)
    reader = Vault.open(place)
    assert reader.read_blob(blob_id(SECRET)) == SECRET
    purge(place, SECRET)
    put(place, "b", b"other")
    assert reader.read_blob(blob_id(b"other")) == b"other"
    with pytest.raises(PurgedError):
        reader.read_blob(blob_id(SECRET))


def test_writer_that_began_before_the_purge_is_refused(place: Path) -> None:
    """It wrote the same bytes into a transaction of its own, and would have brought them back."""
    put(place, "a", SECRET)
    purge(place, SECRET)
    Vault.open(place).allow_purged([blob_id(SECRET).hex()])
    vault = Vault.open(place)
    with pytest.raises(PurgedError), vault.transaction() as tx:  # noqa: PT012
        tx.set_ref("kept/b", tx.write_commit(tx.write_directory({"f": SECRET})))
        put(place, "c", SECRET)
        purge(place, SECRET)
    assert not is_in_packs(place, SECRET)
    assert Vault.open(place).fsck().problems == ()


@pytest.mark.parametrize("is_late", [False, True])
def test_writer_whose_pack_is_published_beside_the_purge(place: Path, is_late: bool) -> None:
    """It loses its race to the purge, plans anew and is refused. A pack that it has published by then is cleaned by the
    purge, or, if the purge has looked through all packs before it came, by the writer itself.
    """
    put(place, "a", SECRET)
    purge(place, SECRET)
    Vault.open(place).allow_purged([blob_id(SECRET).hex()])
    vault = Vault.open(place)
    log = vault._repository.log
    original = log._prepare_attempt
    raced: list[bool] = []

    def racing(tip: Any, stage: Any, *rest: Any) -> Any:
        record = original(tip, stage, *rest)
        if not raced:
            raced.append(True)
            if not is_late:
                stage.publish()
            put(place, "again", SECRET)
            purge(place, SECRET)
            assert not is_in_packs(place, SECRET)
        return record

    log._prepare_attempt = racing  # type: ignore[method-assign, assignment]
    with pytest.raises(PurgedError), vault.transaction() as tx:
        tx.set_ref("kept/b", tx.write_commit(tx.write_directory({"f": SECRET})))
    assert (raced, is_in_packs(place, SECRET), vault.find_ref("kept/b")) == ([True], False, None)
    assert Vault.open(place).fsck().problems == ()


def test_roll_ups_beside_purges(place: Path) -> None:
    """Both replace packs; a roll-up must not copy what a purge is taking out."""
    secrets = [b"%d " % number + SECRET for number in range(ROUNDS)]
    done = threading.Event()
    failures: list[BaseException] = []

    def roll() -> None:
        while not done.is_set():
            roll_up(PackDatabase(place / ".casvault/packs"), place / ".casvault/rollup.lock")

    thread = run_beside(roll, failures)
    for number, secret in enumerate(secrets):
        put(place, f"s{number}", secret)
        for more in range(3):
            put(place, f"o{number}.{more}", os.urandom(100))
        purge(place, secret)
    done.set()
    thread.join()
    assert failures == []
    assert [is_in_packs(place, secret) for secret in secrets] == [False] * ROUNDS
    assert Vault.open(place).fsck().problems == ()


def test_the_store_alone_knows_of_no_purge(place: Path) -> None:
    put(place, "a", SECRET)
    purge(place, SECRET)
    with pytest.raises(MissingObjectError):
        next(PackDatabase(place / ".casvault/packs").read_many([blob_id(SECRET)]))
