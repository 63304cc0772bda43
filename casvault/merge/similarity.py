"""How alike two contents are: the share of the larger one that stands, in pieces, in the other one too.

A piece is a line, or 64 bytes of one that is longer; it counts by its length, as often as both contents have it and
wherever it stands. So moved lines are alike, and binary contents are measured too. A line end of \\r\\n counts as \\n.

Contents are compared through an index of their pieces, so that those which share nothing cost nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.text.lines import is_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WHOLE: Final = 60_000
"""The similarity of equal contents; git counts in the same unit."""

_PIECES: Final = re.compile(rb"[^\n]{0,63}\n|[^\n]{1,64}")


class Pieces(NamedTuple):
    size: int
    weights: dict[bytes, int]
    """Bytes in all occurrences of each piece."""


class Likeness(NamedTuple):
    old: bytes
    new: bytes
    score: int


def cut(content: bytes) -> Pieces:
    if not is_binary(content):
        content = content.replace(b"\r\n", b"\n")
    counts = Counter(_PIECES.findall(content))
    return Pieces(len(content), {piece: len(piece) * count for piece, count in counts.items()})


def similarity(old: Pieces, new: Pieces) -> int:
    """From 0 to `WHOLE`."""
    small, large = sorted((old.weights, new.weights), key=len)
    return _score(sum(min(weight, large.get(piece, 0)) for piece, weight in small.items()), old, new)


def iter_alike(olds: dict[bytes, Pieces], news: Iterable[tuple[bytes, Pieces]], at_least: int) -> Iterator[Likeness]:
    """The pairs of names whose contents are at least so similar."""
    holders: defaultdict[bytes, list[tuple[bytes, int]]] = defaultdict(list)
    for name, pieces in olds.items():
        for piece, weight in pieces.weights.items():
            holders[piece].append((name, weight))
    for new, pieces in news:
        shared: defaultdict[bytes, int] = defaultdict(int)
        for piece, weight in pieces.weights.items():
            for name, other in holders.get(piece, ()):
                shared[name] += min(weight, other)
        for old, common in shared.items():
            score = _score(common, olds[old], pieces)
            if score >= at_least:
                yield Likeness(old, new, score)


def _score(common: int, old: Pieces, new: Pieces) -> int:
    return common * WHOLE // max(old.size, new.size, 1)
