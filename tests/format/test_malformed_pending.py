"""Each rule of merges in progress, broken once: for the reader, and for the writer where it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casvault.errors import DamageError, MalformedError, RefusedError, UnsupportedError
from casvault.limits import MAX_FIELDS, MAX_SIZE
from casvault.merge.trees import ConflictKind, TreeConflict
from casvault.objects import FILE, Commit, Field, MemoryObjects, Root, Signature, canonical, read_commit, write_commit
from casvault.pending import How, Moment, PendingMerge, Settled, read_pending, write_pending
from casvault.trees import edit_paths, find_path
from tests.support.objects import WHO, numbered_id
from tests.support.pending import Pen, example_merge

STORE = MemoryObjects()
MERGE = example_merge(STORE)
COMMIT = read_commit(STORE, write_pending(STORE, Pen(), MERGE))
STATE = Root(FILE, 3, numbered_id(3))


def with_fields(key: bytes, *values: bytes) -> Commit:
    """All fields of this key replaced by others."""
    kept = tuple(field for field in COMMIT.fields if field[0] != key)
    return COMMIT._replace(fields=(*kept, *((key, value) for value in values)))


def with_conflict(*parts: Any) -> Commit:
    """One conflict only, and nothing settled."""
    bare = with_root({b"settled": None})._replace(fields=with_fields(b"settled").fields)
    kept = tuple(field for field in bare.fields if field[0] != b"conflict")
    return bare._replace(fields=(*kept, (b"conflict", canonical.encode(parts))))


def with_settled(*parts: Any) -> Commit:
    """One more settled path."""
    fields = (*COMMIT.fields, (b"settled", canonical.encode(parts)))
    return COMMIT._replace(fields=fields)


def with_root(edits: dict[bytes, Root | None]) -> Commit:
    return COMMIT._replace(root=edit_paths(STORE, COMMIT.root, edits))


def part(name: bytes) -> Root:
    found = find_path(STORE, COMMIT.root, name)
    assert found is not None
    return found


DIRECTORY = part(b"merged")
CONFLICT = [b"notes/x", b"content", STATE, STATE, None]
NOT_A_CONFLICT = "conflict: not [path, kind, base, ours, theirs]"
NOT_A_CHOICE = "settled: not [path, how] or [path, how, who]"
WRONG_STATE = "a state with a wrong mode, size or id"
NO_STATE = "conflict: a state is not nil or [mode, size, id]"
DETECTED = "no seconds and zone in the field detected: "

MALFORMED: dict[str, tuple[Callable[[], Commit], str]] = {
    "type_of_another": (lambda: with_fields(b"type", b"snapshot"), "this commit is none"),
    "type_missing": (lambda: with_fields(b"type"), "this commit is none"),
    "type_twice": (lambda: with_fields(b"type", b"pending-merge", b"pending-merge"), "this commit is none"),
    "one_parent": (lambda: COMMIT._replace(parents=COMMIT.parents[:1]), "it has 1 parents, not 2"),
    "three_parents": (lambda: COMMIT._replace(parents=(*COMMIT.parents, numbered_id(3))), "it has 3 parents, not 2"),
    "root_is_a_file": (lambda: COMMIT._replace(root=STATE), "its root is not a directory"),
    "settled_is_a_file": (lambda: with_root({b"settled": STATE}), "its list of what is settled is not a directory"),
    "settled_without_a_field": (
        lambda: with_root({b"settled/other": STATE}),
        "states that nothing says how they were chosen: [b'other']",
    ),
    "settled_without_a_state": (
        lambda: with_root({b"settled": None}),
        "b'notes/a.md' is not settled by theirs, as it says",
    ),
    "settled_by_another_state": (
        lambda: with_root({b"settled/notes%2Fa.md": STATE}),
        "b'notes/a.md' is not settled by theirs, as it says",
    ),
    "at_twice": (lambda: with_fields(b"at", b"notes", b"notes"), "the field at stands more than once"),
    "at_leads_elsewhere": (lambda: with_fields(b"at", b"../notes"), "the name '..' in the path b'../notes'"),
    "at_another_path": (
        lambda: with_fields(b"at", b"note"),
        "the conflict b'notes/a.md' is not within b'note'",
    ),
    "detected_missing": (lambda: with_fields(b"detected"), f"{DETECTED}None"),
    "detected_twice": (
        lambda: with_fields(b"detected", b"0 +0000", b"0 +0000"),
        "the field detected stands more than once",
    ),
    "detected_without_zone": (lambda: with_fields(b"detected", b"0"), f"{DETECTED}b'0'"),
    "detected_with_a_leading_zero": (lambda: with_fields(b"detected", b"01 +0000"), f"{DETECTED}b'01 +0000'"),
    "detected_minus_zero": (lambda: with_fields(b"detected", b"-0 +0000"), f"{DETECTED}b'-0 +0000'"),
    "detected_out_of_range": (
        lambda: with_fields(b"detected", b"9999999999999999999 +0000"),
        "the time 9999999999999999999 is out of range",
    ),
    "conflict_not_msgpack": (
        lambda: with_fields(b"conflict", b"\xc1"),
        "conflict: the unused byte c1 at byte 0",
    ),
    "conflict_a_part_less": (lambda: with_conflict(*CONFLICT[:-1]), NOT_A_CONFLICT),
    "conflict_path_is_nil": (lambda: with_conflict(None, *CONFLICT[1:]), NOT_A_CONFLICT),
    "conflict_kind_is_a_number": (lambda: with_conflict(b"notes/x", 1, *CONFLICT[2:]), NOT_A_CONFLICT),
    "conflict_state_is_an_id": (lambda: with_conflict(*CONFLICT[:4], numbered_id(1)), NO_STATE),
    "conflict_state_without_size": (lambda: with_conflict(*CONFLICT[:4], [FILE, numbered_id(1)]), NO_STATE),
    "conflict_mode_unknown": (lambda: with_conflict(*CONFLICT[:4], [0, 3, numbered_id(1)]), WRONG_STATE),
    "conflict_size_negative": (lambda: with_conflict(*CONFLICT[:4], [FILE, -1, numbered_id(1)]), WRONG_STATE),
    "conflict_size_large": (lambda: with_conflict(*CONFLICT[:4], [FILE, MAX_SIZE + 1, numbered_id(1)]), WRONG_STATE),
    "conflict_id_short": (lambda: with_conflict(*CONFLICT[:4], [FILE, 3, bytes(20)]), WRONG_STATE),
    "conflict_path_with_an_empty_name": (
        lambda: with_conflict(b"notes//x", *CONFLICT[1:]),
        "an empty name in the path b'notes//x'",
    ),
    "conflict_twice": (
        lambda: COMMIT._replace(fields=(*COMMIT.fields, (b"conflict", COMMIT.fields_of(b"conflict")[0]))),
        "the conflict b'notes/a.md' stands twice",
    ),
    "settled_a_part_less": (lambda: with_settled(b"notes/new"), NOT_A_CHOICE),
    "settled_path_is_nil": (lambda: with_settled(None, b"ours"), NOT_A_CHOICE),
    "settled_who_is_bytes": (lambda: with_settled(b"notes/new", b"ours", b"Ada"), NOT_A_CHOICE),
    "settled_who_without_zone": (
        lambda: with_settled(b"notes/new", b"ours", list(WHO[:3])),
        "a signature is not [name, mail, seconds, zone]",
    ),
    "settled_who_with_a_wrong_zone": (
        lambda: with_fields(b"settled", canonical.encode([b"notes/a.md", b"theirs", [b"", b"", 0, b"UTC"]])),
        "the zone b'UTC' is not a sign and four to eight digits",
    ),
    "settled_twice": (lambda: with_settled(b"notes/a.md", b"ours"), "b'notes/a.md' is settled twice"),
    "settled_where_nothing_clashes": (
        lambda: with_settled(b"notes/run", b"ours"),
        "b'notes/run' is settled, but is no conflict",
    ),
    "settled_by_an_edit_of_nothing": (
        lambda: with_settled(b"notes/new", b"edit"),
        "b'notes/new' is settled by nothing",
    ),
}

UNSUPPORTED: dict[str, tuple[Callable[[], Commit], str]] = {
    "root_with_another_entry": (
        lambda: with_root({b"renames": STATE}),
        "unknown entries in its root: [b'renames']",
    ),
    "conflict_of_another_kind": (
        lambda: with_conflict(b"notes/x", b"renamed twice", *CONFLICT[2:]),
        "the unknown word b'renamed twice'",
    ),
    "conflict_a_part_more": (lambda: with_conflict(*CONFLICT, [b"a", None, b"b"], None), "a conflict of 7 parts"),
    "settled_by_another_means": (lambda: with_settled(b"notes/new", b"union"), "the unknown word b'union'"),
    "settled_a_part_more": (lambda: with_settled(b"notes/new", b"ours", list(WHO), None), "a choice of 4 parts"),
}


@pytest.mark.parametrize(("make", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_read_pending_broken_rule(make: Callable[[], Commit], message: str) -> None:
    oid = write_commit(STORE, make())
    with pytest.raises(MalformedError) as caught:
        read_pending(STORE, oid)
    found = caught.value.message.removeprefix("merge in progress").removeprefix(", ").removeprefix(": ")
    assert (found, caught.value.place) == (message, str(oid))
    assert caught.value.remedy is not None


@pytest.mark.parametrize(("make", "message"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_read_pending_of_a_later_version(make: Callable[[], Commit], message: str) -> None:
    oid = write_commit(STORE, make())
    with pytest.raises(UnsupportedError) as caught:
        read_pending(STORE, oid)
    assert (caught.value.message, caught.value.place) == (f"merge in progress: {message}", str(oid))
    assert caught.value.remedy == "use a later version of casvault"


def test_read_pending_of_what_is_no_commit() -> None:
    with pytest.raises(DamageError):
        read_pending(STORE, COMMIT.root.id)


def with_choice(choice: Settled, path: bytes = b"notes/a.md") -> PendingMerge:
    return MERGE._replace(settled={path: choice})


WRONG: dict[str, tuple[PendingMerge, str]] = {
    "path": (MERGE._replace(path=b"/notes"), "an empty name in the path b'/notes'"),
    "conflict_elsewhere": (
        MERGE._replace(path=b"notes/a.md"),
        "the conflict b'notes/b.md' is not within b'notes/a.md'",
    ),
    "conflict_path": (
        MERGE._replace(conflicts=(TreeConflict(b"notes/.", ConflictKind.CONTENT, STATE, STATE, None),)),
        "the name '.' in the path b'notes/.'",
    ),
    "conflict_twice": (
        MERGE._replace(conflicts=MERGE.conflicts[:1] * 2),
        "the conflict b'notes/a.md' stands twice",
    ),
    "settled_where_nothing_clashes": (
        with_choice(Settled(How.FILE, STATE), b"notes/run"),
        "b'notes/run' is settled, but is no conflict",
    ),
    "settled_otherwise": (
        with_choice(Settled(How.BASE, STATE)),
        "b'notes/a.md' is not settled by base, as it says",
    ),
    "settled_by_nothing": (with_choice(Settled(How.EDIT, None)), "b'notes/a.md' is settled by nothing"),
    "settled_by_nobody": (
        with_choice(Settled(How.FILE, STATE, Signature(b"a\nb", b"", 0, b"+0000"))),
        "a line break or NUL in the name or mail b'a\\nb'",
    ),
    "own_field": (MERGE._replace(fields=((b"settled", b""),)), "the field settled has a meaning of its own"),
    "detected": (MERGE._replace(detected=Moment(0, b"Z")), "the zone b'Z' is not a sign and four to eight digits"),
}


@pytest.mark.parametrize(("merge", "message"), WRONG.values(), ids=WRONG.keys())
def test_write_pending_broken_rule(merge: PendingMerge, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        write_pending(STORE, Pen(), merge)
    assert f"merge in progress: {message}" == caught.value.message


def test_write_pending_too_large() -> None:
    fields: tuple[Field, ...] = ((b"k", b""),) * MAX_FIELDS
    with pytest.raises(RefusedError, match="3 conflicts are more than a merge in progress can hold"):
        write_pending(STORE, Pen(), MERGE._replace(fields=fields))


def test_write_pending_gives_what_read_pending_reads() -> None:
    oid = write_pending(STORE, Pen(), MERGE)
    assert read_pending(STORE, oid) == MERGE
    assert read_commit(STORE, oid) == COMMIT
