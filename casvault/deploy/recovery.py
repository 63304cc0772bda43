"""Recovery: finishing, or taking back, what an earlier command was cut off from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.deploy.journal import JOURNAL
from casvault.deploy.run import apply_journal, find_interrupted, finish_journal, followed, plan_writes
from casvault.errors import ConflictError
from casvault.progress import silent
from casvault.worktree.plan import is_directory, same_state
from casvault.worktree.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from casvault.deploy.journal import Journal
    from casvault.objects import ObjectReader
    from casvault.progress import Progress
    from casvault.repository import Repository
    from casvault.worktree.applying import Applied


def finish(repository: Repository, directory: Path, progress: Progress = silent) -> tuple[Journal, Applied] | None:
    """Write the files that are still missing; None if nothing was cut off here. The caller holds the lock.

    May be repeated, and cut off again: each file goes from its old state to its new one. ConflictError, with nothing
    written, for files that hold neither: an edit of the old content must not come to look like one of the new.
    """
    journal = find_interrupted(repository, directory)
    if journal is None:
        return None
    edited = find_edited(repository.objects, directory, journal)
    if edited:
        raise ConflictError(
            "these files were edited since the command was cut off, so it cannot be finished",
            conflicts=tuple(map(show, edited)),
            place=str(directory),
            remedy="move them away, run `casvault recover`, and make the edits again; or run `casvault recover --back`",
        )
    applied = apply_journal(repository.objects, directory, journal, progress)
    if not applied.kept:
        finish_journal(directory, journal)
    return journal, applied


def find_edited(reader: ObjectReader, directory: Path, journal: Journal) -> list[bytes]:
    """The paths that hold neither what was there before the writes nor what they put there."""
    changes = plan_writes(reader, journal.writes)
    with Target(directory, follow=followed(journal.writes, follow=journal.follow)) as target:
        return [
            change.path
            for change in changes
            if not is_directory(change.old)
            and not is_directory(change.new)
            and not any(same_state(target.find_state(change.path), state) for state in change[1:])
        ]


def raw_journal(directory: Path) -> bytes:
    """The journal as it stands, to be kept by the one that takes it back."""
    return (directory / JOURNAL).read_bytes()
