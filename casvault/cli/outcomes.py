"""What the results of commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.cli.documents import plain

if TYPE_CHECKING:
    from casvault.cli.documents import Document
    from casvault.vault.results.upkeep import Outcome


def outcome_document(outcome: Outcome) -> Document:
    """The number of the operation (null: there was nothing to do), what happened to files, and what else to know."""
    return {
        "operation": None if outcome.operation is None else outcome.operation.number,
        "written": outcome.written,
        "removed": outcome.removed,
        "kept": plain(outcome.kept),
        "left": plain(outcome.left),
        "notes": plain(outcome.notes),
    }
