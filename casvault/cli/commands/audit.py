"""audit."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.call import Call
from casvault.cli.choices import SinceOption, chosen
from casvault.cli.command import OPERATIONS, CollectionOption, command
from casvault.cli.documents import plain, plain_table
from casvault.cli.failures import DAMAGE
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.reports import AuditEntry, Verification

MOST = 5
"""Numbers that are listed."""
BATCH = 200
"""Lines that are aligned together, so that the first of many come at once."""
LimitOption = Annotated[
    int | None, typer.Option("-n", "--limit", metavar="N", min=0, help="Only the N newest.", show_default=False)
]


@command(
    OPERATIONS,
    "casvault audit",
    "casvault audit skill/pdf --since 2026-03-01 --json",
    "casvault audit app --kind deployment --kind pull -n 20",
    "casvault audit --verify",
)
def audit(
    context: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(metavar="ARTIFACT|PROJECT", help="Only what concerns it, by name.")
    ] = None,
    since: SinceOption = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Likewise; of a day its end.", show_default=False)
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="snapshot, version, deployment, pull, observation, pin, conflict, tag, branch; may be repeated.",
            show_default=False,
        ),
    ] = None,
    limit: LimitOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check instead that the chain of operations is whole.")
    ] = False,
    collection: CollectionOption = None,
) -> int:
    """Show everything that was changed: by whom, when, and the ids before and after.

    Deployments, pulls, conflicts, versions, snapshots and tags, the newest first. With --verify nothing is listed: the
    records and operations are held against each other, from the newest down to the oldest that is there, and the exit
    code is 5 if one of them is not what it must be.
    """
    call = Call.of(context)
    if verify:
        if subject is not None or since is not None or until is not None or kinds or limit is not None:
            raise UsageError("--verify goes over the whole chain, and takes nothing else")
        return _verify(call)
    # Not at the top: the façade imports most of casvault, which --help need not wait for.
    from casvault.vault.results.reports import AuditKind

    found = call.vault().iter_audit(
        subject,
        collection=collection,
        kinds=chosen(AuditKind, kinds),
        since=since,
        until=until,
        limit=limit,
    )
    if call.json:
        call.answer({"entries": [plain(entry) for entry in found]}, ())
    else:
        call.answer({}, _audit_lines(found), always=True)
    return 0


def _verify(call: Call) -> int:
    result = call.vault().verify_operations()
    found = result.first_break
    call.answer({**plain_table(result), "ok": found is None}, _verify_lines(result), always=found is not None)
    return 0 if found is None else DAMAGE


def _verify_lines(result: "Verification") -> Iterator[str]:
    checked = ", ".join(
        (
            count(result.operations, "operation"),
            count(result.records, "record"),
            f"{result.changes:,} changed refs",
        )
    )
    found = result.first_break
    verdict = coloured("the chain is whole", "green") if found is None else coloured("the chain is broken", "red")
    yield f"checked {checked}: {verdict}"
    if found is not None:
        where = "" if found.operation is None else f"operation {found.operation}: "
        yield f"  {where}{printable(found.place)}: {printable(found.message)}"
    if result.let_go is not None:
        yield f"operations up to {result.let_go} were let go by retention; the chain ends where it was recorded"
    if result.aside:
        yield (
            f"{count(len(result.aside), 'operation')} in the packs count for nothing: refused at the last moment, cut "
            f"off, or overtaken ({', '.join(map(str, result.aside[-MOST:]))})"
        )


def _audit_lines(found: "Iterable[AuditEntry]") -> Iterator[str]:
    entries = iter(found)
    empty = True
    while batch := list(islice(entries, BATCH)):
        empty = False
        yield from columns([_audit_cells(entry) for entry in batch])
    if empty:
        yield "nothing was changed"


def _audit_cells(entry: "AuditEntry") -> tuple[str, ...]:
    where = [quoted(name) for name in (entry.artifact, entry.name) if name is not None]
    if entry.artifact is None and entry.collection is not None:
        where.append(entry.collection)
    if entry.project is not None:
        where.append(f"in {entry.project}")
    return (
        f"{entry.operation:>4}",
        moment(*entry.at)[:16],
        printable(entry.author),
        entry.command,
        coloured(entry.kind.value, bold=True),
        " ".join(where),
        "" if entry.before == entry.after else f"{short(entry.before)} → {short(entry.after)}",
    )
