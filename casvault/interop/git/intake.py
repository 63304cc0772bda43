"""What an import has taken in: the vault's stage on one side, the map of git's ids on the other."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError
from casvault.interop.git.mapping import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault.interop.git.ids import GitFormat, GitId
    from casvault.interop.git.mapping import GitMap
    from casvault.interop.git.reader import GitObject, GitReader
    from casvault.objects import Kind, ObjectPublisher
    from casvault.oid import Oid
    from casvault.progress import Progress

CHECKPOINT = 50_000
"""Objects after which what was read is published for the first time; then whenever there are twice as many."""

NAMED = 20
"""Missing objects that an error lists."""


class ImportOptions(NamedTuple):
    keep_raw: bool = False
    """Keep the bytes of trees that casvault cannot say, instead of refusing them."""
    allow_missing: bool = False
    """Import what is there, instead of refusing a source in which something is missing."""
    force: bool = False
    """Move refs that hold something else, too."""
    checkpoint: int = CHECKPOINT


class Intake:
    def __init__(
        self,
        stage: ObjectPublisher,
        known: GitMap,
        reader: GitReader,
        form: GitFormat,
        options: ImportOptions,
        progress: Progress,
    ) -> None:
        self.stage = stage
        self.reader = reader
        self.form = form
        self.options = options
        self._map = known
        self._progress = progress
        self._next_checkpoint = options.checkpoint
        self.count = 0
        """Objects of git that were brought in."""
        self.kept = 0
        """Trees among them whose bytes are kept."""
        self.missing: dict[GitId, None] = {}
        self.incomplete: dict[GitId, Known] = {}
        """What something is missing from: in this import's map, but in none that lasts, for the next source may have
        it.
        """

    def find_many(self, ids: Iterable[GitId]) -> dict[GitId, Known]:
        """Those of the ids that are in the vault."""
        wanted = list(ids)
        found = self._map.find_many(wanted)
        if self.incomplete:
            found.update({git_id: self.incomplete[git_id] for git_id in wanted if git_id in self.incomplete})
        return found

    def find(self, git_id: GitId) -> Known | None:
        return self.find_many((git_id,)).get(git_id)

    def write(self, git_id: GitId, kind: Kind, content: bytes, size: int, *, is_incomplete: bool = False) -> Known:
        """An object of casvault for one of git."""
        return self.put(git_id, Known(self.stage.write_many(((kind, content),))[0], size, kind), is_incomplete)

    def put(self, git_id: GitId, known: Known, is_incomplete: bool = False) -> Known:
        if is_incomplete:
            self.incomplete[git_id] = known
        else:
            self._map.put(git_id, known)
        self.count += 1
        self.kept += known.is_kept
        return known

    def read_many(self, ids: Sequence[GitId]) -> Iterator[GitObject]:
        """The objects that are there; the others are noted as missing."""
        for done, (git_id, found) in enumerate(self.reader.read_many(ids)):
            if done % 256 == 0:
                self._progress("git", self.count, None)
            if found is None:
                self.missing[git_id] = None
            else:
                yield found

    def check_missing(self) -> None:
        """DamageError with their names if objects are missing that may not be."""
        if self.missing and not self.options.allow_missing:
            names = [git_id.hex() for git_id in self.missing]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            raise DamageError(
                f"missing or unreadable in the git repository: {', '.join(names[:NAMED])}{more}",
                remedy="`git fsck` says where they belong; --allow-missing imports the rest, and names all of them",
            )

    def publish_sometimes(self) -> None:
        """Publish what was read if it is much: an import that is cut off goes on from there."""
        if self.count >= self._next_checkpoint:
            self._next_checkpoint = 2 * self.count
            self.publish()

    def publish(self) -> None:
        self.stage.publish()
        self._map.save()

    def iter_mapped(self) -> Iterator[tuple[GitId, Oid]]:
        """Everything that is mapped, sorted by the ids of git."""
        return merge(self._map.iter_ids(), sorted((git_id, known.id) for git_id, known in self.incomplete.items()))
