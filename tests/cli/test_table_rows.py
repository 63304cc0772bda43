"""Every row of the table of drift, in both directions and with every option, through the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casvault import Action
from tests.story.conftest import place
from tests.story.rows import KINDS, OTHER, Stage, collection_afterwards, held, make_stage, project_afterwards
from tests.support.table import DEPLOY_CASES, PULL_CASES, ROWS, Case, Row

from .conftest import World

__all__ = ["place"]

every_kind = pytest.mark.parametrize("kind", KINDS)

DEPLOYS = {
    "named": "deploy NAME",
    "all": "deploy",
    "merge": "deploy NAME --strategy merge",
    "overwrite": "deploy NAME --force",
    "prune": "deploy --prune",
    "undeploy": "undeploy NAME",
    "adopt": "adopt NAME",
}
PULLS = {
    "named": "pull NAME",
    "all": "pull --all",
    "merge": "pull NAME --strategy merge",
    "overwrite": "pull NAME --strategy overwrite",
    "fork": "fork NAME",
    "delete": "pull NAME --delete",
    "delete+overwrite": "pull NAME --delete --strategy overwrite",
}
WAITS = (Action.REFUSED, Action.LEFT, Action.PENDING)


@pytest.fixture
def tmp_path(place: Path) -> Path:
    """In memory, where that is possible: hundreds of small vaults are made here."""
    return place


def staged(world: World, kind: str, row: Row) -> Stage:
    return make_stage(world.base, KINDS[kind], row, recorded=True)


def typed(stage: Stage, command: str) -> list[str]:
    return [
        *(stage.kind.path if word == "NAME" else word for word in command.split()),
        "--project",
        str(stage.scene.app),
    ]


def row_of(stage: Stage, document: Any) -> Any:
    return next((row for row in document["artifacts"] if row["artifact"] == stage.kind.path), None)


def ask(world: World, stage: Stage, command: str, case: Case, flag: str) -> Any:
    """Preview, then do it; the row of the artifact, or None where nothing was done."""
    before, arguments, expected = stage.all(), typed(stage, command), case.action
    code = 3 if expected is None else 4 if expected in WAITS else 0
    preview, told = world.run(*arguments, flag, "--json"), world.run(*arguments, flag)
    assert stage.all() == before
    if expected is None:
        result = world.run(*arguments)
        assert (preview.code in (3, 4), result.code in (3, 4), result.raw, stage.all()) == (True, True, b"", before)
        assert result.err.startswith("error: ")
        return None
    shown = row_of(stage, preview.document)
    assert (preview.code, shown["action"]) == (code, expected.name.lower())
    assert (told.code, f"warning: {stage.kind.path}: " in told.err) == (code, code == 4)
    assert "nothing was changed" in told.out.splitlines()[-1]
    result = world.run(*arguments, *(() if expected is Action.REFUSED else ("--json",)))
    assert result.code == code, result
    if expected is Action.REFUSED:
        assert (result.raw, stage.all()) == (b"", before)
        assert [line.partition(": ")[0] for line in result.err.splitlines()] == ["error", "hint"]
        return None
    done = row_of(stage, result.document)
    for key in ("action", "status", "files", "conflicts", "reason", "remedy"):
        assert (key, done[key]) == (key, shown[key])
    return done


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@every_kind
def test_drift(empty: World, kind: str, row: Row) -> None:
    stage = staged(empty, kind, row)
    before = stage.all()
    arguments = ("drift", "--project", str(stage.scene.app), "--untracked", "--exit-code")
    result = empty.run(*arguments, "--json")
    assert result.code == (6 if row.text("differs") == "yes" else 0)
    found = next(each for each in result.document["rows"] if each["artifact"] == stage.kind.path)
    assert (found["status"], found["drift"]) == (row.status.name.lower(), row.cells["drift"])
    assert (found["recommendation"], found["forecast"]) == (row.text("recommendation"), row.text("forecast"))
    assert f"{found['ahead']} {found['behind']}" == row.text("ahead behind")
    lines = empty.run(*arguments).out.splitlines()
    assert any(stage.kind.path in line and row.text("status") in line for line in lines)
    assert stage.all() == before


@pytest.mark.parametrize("case", DEPLOY_CASES, ids=lambda case: case.name)
@every_kind
def test_deploy(empty: World, kind: str, case: Case) -> None:
    stage = staged(empty, kind, case.row)
    command = DEPLOYS[case.column]
    if "NAME" not in command and case.row.base is None:
        assert row_of(stage, empty.done(*typed(stage, command), "--json").document) is None
        assert stage.sides() == (stage.content(case.row.collection), stage.content(case.row.project))
        return
    if ask(empty, stage, command, case, "--dry-run") is not None and case.action is not None:
        assert stage.sides() == (stage.content(case.row.collection), project_afterwards(stage, case.action))


@pytest.mark.parametrize("case", PULL_CASES, ids=lambda case: case.name)
@every_kind
def test_pull(empty: World, kind: str, case: Case) -> None:
    stage = staged(empty, kind, case.row)
    command = PULLS[case.column]
    if "NAME" not in command and case.row.base is None:
        document = empty.done(*typed(stage, command), "--json").document
        assert [row["artifact"] for row in document["artifacts"]] == [OTHER]
        return
    done = ask(empty, stage, command, case, "--preview")
    if done is None or case.action is None:
        return
    assert stage.sides() == (collection_afterwards(stage, case.action), stage.content(case.row.project))
    assert done["fast_forward"] == (case.action is Action.TAKEN)
    if case.action is Action.FORKED:
        assert held(stage.scene.lib, stage.kind.fork) == stage.content(case.row.project)
