"""The façade's part for one question: what does this file belong to?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.artifacts.snapshot import find_content, find_version, open_snapshot
from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, find_upwards, read_marker
from casvault.deploy.scanning import read_rules, scan_collection
from casvault.errors import NotFoundError
from casvault.vault.drifting import Drifting
from casvault.vault.results.changes import ChangeKind
from casvault.vault.results.projects import Where
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.plan import same_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.deploy.state import Place


class Finding(Drifting):
    def which(self, path: Path | str) -> Where:
        """What a file or directory in a project or a collection belongs to, and how it stands there.

        NotFoundError where no project and no collection of this vault is.
        """
        # A symlink is asked about itself, not about what it leads to.
        given = Path(os.path.abspath(path))
        place = Path(os.path.realpath(given.parent), given.name)
        home = find_upwards(place, (COLLECTION_MARKER, PROJECT_MARKER))
        if home is None:
            raise NotFoundError(
                "in no project and no collection", place=str(path), remedy="see `casvault project list`"
            )
        inside = b"" if place == home else os.fsencode(place.relative_to(home))
        if (home / PROJECT_MARKER).exists():
            return self._which_in_project(place, home, inside)
        return self._which_in_collection(place, home, inside)

    def _which_in_project(self, place: Path, home: Path, inside: bytes) -> Where:
        subject = self._subject(home, writing=False)
        is_deployed = _covering(subject.deployments, inside) is not None
        look = self._look([subject], None, [], untracked=not is_deployed)[0]
        drifts = {drift.place: drift for drift in look.drifts}
        at = _covering(drifts, inside)
        name = show(subject.name)
        if at is None:
            return Where(place, name, None, None, None, None, None, None, None)
        drift = drifts[at]
        version = drift.collection_version if drift.deployment is None else drift.deployment.deployed
        artifact, kind = show(at.path), look.kind(at)
        return Where(place, name, show(at.collection), artifact, kind, show(at.root), version, drift.status, None)

    def _which_in_collection(self, place: Path, home: Path, inside: bytes) -> Where:
        marker = read_marker(home, COLLECTION_MARKER)
        if marker is None or marker.vault_id != self._repository.config.id.hex():
            raise NotFoundError("a collection of another vault", place=str(home))
        rules = read_rules(home)
        ends = [end for end, sign in enumerate(inside) if sign == 0x2F]
        artifact = next((path for end in (*ends, None) if rules.find(path := inside[:end]) is not None), None)
        stage = HashOnly(self.reader)
        scan = scan_collection(self._repository, stage, home, storing=False, progress=self._progress)
        asked = inside if artifact is None else artifact
        base = open_snapshot(self.reader, scan.base)
        held, now = find_content(stage, base, asked), scan.units.get(asked, scan.plain.get(asked))
        change = None if same_state(held, now) else ChangeKind.of(held, now)
        if artifact is None:
            if now is None and place.is_dir():
                change = None  # it holds artifacts or files, each of which is asked about by itself
            return Where(place, None, marker.name, None, None, None, None, None, change)
        version = find_version(stage, base, artifact)
        return Where(place, None, marker.name, show(artifact), rules.kind(artifact), None, version, None, change)


def _covering(places: Iterable[Place], path: bytes) -> Place | None:
    """The place that a path of a project is at or in."""
    return next((place for place in places if (path + b"/").startswith(place.file_path + b"/")), None)
