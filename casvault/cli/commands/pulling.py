"""pull, fork."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.artifacts import (
    ARTIFACTS_HELP,
    FollowOption,
    RootOption,
    action_word,
    detail_lines,
    row_document,
    undecided,
    waiting_lines,
)
from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, CollectionOption, MessageOption, ProjectOption, command
from casvault.cli.failures import CONFLICT
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, count, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.deployments import PullResult, PullRow


class Strategy(Enum):
    """How two sides come together: the choices of --strategy."""

    MERGE = "merge"
    OVERWRITE = "overwrite"
    FORK = "fork"


RelinkOption = Annotated[
    bool, typer.Option("--relink", help="Let the project's copy be the fork from now on; it moves to its path.")
]
PreviewOption = Annotated[bool, typer.Option("--preview", "-n", help="Show what would happen, and change nothing.")]


@command(
    PROJECTS,
    "casvault pull skill/pdf --project ~/app --preview",
    "casvault pull skill/pdf --project ~/app -m 'Tables, from the app'",
    "casvault pull --all",
    "casvault pull skill/pdf --strategy overwrite",
    "casvault pull skill/old --delete",
)
def pull(
    context: typer.Context,
    artifacts: Annotated[
        list[str] | None, typer.Argument(metavar="[ARTIFACT]...", help=f"{ARTIFACTS_HELP} Or say --all.")
    ] = None,
    project: ProjectOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is deployed in the project.")] = False,
    strategy: Annotated[
        Strategy | None,
        typer.Option(
            "--strategy",
            help="Merge line by line (what is done without), let the project's content win, or fork the artifact.",
            show_default=False,
        ),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Take deletions home, too.")] = False,
    relink: RelinkOption = False,
    preview: PreviewOption = False,
    root: RootOption = None,
    follow: FollowOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Bring edits from a project home into the collection.

    The base of the three-way merge comes from the version graph. If both sides changed the same lines, neither is
    touched, the merge waits to be resolved, and the exit code is 4.
    """
    names = list(artifacts or ())
    if bool(names) == everything:
        raise UsageError("name artifacts, or say --all" if not names else "--all goes without names")
    if relink and strategy is not Strategy.FORK:
        raise UsageError("--relink goes with --strategy fork")
    from casvault import PullStrategy

    call = Call.of(context)
    vault = call.vault()
    result = vault.pull(
        names,
        call.project(vault, project),
        strategy=None if strategy is None else PullStrategy(strategy.value),
        delete=delete,
        relink=relink,
        preview=preview,
        collection=collection,
        root=root,
        follow=follow,
        message=message,
    )
    return _answer(call, result)


@command(PROJECTS, "casvault fork skill/pdf", "casvault fork skill/pdf skills/pdf-tables --relink --project ~/app")
def fork(
    context: typer.Context,
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="What was edited in the project.")],
    path: Annotated[
        str | None,
        typer.Argument(metavar="PATH", help="Where it goes in the collection; beside the original, if not named."),
    ] = None,
    project: ProjectOption = None,
    relink: RelinkOption = False,
    preview: PreviewOption = False,
    root: RootOption = None,
    follow: FollowOption = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Make an artifact of its own out of what a project has made of one.

    The original stays as it is; the fork's lineage begins at the project's edits.
    """
    from casvault import PullStrategy

    call = Call.of(context)
    vault = call.vault()
    result = vault.pull(
        [artifact],
        call.project(vault, project),
        strategy=PullStrategy.FORK,
        fork_as=path,
        relink=relink,
        preview=preview,
        collection=collection,
        root=root,
        follow=follow,
        message=message,
    )
    return _answer(call, result)


def _answer(call: Call, result: "PullResult") -> int:
    document = {
        "project": result.project,
        "preview": result.preview,
        "artifacts": [{**_row(row)} for row in result.artifacts],
        **outcome_document(result.outcome),
    }
    call.answer(document, _lines(result))
    for line in undecided(result.artifacts):
        call.warn(line)
    call.warn_of(result.outcome)
    return 0 if result.is_complete else CONFLICT


def _row(row: "PullRow") -> dict[str, object]:
    document = row_document(row)
    assert isinstance(document, dict)
    return {**document, "fast_forward": row.fast_forward}


def _lines(result: "PullResult") -> Iterator[str]:
    taken = sum(bool(row.files) for row in result.artifacts)
    clashes = sum(bool(row.conflicts) for row in result.artifacts)
    verb = "would take" if result.preview else "took"
    heading = [f"{verb} {count(taken, 'artifact')}"] if taken else []
    heading += [count(clashes, "conflict")] if clashes else []
    yield f"{coloured(result.project, bold=True)}: {', '.join(heading) or 'nothing new'}"
    for row in result.artifacts:
        yield f"  {quoted(row.artifact)}  {_pulled(row, preview=result.preview)}"
        yield from detail_lines(row, files=True)
    yield from waiting_lines(result.artifacts, preview=result.preview)
    if result.preview:
        yield "nothing was changed: this was a preview"


def _pulled(row: "PullRow", *, preview: bool) -> str:
    """How the two sides of an artifact came together, or would; a preview has no version that would last."""
    words = [action_word(row)]
    if row.path != row.artifact:
        words.append(f"to {quoted(row.path)}")
    if row.version is not None and row.base is not None and row.action.name == "MERGED":
        words.append(f"from base {row.base.short}")
    if row.version is not None and not preview:
        if len(row.parents) > 1:
            words.append("of " + " and ".join(parent.short for parent in row.parents))
        words.append(f"as {short(row.version)}")
    return " ".join(words)
