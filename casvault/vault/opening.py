"""Finding vaults, collections and projects from a directory."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from casvault.deploy.marker import COLLECTION_MARKER, PROJECT_MARKER, Marker, find_marker, find_upwards
from casvault.errors import NotFoundError
from casvault.repository import CONTROL

VAULT_FILE = f"{CONTROL}/vault.toml"


class Found(NamedTuple):
    """What a directory belongs to."""

    vault: Path
    collection: tuple[Path, Marker] | None
    project: tuple[Path, Marker] | None


def discover(start: Path, vault: Path | None = None) -> Found:
    """The vault of a directory: the nearest one at or above it, or the one that its markers name.

    `vault`, if given, is taken instead: a `.casvault` directory or the directory that has one. NotFoundError if there
    is none.
    """
    start = start.absolute()
    collection = find_marker(start, COLLECTION_MARKER)
    project = find_marker(start, PROJECT_MARKER)
    if vault is None:
        vault = _vault_of(start, collection, project)
    elif (vault / VAULT_FILE).exists():
        vault = vault / CONTROL
    return Found(vault, collection, project)


def _vault_of(start: Path, collection: tuple[Path, Marker] | None, project: tuple[Path, Marker] | None) -> Path:
    nearest = find_upwards(start, (VAULT_FILE, COLLECTION_MARKER, PROJECT_MARKER))
    if nearest is None:
        raise NotFoundError(
            "no vault here or in any directory above",
            place=str(start),
            remedy="make one with `casvault init DIR`, or name one with --vault or $CASVAULT_VAULT",
        )
    if (nearest / VAULT_FILE).exists():
        return nearest / CONTROL
    marker = next(found[1] for found in (collection, project) if found is not None and found[0] == nearest)
    path = Path(marker.vault)
    if not (path / "vault.toml").exists():
        raise NotFoundError(
            f"the vault that this directory belongs to is not at {path} any more",
            place=str(nearest),
            remedy="name it with --vault or $CASVAULT_VAULT",
        )
    return path
