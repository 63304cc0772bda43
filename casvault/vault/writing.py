"""What the parts of the façade that change something share: sessions, stages, and collections held for writing."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from casvault.artifacts.names import collection_ref, typed
from casvault.artifacts.version import Draftsman
from casvault.deploy.marker import Marker
from casvault.deploy.run import Session, locked
from casvault.deploy.scanning import save_cache, scan_collection
from casvault.deploy.snapshots import Line
from casvault.errors import PurgedError
from casvault.vault.base import OpenVault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from casvault.objects import ObjectPublisher
    from casvault.worktree.cache import StatCache


def learn(stage: ObjectPublisher, cache: StatCache) -> None:
    """Save the cache of a scan that stored what it read; not after a command that in the end stored nothing."""
    if not stage.has_unpublished:
        save_cache(cache)


class WritingVault(OpenVault):
    def _draftsman(self, message: str) -> Draftsman:
        typed(message)  # what is no text is refused before anything is done
        return Draftsman(self._signature(), message)

    def _session(self, message: str, directories: dict[bytes, Path], *, follow: bool = False) -> Session:
        return Session(
            self._repository,
            self._draftsman(message),
            self._new_transaction_id,
            directories,
            self._progress,
            {},
            follow,
        )

    @contextmanager
    def _stage(self) -> Iterator[ObjectPublisher]:
        """A stage that leaves nothing behind if its command fails."""
        stage = self._repository.begin()
        try:
            yield stage
        except PurgedError:
            # It may have been published before the purge was recorded, and then refused: the bytes go again.
            stage.discard()
            self._repository.finish_purges(wait=True)
            raise
        finally:
            stage.discard()

    @contextmanager
    def _line(
        self, name: str, session: Session, stage: ObjectPublisher, *, may_be_empty: bool = False
    ) -> Iterator[Line]:
        """A collection, its directory locked and scanned; what the scan learned is kept if all it read is stored."""
        with self._lines([name], session, stage, may_be_empty=may_be_empty) as lines:
            yield lines[typed(name)]

    @contextmanager
    def _lines(
        self, names: Iterable[str], session: Session, stage: ObjectPublisher, *, may_be_empty: bool = False
    ) -> Iterator[dict[bytes, Line]]:
        """The same for several collections, while all directories of the session are locked."""
        with locked(session):
            lines = {typed(name): self._scan_line(name, session, stage, may_be_empty=may_be_empty) for name in names}
            yield lines
            for line in lines.values():
                if line.scan is not None:
                    learn(stage, line.scan.cache)

    def _scan_line(self, name: str, session: Session, stage: ObjectPublisher, *, may_be_empty: bool) -> Line:
        ref = collection_ref(name)
        directory = session.directories.get(ref)
        scan = None
        if directory is not None:
            scan = scan_collection(
                self._repository,
                stage,
                directory,
                storing=True,
                may_be_empty=may_be_empty,
                progress=self._progress,
            )
        return Line(typed(name), ref, scan)

    def _new_marker(self, name: str) -> Marker:
        path = os.path.abspath(self.path or "")
        return Marker(path, self._repository.config.id.hex(), name, os.urandom(8).hex())
