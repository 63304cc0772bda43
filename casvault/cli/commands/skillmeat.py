"""skillmeat import, skillmeat export."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import EXCHANGE, command
from casvault.cli.documents import plain
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import columns, count, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.interop.skillmeat import ExportResult, ImportResult

DEFAULT_HOME = ".skillmeat"
"""In the user's own directory."""

ProjectsOption = Annotated[
    list[str] | None,
    typer.Option("--projects", metavar="DIR", help="A project, or a directory of projects; may be given again."),
]
MoreArgument = Annotated[list[str] | None, typer.Argument(metavar="[DIR]...", help="Further projects.")]


@command(
    EXCHANGE,
    "casvault skillmeat import",
    "casvault skillmeat import --home ~/.skillmeat --projects ~/src",
    "casvault skillmeat import --projects ~/src/app ~/src/site",
)
def import_skillmeat(
    context: typer.Context,
    more: MoreArgument = None,
    home: Annotated[
        str | None,
        typer.Option("--home", metavar="DIR", help="SkillMeat's home; by default ~/.skillmeat.", show_default=False),
    ] = None,
    projects: ProjectsOption = None,
) -> None:
    """Move in from SkillMeat: its collections with their snapshots, and what it deployed.

    Collections and projects stay where they are. A hash that was recorded becomes the base of merges if it is that of a
    content that was imported; others are kept, and named. Running it again adds what has come since.
    """
    from casvault.interop.skillmeat import import_skillmeat as run

    call = Call.of(context)
    directories = [*(projects or ()), *(more or ())]
    place = Path(home) if home is not None else Path.home() / DEFAULT_HOME
    is_there = home is not None or place.is_dir()
    if not (is_there or directories):
        raise UsageError("no SkillMeat here", place=str(place), remedy="name its home with --home DIR")
    result = run(call.vault(), place if is_there else None, directories)
    document: dict[str, object] = {
        "collections": plain(result.collections),
        "projects": plain(result.projects),
        "deployments": plain(result.deployments),
        "legacy": plain(result.legacy),
        "left_out": plain(result.left_out),
        "operation": outcome_document(result.outcome)["operation"],
    }
    call.answer(document, _import_lines(result))
    for name, missing in ((each.name, text) for each in result.collections for text in each.missing):
        call.warn(f"{quoted(name)}: snapshot {missing} is listed, and its archive is not there")
    for legacy in result.legacy:
        call.warn(
            f"{quoted(legacy.file)}: {legacy.key}: nothing that was imported has the hash {legacy.hash[:12]}; kept"
        )
    for left in result.left_out:
        call.warn(f"{quoted(left.file)}: {quoted(left.artifact)} is no deployment: {left.reason}")
    call.warn_of(result.outcome)


@command(
    EXCHANGE,
    "casvault skillmeat export",
    "casvault skillmeat export --projects ~/src/app",
    "casvault skillmeat export --home /tmp/skillmeat --all-snapshots",
)
def export_skillmeat(
    context: typer.Context,
    more: MoreArgument = None,
    home: Annotated[
        str | None,
        typer.Option(
            "--home", metavar="DIR", help="Write the collections there, as SkillMeat's home.", show_default=False
        ),
    ] = None,
    projects: Annotated[
        list[str] | None,
        typer.Option("--projects", metavar="DIR", help="Only these projects; may be given again."),
    ] = None,
    collections: Annotated[
        list[str] | None,
        typer.Option("--collection", metavar="NAME", help="Only this collection; may be given again."),
    ] = None,
    all_snapshots: Annotated[
        bool, typer.Option("--all-snapshots", help="Archives of all snapshots, and not only SkillMeat's own.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what SkillMeat has written since; it is kept in the vault.")
    ] = False,
) -> None:
    """Write the files by which SkillMeat knows what is deployed in projects, and its home if one is named.

    What has not changed since it was imported stays as it was written. `casvault undo` takes back what the vault knows
    of these files, and leaves the files themselves to the next export.
    """
    from casvault.interop.skillmeat import export_skillmeat as run

    call = Call.of(context)
    directories = [*(projects or ()), *(more or ())]
    result = run(
        call.vault(), home, directories, collections=collections or (), all_snapshots=all_snapshots, force=force
    )
    document: dict[str, object] = {
        "files": plain(result.files),
        "operation": outcome_document(result.outcome)["operation"],
    }
    call.answer(document, _export_lines(result))


def _import_lines(result: "ImportResult") -> Iterator[str]:
    for each in result.collections:
        yield f"{quoted(each.name)}  {count(len(each.snapshots), 'snapshot')} imported"
    yield from columns(
        [
            (quoted(each.project), quoted(f"{each.root}/{each.artifact}"), short(each.settled))
            for each in result.deployments
        ]
    )
    yield f"{count(len(result.deployments), 'deployment')} imported"


def _export_lines(result: "ExportResult") -> Iterator[str]:
    for each in result.files:
        if each.changed:
            yield f"wrote {quoted(str(each.path))}"
    same = sum(not each.changed for each in result.files)
    if same:
        yield f"{count(same, 'file')} as before"
