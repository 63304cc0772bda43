"""The status table, row by row: what a state is called, what deploy does with it, and what pull does."""

from __future__ import annotations

import pytest

from casvault.deploy.actions import Action, Planned, check_refusals
from casvault.deploy.advice import DriftType, MergeForecast, Recommendation, drift_type, recommend
from casvault.deploy.deploying import DeployStrategy
from casvault.deploy.drift import Status, classify
from casvault.deploy.outlook import forecast, forecast_without_contents, measure
from casvault.deploy.pulling import PullStrategy
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.objects import EXECUTABLE, FILE, Root
from tests.support.objects import numbered_id
from tests.support.table import DEPLOY_CASES, PULL_CASES, ROWS, Case, Row
from tests.unit.artifacts.drafting import Desk
from tests.unit.deploy.standing import PLACE, Standing, stand

LINES = b"1\n2\n3\n4\n5\n6\n7\n8\n"
CONTENTS = {
    None: None,
    "A": LINES,
    "X": LINES.replace(b"2", b"update"),
    "Y": LINES.replace(b"7", b"edit"),
    "Z": LINES.replace(b"2", b"clash"),
}
WROTE = frozenset({Action.UPDATED, Action.DEPLOYED, Action.PUT_BACK, Action.MERGED, Action.REPLACED, Action.REMOVED})
"""The actions of a deploy that touch files."""
CAME_HOME = frozenset(
    {Action.TAKEN, Action.MERGED, Action.OVERWRITTEN, Action.FORKED, Action.RESTORED, Action.DELETED, Action.IMPORTED}
)
"""The actions of a pull that move the collection."""
NO_CHANGE = frozenset({Action.NOTHING, Action.KEPT, Action.GONE, Action.ABSENT, Action.LEFT, Action.REFUSED})
"""The actions that leave a deployment as it is."""
STRATEGIES = {"merge": "merge", "overwrite": "overwrite", "fork": "fork", "delete+overwrite": "overwrite"}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def standing_of(desk: Desk, row: Row) -> Standing:
    return stand(desk, *(CONTENTS[letter] for letter in row[:3]))


def state(letter: str | None) -> Root | None:
    return None if letter is None else Root(FILE, 1, numbered_id(ord(letter)))


@every_row
def test_classify_row(row: Row) -> None:
    found = classify(*map(state, row[:3]), tracked=row.base is not None)
    assert found is row.status


def test_table_has_every_status_but_ahead() -> None:
    assert {row.status for row in ROWS} | {Status.AHEAD} == set(Status)


def test_table_has_every_action_of_deploys_and_pulls() -> None:
    """`pinned`, `unpinned` and `moved` are of commands and moves that are no rows."""
    named = {case.action for case in (*DEPLOY_CASES, *PULL_CASES)}
    assert named - {None} == set(Action) - {Action.PINNED, Action.UNPINNED, Action.MOVED}


def test_classify_nothing_anywhere() -> None:
    assert classify(None, None, None, tracked=False) is None


def test_classify_mode_counts() -> None:
    plain, executable = Root(FILE, 1, numbered_id(1)), Root(EXECUTABLE, 1, numbered_id(1))
    assert classify(plain, plain, executable, tracked=True) is Status.MODIFIED


def test_classify_size_does_not_count() -> None:
    one, other = Root(FILE, 1, numbered_id(1)), Root(FILE, 2, numbered_id(1))
    assert classify(one, other, one, tracked=True) is Status.IN_SYNC


def test_classify_no_base_and_two_contents_is_a_conflict() -> None:
    assert classify(None, state("X"), state("Y"), tracked=True) is Status.CONFLICT


@every_row
def test_drift_row(desk: Desk, row: Row) -> None:
    standing = standing_of(desk, row)
    drift = standing.drift()
    assert drift is not None
    outlook = forecast_without_contents(drift) or forecast(standing.draft, standing.draft.stage, drift)
    assert outlook is not None
    distance = measure(standing.draft, drift)
    kind = row.cells["drift"]
    assert (drift.status, drift_type(drift.status)) == (row.status, None if kind is None else DriftType(kind))
    assert recommend(drift, outlook.outcome) is Recommendation[row.text("recommendation").upper()]
    assert f"{distance.ahead} {distance.behind}" == row.text("ahead behind")
    assert outlook.outcome is MergeForecast[row.text("forecast").upper()]


