"""Drawings of histories with text beside them."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from casvault.cli.terminal import coloured
from casvault.vault.drawing import iter_drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casvault.oid import Oid


def beside_drawing(
    nodes: Sequence[tuple[Oid, Sequence[Oid]]], entries: Sequence[Sequence[str]], *, apart: bool
) -> Iterator[str]:
    """The drawing, with the lines of each node's entry at its right; `apart` leaves a line between entries."""
    for number, (drawn, entry) in enumerate(zip(iter_drawn(nodes), entries, strict=True)):
        text = [*entry, ""] if apart and number + 1 < len(entries) else list(entry)
        edges = [drawn.head, *drawn.links]
        width = max(map(len, (*edges, drawn.below)))
        for edge, line in zip_longest(edges, text):
            shown = drawn.below if edge is None else edge
            yield f"{_shown(shown)}{' ' * (width - len(shown))}  {line or ''}".rstrip()


def _shown(edges: str) -> str:
    return edges.replace("*", coloured("*", "yellow", bold=True))
