"""Several processes on one vault while old records are dropped: none lost, none doubled, a sleeper does no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from casvault.objects import read_commit
from tests.concurrency.writer import SHARED, open_log

ROOT = Path(__file__).parents[2]
KEEP = 16
SECONDS = 120
"""Nobody waits longer than this for a writer; a run takes about a tenth of it."""


class Won(NamedTuple):
    """What a writer was told: the number and id of its operation, and the ref that it added."""

    number: int
    transaction: bytes
    ref: bytes


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Path]:
    """A vault directory, in memory where that is possible: on a disk, a thousand transactions take minutes."""
    memory = Path("/dev/shm")
    fast = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="casvault-test-", dir=fast) as name:
        for part in ("packs", "ops"):
            (Path(name) / part).mkdir()
        yield Path(name)


class Writer:
    """A process that makes transactions."""

    def __init__(self, vault: Path, name: str, count: int) -> None:
        command = [sys.executable, "-m", "tests.concurrency.writer", str(vault), name, str(count), str(KEEP)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.won: list[Won] = []
        assert self._line() == "ready\n"

    def start(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def read(self, count: int) -> None:
        """Wait until it was told that it won so many more."""
        self.won += [_parse(self._line()) for _ in range(count)]

    def finish(self) -> list[Won]:
        self.won += [_parse(line) for line in self.rest()]
        assert self.process.returncode == 0
        return self.won

    def rest(self) -> list[str]:
        """Wait for its end, and the lines that nobody has read yet.

        `Popen.communicate` would read the descriptor itself and miss the lines that `readline` has taken from it and
        keeps in its buffer: one that the writer printed while an earlier one was read."""
        assert self.process.stdout is not None
        lines = self.process.stdout.read().splitlines()
        self.process.wait(SECONDS)
        return lines

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


def _parse(line: str) -> Won:
    number, transaction, name, turn = line.split()
    return Won(int(number), bytes.fromhex(transaction), f"{name}/{turn}".encode())


def check_history(vault: Path, won: list[Won], expected: int) -> None:
    """Each transaction stands once, under the number and the id that its writer was told."""
    database, log = open_log(vault, KEEP)
    chain = [operation for _, operation in log.iter_chain()]
    assert [operation.number for operation in chain] == list(range(expected, 0, -1))
    standing = {Won(operation.number, operation.transaction, operation.arguments[0]) for operation in chain}
    assert standing == set(won)
    assert Counter(operation.arguments[0] for operation in chain).most_common(1)[0][1] == 1
    tip = log.tip()
    assert tip is not None
    counter = tip.view.find(SHARED)
    assert counter is not None
    assert int(read_commit(database, counter).message) == expected
    assert {name for name, _ in tip.view.iter_refs()} == {SHARED, *(one.ref for one in won)}


def check_records(vault: Path, expected: int) -> None:
    """Old records went, the newest stayed, and nothing else was left behind."""
    numbers = sorted(int(path.name) for path in (vault / "ops").iterdir())
    assert numbers[-KEEP:] == list(range(expected - KEEP + 1, expected + 1))
    assert len(numbers) <= 3 * KEEP


def test_two_writers_and_one_that_sleeps_all_the_time(vault: Path) -> None:
    """The sleeper is stopped in the middle of its work before the others begin, and continued after they have ended."""
    sleeper, first, second = Writer(vault, "sleeper", 40), Writer(vault, "first", 500), Writer(vault, "second", 500)
    try:
        sleeper.start()
        sleeper.read(10)
        sleeper.process.send_signal(signal.SIGSTOP)
        first.start()
        second.start()
        won = first.finish() + second.finish()
        assert len(won) == 1000
        sleeper.process.send_signal(signal.SIGCONT)
        won += sleeper.finish()
    finally:
        for writer in (sleeper, first, second):
            writer.kill()
    check_history(vault, won, 1040)
    check_records(vault, 1040)


def test_writers_that_are_stopped_again_and_again(vault: Path) -> None:
    """Each nap is long enough for the other one to drop the records that the sleeper has built on."""
    first, second = Writer(vault, "first", 120), Writer(vault, "second", 120)
    try:
        first.start()
        second.start()
        for _ in range(2):
            for asleep, awake in ((first, second), (second, first)):
                asleep.process.send_signal(signal.SIGSTOP)
                awake.read(2 * KEEP)
                asleep.process.send_signal(signal.SIGCONT)
        won = first.finish() + second.finish()
    finally:
        for writer in (first, second):
            writer.kill()
    check_history(vault, won, 240)


def test_a_writer_that_is_killed_leaves_at_most_one_operation_that_it_was_not_told_of(vault: Path) -> None:
    victim, other = Writer(vault, "victim", 500), Writer(vault, "other", 100)
    try:
        victim.start()
        other.start()
        victim.read(30)
        victim.process.kill()
        told = victim.won + [_parse(line) for line in victim.rest() if line.count(" ") == 3]
        told += other.finish()
    finally:
        victim.kill()
        other.kill()
    chain = [operation for _, operation in open_log(vault, KEEP)[1].iter_chain()]
    standing = {Won(operation.number, operation.transaction, operation.arguments[0]) for operation in chain}
    assert set(told) <= standing
    assert len(standing) - len(told) <= 1
