from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casvault.artifacts.draft import FileWrite
from casvault.deploy.journal import JOURNAL, Journal, forget_journal, read_journal, remove_journal, write_journal
from casvault.errors import MalformedError, UnsupportedError
from casvault.objects import EXECUTABLE, FILE, Root
from casvault.objects.canonical import encode
from tests.support.objects import numbered_id

A, B = Root(FILE, 1, numbered_id(1)), Root(EXECUTABLE, 2**40, numbered_id(2))
TRANSACTION = bytes(range(16))
WRITES = (FileWrite(b"new", None, A), FileWrite(b"gone/\xff", B, None), FileWrite(b"changed", A, B))
PLAIN = Journal(TRANSACTION, 7, b"projects/app", None, WRITES)


@pytest.mark.parametrize(
    "journal",
    [
        PLAIN,
        Journal(TRANSACTION, 1, b"collections/lib", numbered_id(3), ()),
        Journal(TRANSACTION, 2**40, b"collections/lib", numbered_id(3), WRITES, b"the one before"),
    ],
    ids=["project", "marker only", "previous"],
)
def test_journal_round_trip(tmp_path: Path, journal: Journal) -> None:
    write_journal(tmp_path, journal)
    assert read_journal(tmp_path) == journal


def test_read_journal_where_none_is(tmp_path: Path) -> None:
    assert read_journal(tmp_path) is None


def test_write_journal_replaces_the_one_of_the_attempt_before(tmp_path: Path) -> None:
    write_journal(tmp_path, PLAIN)
    write_journal(tmp_path, PLAIN._replace(number=8, transaction=bytes(16)))
    assert read_journal(tmp_path) == PLAIN._replace(number=8, transaction=bytes(16))
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]


def test_forget_journal_lets_the_previous_one_stand_again(tmp_path: Path) -> None:
    write_journal(tmp_path, PLAIN)
    before = (tmp_path / JOURNAL).read_bytes()
    write_journal(tmp_path, PLAIN._replace(number=9, previous=before))
    forget_journal(tmp_path)
    assert read_journal(tmp_path) == PLAIN


def test_forget_journal_without_a_previous_one(tmp_path: Path) -> None:
    write_journal(tmp_path, PLAIN)
    forget_journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_remove_journal_that_is_not_there(tmp_path: Path) -> None:
    remove_journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def good() -> list[Any]:
    return [1, TRANSACTION, 7, b"projects/app", None, [[b"p", None, list(A)]], None]


def changed(position: int, value: object) -> list[Any]:
    fields = good()
    fields[position] = value
    return fields


@pytest.mark.parametrize(
    "fields",
    [
        [],
        good()[:-1],
        changed(1, b"short"),
        changed(1, 5),
        changed(4, b"no id"),
        changed(5, None),
        changed(5, [[b"p", None]]),
        changed(5, [[b"p", None, [FILE, 1]]]),
        changed(5, [[b"p", None, [FILE, 1, b"no id"]]]),
        changed(5, [7]),
    ],
)
def test_read_journal_malformed(tmp_path: Path, fields: list[Any]) -> None:
    (tmp_path / JOURNAL).write_bytes(encode(fields))
    with pytest.raises(MalformedError) as caught:
        read_journal(tmp_path)
    assert (caught.value.place, bool(caught.value.remedy)) == (str(tmp_path / JOURNAL), True)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"not msgpack at all", encode(good())[:-1], encode(good()) + b"\xc0"])
def test_read_journal_that_is_no_canonical_msgpack(tmp_path: Path, data: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(data)
    with pytest.raises(MalformedError):
        read_journal(tmp_path)


def test_read_journal_of_a_later_version(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(encode(changed(0, 2)))
    with pytest.raises(UnsupportedError, match="version 2"):
        read_journal(tmp_path)


def test_read_journal_of_a_later_version_with_more_fields(tmp_path: Path) -> None:
    """A newer casvault was cut off; the older one said that the journal is damaged and to be moved aside."""
    (tmp_path / JOURNAL).write_bytes(encode([*changed(0, 2), b"more"]))
    with pytest.raises(UnsupportedError):
        read_journal(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [changed(2, b"7"), changed(3, 7), changed(5, [[5, None, list(A)]]), changed(5, [[b"p", None, [b"m", 1, A.id]]])],
)
def test_read_journal_values_of_wrong_types(tmp_path: Path, fields: list[Any]) -> None:
    (tmp_path / JOURNAL).write_bytes(encode(fields))
    with pytest.raises(MalformedError):
        read_journal(tmp_path)
