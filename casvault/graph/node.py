"""The types of a graph that is given by functions."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar


class Node(Protocol):
    """Hashable and ordered; 32-byte ids in practice."""

    def __hash__(self) -> int: ...

    def __lt__(self, other: Any, /) -> bool: ...


N = TypeVar("N", bound=Node)

ParentsOf = Callable[[N], Sequence[N]]
"""The parents of a node, first parent first; empty for a root."""

GenerationOf = Callable[[N], int]
"""A number greater than that of each parent."""
