"""Where the values of a structured text are written in it, and texts in which values are replaced.

A changed text is put together from pieces of the two texts that are merged: what a merge leaves alone stays as it is
written, byte by byte, and what is taken over comes with its comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from casvault.merge.drivers.values import Scalar, fingerprint, order_keys
from casvault.text.change import line_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.merge.drivers.values import Value


class Shape(Enum):
    """How a value is written."""

    SCALAR = "scalar"
    FLOW = "flow"
    """In brackets, with commas between the parts."""
    BLOCK = "block"
    """Part below part, each on lines of its own, at one column."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value at [start, end) of its text. A block begins with its first part and ends with its last one."""

    value: Value
    shape: Shape
    start: int
    end: int
    parts: tuple[Part, ...] = ()
    column: int = 0
    """Of a block: how far its parts are indented."""


class Part(NamedTuple):
    """A key with its value, or an element: [start, end), of a block with the comments above and the last line end."""

    key: Scalar | None
    start: int
    end: int
    node: Node


class Document(NamedTuple):
    text: str
    root: Node


class UnfitError(ValueError):
    """A change that cannot be written in this layout."""


class _Piece(NamedTuple):
    """A part as it will stand in the result: the document that it is cut from, and its text."""

    source: Document
    part: Part
    text: str


def rewrite(host: Document, donor: Document, wanted: Value) -> str:
    """The host's text with `wanted` as its value, which has nothing that neither document has. May raise UnfitError.

    That the result says what was wanted is for the caller to check: where the layout is an unusual one, it may not.
    """
    if _line_end(host.text) != _line_end(donor.text):
        raise UnfitError("line ends differ")
    body = _rewrite(host, host.root, donor, donor.root, wanted)
    return host.text[: host.root.start] + body + host.text[host.root.end :]


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _rewrite(host: Document, node: Node, donor: Document, other: Node, wanted: Value) -> str:
    if node.value == wanted:
        return host.text[node.start : node.end]
    if node.shape is other.shape is Shape.BLOCK and type(node.value) is type(other.value) is type(wanted):
        return _block(host, node, _pieces(host, node, donor, other, wanted))
    if Shape.BLOCK not in (node.shape, other.shape):
        if node.parts and type(node.value) is type(other.value) is type(wanted):
            return _flow(host, node, _pieces(host, node, donor, other, wanted))
        if other.value == wanted:
            return _moved(donor, other.start, donor.text[other.start : other.end], host, node.start)
    if node.parts and isinstance(node.value, dict) and isinstance(other.value, dict) and isinstance(wanted, dict):
        pieces = list(_members(host, node, donor, other, wanted))
        if node.shape is Shape.BLOCK:
            return _block(host, node, pieces)
        if all(piece.source is host for piece in pieces):
            return _flow(host, node, pieces)
    raise UnfitError("written differently on the two sides")


def _pieces(host: Document, node: Node, donor: Document, other: Node, wanted: Value) -> list[_Piece]:
    if isinstance(wanted, dict):
        return list(_members(host, node, donor, other, wanted))
    assert isinstance(wanted, tuple)
    return _elements(host, node, donor, other, wanted)


def _members(host: Document, node: Node, donor: Document, other: Node, wanted: dict[Scalar, Value]) -> Iterable[_Piece]:
    mine = {part.key: part for part in node.parts if part.key is not None}
    given = {part.key: part for part in other.parts if part.key is not None}
    for key in order_keys(list(mine), list(given), wanted):
        part, offered = mine.get(key), given.get(key)
        if part is None:
            assert offered is not None
            yield _whole(donor, offered)
        elif offered is None or part.node.value == wanted[key]:
            yield _whole(host, part)
        else:
            yield _changed(host, part, donor, offered, wanted[key])


def _changed(host: Document, part: Part, donor: Document, offered: Part, wanted: Value) -> _Piece:
    """A member whose value is replaced, in its place where that can be, else with its key and all."""
    mine, other = part.node, offered.node
    if _is_inline(host, mine) and _is_inline(donor, other):
        try:
            text = _rewrite(host, mine, donor, other, wanted)
        except UnfitError:
            if other.value != wanted:
                raise
        else:
            return _Piece(host, part, host.text[part.start : mine.start] + text + host.text[mine.end : part.end])
    return _whole(donor, offered)


