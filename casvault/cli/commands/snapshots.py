"""snapshots."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, command
from casvault.cli.commits import LimitOption
from casvault.cli.documents import plain
from casvault.cli.terminal import coloured, columns, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.snapshots import ArtifactInfo, SnapshotInfo

ArtifactsOption = Annotated[bool, typer.Option("--artifacts", help="With all artifacts of each.")]


@command(
    HISTORY,
    "casvault snapshots",
    "casvault snapshots --purpose 'merge base'",
    "casvault snapshots -n 1 --artifacts --json",
)
def snapshots(
    context: typer.Context,
    limit: LimitOption = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="Only those made by hand (manual), by an import, a deploy or a pull, those recorded before a command "
            "(rollback point), or those that projects merge from (merge base).",
            show_default=False,
        ),
    ] = None,
    artifacts: ArtifactsOption = False,
    collection: CollectionOption = None,
) -> None:
    """List a collection's snapshots and what each is for, the newest first.

    What a snapshot is for follows from the operation that made it, and from the projects whose edits are measured from
    what it brought.
    """
    from casvault import Purpose

    words = {each.value: each for each in Purpose}
    if purpose is not None and purpose.replace("-", " ") not in words:
        raise UsageError("no such purpose", place=purpose, remedy=f"one of {', '.join(words)}")
    call = Call.of(context)
    found = call.vault().snapshots(
        limit=limit,
        purpose=None if purpose is None else words[purpose.replace("-", " ")],
        artifacts=artifacts,
        collection=collection,
    )
    call.answer({"snapshots": plain(found)}, _lines(found), always=True)


def _lines(found: "list[SnapshotInfo]") -> Iterator[str]:
    for line, info in zip(columns([_cells(info) for info in found]), found, strict=True):
        yield line
        yield from artifact_lines(info.artifacts or ())


def _cells(info: "SnapshotInfo") -> tuple[str, ...]:
    made = "" if info.operation is None else f"{info.command} (operation {info.operation})"
    return (
        short(info.id),
        moment(info.seconds, info.zone)[:16],
        coloured(", ".join(purpose.value for purpose in info.purposes), bold=True),
        coloured(made, dim=True),
        printable(info.message.strip().split("\n")[0]),
    )


def artifact_lines(found: "tuple[ArtifactInfo, ...]") -> Iterator[str]:
    """Artifacts as indented lines: what each is, which version, and where that is deployed."""
    for line in columns([_artifact_cells(info) for info in found]):
        yield f"    {line}"


def _artifact_cells(info: "ArtifactInfo") -> tuple[str, ...]:
    projects = ", ".join(
        f"{printable(each.project)} {'+'.join(role.value for role in each.roles)}" for each in info.projects
    )
    tags = f"({', '.join(map(printable, info.tags))})" if info.tags else ""
    return quoted(info.path), info.kind, short(info.version), tags, coloured(projects, dim=True)
