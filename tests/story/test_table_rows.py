"""Every row of the table of drift, in both directions and by every strategy, on real files through the façade."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casvault import Action, DeployStrategy, DriftType, MergeForecast, PullStrategy, Recommendation, Status
from casvault.errors import CasvaultError, NotFoundError, RefusedError
from tests.story.rows import KINDS, OTHER, Stage, collection_afterwards, held, make_stage, project_afterwards
from tests.story.scene import assert_clean
from tests.support.table import DEPLOY_CASES, PULL_CASES, ROWS, Case, Row

every_kind = pytest.mark.parametrize("kind", KINDS)

DEPLOYS: dict[str, dict[str, Any]] = {
    "named": {},
    "all": {},
    "merge": {"strategy": DeployStrategy.MERGE},
    "overwrite": {"strategy": DeployStrategy.OVERWRITE},
    "prune": {"prune": True},
}
PULLS: dict[str, dict[str, Any]] = {
    "named": {},
    "all": {},
    "merge": {"strategy": PullStrategy.MERGE},
    "overwrite": {"strategy": PullStrategy.OVERWRITE},
    "fork": {"strategy": PullStrategy.FORK},
    "delete": {"delete": True},
    "delete+overwrite": {"delete": True, "strategy": PullStrategy.OVERWRITE},
}
UNNAMED = ("all", "prune")

AFTERWARDS = {
    Action.SETTLED: Status.IN_SYNC,
    Action.ADOPTED: Status.IN_SYNC,
    Action.DEPLOYED: Status.IN_SYNC,
    Action.UPDATED: Status.IN_SYNC,
    Action.PUT_BACK: Status.IN_SYNC,
    Action.REPLACED: Status.IN_SYNC,
    Action.TAKEN: Status.IN_SYNC,
    Action.OVERWRITTEN: Status.IN_SYNC,
    Action.RESTORED: Status.IN_SYNC,
    Action.IMPORTED: Status.IN_SYNC,
}
"""What the row is then; all others are below."""


def status_of(row: Row) -> Status:
    return next(each.status for each in ROWS if each.name == row.name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("recorded", [True, False])
@every_kind
def test_drift_row(place: Path, kind: str, recorded: bool, row: Row) -> None:
    stage = make_stage(place, KINDS[kind], row, recorded=recorded)
    before = stage.all()
    found = stage.drift()
    assert found is not None
    word = row.cells["drift"]
    assert (found.status, found.drift) == (row.status, None if word is None else DriftType(word))
    assert found.recommendation is Recommendation[row.text("recommendation").upper()]
    assert f"{found.ahead} {found.behind}" == row.text("ahead behind")
    assert found.forecast is MergeForecast[row.text("forecast").upper()]
    assert found.conflicts == (len(stage.kind.clashes) if row.name == "AXZ" else 0)
    present = [each is not None for each in (found.collection_content, found.project_content)]
    assert present == [row.collection is not None, row.project is not None]
    assert stage.all() == before


def row_of(stage: Stage, result: Any) -> Any:
    """What became of the artifact; the other one of the project is in sync throughout."""
    found = {row.artifact: row for row in result.artifacts}
    other = found.pop(OTHER, None)
    assert other is None or other.action is Action.NOTHING
    assert list(found) == [stage.kind.path]
    return found[stage.kind.path]


def run(stage: Stage, before: object, tell: Callable[..., Any], case: Case, flag: str) -> Any:
    """Ask for a preview, which changes nothing; then do it, and find the same; None where it is refused."""
    expected = case.action
    if expected is None:
        for preview in (True, False):
            with pytest.raises((NotFoundError, RefusedError)):
                tell(**{flag: preview})
            assert stage.all() == before
        return None
    shown = tell(**{flag: True})
    assert stage.all() == before
    row = row_of(stage, shown)
    assert (row.artifact, row.status, row.action) == (stage.kind.path, status_of(case.row), expected)
    assert shown.is_complete == (expected not in (Action.REFUSED, Action.LEFT, Action.PENDING))
    if expected is Action.REFUSED:
        with pytest.raises(RefusedError) as caught:
            tell()
        assert caught.value.remedy
        assert (row.reason, row.remedy) == (caught.value.message, caught.value.remedy)
        assert stage.all() == before
        return None
    done = tell()
    assert [each._replace(version=None) for each in done.artifacts] == [
        each._replace(version=None) if not hasattr(each, "parents") else each._replace(version=None, parents=ours)
        for each, ours in zip(shown.artifacts, [getattr(each, "parents", ()) for each in done.artifacts], strict=True)
    ]
    return done


def check_status(stage: Stage, action: Action, before: Status) -> None:
    after = stage.drift()
    if action in (Action.REMOVED, Action.FORGOTTEN, Action.DELETED):
        assert after is None or after.deployed is None
        return
    assert after is not None
    pulled = {Action.MERGED: Status.OUTDATED}
    expected = AFTERWARDS.get(action, before)
    assert after.status is pulled.get(action, expected) or (action is Action.MERGED and after.status is Status.AHEAD)
    assert (after.merge is not None) == (action is Action.PENDING)
    if action is Action.PENDING:
        assert after.recommendation is Recommendation.CONTINUE


def check_undo(stage: Stage, files: object, result: Any) -> None:
    """The way back: every byte of both sides, the lock file among them, and the status."""
    if result.outcome.operation is None:
        return
    stage.vault.undo()
    assert stage.files() == files
    after = stage.drift()
    assert (None if after is None else after.status) is status_of(stage.row)
    assert_clean(stage.vault)


@pytest.mark.parametrize("case", [case for case in DEPLOY_CASES if case.column in DEPLOYS], ids=lambda case: case.name)
@every_kind
def test_deploy_row(place: Path, kind: str, case: Case) -> None:
    stage = make_stage(place, KINDS[kind], case.row, recorded=False)
    unnamed = case.column in UNNAMED
    if unnamed and case.row.base is None:
        # Only what is deployed is updated by a command that names nothing.
        rows = stage.vault.deploy([], stage.scene.app, **DEPLOYS[case.column]).artifacts
        assert [row.artifact for row in rows] == [OTHER]
        return
    before, files, names = stage.all(), stage.files(), [] if unnamed else [stage.kind.path]

    def deploy(**options: Any) -> Any:
        return stage.vault.deploy(names, stage.scene.app, **DEPLOYS[case.column], **options)

    done = run(stage, before, deploy, case, "dry_run")
    if done is None or case.action is None:
        return
    row = row_of(stage, done)
    assert stage.sides() == (stage.content(case.row.collection), project_afterwards(stage, case.action))
    assert row.wrote == (stage.content(case.row.project) != project_afterwards(stage, case.action))
    assert [conflict.path for conflict in row.conflicts] == conflicts_of(stage, case)
    assert (row.reason is not None) == (case.action is Action.LEFT)
    check_status(stage, case.action, status_of(case.row))
    check_undo(stage, files, done)


def conflicts_of(stage: Stage, case: Case) -> list[str]:
    if case.action is not Action.PENDING:
        return []
    if case.row.base is not None:
        return stage.kind.clashes
    # Without a base all that differs clashes.
    return stage.kind.differences


@pytest.mark.parametrize(
    "case", [case for case in DEPLOY_CASES if case.column == "undeploy"], ids=lambda case: case.name
)
@pytest.mark.parametrize("keep_files", [False, True])
@every_kind
def test_undeploy_row(place: Path, kind: str, keep_files: bool, case: Case) -> None:
    stage = make_stage(place, KINDS[kind], case.row, recorded=False)
    before, files = stage.all(), stage.files()
    expected = Action.FORGOTTEN if keep_files and case.action is Action.REMOVED else case.action
    case = case._replace(column="undeploy", row=case.row._replace(cells={"undeploy": expected and expected.name}))

    def undeploy(**options: Any) -> Any:
        return stage.vault.undeploy([stage.kind.path], stage.scene.app, keep_files=keep_files, **options)

    done = run(stage, before, undeploy, case, "dry_run")
    if done is None or expected is None:
        return
    remains = stage.content(case.row.project) if keep_files else None
    assert stage.sides() == (stage.content(case.row.collection), remains)
    check_status(stage, expected, status_of(case.row))
    check_undo(stage, files, done)


@pytest.mark.parametrize("case", [case for case in DEPLOY_CASES if case.column == "adopt"], ids=lambda case: case.name)
@every_kind
def test_adopt_row(place: Path, kind: str, case: Case) -> None:
    stage = make_stage(place, KINDS[kind], case.row, recorded=False)
    before, files = stage.all(), stage.files()

    def adopt(**options: Any) -> Any:
        return stage.vault.adopt([stage.kind.path], stage.scene.app, **options)

    done = run(stage, before, adopt, case, "dry_run")
    if done is None or case.action is None:
        return
    assert stage.sides() == (stage.content(case.row.collection), stage.content(case.row.project))
    after = stage.drift()
    assert after is not None
    assert after.status is (Status.IN_SYNC if case.action is Action.ADOPTED else status_of(case.row))
    check_undo(stage, files, done)


@pytest.mark.parametrize("case", PULL_CASES, ids=lambda case: case.name)
@every_kind
def test_pull_row(place: Path, kind: str, case: Case) -> None:
    stage = make_stage(place, KINDS[kind], case.row, recorded=False)
    if case.column == "all" and case.row.base is None:
        rows = stage.vault.pull([], stage.scene.app).artifacts
        assert [row.artifact for row in rows] == [OTHER]
        return
    before, files = stage.all(), stage.files()
    names = [] if case.column == "all" else [stage.kind.path]

    def pull(**options: Any) -> Any:
        return stage.vault.pull(names, stage.scene.app, **PULLS[case.column], **options)

    done = run(stage, before, pull, case, "preview")
    if done is None or case.action is None:
        return
    row = row_of(stage, done)
    expected = collection_afterwards(stage, case.action)
    assert stage.sides() == (expected, stage.content(case.row.project))
    if case.action is Action.FORKED:
        assert row.path == stage.kind.fork
        assert held(stage.scene.lib, row.path) == stage.content(case.row.project)
    assert bool(row.files) == (case.action is Action.FORKED or expected != stage.content(case.row.collection))
    assert [conflict.path for conflict in row.conflicts] == conflicts_of(stage, case)
    assert stage.vault.status().changes == ()
    check_status(stage, case.action, status_of(case.row))
    check_undo(stage, files, done)


def test_a_refusal_tells_all_names(place: Path) -> None:
    """One command for several artifacts: nothing at all is done if one of them needs a decision."""
    row = next(row for row in ROWS if row.name == "AAX")
    stage = make_stage(place, KINDS["directory"], row, recorded=False)
    (stage.scene.app / ".claude" / OTHER / "SKILL.md").write_text("edited\n")
    before = stage.all()
    with pytest.raises(CasvaultError, match="and so it is with skills/other"):
        stage.vault.deploy([stage.kind.path, OTHER], stage.scene.app)
    assert stage.all() == before
