"""The status table, row by row: what a state is called, what deploy does with it, and what pull does."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from casvault.deploy.deploying import DeployStrategy, plan_deploy
from casvault.deploy.drift import Status, classify, find_drift
from casvault.deploy.pulling import PullStrategy, plan_pull
from casvault.errors import ConflictError, LocalEditsError, NotFoundError, RefusedError
from casvault.objects import EXECUTABLE, FILE, Root
from tests.support.objects import numbered_id
from tests.unit.artifacts.drafting import Desk
from tests.unit.deploy.standing import LINE, PLACE, stand

TABLE = """
base collection project | status                | deploy     | pull
A    A          A       | in_sync               | nothing    | nothing
A    A          X       | modified              | refused    | fast-forward
A    X          A       | outdated              | write      | nothing
A    X          X       | converged             | settle     | settle
A    X          Y       | conflict              | refused    | conflict
A    -          A       | removed               | not found  | absent
A    -          X       | removed, modified     | not found  | absent
A    A          -       | missing               | write      | absent
A    X          -       | conflict (deletion)   | refused    | absent
A    -          -       | stale                 | not found  | absent
-    A          -       | added                 | write      | not found
-    A          A       | untracked, identical  | settle     | not found
-    A          X       | untracked, differs    | refused    | not found
-    -          X       | project-only          | not found  | not found
"""
"""`absent`, `refused` and `not found` of rows in which a side is absent are for the commands that are still to come."""

ERRORS = {
    "refused": LocalEditsError,
    "conflict": ConflictError,
    "absent": RefusedError,
    "not found": NotFoundError,
}


class Row(NamedTuple):
    contents: tuple[bytes | None, bytes | None, bytes | None]
    status: str
    deploy: str
    pull: str


def rows() -> list[Row]:
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        letters, status, deploy, pull = (part.strip() for part in line.split("|"))
        base, collection, project = (None if letter == "-" else letter.encode() for letter in letters.split())
        found.append(Row((base, collection, project), status, deploy, pull))
    return found


ROWS = rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.status for row in ROWS])


def state(letter: bytes | None) -> Root | None:
    return None if letter is None else Root(FILE, 1, numbered_id(letter[0]))


@every_row
def test_classify_row(row: Row) -> None:
    found = classify(*map(state, row.contents), tracked=row.contents[0] is not None)
    assert found is Status(row.status)


def test_table_has_every_status_but_ahead() -> None:
    assert {row.status for row in ROWS} | {"ahead"} == {status.value for status in Status}


def test_classify_nothing_anywhere() -> None:
    assert classify(None, None, None, tracked=False) is None


def test_classify_mode_counts() -> None:
    plain, executable = Root(FILE, 1, numbered_id(1)), Root(EXECUTABLE, 1, numbered_id(1))
    assert classify(plain, plain, executable, tracked=True) is Status.MODIFIED


def test_classify_size_does_not_count() -> None:
    one, other = Root(FILE, 1, numbered_id(1)), Root(FILE, 2, numbered_id(1))
    assert classify(one, other, one, tracked=True) is Status.IN_SYNC


def test_classify_no_base_and_two_contents_is_a_conflict() -> None:
    assert classify(None, state(b"X"), state(b"Y"), tracked=True) is Status.CONFLICT


@every_row
def test_find_drift_row(desk: Desk, row: Row) -> None:
    standing = stand(desk, *row.contents)
    project = standing.project.states.get(PLACE.file_path)
    drift = find_drift(standing.draft, PLACE, standing.deployment(), standing.tip, project)
    assert drift is not None
    assert drift.status is Status(row.status)


@every_row
def test_deploy_row(desk: Desk, row: Row) -> None:
    standing = stand(desk, *row.contents)
    before = standing.deployment()

    def deploy() -> bool:
        plan = plan_deploy(standing.draft, LINE, standing.project, [PLACE], DeployStrategy.REFUSE)
        return plan[0].wrote

    if row.deploy in ERRORS:
        with pytest.raises(ERRORS[row.deploy]):
            deploy()
        assert (standing.written(), standing.deployment()) == ([], before)
        return
    wrote = deploy()
    after = standing.deployment()
    assert after is not None
    assert (wrote, after.settled) == (row.deploy == "write", standing.tip)
    expected = [(b".claude/skills/a", row.contents[2], row.contents[1])] if wrote else []
    assert standing.written() == expected
    assert (after == before) == (row.deploy == "nothing" or row.status == "missing")


@every_row
def test_pull_row(desk: Desk, row: Row) -> None:
    standing = stand(desk, *row.contents)
    before, tip = standing.deployment(), standing.draft.ref(LINE.ref)

    def pull() -> bool:
        return plan_pull(standing.draft, LINE, standing.project, [PLACE], PullStrategy.MERGE)[0].fast_forward

    if row.pull in ERRORS:
        with pytest.raises(ERRORS[row.pull]):
            pull()
        assert (standing.draft.ref(LINE.ref), standing.deployment(), standing.draft.files) == (tip, before, {})
        return
    assert pull() == (row.pull == "fast-forward")
    assert (standing.draft.ref(LINE.ref) != tip) == (row.pull == "fast-forward")
    assert (standing.deployment() == before) == (row.pull == "nothing")
    assert standing.draft.files == {}
