"""Records as files: what damage, foreign names and refusals of the machine look like."""

from pathlib import Path

import pytest

from casvault.errors import DamageError, FailureError, UnsupportedError
from casvault.formats.record import Record, encode_record, record_name
from casvault.oid import Oid
from casvault.refs import LocalRecords

RECORD = Record(3, b"t" * 16, Oid(b"o" * 32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of one record that was created."""
    LocalRecords(tmp_path).create(RECORD)
    return tmp_path / record_name(3)


def test_the_file_is_the_encoded_record_and_nothing_else_is_left(path: Path) -> None:
    assert path.read_bytes() == encode_record(RECORD)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("size", [0, 1, 40, len(encode_record(RECORD)) - 1])
def test_a_truncated_record_is_damage_that_names_it(path: Path, size: int) -> None:
    path.write_bytes(encode_record(RECORD)[:size])
    with pytest.raises(DamageError, match=f"operation record 3: {size} bytes instead of"):
        LocalRecords(path.parent).find(3)


@pytest.mark.parametrize("at", range(0, len(encode_record(RECORD)), 5))
def test_a_flipped_bit_is_an_error_that_names_the_record(path: Path, at: int) -> None:
    data = bytearray(encode_record(RECORD))
    data[at] ^= 4
    path.write_bytes(data)
    with pytest.raises((DamageError, UnsupportedError), match="operation record 3: "):
        LocalRecords(path.parent).find(3)


def test_a_record_under_another_number_is_damage(path: Path) -> None:
    path.rename(path.with_name(record_name(4)))
    with pytest.raises(DamageError, match="operation record 4: it says that it is number 3"):
        LocalRecords(path.parent).find(4)


def test_a_longer_record_is_damage(path: Path) -> None:
    path.write_bytes(encode_record(RECORD) + b"\0")
    with pytest.raises(DamageError, match="operation record 3"):
        LocalRecords(path.parent).find(3)


def test_foreign_names_are_not_listed(path: Path) -> None:
    for name in ("tmp-0123", "3", record_name(7) + "~", "٣" * 20, "+" + "1" * 19):
        (path.parent / name).touch()
    assert LocalRecords(path.parent).list_numbers() == [3]


def test_a_directory_that_is_gone_is_a_failure_not_an_empty_log(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="nowhere"):
        LocalRecords(tmp_path / "nowhere").list_numbers()
