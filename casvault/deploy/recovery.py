"""Recovery: finishing, or taking back, what an earlier command was cut off from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.deploy.journal import JOURNAL
from casvault.deploy.run import apply_writes, find_interrupted, finish_journal
from casvault.progress import silent

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.journal import Journal
    from casvault.progress import Progress
    from casvault.repository import Repository
    from casvault.worktree.applying import Applied


def finish(repository: Repository, directory: Path, progress: Progress = silent) -> tuple[Journal, Applied] | None:
    """Write the files that are still missing; None if nothing was cut off here. The caller holds the lock.

    May be repeated, and cut off again: each file goes from its old state to its new one, and what is neither stays.
    """
    journal = find_interrupted(repository, directory)
    if journal is None:
        return None
    applied = apply_writes(repository.objects, directory, journal.writes, progress)
    finish_journal(directory, journal)
    return journal, applied


def raw_journal(directory: Path) -> bytes:
    """The journal as it stands, to be kept by the one that takes it back."""
    return (directory / JOURNAL).read_bytes()
