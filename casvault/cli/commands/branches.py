"""branch, merge; and snapshots of plain directories, which go to branches."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import HISTORY, CollectionOption, MessageOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.branches import BranchInfo, BranchMerge, BranchResult


@command(HISTORY, "casvault branch", "casvault branch try branches/main~2", "casvault branch -d try")
def branch(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The branch to make; all are listed without.")
    ] = None,
    revision: Annotated[
        str | None, typer.Argument(metavar="REV", help="Where it begins: a branch, tag or commit.")
    ] = None,
    delete: Annotated[
        str | None, typer.Option("-d", "--delete", metavar="NAME", help="Forget this branch.", show_default=False)
    ] = None,
    collection: CollectionOption = None,
) -> None:
    """List, make or forget branches.

    A branch is a line of commits of a plain directory: `casvault snapshot --branch NAME DIR` records one, and imports
    from git come as branches. They are named `branches/NAME` wherever a revision is meant.
    """
    call = Call.of(context)
    if delete is not None:
        if name is not None:
            raise UsageError("-d takes one branch, and nothing else with it", place=name)
        outcome = call.vault().delete_branch(delete)
        lines = [f"{quoted(delete)}: forgotten; `casvault undo` brings it back"]
        call.answer({"branch": delete, **outcome_document(outcome)}, lines)
        call.warn_of(outcome)
    elif name is None:
        found = call.vault().branches()
        call.answer({"branches": plain(found)}, _list_lines(found), always=True)
    elif revision is None:
        remedy = "casvault branch NAME REV; or record a directory: casvault snapshot --branch NAME DIR"
        raise UsageError("say where the branch begins", place=name, remedy=remedy)
    else:
        result = call.vault().create_branch(name, revision, collection=collection)
        verb = "begins" if result.created else "stands already"
        call.answer(branch_document(result), [f"{quoted(name)}: {verb} at {short(result.tip)}"])
        call.warn_of(result.outcome)


@command(HISTORY, "casvault merge try --into main", "casvault merge branches/lib/main --into main -m 'Upstream'")
def merge(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="BRANCH", help="What is merged: a branch, tag or commit.")],
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="The branch that receives it.")],
    unrelated: Annotated[
        bool, typer.Option("--unrelated", help="Merge histories that have no commit in common, without a base.")
    ] = False,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Merge a branch into another.

    The branch moves forward where that is all, and else gets a commit with both as parents. If they clash it stays
    where it is, and the merge waits: see `casvault merges list`.
    """
    call = Call.of(context)
    result = call.vault().merge_branch(source, into, unrelated=unrelated, message=message, collection=collection)
    call.answer(merge_document(result), merge_lines(result))
    call.warn_of(result.outcome)
    return 0 if result.is_complete else CONFLICT


def branch_document(result: "BranchResult") -> dict[str, object]:
    fields = {key: plain(value) for key, value in result._asdict().items() if key != "outcome"}
    return {**fields, **outcome_document(result.outcome)}


def merge_document(result: "BranchMerge") -> dict[str, object]:
    fields = {key: plain(value) for key, value in result._asdict().items() if key != "outcome"}
    return {**fields, **outcome_document(result.outcome)}


def merge_lines(result: "BranchMerge") -> Iterator[str]:
    yield f"{coloured(quoted(result.into), bold=True)}: {result.action.value}, at {short(result.tip)}"
    yield from columns([(f"  {quoted(each.path)}", each.kind.value) for each in result.conflicts])
    if result.merge is not None:
        clash = count(len(result.conflicts), "conflict")
        yield f"{clash}, and nothing was changed: casvault merges show {result.merge}"


def snapshot_lines(result: "BranchResult") -> Iterator[str]:
    if not result.created:
        yield f"{quoted(result.branch)}: nothing has changed since {short(result.tip)}"
        return
    yield f"{coloured(quoted(result.branch), bold=True)}: {short(result.tip)}"
    if result.ignored:
        yield f"{count(len(result.ignored), 'path')} ignored"


def _list_lines(found: "list[BranchInfo]") -> list[str]:
    if not found:
        return ["no branches; `casvault snapshot --branch NAME DIR` makes one"]
    rows = [
        (
            coloured(quoted(info.name), bold=True),
            coloured(short(info.tip), "yellow"),
            moment(info.seconds, info.zone)[:16],
            printable(info.subject),
        )
        for info in found
    ]
    return columns(rows)
