"""Each rule of the records of resolved conflicts, broken once."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError, UnsupportedError
from casvault.merge.trees import ConflictKind, Renamed, TreeConflict
from casvault.objects import FILE, Commit, MemoryObjects, Root, canonical
from casvault.pending import How, Resolved, Settled, read_records, record_fields
from tests.support.objects import WHO, numbered_id
from tests.support.pending import example_record

STATE = Root(FILE, 3, numbered_id(3))
CONFLICT = [b"a", b"content", STATE, STATE, None]
NOT_A_RECORD = "not [conflict, how, result, who]"
COMMIT = Commit(STATE, (), WHO, WHO, b"")


def read(*parts: Any) -> list[Resolved]:
    return read_records(COMMIT._replace(fields=((b"resolved", canonical.encode(parts)),)))


def test_records_of_a_commit_without_any() -> None:
    assert read_records(COMMIT) == []


def test_records_are_read_as_they_were_written() -> None:
    merge = example_record(MemoryObjects())
    fields = record_fields(merge, b"merge")
    assert fields[:2] == ((b"strategy", b"merge"), (b"detected", b"1700000000 +0130"))
    wanted = [Resolved(each, merge.settled[each.path]) for each in merge.conflicts]
    assert read_records(COMMIT._replace(fields=fields)) == wanted


def test_the_record_of_a_rename_has_its_names() -> None:
    conflict = TreeConflict(b"b", ConflictKind.RENAME, STATE, STATE, STATE, Renamed(b"a", b"b", None))
    merge = example_record(MemoryObjects())._replace(
        path=b"", conflicts=(conflict,), settled={b"b": Settled(How.OURS, STATE)}
    )
    fields = record_fields(merge, b"merge")
    assert read_records(COMMIT._replace(fields=fields)) == [Resolved(conflict, Settled(How.OURS, STATE))]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((CONFLICT, b"ours", None), NOT_A_RECORD),
        ((b"a", b"ours", None, None), NOT_A_RECORD),
        ((CONFLICT, 1, None, None), NOT_A_RECORD),
        ((CONFLICT, b"ours", None, b"Ada"), NOT_A_RECORD),
        ((CONFLICT[:4], b"ours", None, None), "not [path, kind, base, ours, theirs]"),
        (([b"a/../b", *CONFLICT[1:]], b"ours", None, None), "the name '..' in the path b'a/../b'"),
        ((CONFLICT, b"ours", b"", None), "a state is not nil or [mode, size, id]"),
        ((CONFLICT, b"ours", [0, 3, numbered_id(1)], None), "a state with a wrong mode, size or id"),
        ((CONFLICT, b"ours", None, list(WHO[:3])), "a signature is not [name, mail, seconds, zone]"),
        ((CONFLICT, b"ours", None, [b"", b"", 0, b"UTC"]), "the zone b'UTC' is not a sign and four to eight digits"),
    ],
)
def test_read_records_broken_rule(parts: tuple[Any, ...], message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(*parts)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((CONFLICT, b"ours", None, None, None), "one of 5 parts"),
        ((CONFLICT, b"dice", None, None), "the unknown word b'dice'"),
        (([b"a", b"quarrel", None, None, None], b"ours", None, None), "the unknown word b'quarrel'"),
    ],
)
def test_read_records_of_a_later_version(parts: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        read(*parts)


def test_read_records_that_are_not_msgpack() -> None:
    with pytest.raises(MalformedError, match="the unused byte c1"):
        read_records(COMMIT._replace(fields=((b"resolved", b"\xc1"),)))
