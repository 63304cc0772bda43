"""The commands by name, loaded when they are used, and the run of one of them from arguments to exit code."""

from __future__ import annotations

import io
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from casvault import __version__
from casvault.cli.command import Definition, common_options, prepare, take_common
from casvault.cli.failures import BROKEN_PIPE, INTERRUPTED, USAGE, report
from casvault.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOMES: dict[str, str | dict[str, str]] = {
    "init": "collections:init",
    "status": "collections:status",
    "snapshot": "collections:snapshot",
    "restore": "collections:restore",
    "mv": "artifacts:mv",
    "cp": "artifacts:cp",
    "rm": "artifacts:rm",
    "update": "updating:update",
    "collection": {
        "add": "collections:add",
        "list": "collections:list_collections",
        "remove": "collections:remove",
    },
    "log": "history:log",
    "show": "history:show",
    "diff": "history:diff",
    "branch": "branches:branch",
    "merge": "branches:merge",
    "lineage": "lineage:lineage",
    "snapshots": "snapshots:snapshots",
    "compare": "versions:compare",
    "revert": "versions:revert",
    "tag": "tags:tag",
    "bump": "tags:bump",
    "changelog": "changelogs:changelog",
    "deploy": "deploying:deploy",
    "undeploy": "deploying:undeploy",
    "drift": "drifting:drift",
    "pull": "pulling:pull",
    "fork": "pulling:fork",
    "adopt": "deploying:adopt",
    "pin": "deploying:pin",
    "unpin": "deploying:unpin",
    "which": "drifting:which",
    "fleet": "reports:fleet",
    "timeline": "reports:timeline",
    "conflicts": "conflicts:conflicts",
    "project": {"list": "projects:list_projects"},
    "merges": {
        "list": "merges:list_merges",
        "show": "merges:show",
        "continue": "merges:continue_merge",
        "abort": "merges:abort",
    },
    "resolve": "merges:resolve",
    "ops": "operations:ops",
    "undo": "operations:undo",
    "redo": "operations:redo",
    "recover": "operations:recover",
    "audit": "audit:audit",
    "stats": "figures:stats",
    "fsck": "operations:fsck",
    "purge": "purging:purge",
    "retention": {
        "show": "retention:show",
        "set": "retention:set_policy",
        "plan": "retention:plan",
        "apply": "retention:apply",
    },
    "git": {"import": "git:import_git", "export": "git:export_git"},
    "skillmeat": {"import": "skillmeat:import_skillmeat", "export": "skillmeat:export_skillmeat"},
    "ls-tree": "plumbing:ls_tree",
    "cat": "plumbing:cat",
    "hash": "plumbing:hash_files",
    "rev-parse": "plumbing:rev_parse",
    "merge-base": "plumbing:merge_base",
    "merge-tree": "plumbing:merge_tree",
}
"""Where each command is: module and attribute. A group is a table of its own."""

GROUPS = {
    "retention": ("How much of the past is to be kept.", "Operations"),
    "collection": ("Add, list and remove collections.", "Collections"),
    "project": ("The projects that artifacts are deployed to.", "Projects"),
    "merges": ("Look at merges that met conflicts, continue or abort them.", "Projects"),
    "git": ("Git repositories, there and back.", "Exchange"),
    "skillmeat": ("SkillMeat's collections and deployments, there and back.", "Exchange"),
}
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(TyperGroup):
    """A group that imports the module of a command when that command is asked for, and no other."""

    homes: Mapping[str, str | dict[str, str]]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.homes)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        home = self.homes.get(cmd_name)
        if home is None:
            return None
        return _load(cmd_name, home) if isinstance(home, str) else _build_group(cmd_name, home)

    def get_params(self, ctx: Any) -> list[Any]:
        return prepare(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        take_common(ctx)
        return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.homes and not args[0].startswith("-"):
            close = get_close_matches(args[0], self.homes, n=1)
            remedy = f"did you mean `{ctx.command_path} {close[0]}`?" if close else f"see `{ctx.command_path} --help`"
            raise UsageError("no such command", place=args[0], remedy=remedy)
        return super().resolve_command(ctx, args)


def _load(name: str, home: str) -> Any:
    module, _, attribute = home.partition(":")
    definition = getattr(import_module(f"casvault.cli.commands.{module}"), attribute)
    assert isinstance(definition, Definition)
    return definition.build(name)


def _build_group(name: str, homes: dict[str, str]) -> Any:
    help_text, panel = GROUPS[name]
    group = _group(name, homes, help_text, _without_command)
    group.rich_help_panel = panel
    return group


def _group(name: str, homes: Mapping[str, str | dict[str, str]], help_text: str, callback: Any, **more: Any) -> Any:
    cls = type("Group", (LazyGroup,), {"homes": homes})
    app = typer.Typer(
        name=name,
        cls=cls,
        add_completion=False,
        invoke_without_command=True,
        help=help_text,
        context_settings=_SETTINGS,
        rich_markup_mode="rich",
        **more,
    )
    app.callback()(callback)
    group = typer.main.get_command(app)
    group.params += common_options()
    return group


def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(USAGE)


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"casvault {__version__}")
        raise typer.Exit
    _without_command(context)


HELP = """Version control for collections of artifacts: skills, commands, prompts, configs.

Put a directory under version control, deploy artifacts from it into projects, edit them there, and bring the edits \
home with a true three-way merge. Nothing is ever overwritten that is not in the vault.
"""
EPILOG = """[bold]Start here[/bold]
$ casvault init library
$ casvault deploy skill/pdf --project ~/app
$ casvault drift
$ casvault pull skill/pdf --project ~/app"""


def build_app() -> Any:
    """The whole command, with nothing of its commands loaded yet."""
    return _group("casvault", HOMES, HELP, _root, epilog=EPILOG)


def main(arguments: Sequence[str]) -> int:
    """Run a command line; the exit code. Everything that goes wrong is said in one or two lines."""
    as_json = "--json" in arguments[: arguments.index("--")] if "--" in arguments else "--json" in arguments
    _make_printable()
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _close_quietly()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last one that can tell the user in plain words
        return report(error, as_json=as_json)
    return code


def _run(arguments: list[str]) -> int:
    try:
        with build_app().make_context("casvault", arguments) as context:
            code = context.command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _make_printable() -> None:
    """What a terminal's encoding lacks is escaped; it is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close_quietly() -> None:
    """Whoever read our output has gone, and what is still buffered has nowhere to go."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
