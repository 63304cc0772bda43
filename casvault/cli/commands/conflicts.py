"""conflicts."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.bars import bar
from casvault.cli.call import Call
from casvault.cli.choices import SinceOption
from casvault.cli.command import PROJECTS, CollectionOption, command
from casvault.cli.documents import Document, plain_table
from casvault.cli.terminal import coloured, columns, count, moment, printable, quoted, short
from casvault.errors import UsageError

if TYPE_CHECKING:
    from casvault.vault.results.reports import ConflictPath, ConflictRecord, Patterns, Suggestion, Tally

STATS = "stats"
TOP = 8
"""Rows of a table in the terminal; JSON has all."""


@command(
    PROJECTS,
    "casvault conflicts",
    "casvault conflicts skill/pdf --since 30d --json",
    "casvault conflicts --unresolved",
    "casvault conflicts stats",
)
def conflicts(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[stats] [ARTIFACT]", help="With stats: what conflicts have in common.", show_default=False
        ),
    ] = None,
    unresolved: Annotated[bool, typer.Option("--unresolved", help="Only those that wait to be resolved.")] = False,
    since: SinceOption = None,
    collection: CollectionOption = None,
) -> None:
    """Show the conflicts that merges met, and how they were resolved.

    When each was met and ended, what clashed in which path, how and by whom it was settled. `conflicts stats` tells
    which artifacts and paths conflict most, how long that takes, and what would spare it.
    """
    call = Call.of(context)
    given = list(words or ())
    wants_stats = given[:1] == [STATS]
    names = given[wants_stats:]
    if len(names) > 1:
        raise UsageError("one artifact at a time", place=names[1])
    artifact = names[0] if names else None
    vault = call.vault()
    if wants_stats:
        if unresolved:
            raise UsageError("--unresolved goes with the list, not with stats")
        patterns = vault.conflict_patterns(artifact, since=since, collection=collection)
        call.answer(plain_table(patterns), _pattern_lines(patterns), always=True)
        return
    found = vault.conflicts(artifact, unresolved=unresolved, since=since, collection=collection)
    call.answer({"conflicts": [_conflict_document(each) for each in found]}, _conflict_lines(found), always=True)


def _conflict_document(record: "ConflictRecord") -> Document:
    return {**plain_table(record), "open": [path.path for path in record.open]}


def _conflict_lines(found: "Sequence[ConflictRecord]") -> Iterator[str]:
    if not found:
        yield "no merge met a conflict"
    for record in found:
        about = f"{coloured(quoted(record.artifact), bold=True)}  {record.direction.value}, {quoted(record.project)}"
        yield f"{about}: {_state(record)}"
        ids = ("base", record.base), ("ours", record.ours), ("theirs", record.theirs), ("result", record.result)
        yield f"  {', '.join(f'{name} {short(oid)}' for name, oid in ids)}"
        yield from columns([_path_cells(path) for path in record.paths])


def _state(record: "ConflictRecord") -> str:
    met = f"met {moment(*record.detected)[:16]}"
    if record.completed is None or record.strategy is None:
        waits = coloured(f"waits, {len(record.open):,} of {count(len(record.paths), 'path')} open", "yellow")
        return f"{met}, {waits} ({record.merge})"
    undone = coloured(" (undone)", dim=True) if record.undone else ""
    return (
        f"{met}, ended {moment(*record.completed)[:16]} ({record.strategy.value}) by {printable(record.by)} "
        f"in operation {record.operation}{undone}"
    )


def _path_cells(path: "ConflictPath") -> tuple[str, ...]:
    settled = coloured("open", "yellow") if path.how is None else path.how.value
    who = f"by {printable(path.by)}" if path.by else ""
    return f"    {quoted(path.path)}", path.kind.value, count(path.hunks, "hunk"), settled, who


def _pattern_lines(found: "Patterns") -> Iterator[str]:
    if not found.conflicts:
        yield "no merge met a conflict"
        return
    waiting = f", {found.waiting:,} of them waiting" if found.waiting else ""
    took = "" if found.median_seconds is None else f"; resolved in {_duration(found.median_seconds)} (median)"
    yield f"{count(found.conflicts, 'merge')} with conflicts in {count(found.hunks, 'hunk')}{waiting}{took}"
    for title, tallies in (
        ("artifacts", found.artifacts),
        ("paths", found.paths),
        ("from", found.projects),
        ("kinds", found.kinds),
        ("strategies", found.strategies),
    ):
        yield from _tally_lines(title, tallies)
    if found.suggestions:
        yield coloured("what would help", bold=True)
        yield from (f"  {_advice(each)}" for each in found.suggestions)


def _tally_lines(title: str, tallies: "Sequence[Tally]") -> Iterator[str]:
    if tallies:
        yield coloured(title, bold=True)
        most = tallies[0].times
        rows = [(f"  {quoted(each.name)}", f"{each.times:>4,}", bar(each.times, most)) for each in tallies[:TOP]]
        yield from columns(rows)
        if len(tallies) > TOP:
            yield f"  and {len(tallies) - TOP:,} more"


def _advice(found: "Suggestion") -> str:
    name = found.advice.name
    if name == "REUSE":
        return f"{quoted(found.path)} was resolved before: casvault resolve {found.detail} {quoted(found.path)} --reuse"
    if name == "DRIVER":
        return (
            f"{found.collection} merges {found.path} by lines; the {found.detail} driver knows their structure "
            "(casvault.toml)"
        )
    return (
        f"{quoted(found.artifact)} met {found.detail} conflicts with {found.project}: "
        f"`casvault fork {quoted(found.artifact)}` there lets it go its own way"
    )


def _duration(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return count(round(seconds / length), unit)
    return count(round(seconds), "second")
