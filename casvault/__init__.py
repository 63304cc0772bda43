"""casvault: version control for collections of artifacts, in one content-addressed vault.

from casvault import Vault

vault, snapshot = Vault.init("library")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casvault.errors import CasvaultError
    from casvault.oid import Oid
    from casvault.vault import Author, DeployStrategy, PullStrategy, Status, Vault

__version__ = "0.1.0"
__all__ = ["Author", "CasvaultError", "DeployStrategy", "Oid", "PullStrategy", "Status", "Vault", "__version__"]

_HOMES = {"CasvaultError": "casvault.errors", "Oid": "casvault.oid"}


def __getattr__(name: str) -> object:
    """The public names, imported when they are first used: `import casvault` alone costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES.get(name, "casvault.vault")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
