"""Where operation records stand: the one place on which all writers of a vault agree."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Protocol

from casvault.files import create_file, find_file, remove_file
from casvault.files.durable import explained
from casvault.formats.record import Record, decode_record, encode_record, parse_record_names, record_name

if TYPE_CHECKING:
    from pathlib import Path


class RecordLog(Protocol):
    """Numbered records that are created if absent, and never changed. Safe from several threads and processes."""

    def create(self, record: Record) -> bool:
        """True if this call created it, False if the number is taken. Durable when it returns.

        Raises UnclearError if it cannot be known whether the record was created.
        """

    def find(self, number: int) -> Record | None:
        """The record that stands at the number now."""

    def list_numbers(self) -> list[int]:
        """The numbers that stand at one moment during the call, in no order.

        The rule of `casvault.refs.winning` needs this: a listing that misses both what was created and what was dropped
        meanwhile could show nothing but a record that a loser left behind.
        """

    def drop(self, number: int) -> None:
        """Remove a record; no error if it is not there. Only the dropper calls this."""


class UnclearError(Exception):
    """The answer to a creation was lost: it must be looked up, and is never taken as lost."""


class LocalRecords:
    """Records as files of one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def create(self, record: Record) -> bool:
        return create_file(self.directory / record_name(record.number), encode_record(record))

    def find(self, number: int) -> Record | None:
        path = self.directory / record_name(number)
        data = find_file(path)
        return None if data is None else decode_record(data, number)

    def list_numbers(self) -> list[int]:
        with explained(self.directory):
            return parse_record_names(os.listdir(self.directory))

    def drop(self, number: int) -> None:
        remove_file(self.directory / record_name(number))


class MemoryRecords:
    """Records in memory, for tests and embedders."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._lock = threading.Lock()

    def create(self, record: Record) -> bool:
        with self._lock:
            if record.number in self._records:
                return False
            self._records[record.number] = record
            return True

    def find(self, number: int) -> Record | None:
        return self._records.get(number)

    def list_numbers(self) -> list[int]:
        with self._lock:
            return list(self._records)

    def drop(self, number: int) -> None:
        with self._lock:
            self._records.pop(number, None)
