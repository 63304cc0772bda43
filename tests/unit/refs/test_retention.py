from __future__ import annotations

from typing import Any

import pytest

from casvault.errors import MalformedError, UsageError
from casvault.objects import FILE, Commit, MemoryObjects, Root, canonical, write_commit
from casvault.refs import RETENTION_REF, Limit, Policy, RefEdit, View, read_policy, write_policy
from casvault.trees import empty_root
from tests.support.objects import WHO, numbered_id

DAY = 86_400
NOW = 100 * DAY
TIMES = [NOW, NOW - DAY, NOW - 5 * DAY, NOW - 3 * DAY, NOW - 50 * DAY]
"""The newest first, with a clock that went back once."""


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (Limit(), 5),
        (Limit(newest=2), 2),
        (Limit(newest=9), 5),
        (Limit(days=1), 2),
        (Limit(days=4), 4),
        (Limit(days=3), 4),
        (Limit(days=2), 2),
        (Limit(newest=3, days=1), 3),
        (Limit(newest=1, days=60), 5),
    ],
)
def test_where_a_line_is_cut(limit: Limit, kept: int) -> None:
    assert limit.cut(TIMES, NOW) == kept


def test_an_empty_line_is_not_cut() -> None:
    assert [limit.cut([], NOW) for limit in (Limit(), Limit(3), Limit(days=3))] == [0, 0, 0]


def view_of(store: MemoryObjects, commit: Commit) -> View:
    oid = write_commit(store, commit)
    return View(store, View(store, empty_root()).edited(store, [RefEdit(RETENTION_REF, None, oid)]))


def test_no_policy_has_no_limits() -> None:
    assert read_policy(View(MemoryObjects(), empty_root())) == Policy()


def test_policy_is_read_as_it_was_written() -> None:
    store = MemoryObjects()
    policy = Policy(Limit(10, None), Limit(None, 7))
    oid = write_policy(store, WHO, b"", policy)
    view = View(store, View(store, empty_root()).edited(store, [RefEdit(RETENTION_REF, None, oid)]))
    assert read_policy(view) == policy


@pytest.mark.parametrize("limit", [Limit(0), Limit(-1), Limit(days=0), Limit(1 << 63)])
def test_limit_out_of_range(limit: Limit) -> None:
    with pytest.raises(UsageError):
        write_policy(MemoryObjects(), WHO, b"", Policy(limit))


def fields(operations: Any = (1, 2), kind: bytes = b"retention") -> tuple[tuple[bytes, bytes], ...]:
    return ((b"type", kind), (b"operations", canonical.encode(operations)), (b"states", canonical.encode([None, None])))


@pytest.mark.parametrize(
    "commit",
    [
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields(kind=b"tombstone")),
        Commit(Root(FILE, 3, numbered_id(1)), (), WHO, WHO, b"", fields=fields()),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields()[:2]),
        Commit(empty_root(), (), WHO, WHO, b"", fields=(*fields(), fields()[1])),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields([1])),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields([1, 2, 3])),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields([0, 2])),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields([1, b"2"])),
        Commit(empty_root(), (), WHO, WHO, b"", fields=fields([1, 1 << 63])),
    ],
)
def test_malformed_policy(commit: Commit) -> None:
    store = MemoryObjects()
    with pytest.raises(MalformedError):
        read_policy(view_of(store, commit))
