"""The façade: everything that the command does, one typed call away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from casvault.artifacts.names import collection_ref
from casvault.deploy.marker import COLLECTION_MARKER, read_marker
from casvault.errors import FailureError, RefusedError
from casvault.repository import CONTROL, Repository
from casvault.vault.artifact import Versioned
from casvault.vault.artifacts import Artifacts
from casvault.vault.backend import Backend
from casvault.vault.branches import Branches
from casvault.vault.history import History
from casvault.vault.purging import Purging
from casvault.vault.retaining import Retaining
from casvault.vault.taking import TakingIn
from casvault.vault.updating import Updating

if TYPE_CHECKING:
    from casvault.vault.results.collections import SnapshotResult


class Vault(
    TakingIn,
    Artifacts,
    Versioned,
    Updating,
    Branches,
    History,
    Purging,
    Retaining,
    Backend,
):
    """An open vault. Made by `init`, `open`, `discover` or `in_memory`; safe from several threads and processes.

    The options of all four: `author` and `clock` sign what is made, `progress` is told of long work, and `here` is the
    directory whose collection is meant when none is named.
    """

    @classmethod
    def init(cls, directory: Path | str = ".", name: str | None = None, **options: Any) -> tuple[Self, SnapshotResult]:
        """Make a vault in a directory, and the directory its first collection, named after it unless told otherwise."""
        place = Path(os.path.realpath(directory))
        name = place.name if name is None else name
        collection_ref(name)
        control = place / CONTROL
        if (control / "vault.toml").exists():
            # One that has no operation yet was cut off while it was made: it is completed.
            if (repository := Repository.open(control)).log.tip() is not None:
                raise FailureError("there is a vault already", place=str(control))
        else:
            if read_marker(place, COLLECTION_MARKER) is not None:
                raise RefusedError(
                    "this directory belongs to a collection of another vault",
                    place=str(place),
                    remedy=f"remove {place / COLLECTION_MARKER} if that is over",
                )
            repository = Repository.create(place)
        vault = cls(repository, **options)
        return vault, vault._add(place, name, "init")
