"""deploy, drift, pull, project list."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, CollectionOption, ExitCodeOption, MessageOption, ProjectOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import DIFFERENCE
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import changed, coloured, columns, count, quoted, short

if TYPE_CHECKING:
    from casvault.vault.results import DeployResult, DeployRow, DriftRow, ProjectInfo, PullResult, PullRow


class Strategy(Enum):
    """What becomes of edits: the choices of --strategy."""

    MERGE = "merge"
    OVERWRITE = "overwrite"


ARTIFACTS_HELP = "Paths such as skills/pdf, or short names such as skill/pdf."
ArtifactsArgument = Annotated[list[str], typer.Argument(metavar="ARTIFACT", help=ARTIFACTS_HELP)]

ADVICE = {
    "in_sync": ("nothing", ""),
    "modified": ("pull", "pull brings the edits home"),
    "ahead": ("pull", "newer here than in the collection; pull takes it there"),
    "outdated": ("deploy", "deploy takes the update"),
    "converged": ("settle", "the same edit on both sides; pull or deploy settles it"),
    "conflict": ("merge", "both sides changed; pull --preview shows the merge"),
    "removed": ("restore", "gone from the collection; restore it there"),
    "removed_modified": ("restore", "gone from the collection, edited here; restore it there, then pull"),
    "missing": ("deploy", "gone here; deploy puts it back"),
    "deletion_conflict": ("choose", "gone here, changed in the collection; deploy puts it back"),
    "stale": ("nothing", "gone on both sides"),
    "added": ("deploy", "not deployed yet"),
    "identical": ("adopt", "equal, but never deployed"),
    "differs": ("choose", "other content that was never deployed"),
    "project_only": ("import", "only in the project"),
}
"""For each status the recommendation (a closed list, for programs) and what it means (for people)."""

_COLOURS = {"in_sync": "green", "conflict": "red", "deletion_conflict": "red"}


@command(PROJECTS, "casvault project list")
def list_projects(context: typer.Context) -> None:
    """List the projects of the vault and where they are."""
    call = Call.of(context)
    found = call.vault().projects()
    call.answer({"projects": plain(found)}, _project_lines(found), always=True)


@command(
    PROJECTS,
    "casvault deploy skill/pdf command/review --project ~/app",
    "casvault deploy skills/pdf --strategy merge",
    "casvault deploy skill/pdf --project ~/app --root .codex",
)
def deploy(
    context: typer.Context,
    artifacts: ArtifactsArgument,
    project: ProjectOption = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option("--strategy", help="What becomes of edits in the project; refused without.", show_default=False),
    ] = None,
    root: Annotated[str, typer.Option("--root", metavar="DIR", help="Where in the project they live.")] = ".claude",
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Put artifacts of a collection into a project.

    Edits in the project are never lost. Where it has some, `--strategy merge` puts update and edits together in the
    project, and `--strategy overwrite` records the edits in the vault and replaces them.
    """
    from casvault import DeployStrategy

    call = Call.of(context)
    vault = call.vault()
    chosen = DeployStrategy.REFUSE if strategy is None else DeployStrategy(strategy.value)
    where = call.project(vault, project)
    result = vault.deploy(artifacts, where, strategy=chosen, collection=collection, root=root, message=message)
    document = {
        "project": result.project,
        "directory": result.directory,
        "artifacts": plain(result.artifacts),
        **outcome_document(result.outcome),
    }
    call.answer(document, _deploy_lines(result, strategy))
    call.warn_of(result.outcome)


@command(PROJECTS, "casvault drift", "casvault drift --project ~/app --exit-code", "casvault drift --all --json")
def drift(
    context: typer.Context,
    project: ProjectOption = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All projects, also from within one.")] = False,
    collection: CollectionOption = None,
    exit_code: ExitCodeOption = False,
) -> int:
    """Show how what is deployed relates to its collection.

    In the project at or above the current directory if there is one, else in all projects. Changes nothing.
    """
    call = Call.of(context)
    vault = call.vault()
    where = project or (None if everywhere else vault.project_here())
    rows = vault.drift(where, collection=collection)
    interrupted = vault.interrupted()
    document = {"rows": [_drift_document(row) for row in rows], "interrupted": plain(interrupted)}
    call.answer(document, _drift_lines(rows))
    call.warn_interrupted(interrupted)
    return DIFFERENCE if exit_code and any(_word(row) != "in_sync" for row in rows) else 0


