"""What every record log promises: numbers are created once, by one of all who try, and never change."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from casvault.formats.record import Record
from casvault.oid import Oid
from casvault.refs import LocalRecords, MemoryRecords, RecordLog


def record(number: int, writer: int = 0) -> Record:
    return Record(number, bytes([writer]) * 16, Oid(bytes([writer]) * 32))


@pytest.fixture(params=["local", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> RecordLog:
    return LocalRecords(tmp_path) if request.param == "local" else MemoryRecords()


def test_an_empty_log(log: RecordLog) -> None:
    assert (log.list_numbers(), log.find(1)) == ([], None)


def test_a_created_record_stands(log: RecordLog) -> None:
    assert log.create(record(1, 7)) is True
    assert (log.list_numbers(), log.find(1), log.find(2)) == ([1], record(1, 7), None)


def test_a_taken_number_keeps_its_record(log: RecordLog) -> None:
    log.create(record(1, 7))
    assert log.create(record(1, 8)) is False
    assert log.find(1) == record(1, 7)


def test_the_same_record_is_created_once(log: RecordLog) -> None:
    """A second try after an unclear answer is told that the number is taken, also by the writer's own first try."""
    mine = record(1, 7)
    assert (log.create(mine), log.create(mine)) == (True, False)


def test_numbers_far_apart_are_listed(log: RecordLog) -> None:
    for number in (2, 10, 10**15):
        log.create(record(number))
    assert sorted(log.list_numbers()) == [2, 10, 10**15]


def test_a_dropped_number_is_free_again(log: RecordLog) -> None:
    log.create(record(1))
    log.drop(1)
    assert (log.list_numbers(), log.find(1)) == ([], None)
    assert log.create(record(1, 9)) is True


def test_dropping_what_is_not_there_is_no_error(log: RecordLog) -> None:
    log.drop(5)
    assert log.list_numbers() == []


def test_one_of_eight_threads_wins_each_number(log: RecordLog) -> None:
    start = Barrier(8)

    def create_all(writer: int) -> list[int]:
        start.wait()
        return [number for number in range(1, 51) if log.create(record(number, writer))]

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(create_all, range(1, 9)))
    assert sorted(number for numbers in won for number in numbers) == list(range(1, 51))
    for writer, numbers in enumerate(won, start=1):
        assert all(log.find(number) == record(number, writer) for number in numbers)


ROOT = Path(__file__).parents[2]
RACE = """
import sys
from pathlib import Path
from tests.contract.test_record_log import LocalRecords, record
log, writer = LocalRecords(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(*[number for number in range(1, 51) if log.create(record(number, writer))])
"""


def test_one_of_four_processes_wins_each_number(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    racers = [
        subprocess.Popen([*command, str(writer)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for writer in range(1, 5)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [[int(number) for number in racer.communicate(timeout=60)[0].split()] for racer in racers]
    assert sorted(number for numbers in won for number in numbers) == list(range(1, 51))
    log = LocalRecords(tmp_path)
    assert all(log.find(n) == record(n, writer) for writer, numbers in enumerate(won, start=1) for n in numbers)
    assert sorted(log.list_numbers()) == list(range(1, 51))
