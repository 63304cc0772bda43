"""Operations and the upkeep of a vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.run import Outcome as Outcome
    from casvault.oid import Oid


class OperationInfo(NamedTuple):
    number: int
    id: Oid
    kind: str
    arguments: tuple[str, ...]
    author: str
    seconds: int
    zone: str
    message: str
    undone: bool


class UndoResult(NamedTuple):
    kind: str
    """"undo" or "redo"."""
    number: int
    """Of the operation that was taken back."""
    undone: str
    """Its kind."""
    arguments: tuple[str, ...]
    """And what it was given."""
    outcome: Outcome


class FsckResult(NamedTuple):
    packs: int
    objects: int
    reachable: int
    operations: int
    purged: int
    """Blobs that are known to be gone."""
    problems: tuple[tuple[str, str], ...]
    """Place and message each."""


class RecoverResult(NamedTuple):
    directory: Path
    operation: int
    taken_back: bool
    written: int
    removed: int
    kept: tuple[str, ...]
