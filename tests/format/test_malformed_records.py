"""Each rule of the records of resolved conflicts, broken once."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import CasvaultError, MalformedError, UnsupportedError
from casvault.merge.trees import ConflictKind, Renamed, TreeConflict
from casvault.objects import FILE, Commit, MemoryObjects, Root, canonical
from casvault.pending import How, Resolved, Settled, find_record, read_records, record_fields
from tests.support.objects import WHO, numbered_id
from tests.support.pending import example_record

STATE = Root(FILE, 3, numbered_id(3))
CONFLICT = [b"a", b"content", STATE, STATE, None]
NOT_A_RECORD = "not [conflict, how, result, who, hunks]"
COMMIT = Commit(STATE, (), WHO, WHO, b"")


def read(*parts: Any) -> list[Resolved]:
    return read_records(COMMIT._replace(fields=((b"resolved", canonical.encode(parts)),)))


def test_records_of_a_commit_without_any() -> None:
    assert read_records(COMMIT) == []


def test_records_are_read_as_they_were_written() -> None:
    record = example_record(MemoryObjects())
    fields = record_fields(record)
    assert fields[:2] == ((b"strategy", b"merge"), (b"detected", b"1700000000 +0130"))
    assert read_records(COMMIT._replace(fields=fields)) == list(record.resolved)
    assert find_record(fields) == record


def test_the_record_of_a_rename_has_its_names() -> None:
    conflict = TreeConflict(b"b", ConflictKind.RENAME, STATE, STATE, STATE, Renamed(b"a", b"b", None))
    resolved = Resolved(conflict, Settled(How.OURS, STATE))
    fields = record_fields(example_record(MemoryObjects())._replace(resolved=(resolved,)))
    assert read_records(COMMIT._replace(fields=fields)) == [resolved]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((CONFLICT, b"ours", None, None), NOT_A_RECORD),
        ((b"a", b"ours", None, None, 0), NOT_A_RECORD),
        ((CONFLICT, 1, None, None, 0), NOT_A_RECORD),
        ((CONFLICT, b"ours", None, b"Ada", 0), NOT_A_RECORD),
        ((CONFLICT, b"ours", None, None, b"0"), NOT_A_RECORD),
        ((CONFLICT, b"ours", None, None, -1), "fewer than no hunks"),
        ((CONFLICT[:4], b"ours", None, None, 0), "not [path, kind, base, ours, theirs]"),
        (([b"a/../b", *CONFLICT[1:]], b"ours", None, None, 0), "the name '..' in the path b'a/../b'"),
        ((CONFLICT, b"ours", b"", None, 0), "a state is not nil or [mode, size, id]"),
        ((CONFLICT, b"ours", [0, 3, numbered_id(1)], None, 0), "a state with a wrong mode, size or id"),
        ((CONFLICT, b"ours", None, list(WHO[:3]), 0), "a signature is not [name, mail, seconds, zone]"),
        ((CONFLICT, b"ours", None, [b"", b"", 0, b"UTC"], 0), "the zone b'UTC' is not a sign and four to eight digits"),
    ],
)
def test_read_records_broken_rule(parts: tuple[Any, ...], message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(*parts)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((CONFLICT, b"ours", None, None, 0, None), "one of 6 parts"),
        ((CONFLICT, b"dice", None, None, 0), "the unknown word b'dice'"),
        (([b"a", b"quarrel", None, None, None], b"ours", None, None, 0), "the unknown word b'quarrel'"),
    ],
)
def test_read_records_of_a_later_version(parts: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        read(*parts)


def test_read_records_that_are_not_msgpack() -> None:
    with pytest.raises(MalformedError, match="the unused byte c1"):
        read_records(COMMIT._replace(fields=((b"resolved", b"\xc1"),)))


def change(key: bytes, *values: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a record, with other values under one key."""
    fields = record_fields(example_record(MemoryObjects()))
    return [*(field for field in fields if field[0] != key), *((key, value) for value in values)]


SIDES = [b"pull", b"app", b".claude", None, None, None]


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        (change(b"strategy"), MalformedError, "the field strategy stands 0 times, not once"),
        (change(b"sides"), MalformedError, "the field sides stands 0 times, not once"),
        (change(b"detected", b"0 +0000", b"0 +0000"), MalformedError, "the field detected stands 2 times, not once"),
        (change(b"detected", b"today"), MalformedError, "no seconds and zone in the field detected"),
        (change(b"strategy", b"dice"), UnsupportedError, "the unknown word b'dice'"),
        (change(b"sides", canonical.encode(SIDES[:5])), MalformedError, "not [direction, project, root, base"),
        (change(b"sides", canonical.encode([1, *SIDES[1:]])), MalformedError, "not [direction, project, root, base"),
        (change(b"sides", canonical.encode([*SIDES[:5], b"id"])), MalformedError, "not nil or an id of 32 bytes"),
        (change(b"sides", canonical.encode([*SIDES, None])), UnsupportedError, "sides of 7 parts"),
    ],
)
def test_find_record_broken_rule(fields: list[tuple[bytes, bytes]], error: type[CasvaultError], message: str) -> None:
    with pytest.raises(error) as caught:
        find_record(fields)
    assert message in caught.value.message


def test_find_record_where_there_is_none() -> None:
    assert find_record(()) is None
    assert find_record(((b"strategy", b"merge"),)) is None
