"""drift, which."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, CollectionOption, ExitCodeOption, ProjectOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import DIFFERENCE, FAILURE
from casvault.cli.terminal import coloured, columns, count, quoted, short

if TYPE_CHECKING:
    from casvault.vault.results.projects import DriftResult, DriftRow, Where

_COLOURS = {"IN_SYNC": "green", "CONFLICT": "red", "DELETION_CONFLICT": "red", "ADDED": "", "PROJECT_ONLY": ""}


@command(PROJECTS, "casvault drift", "casvault drift --project ~/app --exit-code", "casvault drift --all --json")
def drift(
    context: typer.Context,
    project: ProjectOption = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All projects, also from within one.")] = False,
    untracked: Annotated[
        bool, typer.Option("--untracked", help="Also what could be deployed, and what nobody deployed.")
    ] = False,
    no_record: Annotated[
        bool, typer.Option("--no-record", help="Leave the vault as it is, too; edits are not recorded.")
    ] = False,
    collection: CollectionOption = None,
    exit_code: ExitCodeOption = False,
) -> int:
    """Show how what is deployed relates to its collection.

    In the project at or above the current directory if there is one, else in all projects. No file of a project is
    changed. Edits that the vault does not know yet are recorded there, so that they cannot be lost.
    """
    call = Call.of(context)
    vault = call.vault()
    where = project or (None if everywhere else vault.project_here())
    result = vault.drift(where, collection=collection, untracked=untracked, record=not no_record)
    interrupted = vault.interrupted()
    call.answer(
        {
            "rows": [plain(row) for row in result.rows],
            "recorded": result.recorded,
            "operation": result.operation,
            "notes": plain(result.notes),
            "skipped": plain(result.skipped),
            "interrupted": plain(interrupted),
        },
        _drift_lines(result),
    )
    for note in result.notes:
        call.warn(note)
    call.warn_interrupted(interrupted)
    if result.skipped:
        return FAILURE
    return DIFFERENCE if exit_code and any(_differs(row) for row in result.rows) else 0


@command(PROJECTS, "casvault which .claude/skills/pdf/SKILL.md", "casvault which ~/lib/skills/pdf --json")
def which(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file or directory in a project or a collection.")],
) -> None:
    """Say which artifact a file belongs to, in which version, and how it stands there."""
    call = Call.of(context)
    found = call.vault().which(path)
    call.answer({**found._asdict(), "path": found.path}, _which_lines(found), always=True)


def _differs(row: "DriftRow") -> bool:
    """Whether a row is more than in sync; what was never deployed by anybody is no difference."""
    return row.status.name not in ("IN_SYNC", "ADDED", "PROJECT_ONLY")


def _drift_lines(result: "DriftResult") -> Iterator[str]:
    rows = result.rows
    if not rows:
        yield "nothing is deployed; `casvault deploy ARTIFACT --project DIR` is the way"
    for project in dict.fromkeys(row.project for row in rows):
        mine = [row for row in rows if row.project == project]
        off = sum(map(_differs, mine))
        summary = f"{off:,} of {count(len(mine), 'artifact')} to look at" if off else "all in sync"
        yield f"{coloured(project, bold=True)}: {summary}"
        yield from columns([_drift_cells(row, mine) for row in mine])
    if result.recorded:
        yield f"{count(result.recorded, 'edit')} recorded in the vault"


def _drift_cells(row: "DriftRow", mine: "list[DriftRow]") -> tuple[str, ...]:
    """Name, status, facts, advice; with root or collection where a project has several."""
    name = quoted(row.artifact)
    if len({each.root for each in mine}) > 1:
        name = f"{quoted(row.root)}/{name}"
    if len({each.collection for each in mine}) > 1:
        name = f"{row.collection}: {name}"
    status = coloured(row.status.value, _COLOURS.get(row.status.name, "yellow"))
    advice = "" if row.recommendation.name == "NOTHING" else row.recommendation.value
    return f"  {name}", status, _facts(row), advice


def _facts(row: "DriftRow") -> str:
    """What there is to know besides: distance, since when, pin, move."""
    facts = []
    if row.ahead or row.behind:
        facts.append("".join((f"+{row.ahead}" if row.ahead else "", f"-{row.behind}" if row.behind else "")))
    if row.deployed_tags and row.pin != row.deployed_tags[0]:
        facts.append(f"at {quoted(row.deployed_tags[0])}")
    if row.first_seen is not None:
        facts.append(f"since {datetime.fromtimestamp(row.first_seen):%Y-%m-%d %H:%M}")
    if row.pin is not None:
        facts.append(f"pinned to {row.pin}")
    if row.moved_to is not None:
        facts.append(f"moved to {row.moved_to}")
    return ", ".join(facts)


def _which_lines(found: "Where") -> Iterator[str]:
    home = f"project {found.project}" if found.project is not None else f"collection {found.collection}"
    if found.artifact is None:
        change = "" if found.change is None else f", {found.change.value}"
        yield f"in {home}, in no artifact{change}"
        return
    status = found.status.value if found.status is not None else found.change.value if found.change else "as recorded"
    yield f"{coloured(quoted(found.artifact), bold=True)}  {found.kind} of collection {found.collection}"
    yield f"  in {home}, {status}, version {short(found.version) or 'none yet'}"