def test_edits_that_are_no_version_yet_count_as_ahead(desk: Desk) -> None:
    """They counted as none where the collection is at the very version that was deployed: modified, yet +0."""
    drift = stand(desk, b"1", b"1", b"2").drift()
    assert drift is not None
    assert measure(desk.draft(), drift)[:2] == (1, 0)


@pytest.mark.parametrize(
    "case", [case for case in DEPLOY_CASES if case.column not in ("undeploy", "adopt")], ids=lambda case: case.name
)
def test_deploy_row(desk: Desk, case: Case) -> None:
    row, column, expected = case.row, case.column, case.action
    standing = standing_of(desk, row)
    before, tip = standing.deployment(), standing.draft.ref(b"collections/lib")

    def deploy() -> Planned:
        named = column not in ("all", "prune")
        return standing.deploy(DeployStrategy(STRATEGIES.get(column, "refuse")), prune=column == "prune", named=named)

    if expected is None:
        with pytest.raises(NotFoundError):
            deploy()
        assert (standing.written(), standing.deployment()) == ([], before)
        return
    planned = deploy()
    assert (planned.status, planned.action, planned.place) == (Status[_status(row)], expected, PLACE)
    old = CONTENTS[row.project]
    merged = CONTENTS["X"].replace(b"7", b"edit") if row.name == "AXY" else None  # type: ignore[union-attr]
    new = {Action.MERGED: merged, Action.REMOVED: None}.get(expected, CONTENTS[row.collection])
    assert standing.written() == ([(PLACE.file_path, old, new)] if expected in WROTE else [])
    after = standing.deployment()
    if expected in NO_CHANGE:
        assert after == before
    elif expected in (Action.REMOVED, Action.FORGOTTEN):
        assert after is None
    elif expected is not Action.PENDING:
        assert after is not None
        assert (after.deployed, after.observed) == (standing.tip, None)
        assert (after.settled == standing.tip) == (expected is not Action.MERGED)
    assert standing.draft.ref(b"collections/lib") == tip
    assert (planned.merge is not None) == (expected is Action.PENDING)
    assert (planned.refusal is not None) == (expected in (Action.LEFT, Action.REFUSED))


def _status(row: Row) -> str:
    return next(each.status.name for each in ROWS if each.name == row.name)


@pytest.mark.parametrize("case", PULL_CASES, ids=lambda case: case.name)
def test_pull_row(desk: Desk, case: Case) -> None:
    row, column, expected = case.row, case.column, case.action
    standing = standing_of(desk, row)
    before, tip = standing.deployment(), standing.draft.ref(b"collections/lib")
    strategy = PullStrategy(STRATEGIES[column]) if column in STRATEGIES else None

    def pull() -> Planned:
        return standing.pull(strategy, delete=column.startswith("delete"), named=column != "all")

    if expected is None:
        with pytest.raises(NotFoundError):
            pull()
        assert (standing.draft.ref(b"collections/lib"), standing.deployment()) == (tip, before)
        return
    planned = pull()
    assert (planned.status, planned.action, planned.place) == (Status[_status(row)], expected, PLACE)
    assert standing.written() == []
    assert (standing.draft.ref(b"collections/lib") != tip) == (expected in CAME_HOME)
    after = standing.deployment()
    if expected in NO_CHANGE:
        assert after == before
    elif expected in (Action.FORGOTTEN, Action.DELETED):
        assert after is None
    elif expected not in (Action.PENDING, Action.FORKED):
        assert after is not None
        assert after.observed is None
        root = standing.draft.graph.commit(after.settled).root
        assert b"".join(desk.objects.iter_blob(root.id)) == CONTENTS[row.project]
    assert (planned.merge is not None) == (expected is Action.PENDING)
    assert (planned.refusal is not None) == (expected in (Action.LEFT, Action.REFUSED))


def test_refusals_of_all_artifacts_are_named_in_one_error(desk: Desk) -> None:
    """The kind of error is that of the first, so that a script can tell what is to be done."""
    rows = [standing_of(desk, row).pull() for row in ROWS if row.name in ("AX-", "AA-", "AAX")]
    rows[1] = rows[1]._replace(place=PLACE._replace(path=b"skills/b"))
    with pytest.raises(RefusedError) as caught:
        check_refusals(rows)
    assert "skills/" in str(caught.value)
    with pytest.raises(ConflictError, match="and so it is with skills/a"):
        check_refusals([standing_of(desk, row).pull() for row in ROWS if row.name in ("AX-", "AA-")][::-1])
