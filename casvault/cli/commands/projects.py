"""project list."""

from typing import TYPE_CHECKING

import typer

from casvault.cli.call import Call
from casvault.cli.command import PROJECTS, command
from casvault.cli.documents import plain
from casvault.cli.terminal import coloured, columns, count, quoted

if TYPE_CHECKING:
    from casvault.vault.results.projects import ProjectInfo


@command(PROJECTS, "casvault project list")
def list_projects(context: typer.Context) -> None:
    """List the projects of the vault and where they are."""
    call = Call.of(context)
    found = call.vault().projects()
    call.answer({"projects": plain(found)}, _project_lines(found), always=True)


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
