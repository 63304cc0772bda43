"""Options and lines that the commands on artifacts in projects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.documents import plain
from casvault.cli.terminal import changed, coloured, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.vault.results.deployments import DeployRow, PullRow
    from casvault.vault.results.updates import UpdateRow

    AnyRow = DeployRow | PullRow | UpdateRow

ARTIFACTS_HELP = "Paths such as skills/pdf, or short names such as skill/pdf."
ArtifactsArgument = Annotated[list[str], typer.Argument(metavar="ARTIFACT", help=ARTIFACTS_HELP)]
AnyArtifactsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="ARTIFACT", help=f"{ARTIFACTS_HELP} None means all.", show_default=False),
]
RootOption = Annotated[
    str | None,
    typer.Option("--root", metavar="DIR", help="Where in the project they live: .claude.", show_default=False),
]
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--version", metavar="REV", help="A version: an id, a tag, ~1 for the one before.", show_default=False
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would happen, and change nothing.")]
FollowOption = Annotated[bool, typer.Option("--follow", help="Write through artifacts that are symlinks.")]

_UNDECIDED = frozenset({"PENDING", "REFUSED", "LEFT"})
_QUIET = frozenset({"NOTHING", "KEPT", "PINNED", "GONE", "ABSENT"})


def row_document(row: AnyRow) -> object:
    """A row as JSON, its files with the word for what happened to each."""
    files = [{"path": each.path, "change": each.change, "old": each.old, "new": each.new} for each in row.files]
    return plain({**row._asdict(), "files": files})


def action_word(row: AnyRow) -> str:
    word = row.action.value
    if row.action.name in _UNDECIDED:
        return coloured(word, "red")
    return word if row.action.name in _QUIET else coloured(word, "green")


def detail_lines(row: AnyRow, *, files: bool) -> Iterator[str]:
    """What stands below a row: files, conflicts, and why nothing was done."""
    if files:
        for change in row.files:
            yield f"    {changed(change.change.value, change.path)}"
    for conflict in row.conflicts:
        yield f"    {coloured('!', 'red')} {quoted(conflict.path)}: {conflict.kind.value}"
    if row.reason is not None:
        yield f"    {row.reason}"
        if row.remedy is not None:
            yield f"    {row.remedy}"


def waiting_lines(rows: Iterable[AnyRow], *, preview: bool) -> Iterator[str]:
    """What to do about the conflicts."""
    waiting = [row for row in rows if row.merge is not None]
    if waiting and preview:
        yield "the conflicts would wait to be resolved; neither side would be touched"
    elif waiting:
        yield "neither side of a conflict was touched; `casvault merges show` shows both, and then:"
        for row in waiting:
            yield f"  casvault resolve {row.merge} {_example(row)} --edit"
            yield f"  casvault merges continue {row.merge}"


def undecided(rows: Iterable[AnyRow]) -> list[str]:
    """What to say of the artifacts that wait for a decision, however quiet the command is."""
    return [
        f"{row.artifact}: {row.reason or 'both sides changed the same; neither was touched'}"
        for row in rows
        if row.action.name in _UNDECIDED
    ]


def _example(row: AnyRow) -> str:
    return quoted(row.conflicts[0].path) if row.conflicts else "PATH"
