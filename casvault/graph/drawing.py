"""A history as a drawing in text, as `git log --graph` has it: a column for each line of descent, edges between them.

    *    a merge of two lines
    |\\
    | *  a version on the second line
    * |  one on the first
    |/
    *    where the lines parted

Nodes come in an order in which children stand before their parents. A column waits for one node; two columns that wait
for the same one are joined at once, the right one into the left one, so that a node is never drawn in two columns.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple

from casvault.graph.node import N

NODE, EDGE = "*", "|"
_DOWN_RIGHT, _DOWN_LEFT, _LEVEL = "\\", "/", "_"


class Drawn(NamedTuple, Generic[N]):
    """What is to be drawn for one node. All lines end without spaces."""

    node: N
    head: str
    """The line of the node itself."""
    links: tuple[str, ...]
    """The lines between it and what comes next: forks, joins, columns that move."""
    below: str
    """A line that only continues what is open after the links; for text that needs more lines."""


def iter_drawn(nodes: Iterable[tuple[N, Sequence[N]]]) -> Iterator[Drawn[N]]:
    """Each node, given with its parents, as it is drawn. Parents that never come leave their edges open."""
    columns: list[N] = []
    for node, parents in nodes:
        if node not in columns:
            columns.append(node)
        at = columns.index(node)
        head = "".join(f"{NODE if number == at else EDGE} " for number in range(len(columns))).rstrip()
        links = tuple(_leave(columns, at, list(dict.fromkeys(parents))))
        yield Drawn(node, head, links, _open_edges(len(columns)))


def _leave(columns: list[N], at: int, parents: list[N]) -> Iterator[str]:
    """Replace a node by its parents in the columns; the lines that show how."""
    if not parents:
        del columns[at]
        if at < len(columns):
            yield _line(len(columns), until=at, left_from=at + 1)
        return
    columns[at] = parents[0]
    # Each further parent gets a column just to the right, so the last one comes first.
    for parent in reversed(parents[1:]):
        if at + 1 < len(columns) and columns[at + 1] == parent:
            yield _line(len(columns), until=len(columns), marks={2 * at + 1: _DOWN_RIGHT})
        else:
            columns.insert(at + 1, parent)
            yield _line(len(columns) - 1, until=at + 1, right_from=at, marks={2 * at + 1: _DOWN_RIGHT})
    while (pair := _find_pair(columns)) is not None:
        yield from _join(columns, *pair)


def _find_pair(columns: list[N]) -> tuple[int, int] | None:
    """The first two columns that wait for the same node."""
    first: dict[N, int] = {}
    for number, node in enumerate(columns):
        if node in first:
            return first[node], number
        first[node] = number
    return None


def _join(columns: list[N], left: int, right: int) -> Iterator[str]:
    """Lead the right column into the left one; what stands further right moves up."""
    count = len(columns)
    del columns[right]
    marks = dict.fromkeys(range(2 * left + 3, 2 * right - 2, 2), _LEVEL)
    yield _line(count - 1, until=right, left_from=right, marks=marks)
    if right - left > 1:
        yield _line(count - 1, until=count - 1, marks={2 * left + 1: _DOWN_LEFT})


def _line(
    count: int,
    *,
    until: int,
    left_from: int | None = None,
    right_from: int | None = None,
    marks: dict[int, str] | None = None,
) -> str:
    """A line of edges: straight ones in the columns before `until`, then columns that move one to the left or right.

    Columns are numbered as they are above the line; `count` of them are there after a move to the left, and before one
    to the right.
    """
    signs = {2 * column: EDGE for column in range(until)}
    if left_from is not None:
        signs |= {2 * column - 1: _DOWN_LEFT for column in range(left_from, count + 1)}
    if right_from is not None:
        signs |= {2 * column + 1: _DOWN_RIGHT for column in range(right_from, count)}
    signs |= marks or {}
    return "".join(signs.get(place, " ") for place in range(max(signs, default=-1) + 1))


def _open_edges(count: int) -> str:
    return " ".join(EDGE * count)