@command(
    PROJECTS,
    "casvault pull skill/pdf --project ~/app --preview",
    "casvault pull skill/pdf --project ~/app -m 'Tables, from the app'",
    "casvault pull skill/pdf --strategy overwrite",
)
def pull(
    context: typer.Context,
    artifacts: ArtifactsArgument,
    project: ProjectOption = None,
    strategy: Annotated[
        Strategy, typer.Option("--strategy", help="Merge line by line, or let the project's content win.")
    ] = Strategy.MERGE,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would happen, and change nothing.")] = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> None:
    """Bring edits from a project home into the collection.

    The base of the three-way merge comes from the version graph. If both sides changed the same lines, neither is
    touched and the exit code is 4.
    """
    from casvault import PullStrategy

    call = Call.of(context)
    vault = call.vault()
    where = call.project(vault, project)
    result = vault.pull(
        artifacts,
        where,
        strategy=PullStrategy(strategy.value),
        preview=preview,
        collection=collection,
        message=message,
    )
    document = {key: plain(value) for key, value in result._asdict().items() if key != "outcome"}
    document["artifacts"] = [_pull_document(row) for row in result.artifacts]
    call.answer({**document, **outcome_document(result.outcome)}, _pull_lines(result))
    call.warn_of(result.outcome)


def _project_lines(found: "list[ProjectInfo]") -> list[str]:
    if not found:
        return ["no projects; `casvault deploy ARTIFACT --project DIR` makes one"]
    rows = [
        (
            coloured(info.name, bold=True),
            count(info.deployments, "artifact"),
            "directory unknown" if info.directory is None else quoted(str(info.directory)),
        )
        for info in found
    ]
    return columns(rows)


def _deploy_lines(result: "DeployResult", strategy: Strategy | None) -> Iterator[str]:
    wrote = sum(row.wrote for row in result.artifacts)
    yield f"{coloured(result.project, bold=True)}: {wrote:,} of {count(len(result.artifacts), 'artifact')} written"
    yield from columns([(f"  {quoted(row.artifact)}", *_deployed(row, strategy)) for row in result.artifacts])
    if any(row.wrote and _is_edited(row) for row in result.artifacts):
        yield "the edits that were there are in the vault; `casvault undo` brings them back"


def _is_edited(row: "DeployRow") -> bool:
    return row.status.name in ("MODIFIED", "AHEAD", "CONFLICT")


def _deployed(row: "DeployRow", strategy: Strategy | None) -> tuple[str, str]:
    """What happened to one artifact, and its version now."""
    if not row.wrote:
        words = {"CONVERGED": "settled", "IDENTICAL": "adopted", "MODIFIED": "edits kept", "AHEAD": "edits kept"}
        return words.get(row.status.name, "up to date"), short(row.version)
    if _is_edited(row):
        return "merged" if strategy is Strategy.MERGE else "replaced", short(row.version)
    words = {"ADDED": "deployed", "OUTDATED": "updated", "MISSING": "put back"}
    return words.get(row.status.name, "written"), short(row.version)


def _word(row: "DriftRow") -> str:
    return row.status.name.lower()


def _drift_document(row: "DriftRow") -> object:
    return plain({**row._asdict(), "recommendation": ADVICE[_word(row)][0]})


def _drift_lines(rows: "list[DriftRow]") -> Iterator[str]:
    if not rows:
        yield "nothing is deployed; `casvault deploy ARTIFACT --project DIR` is the way"
    for project in dict.fromkeys(row.project for row in rows):
        mine = [row for row in rows if row.project == project]
        off = sum(_word(row) != "in_sync" for row in mine)
        summary = f"{off:,} of {count(len(mine), 'artifact')} to look at" if off else "all in sync"
        yield f"{coloured(project, bold=True)}: {summary}"
        yield from columns([_drift_cells(row, mine) for row in mine])


def _drift_cells(row: "DriftRow", mine: "list[DriftRow]") -> tuple[str, ...]:
    """Name, status, advice; with root or collection where a project has several."""
    name = quoted(row.artifact)
    if len({each.root for each in mine}) > 1:
        name = f"{quoted(row.root)}/{name}"
    if len({each.collection for each in mine}) > 1:
        name = f"{row.collection}: {name}"
    word = _word(row)
    return f"  {name}", coloured(row.status.value, _COLOURS.get(word, "yellow")), ADVICE[word][1]


def _pull_document(row: "PullRow") -> object:
    files = [{"path": each.path, "change": each.change, "old": each.old, "new": each.new} for each in row.files]
    return plain({**row._asdict(), "files": files})


def _pull_lines(result: "PullResult") -> Iterator[str]:
    taken = sum(row.version is not None for row in result.artifacts)
    verb = "would take" if result.preview else "took"
    heading = f"{count(taken, 'artifact')} from {result.project}" if taken else f"nothing new from {result.project}"
    yield f"{coloured(result.collection, bold=True)}: {verb + ' ' + heading if taken else heading}"
    for row in result.artifacts:
        yield f"  {quoted(row.artifact)}  {_pulled(row, preview=result.preview)}"
        for change in row.files:
            yield f"  {changed(change.change, change.path)}"
    if result.preview:
        yield "nothing was changed: this was a preview"


def _pulled(row: "PullRow", *, preview: bool) -> str:
    """How the two sides of an artifact came together, or would; a preview has no version that would last."""
    if row.version is None:
        return "the same edit on both sides, settled" if row.status.name == "CONVERGED" else "nothing to pull"
    base = "" if row.base is None else f" from base {row.base.short}"
    if preview:
        return f"{'fast-forward' if row.fast_forward else 'merge'}{base}"
    parents = " and ".join(parent.short for parent in row.parents)
    how = "fast-forward" if row.fast_forward else f"merged {parents}"
    return f"{how} to {short(row.version)}"