def _is_inline(source: Document, node: Node) -> bool:
    """Whether the value can be cut out: a scalar that is on one line and not left out, or something with parts."""
    text = source.text[node.start : node.end]
    return node.shape is not Shape.SCALAR or ("\n" not in text and text != "")


def _elements(host: Document, node: Node, donor: Document, other: Node, wanted: Sequence[Value]) -> list[_Piece]:
    """The host's elements where they are kept, else those of the donor that are equal."""
    old, new = (
        [fingerprint(value) for value in values] for values in (tuple(p.node.value for p in node.parts), wanted)
    )
    offered = {fingerprint(part.node.value): part for part in other.parts}
    pieces = [_whole(host, part) for part in node.parts]
    for change in reversed(line_changes(old, new)):
        names = new[change.new_start : change.new_end]
        if any(name not in offered for name in names):
            raise UnfitError("an element that only the host has is at two places")
        pieces[change.old_start : change.old_end] = [_whole(donor, offered[name]) for name in names]
    return pieces


def _whole(source: Document, part: Part) -> _Piece:
    return _Piece(source, part, source.text[part.start : part.end])


def _block(host: Document, node: Node, pieces: Sequence[_Piece]) -> str:
    """The pieces below one another, at the column of the block."""
    end = _line_end(host.text)
    shown = [] if pieces else [_nothing(node) + end]
    for piece in pieces:
        column, text = _column(piece), piece.text
        if not _begins_line(piece.source.text, piece.part.start):
            text = " " * column + text
        text = text if text.endswith("\n") else text + end
        shown.append(text if column == node.column else _indented(text, column, node.column))
    body = "".join(shown)
    if not _begins_line(host.text, node.start):
        body = body.lstrip(" ")
    is_ended = host.text[node.start : node.end].endswith("\n")
    return body if is_ended else body.removesuffix(end)


def _nothing(node: Node) -> str:
    """What stands for a block without parts. A list may be no further indented than the key whose value it is, but
    brackets have to be.
    """
    return " " * node.column + ("{}" if isinstance(node.value, dict) else "  []")


def _column(piece: _Piece) -> int:
    """How far the part is indented; of one that begins inside a line, how far its other lines are."""
    text, start = piece.source.text, piece.part.start
    if _begins_line(text, start):
        return _depth(text[start : start + len(piece.text)])
    return start - _line_start(text, start)


def _indented(text: str, old: int, new: int) -> str:
    """Indented by `new` columns instead of `old`, line by line; blank lines stay as they are."""
    lines = text.split("\n")
    return "\n".join(
        " " * (new + max(0, _depth(line) - old)) + line.lstrip(" ") if line.strip() else line for line in lines
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _flow(host: Document, node: Node, pieces: Sequence[_Piece]) -> str:
    """The pieces in the host's brackets, with what the host has before, between and behind its parts."""
    text, parts = host.text, node.parts
    lead, tail = text[node.start : parts[0].start], text[parts[-1].end : node.end]
    if not pieces:
        return lead[:1] + tail[-1:]
    gaps = {part.start: text[before.end : part.start] for before, part in pairwise(parts)}
    usual = next(iter(gaps.values()), "," + (lead[1:] or " "))
    shown: list[str] = []
    for piece in pieces:
        is_own = piece.source is host
        gap = gaps.get(piece.part.start, usual) if is_own else usual
        own = piece.text if is_own else _moved(piece.source, piece.part.start, piece.text, host, parts[0].start)
        shown += [gap, own] if shown else [lead, own]
    return "".join([*shown, tail])


def _moved(source: Document, start: int, cut: str, host: Document, at: int) -> str:
    """Lines cut out at `start`, indented as the line is that they come into."""
    old, new = _margin(source.text, start), _margin(host.text, at)
    first, *rest = cut.split("\n")
    return "\n".join([first, *(new + line[len(old) :] if line.startswith(old) else line for line in rest)])


def _margin(text: str, at: int) -> str:
    line = text[_line_start(text, at) :]
    return line[: len(line) - len(line.lstrip(" \t"))]
