"""The façade: everything that the command does, one typed call away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from casvault.artifacts.names import collection_ref
from casvault.deploy.marker import COLLECTION_MARKER, read_marker
from casvault.errors import FailureError, RefusedError
from casvault.repository import CONTROL, Repository
from casvault.vault.backend import Backend
from casvault.vault.collections import Collections
from casvault.vault.history import History
from casvault.vault.opening import discover
from casvault.vault.projects import Projects
from casvault.vault.upkeep import Upkeep

if TYPE_CHECKING:
    from casvault.vault.results import SnapshotResult


class Vault(Collections, Projects, History, Upkeep, Backend):
    """An open vault. Made by `init`, `open`, `discover` or `in_memory`; safe from several threads and processes.

    The options of all four: `author` and `clock` sign what is made, `progress` is told of long work, and `here` is the
    directory whose collection is meant when none is named.
    """

    @classmethod
    def init(cls, directory: Path | str = ".", name: str | None = None, **options: Any) -> tuple[Self, SnapshotResult]:
        """Make a vault in a directory, and the directory its first collection, named after it unless told otherwise."""
        place = Path(os.path.abspath(directory))
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

    @classmethod
    def open(cls, path: Path | str, **options: Any) -> Self:
        """Open a vault by its `.casvault` directory or the directory that has one; NotFoundError if there is none."""
        place = Path(path)
        if place.name != CONTROL and (place / CONTROL).is_dir():
            place = place / CONTROL
        return cls(Repository.open(place), **options)

    @classmethod
    def discover(cls, start: Path | str = ".", *, vault: Path | str | None = None, **options: Any) -> Self:
        """Open the vault that a directory belongs to; see `casvault.vault.opening.discover`."""
        here = Path(os.path.abspath(start))
        found = discover(here, None if vault is None else Path(os.path.abspath(vault)))
        return cls(Repository.open(found.vault), here=here, **options)

    @classmethod
    def in_memory(cls, **options: Any) -> Self:
        """A vault without files, for tests and embedders; gone with the object."""
        return cls(Repository.in_memory(), **options)
