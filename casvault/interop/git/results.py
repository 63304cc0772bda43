"""What imports and exports answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.oid import Oid
    from casvault.vault.results.upkeep import Outcome


class RefResult(NamedTuple):
    """A ref on both sides."""

    name: str
    """In the vault: `branches/main`."""
    git: str
    """In the repository: `refs/heads/main`."""
    id: Oid
    git_id: str
    changed: bool
    """Whether the ref was moved; it held the same before if not."""


class ImportResult(NamedTuple):
    refs: tuple[RefResult, ...]
    objects: int
    """Read from git and mapped; what earlier imports have mapped is not among them."""
    missing: tuple[str, ...]
    """Ids in git of what the source does not have, or cannot read."""
    left_out: tuple[str, ...]
    """Refs that point to something missing."""
    kept: int
    """Trees whose bytes are kept beside them."""
    outcome: Outcome


class ExportResult(NamedTuple):
    refs: tuple[RefResult, ...]
    objects: int
    """Written into the repository; what it had already is not among them."""
    missing: tuple[str, ...]
    """Ids in git of objects that the import did not find, and that are missing here as they were there."""
