"""What a command is: a function with typer's annotations, a help panel, examples, and the options that all share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand

from casvault.cli.call import Call
from casvault.cli.values import check_quickly

if TYPE_CHECKING:
    from collections.abc import Callable

COLLECTIONS = "Collections"
HISTORY = "History"
PROJECTS = "Projects"
OPERATIONS = "Operations"
EXCHANGE = "Exchange"
PLUMBING = "Plumbing"
_GLOBAL = "Global options"

CollectionOption = Annotated[
    str | None,
    typer.Option(
        "--collection", metavar="NAME", help="By default the one of the current directory.", show_default=False
    ),
]
ProjectOption = Annotated[
    str | None,
    typer.Option("--project", metavar="DIR", help="By default the one of the current directory.", show_default=False),
]
MessageOption = Annotated[
    str, typer.Option("-m", "--message", metavar="TEXT", help="Why this is done.", show_default=False)
]
ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="Exit with 6 if there are differences.")]


class Command(TyperCommand):
    """A command that takes the shared options too, wherever on its line they stand."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **more: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *common_options()], **more)

    def get_params(self, ctx: Any) -> list[Any]:
        return prepare(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        take_common(ctx)
        return super().invoke(ctx)


class SplitCommand(Command):
    """A command for which what stands after `--` means something else; it is found in `context.meta[SPLIT]`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- PATH...]"]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[SPLIT] = args[at + 1 :]
        rest: list[str] = super().parse_args(ctx, args[:at])
        return rest


SPLIT = "casvault.after-dashes"


class Definition(NamedTuple):
    """A command before it is built, which takes typer a while."""

    function: Callable[..., int | None]
    panel: str
    examples: tuple[str, ...]
    cls: type[Command]

    def build(self, name: str) -> Any:
        app = typer.Typer(add_completion=False, rich_markup_mode="rich")
        app.command(
            name,
            cls=self.cls,
            rich_help_panel=self.panel,
            help=_paragraphs(self.function.__doc__ or ""),
            epilog="\n".join(("[bold]Examples[/bold]", *(f"$ {_literal(example)}" for example in self.examples))),
            context_settings={"help_option_names": ["-h", "--help"]},
        )(self.function)
        return typer.main.get_command(app)


def command(
    panel: str, *examples: str, cls: type[Command] = Command
) -> Callable[[Callable[..., int | None]], Definition]:
    """Make a command of a function; it answers its exit code, or None for 0."""
    return lambda function: Definition(function, panel, examples, cls)


def _paragraphs(text: str) -> str:
    """A docstring with each paragraph on one line, to be wrapped by the terminal's width."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _literal(text: str) -> str:
    """Text that rich does not take for markup."""
    return text.replace("[", "\\[")


def _common(
    global_vault: Annotated[
        str | None,
        typer.Option(
            "--vault",
            metavar="PATH",
            help="The vault; by default $CASVAULT_VAULT, else that of the current directory.",
            rich_help_panel=_GLOBAL,
            show_default=False,
        ),
    ] = None,
    global_directory: Annotated[
        str | None,
        typer.Option(
            "-C", metavar="DIR", help="Run as if started in DIR.", rich_help_panel=_GLOBAL, show_default=False
        ),
    ] = None,
    global_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.", rich_help_panel=_GLOBAL)
    ] = False,
    global_quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Say nothing but warnings and errors.", rich_help_panel=_GLOBAL)
    ] = False,
) -> None:
    """The options that every command has, before its name or after it; no argument of a command has such a name."""


@cache
def _common_params() -> tuple[Any, ...]:
    app = typer.Typer(add_completion=False)
    app.command()(_common)
    return tuple(typer.main.get_command(app).params)


def common_options() -> list[Any]:
    return list(_common_params())


def prepare(params: list[Any]) -> list[Any]:
    """The parameters, with flags that the help does not call a <bool>, and checked without pydantic."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        check_quickly(param)
    return params


def take_common(context: typer.Context) -> None:
    """Move the shared options from a command's parameters to the call."""
    call = context.ensure_object(Call)
    context.call_on_close(call.clear)
    values = {option.name: context.params.pop(option.name, None) for option in _common_params()}
    call.take(**{name.removeprefix("global_"): value for name, value in values.items()})
