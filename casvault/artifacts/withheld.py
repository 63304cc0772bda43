"""What must not become part of a version: content that was purged, and that a scan has met on disk again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.errors import PurgedError
from casvault.objects import TREE
from casvault.trees import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectStage, Root


def iter_withheld(stage: ObjectStage, state: Root | None, path: bytes) -> Iterator[bytes]:
    """The files of a state that hold purged content."""
    if state is None or not stage.withheld:
        return
    if state.id in stage.withheld:
        yield path
    elif state.mode == TREE:
        found = walk(stage, state.id, path + b"/" if path else b"")
        yield from (below for below, entry in found if entry.id in stage.withheld)


def check_not_withheld(stage: ObjectStage, state: Root | None, path: bytes) -> None:
    """Raise PurgedError, by name, where a state holds purged content: the store does not take it back."""
    found = list(iter_withheld(stage, state, path))
    if found:
        raise PurgedError(
            "this content was purged from the vault, which does not take it back",
            place=", ".join(map(show, found)),
            remedy="remove the secret or the file; `casvault purge --allow ID` lets the vault have it again",
        )
