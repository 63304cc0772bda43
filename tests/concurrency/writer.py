"""One of several writers on one vault directory: `python -m tests.concurrency.writer DIRECTORY NAME COUNT KEEP`.

Prints "ready", waits for a line, then makes COUNT transactions, each of which adds one ref `NAME/n` and counts up one
that all writers share; prints "NUMBER TRANSACTION-ID NAME n" for each that it was told it won.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from casvault.objects import FILE, Commit, ObjectPublisher, Root, Signature, read_commit, write_blob, write_commit
from casvault.oid import Oid
from casvault.refs import Context, LocalRecords, OperationLog, Plan, RefEdit, View
from casvault.store import PackDatabase

WHO = Signature(b"Ada", b"ada@example.org", 1_700_000_000, b"+0000")
SHARED = b"shared/counter"


def write_value(stage: ObjectPublisher, value: bytes) -> Oid:
    root = Root(FILE, len(value), write_blob(stage, value))
    return write_commit(stage, Commit(root, (), WHO, WHO, value))


def open_log(directory: Path, keep: int) -> tuple[PackDatabase, OperationLog]:
    database = PackDatabase(directory / "packs")
    return database, OperationLog(database, LocalRecords(directory / "ops"), keep)


def add_one(database: PackDatabase, log: OperationLog, name: bytes) -> tuple[int, bytes]:
    """One transaction; its number and transaction id."""
    stage = database.begin()

    def plan(view: View) -> Plan:
        counter = view.find(SHARED)
        count = 0 if counter is None else int(read_commit(stage, counter).message)
        edits = [
            RefEdit(name, None, write_value(stage, name)),
            RefEdit(SHARED, counter, write_value(stage, b"%d" % (count + 1))),
        ]
        return Plan(edits, "add", (name,))

    tip = log.commit(stage, Context(WHO, lambda: secrets.token_bytes(16)), plan)
    assert tip is not None
    return tip.record.number, tip.record.transaction


def main(directory: str, name: str, count: str, keep: str) -> None:
    database, log = open_log(Path(directory), int(keep))
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(int(count)):
        number, transaction = add_one(database, log, f"{name}/{turn}".encode())
        print(number, transaction.hex(), name, turn, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
