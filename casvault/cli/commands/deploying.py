"""deploy, undeploy, adopt, pin, unpin."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.artifacts import (
    AnyArtifactsArgument,
    ArtifactsArgument,
    DryRunOption,
    FollowOption,
    RootOption,
    VersionOption,
    action_word,
    detail_lines,
    row_document,
    undecided,
    waiting_lines,
)
from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, CollectionOption, MessageOption, ProjectOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault import DeployStrategy
    from casvault.vault.results.deployments import DeployResult


class Strategy(Enum):
    """What becomes of edits: the choices of --strategy."""

    MERGE = "merge"
    OVERWRITE = "overwrite"


@command(
    PROJECTS,
    "casvault deploy skill/pdf command/review --project ~/app",
    "casvault deploy --project ~/app",
    "casvault deploy skills/pdf --strategy merge",
    "casvault deploy skill/pdf --version ~1 --pin",
    "casvault deploy --all-projects --dry-run",
    "casvault deploy --locked",
)
def deploy(
    context: typer.Context,
    artifacts: AnyArtifactsArgument = None,
    project: ProjectOption = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option("--strategy", help="What becomes of edits in the project; refused without.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="The same as --strategy overwrite.")] = False,
    version: VersionOption = None,
    pin: Annotated[bool, typer.Option("--pin", help="Stay at this version until unpinned.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is gone from the collection.")] = False,
    root: RootOption = None,
    all_projects: Annotated[bool, typer.Option("--all-projects", help="In every project that has them.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Bring the project to what its casvault.lock says.")] = False,
    dry_run: DryRunOption = False,
    follow: FollowOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Put artifacts of a collection into a project, or bring those that are there up to date.

    Edits in the project are never lost. Where it has some, `--strategy merge` puts update and edits together in the
    project, and `--strategy overwrite` records the edits in the vault and replaces them. What clashes waits as a merge
    to be resolved.
    """
    if force and strategy is Strategy.MERGE:
        raise UsageError("--force overwrites, so it does not go with --strategy merge")
    call = Call.of(context)
    vault = call.vault()
    chosen = _chosen(Strategy.OVERWRITE if force else strategy)
    names = list(artifacts or ())
    if all_projects:
        _check_alone("--all-projects", locked, project, version, pin, root, follow)
        results = vault.deploy_everywhere(
            names, strategy=chosen, prune=prune, collection=collection, dry_run=dry_run, message=message
        )
        return _answer(call, results, everywhere=True)
    where = call.project(vault, project)
    if locked:
        _check_alone("--locked", names, version, pin, root, collection, follow)
        result = vault.deploy_locked(where, strategy=chosen, prune=prune, dry_run=dry_run, message=message)
    else:
        result = vault.deploy(
            names,
            where,
            strategy=chosen,
            version=version,
            pin=pin,
            prune=prune,
            collection=collection,
            root=root,
            dry_run=dry_run,
            follow=follow,
            message=message,
        )
    return _answer(call, [result])


@command(PROJECTS, "casvault undeploy skill/pdf", "casvault undeploy skill/pdf --keep-files --project ~/app")
def undeploy(
    context: typer.Context,
    artifacts: ArtifactsArgument,
    project: ProjectOption = None,
    keep_files: Annotated[bool, typer.Option("--keep-files", help="Only forget that they are deployed.")] = False,
    root: RootOption = None,
    dry_run: DryRunOption = False,
    follow: FollowOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Take artifacts out of a project.

    Edits are recorded in the vault first; files that are ignored stay, and are named.
    """
    call = Call.of(context)
    vault = call.vault()
    result = vault.undeploy(
        artifacts,
        call.project(vault, project),
        keep_files=keep_files,
        collection=collection,
        root=root,
        dry_run=dry_run,
        follow=follow,
        message=message,
    )
    return _answer(call, [result])


@command(
    PROJECTS, "casvault adopt --project ~/app", "casvault adopt skill/pdf --version ~3", "casvault adopt --root .codex"
)
def adopt(
    context: typer.Context,
    artifacts: AnyArtifactsArgument = None,
    project: ProjectOption = None,
    version: VersionOption = None,
    root: Annotated[str, typer.Option("--root", metavar="DIR", help="Where in the project they live.")] = ".claude",
    dry_run: DryRunOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Make deployments of artifacts that were copied into a project by hand.

    They are recognised by their content, as the newest version that has it; `--version` says which one they were made
    from where they were edited since. No file is touched.
    """
    call = Call.of(context)
    vault = call.vault()
    result = vault.adopt(
        artifacts or (),
        project or vault.project_here() or ".",
        version=version,
        collection=collection,
        root=root,
        dry_run=dry_run,
        message=message,
    )
    return _answer(call, [result])


@command(PROJECTS, "casvault pin skill/pdf", "casvault pin skill/pdf --project ~/app -m 'until the audit is over'")
def pin(
    context: typer.Context,
    artifacts: ArtifactsArgument,
    project: ProjectOption = None,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Keep artifacts at the versions that are deployed, whatever the collection does."""
    call = Call.of(context)
    vault = call.vault()
    where = call.project(vault, project)
    return _answer(call, [vault.pin(artifacts, where, collection=collection, message=message)])


@command(PROJECTS, "casvault unpin skill/pdf")
def unpin(
    context: typer.Context,
    artifacts: ArtifactsArgument,
    project: ProjectOption = None,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Let pinned artifacts be updated again."""
    call = Call.of(context)
    vault = call.vault()
    where = call.project(vault, project)
    return _answer(call, [vault.unpin(artifacts, where, collection=collection, message=message)])


def _chosen(strategy: Strategy | None) -> "DeployStrategy":
    from casvault import DeployStrategy

    return DeployStrategy.REFUSE if strategy is None else DeployStrategy(strategy.value)


def _check_alone(option: str, *others: object) -> None:
    if any(others):
        raise UsageError(f"{option} decides this itself", remedy="leave out what does not go with it; see --help")


def _answer(call: Call, results: "list[DeployResult]", *, everywhere: bool = False) -> int:
    documents = [_document(result) for result in results]
    call.answer({"projects": documents} if everywhere else documents[0], _lines(results))
    for result in results:
        for line in undecided(result.artifacts):
            call.warn(line)
    call.warn_of(results[0].outcome)
    return 0 if all(result.is_complete for result in results) else CONFLICT


def _document(result: "DeployResult") -> dict[str, object]:
    return {
        "project": result.project,
        "directory": result.directory,
        "dry_run": result.dry_run,
        "artifacts": [row_document(row) for row in result.artifacts],
        **outcome_document(result.outcome),
        "notes": plain((*result.notes, *result.outcome.notes)),
    }


def _lines(results: "list[DeployResult]") -> Iterator[str]:
    for result in results:
        wrote = sum(row.wrote for row in result.artifacts)
        verb = "would be written" if result.dry_run else "written"
        total = count(len(result.artifacts), "artifact")
        yield f"{coloured(result.project, bold=True)}: {wrote:,} of {total} {verb}"
        cells = [(f"  {quoted(row.artifact)}", action_word(row), short(row.version)) for row in result.artifacts]
        for row, line in zip(result.artifacts, columns(cells), strict=True):
            yield line
            yield from detail_lines(row, files=result.dry_run)
        yield from result.notes
        yield from waiting_lines(result.artifacts, preview=result.dry_run)
        if not result.dry_run and any(row.action.name == "REPLACED" for row in result.artifacts):
            yield "the edits that were there are in the vault; `casvault undo` brings them back"
    if any(result.dry_run for result in results):
        yield "nothing was changed: this was a dry run"
