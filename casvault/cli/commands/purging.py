"""purge: a leaked secret goes for good."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.command import OPERATIONS, CollectionOption, MessageOption, command
from casvault.cli.documents import plain
from casvault.cli.failures import CONFLICT, FAILURE
from casvault.cli.outcomes import outcome_document
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.purging import PurgedInfo, PurgePlan, PurgeResult

SHOWN = 10
"""Rows of each kind that are shown; --json has all."""


@command(
    OPERATIONS,
    "casvault purge skills/pdf/.env -m 'a token'",
    "casvault purge @~2:skills/pdf/.env --yes",
    "casvault purge 3f2a91bc04de --yes",
    "casvault purge",
)
def purge(
    context: typer.Context,
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="PATH|ID", help="What is to go.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="ID", help="Let the vault have this content again.", show_default=False),
    ] = None,
    message: MessageOption = "",
    collection: CollectionOption = None,
) -> int:
    """Take a leaked secret out of the vault for good.

    PATH is every content that was ever at this path of the collection, in any version; REV:PATH only the one that is
    there; of a directory, all files below. An ID is that of one file's content; versions and directories have none that
    could be purged. The same content under other names goes with it, and everything that holds it is shown first.

    A tombstone stays in its place, which says who purged it, when and why; no other content and no id changes. Without
    a terminal and without --yes it is only shown, and the exit code is 4. Nothing undoes a purge.

    Alone, the command lists what was purged, and ends purges that were cut off.
    """
    call = Call.of(context)
    if allow:
        if targets:
            raise UsageError("--allow takes ids, and nothing is purged with it", place=", ".join(targets))
        outcome = call.vault().allow_purged(allow, message=message)
        call.answer({"allowed": plain(allow), **outcome_document(outcome)}, [f"allowed again: {', '.join(allow)}"])
        call.warn_of(outcome)
        return 0
    if not targets:
        return _list(call)
    vault = call.vault()
    plan = vault.plan_purge(targets, collection=collection)
    if not yes and not _confirms(call, plan):
        call.answer({"done": False, **_plan_document(plan)}, () if _can_ask(call) else _plan_lines(plan), always=True)
        call.warn("nothing was purged", "`--yes` does it; it cannot be undone")
        return CONFLICT
    result = vault.purge(plan, message=message)
    document = {"done": True, **_plan_document(plan), "remaining": plain(result.remaining)}
    call.answer({**document, **outcome_document(result.outcome)}, _result_lines(result))
    call.warn_of(result.outcome)
    return _warn_remaining(call, result.remaining)


def _can_ask(call: Call) -> bool:
    return not call.json and sys.stdin.isatty() and sys.stdout.isatty()


def _confirms(call: Call, plan: "PurgePlan") -> bool:
    if not _can_ask(call):
        return False
    call.answer({}, _plan_lines(plan), always=True)
    return typer.confirm(f"purge {count(len(plan.contents), 'content')} for good?", default=False)


def _list(call: Call) -> int:
    vault = call.vault()
    remaining = vault.finish_purges()
    found = vault.purged()
    call.answer({"purged": plain(found), "remaining": plain(remaining)}, _purged_lines(found), always=True)
    return _warn_remaining(call, remaining)


def _warn_remaining(call: Call, remaining: tuple[str, ...]) -> int:
    for pack in remaining:
        call.warn(f"{pack}: this pack holds purged bytes still", "`casvault fsck` says what is wrong with it")
    return FAILURE if remaining else 0


def _plan_document(plan: "PurgePlan") -> dict[str, object]:
    return {key: plain(value) for key, value in plan._asdict().items()}


def _plan_lines(plan: "PurgePlan") -> Iterator[str]:
    yield coloured(count(len(plan.contents), "content") + " to be purged:", bold=True)
    yield from _some([(short(each.id), f"{each.size:,} B", _paths(each.paths)) for each in plan.contents])
    versions = [
        (
            short(each.version),
            _where(each.collection, each.artifact, each.project),
            moment(each.seconds, each.zone)[:16],
        )
        for each in plan.versions
    ]
    yield from _titled("version", versions)
    snapshots = [
        (
            short(each.snapshot),
            quoted(each.collection) + (" (now)" if each.current else ""),
            moment(each.seconds, each.zone)[:16],
        )
        for each in plan.snapshots
    ]
    yield from _titled("snapshot", snapshots)
    yield from _titled("project", [(quoted(each.project), _paths(each.deployments)) for each in plan.projects])
    yield from _titled("ref", [(quoted(each.name), count(each.commits, "commit") + " below it") for each in plan.refs])
    yield from _titled("merge in progress", [(handle,) for handle in plan.merges])
    operations = [
        (f"{each.number:>4}", each.kind, printable(each.author), moment(each.seconds, each.zone)[:16])
        for each in plan.operations
    ]
    yield from _titled("operation that brought it", operations)
    yield from _elsewhere_lines(plan)


def _elsewhere_lines(plan: "PurgePlan") -> Iterator[str]:
    copies = [(quoted(str(each.path)), each.ref) for each in plan.copies]
    yield from _titled("file on disk that a purge does not touch", copies)
    if plan.not_searched:
        yield f"not at hand, and not searched: {', '.join(quoted(str(path)) for path in plan.not_searched)}"
    yield "it may also be in:"
    for each in plan.elsewhere:
        yield f"  {each.value}"
    yield "a secret that has leaked should be changed, whatever is purged"


def _result_lines(result: "PurgeResult") -> Iterator[str]:
    plan = result.plan
    size = sum(each.size for each in plan.contents)
    yield f"purged {count(len(plan.contents), 'content')}, {size:,} bytes, from {count(len(plan.packs), 'pack')}"
    yield from _elsewhere_lines(plan)


def _purged_lines(found: "list[PurgedInfo]") -> list[str]:
    if not found:
        return ["nothing was ever purged"]
    return columns(
        [
            (
                short(each.id),
                f"{each.size:,} B",
                moment(each.seconds, each.zone)[:16],
                printable(each.author),
                ("(allowed again) " if each.allowed else "") + printable(each.reason.split("\n")[0]),
            )
            for each in found
        ]
    )


def _titled(what: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        word, *rest = what.split(" ")
        yield f"{len(rows):,} {word if len(rows) == 1 else word + 's'}{' ' if rest else ''}{' '.join(rest)}:"
        yield from _some(rows)


def _some(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"  {line}" for line in columns(rows[:SHOWN]))
    if len(rows) > SHOWN:
        yield f"  … and {len(rows) - SHOWN:,} more; --json lists all"


def _paths(paths: tuple[str, ...]) -> str:
    shown = ", ".join(quoted(path) for path in paths[:3])
    return shown + (f", … ({len(paths)})" if len(paths) > 3 else "")


def _where(collection: str, artifact: str, project: str) -> str:
    return f"{quoted(collection)}: {quoted(artifact)}" + (f", seen in {quoted(project)}" if project else "")
