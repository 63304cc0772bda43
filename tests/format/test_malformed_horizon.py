"""Each rule of the horizon, broken once; and what is read of one that is right."""

from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError
from casvault.objects import FILE, Commit, Field, MemoryObjects, Root, canonical, write_blob, write_commit
from casvault.oid import Oid
from casvault.refs import HORIZON_REF, Floor, Limit, Policy, RefEdit, View, read_horizon, write_horizon
from casvault.trees import empty_root
from tests.support.objects import WHO, numbered_id

ONE, TWO, FLOOR = sorted(numbered_id(number) for number in (1, 2, 3))
POLICY = Policy(Limit(5), Limit(None, 3))
RIGHT: tuple[Field, ...] = (
    (b"type", b"horizon"),
    (b"serial", canonical.encode([1])),
    (b"operations", canonical.encode([5, None])),
    (b"states", canonical.encode([None, 3])),
    (b"floor", canonical.encode([2, FLOOR])),
    (b"cut", canonical.encode([ONE, TWO])),
    (b"since", canonical.encode([ONE, [[b"a", 5], [b"b", -1]]])),
)


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects()


def view_of(store: MemoryObjects, target: Oid) -> View:
    empty = View(store, empty_root())
    return View(store, empty.edited(store, [RefEdit(HORIZON_REF, None, target)]))


def commit_of(store: MemoryObjects, fields: tuple[Field, ...], **other: Any) -> Oid:
    commit = Commit(empty_root(), (), WHO, WHO, b"why", fields=fields)._replace(**other)
    return write_commit(store, commit)


def test_none_in_a_view_without_one(store: MemoryObjects) -> None:
    assert read_horizon(View(store, empty_root())) is None


@pytest.mark.parametrize("floor", [None, Floor(2, FLOOR)])
def test_it_is_read_as_it_was_written(store: MemoryObjects, floor: Floor | None) -> None:
    since = {ONE: {b"a": 5}}
    oid = write_horizon(store, WHO, b"why", 7, POLICY, floor, [TWO, ONE], since)
    found = read_horizon(view_of(store, oid))
    assert found is not None
    assert found == (oid, 7, floor, {ONE, TWO}, since, POLICY, WHO, b"why")
    assert found.boundary == {ONE, TWO} | ({FLOOR} if floor else set())
    assert found.describe() == "older operations were let go by retention on 2023-11-14"


def test_many_that_were_cut_are_spread_over_fields(store: MemoryObjects) -> None:
    many = {numbered_id(number) for number in range(2500)}
    found = read_horizon(view_of(store, write_horizon(store, WHO, b"", 1, POLICY, None, many, {})))
    assert found is not None
    assert found.states == many


def test_what_is_right_is_read(store: MemoryObjects) -> None:
    found = read_horizon(view_of(store, commit_of(store, RIGHT)))
    assert found is not None
    assert (found.floor, found.since) == ((2, FLOOR), {ONE: {b"a": 5, b"b": -1}})


def changed(key: bytes, *values: Any) -> tuple[Field, ...]:
    """The fields with other values, or none, for one key."""
    rest = [field for field in RIGHT if field[0] != key]
    return (*rest, *((key, canonical.encode(value)) for value in values))


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (b"type", [[b"horizon"]]),
        (b"serial", []),
        (b"serial", [[1], [1]]),
        (b"serial", [[0]]),
        (b"serial", [[1, 1]]),
        (b"serial", [[b"1"]]),
        (b"serial", [1]),
        (b"operations", []),
        (b"states", [[0, None]]),
        (b"floor", []),
        (b"floor", [[1, FLOOR]]),
        (b"floor", [[2, b"short"]]),
        (b"floor", [[2]]),
        (b"floor", [None]),
        (b"cut", [[TWO, ONE]]),
        (b"cut", [[ONE], [ONE]]),
        (b"cut", [[ONE, b"short"]]),
        (b"cut", [5]),
        (b"since", [[ONE]]),
        (b"since", [[ONE, [[b"b", 1], [b"a", 1]]]]),
        (b"since", [[ONE, [[b"a", 1], [b"a", 2]]]]),
        (b"since", [[ONE, [[b"a", b"1"]]]]),
        (b"since", [[ONE, [b"a"]]]),
        (b"since", [[b"short", []]]),
        (b"since", [[FLOOR, []]]),
        (b"since", [[ONE, []], [ONE, []]]),
        (b"since", [None]),
    ],
)
def test_wrong_fields(store: MemoryObjects, key: bytes, values: list[Any]) -> None:
    view = view_of(store, commit_of(store, changed(key, *values)))
    with pytest.raises(MalformedError):
        read_horizon(view)


def test_wrong_commits(store: MemoryObjects) -> None:
    parent = commit_of(store, ())
    blob = Root(FILE, 1, write_blob(store, b"x"))
    for target in (commit_of(store, RIGHT, parents=(parent,)), commit_of(store, RIGHT, root=blob), parent):
        view = view_of(store, target)
        with pytest.raises(MalformedError):
            read_horizon(view)
