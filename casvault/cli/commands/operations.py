"""ops, undo, redo, recover, fsck."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import OPERATIONS, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT, DAMAGE
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted

if TYPE_CHECKING:
    from casvault.vault.results.upkeep import FsckResult, OperationInfo, RecoverResult, UndoResult

BATCH = 500
"""Lines that are aligned together, so that the first of many come at once."""

ForceOption = Annotated[
    bool, typer.Option("--force", help="Give up later edits of the same places; they are recorded first.")
]
RefsOnlyOption = Annotated[bool, typer.Option("--refs-only", help="Leave all files alone.")]


@command(OPERATIONS, "casvault ops", "casvault ops -n 5 --json")
def ops(
    context: typer.Context,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", metavar="N", min=0, help="Only the N newest.", show_default=False)
    ] = None,
) -> None:
    """Show what was done in the vault: who, when, which command."""
    call = Call.of(context)
    found = call.vault().operations(limit)
    call.answer({"operations": plain(found)}, _operation_lines(found), always=True)


@command(OPERATIONS, "casvault undo", "casvault undo --refs-only")
def undo(context: typer.Context, force: ForceOption = False, refs_only: RefsOnlyOption = False) -> None:
    """Take back the latest command, files included.

    What came later in other places stays. Later edits in the same files are kept where they do not clash; where they
    do, nothing is undone.
    """
    call = Call.of(context)
    result = call.vault().undo(force=force, refs_only=refs_only)
    _answer(call, result, "undid", "`casvault redo` brings it again")


@command(OPERATIONS, "casvault redo")
def redo(context: typer.Context, force: ForceOption = False, refs_only: RefsOnlyOption = False) -> None:
    """Take back the latest undo."""
    call = Call.of(context)
    result = call.vault().redo(force=force, refs_only=refs_only)
    _answer(call, result, "took back", "`casvault undo` takes it away again")


@command(OPERATIONS, "casvault recover", "casvault recover ~/app --back")
def recover(
    context: typer.Context,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="A collection or project; all of them without.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Take it back instead of finishing it.")] = False,
) -> int:
    """Finish what a command was cut off from.

    A crash or a power cut while files were written leaves a directory interrupted, and every command says so. The exit
    code is 4 if something is in the way, and the directory is interrupted still.
    """
    call = Call.of(context)
    results = call.vault().recover(directory, back=back)
    call.answer({"recovered": plain(results)}, _recover_lines(results))
    for result in results:
        for path in result.kept:
            call.warn(
                f"{path}: left alone, because something else is there", "move it away and run `casvault recover` again"
            )
    return CONFLICT if any(result.kept for result in results) else 0


@command(OPERATIONS, "casvault fsck", "casvault fsck --json")
def fsck(context: typer.Context) -> int:
    """Check that nothing in the vault is damaged.

    Every pack, object and reference is read, and the chain of operations. The exit code is 5 if something is wrong.
    """
    call = Call.of(context)
    result = call.vault().fsck()
    problems = [{"place": place, "message": message} for place, message in result.problems]
    document = {**result._asdict(), "ok": not problems, "problems": problems}
    call.answer(document, _fsck_lines(result), always=bool(problems))
    return DAMAGE if problems else 0


def _answer(call: Call, result: "UndoResult", verb: str, way_back: str) -> None:
    document = {
        "kind": result.kind,
        "number": result.number,
        "undone": result.undone,
        "arguments": plain(result.arguments),
        **outcome_document(result.outcome),
    }
    call.answer(document, _inverse_lines(result, verb, way_back))
    call.warn_of(result.outcome)


def _inverse_lines(result: "UndoResult", verb: str, way_back: str) -> Iterator[str]:
    outcome = result.outcome
    files = ""
    if outcome.written or outcome.removed:
        files = f" · {count(outcome.written, 'file')} written, {outcome.removed:,} removed"
    arguments = " ".join(map(_argument, result.arguments))
    yield f"{verb} operation {result.number}: {coloured(result.undone, bold=True)} {arguments}".rstrip() + files
    yield way_back


def _operation_lines(found: "list[OperationInfo]") -> Iterator[str]:
    for start in range(0, len(found), BATCH):
        yield from columns([_operation_cells(info) for info in found[start : start + BATCH]])


def _operation_cells(info: "OperationInfo") -> tuple[str, ...]:
    arguments = " ".join(_argument(argument) for argument in info.arguments)
    title = info.message.strip().split("\n")[0]
    what = f"{arguments} · {printable(title)}" if title else arguments
    return (
        f"{info.number:>4}",
        moment(info.seconds, info.zone)[:16],
        coloured(info.kind, bold=True),
        coloured(f"{what} (undone)", dim=True) if info.undone else what,
    )


def _argument(argument: str) -> str:
    """An argument of an operation; ids are cut short."""
    is_id = len(argument) == 64 and set(argument) <= set("0123456789abcdef")
    return argument[:12] if is_id else quoted(argument)


def _recover_lines(results: "Iterable[RecoverResult]") -> Iterator[str]:
    empty = True
    for result in results:
        empty = False
        verb = "not finished" if result.kept else "taken back" if result.taken_back else "finished"
        files = f"{count(result.written, 'file')} written, {result.removed:,} removed"
        yield f"{quoted(str(result.directory))}: operation {result.operation} {verb} · {files}"
    if empty:
        yield "nothing was cut off; there is nothing to recover"


def _fsck_lines(result: "FsckResult") -> Iterator[str]:
    checked = ", ".join(
        (count(result.packs, "pack"), count(result.objects, "object"), count(result.operations, "operation"))
    )
    verdict = count(len(result.problems), "problem") if result.problems else "no problems"
    if result.purged:
        checked += f", {count(result.purged, 'tombstone')}"
    yield f"checked {checked}: {coloured(verdict, 'red' if result.problems else 'green')}"
    for place, message in result.problems:
        yield f"  {printable(place)}: {printable(message)}"
