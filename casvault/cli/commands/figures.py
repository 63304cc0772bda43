"""stats."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casvault.cli.bars import bar, size
from casvault.cli.call import Call
from casvault.cli.command import OPERATIONS, command
from casvault.cli.documents import plain_table
from casvault.cli.terminal import coloured, columns, count, quoted
from casvault.errors import FailureError, UsageError

if TYPE_CHECKING:
    from casvault.vault.results.reports import Figures

TOP = 8
"""Rows of a table in the terminal; JSON has all."""


@command(OPERATIONS, "casvault stats", "casvault stats --plot growth.svg", "casvault stats --json")
def stats(
    context: typer.Context,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE.svg", help="Draw how it grew.", show_default=False)
    ] = None,
) -> None:
    """Show how large the vault is, what that saves, and what is used most.

    Every operation is gone over, and every object that it brought is counted once.
    """
    call = Call.of(context)
    if plot is not None and not plot.lower().endswith(".svg"):
        raise UsageError("plots are SVG", place=plot, remedy="name a file that ends with .svg")
    vault = call.vault()
    found = vault.figures()
    if plot is not None:
        try:
            Path(plot).write_text(vault.plot(found), encoding="utf-8")
        except OSError as error:
            raise FailureError(error.strerror or "cannot be written", place=plot) from error
    call.answer({**plain_table(found), "plot": plot}, _figure_lines(found, plot), always=True)


def _figure_lines(found: "Figures", plot: str | None) -> Iterator[str]:
    total = found.total
    yield (
        f"{count(found.operations, 'operation')}, {count(total.objects, 'object')} in {count(found.packs, 'pack')} "
        f"({size(found.pack_bytes)})"
    )
    most, sharing, packing = max(found.copies, total.raw, total.stored), found.saved_by_sharing, found.saved_by_packing
    yield from columns(
        [
            ("  every state as a copy", size(found.copies), bar(found.copies, most, "yellow"), ""),
            (
                "  each object once",
                size(total.raw),
                bar(total.raw, most),
                _saved("sharing", sharing, "what trees and commits add"),
            ),
            (
                "  stored",
                size(total.stored),
                bar(total.stored, most, "green"),
                _saved("compression", packing, "what packs add"),
            ),
        ]
    )
    for title, shares in (("objects", found.kinds), ("stored as", found.encodings)):
        yield coloured(title, bold=True)
        largest = max((share.sizes.stored for share in shares), default=0)
        yield from columns(
            [
                (
                    f"  {share.name}",
                    f"{share.sizes.objects:>9,}",
                    f"{size(share.sizes.stored):>9}",
                    bar(share.sizes.stored, largest),
                )
                for share in shares
            ]
        )
    yield from _usage_lines(found)
    yield from _period_lines(found)
    if plot is not None:
        yield f"drawn to {quoted(plot)}"


def _saved(what: str, share: float, otherwise: str) -> str:
    """A small vault may hold more than it spares; then it is said why."""
    return f"{what} saves {share:.0%}" if share >= 0 else f"{what} saves less than {otherwise}"


def _usage_lines(found: "Figures") -> Iterator[str]:
    if found.deployed:
        yield coloured("most deployed", bold=True)
        most = found.deployed[0].projects
        yield from columns(
            [
                (
                    f"  {quoted(row.artifact)}",
                    count(row.projects, "project"),
                    bar(row.projects, most),
                    count(row.deployments, "deployment"),
                )
                for row in found.deployed[:TOP]
            ]
        )
    if found.projects:
        yield coloured("busiest projects", bold=True)
        busiest = found.projects[0].operations
        yield from columns(
            [
                (
                    f"  {row.project}",
                    count(row.operations, "operation"),
                    bar(row.operations, busiest),
                    f"{count(row.deployments, 'deployment')}, {count(row.pulls, 'pull')}",
                )
                for row in found.projects[:TOP]
            ]
        )


def _period_lines(found: "Figures") -> Iterator[str]:
    if not found.periods:
        return
    yield coloured(f"by {found.span.value}", bold=True)
    periods = found.periods[-2 * TOP :]
    most = max(period.operations for period in periods)
    yield from columns(
        [
            (
                f"  {period.start}",
                count(period.operations, "operation"),
                bar(period.operations, most),
                f"+{size(period.added.stored)}",
                f"{size(period.total.stored)} stored",
            )
            for period in periods
        ]
    )
