"""lineage."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, command
from casvault.cli.commits import LimitOption, OnelineOption
from casvault.cli.documents import plain
from casvault.cli.drawings import beside_drawing
from casvault.cli.terminal import coloured, count, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.lineage import ProjectHolding, SnapshotHolding, VersionInfo, VersionWhere

WhereOption = Annotated[bool, typer.Option("--where", help="With the snapshots and projects that hold each.")]
GraphOption = Annotated[bool, typer.Option("--graph", help="Draw merges and forks beside the list.")]
DeploymentsOption = Annotated[
    str | None,
    typer.Option(
        "--deployments",
        metavar="PROJECT",
        help="Only what was deployed to this project, in its order.",
        show_default=False,
    ),
]


@command(
    HISTORY,
    "casvault lineage skill/pdf",
    "casvault lineage skill/pdf --graph --oneline",
    "casvault lineage commands/review.md --where -n 1",
    "casvault lineage skill/pdf --deployments ~/app",
)
def lineage(
    context: typer.Context,
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="A path, or a short name such as skill/pdf.")],
    limit: LimitOption = None,
    oneline: OnelineOption = False,
    graph: GraphOption = False,
    where: WhereOption = False,
    deployments: DeploymentsOption = None,
    collection: CollectionOption = None,
) -> None:
    """Show all versions of an artifact and where they came from.

    Edits, merges, pulls, restores; the newest first, each version before its parents. An artifact that was removed is
    found by its path.
    """
    call = Call.of(context)
    vault = call.vault()
    if deployments is not None:
        if graph or where:
            raise UsageError("--deployments goes with neither --graph nor --where", place=deployments)
        found = vault.deployed_versions(deployments, artifact)[:limit]
    else:
        found = vault.lineage(
            artifact, limit=limit, where=where, every_snapshot=where and call.json, collection=collection
        )
    entries = [list(_oneline(info) if oneline else _lines(info)) for info in found]
    if graph:
        lines = beside_drawing([(info.id, info.parents) for info in found], entries, apart=not oneline)
    else:
        lines = _listed(entries, apart=not oneline)
    call.answer({"versions": plain(found)}, lines, always=True)


def _listed(entries: list[list[str]], *, apart: bool) -> Iterator[str]:
    for number, entry in enumerate(entries):
        if number and apart:
            yield ""
        yield from entry


def _oneline(info: "VersionInfo") -> Iterator[str]:
    first = info.message.strip().split("\n")[0]
    what = f"{_origin(info)} {quoted(info.path)}"
    title = f"{what} · {printable(first)}" if first else what
    yield f"{short(info.id)}  {moment(info.seconds, info.zone)[:16]}{_tags(info)}  {title}"
    if info.where is not None:
        yield from (f"    {line}" for line in _where_lines(info.where))


def _lines(info: "VersionInfo") -> Iterator[str]:
    yield coloured(f"version {info.id}", "yellow") + _tags(info)
    yield f"Artifact: {quoted(info.path)} in {printable(info.collection)}, by {_origin(info)}"
    yield f"Content:  {info.content}"
    if len(info.parents) > 1:
        yield f"Parents:  {' '.join(parent.short for parent in info.parents)}"
    yield f"Author:   {printable(info.author)} <{printable(info.mail)}>"
    yield f"Date:     {moment(info.seconds, info.zone)}"
    if info.where is not None:
        for number, line in enumerate(_where_lines(info.where)):
            yield f"{'          ' if number else 'Held by:  '}{line}"
    if info.message.strip():
        yield ""
        yield from (f"    {printable(line)}".rstrip() for line in info.message.rstrip().split("\n"))


def _origin(info: "VersionInfo") -> str:
    return "a commit of another history" if info.origin is None else info.origin.value


def _tags(info: "VersionInfo") -> str:
    return coloured(f" ({', '.join(map(printable, info.tags))})", "green") if info.tags else ""


def _where_lines(where: "VersionWhere") -> Iterator[str]:
    if where == ((), ()):
        yield "no snapshot and no project"
    yield from map(_snapshots_line, where.snapshots)
    yield from map(_project_line, where.projects)


def _snapshots_line(holding: "SnapshotHolding") -> str:
    since = f", from {' and '.join(map(short, holding.brought))}" if holding.brought else ""
    end = "the newest" if holding.current else f"up to {short(holding.newest)}"
    return f"{printable(holding.collection)}: {count(holding.number, 'snapshot')}{since}, {end}"


def _project_line(holding: "ProjectHolding") -> str:
    roles = ", ".join(role.value for role in holding.roles)
    return f"{printable(holding.project)}: {quoted(f'{holding.root}/{holding.path}')} {roles}"
