"""casvault: version control for collections of artifacts, in one content-addressed vault.

from casvault import Vault

vault, snapshot = Vault.init("library")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casvault.artifacts.version import Origin
    from casvault.deploy.actions import Action
    from casvault.deploy.advice import DriftType, MergeForecast, Recommendation
    from casvault.deploy.branching import Merging
    from casvault.deploy.deploying import DeployStrategy
    from casvault.deploy.drift import Status
    from casvault.deploy.holding import Role
    from casvault.deploy.pulling import PullStrategy
    from casvault.deploy.purposes import Purpose
    from casvault.deploy.updating import UpdateStrategy
    from casvault.errors import CasvaultError
    from casvault.oid import Oid
    from casvault.pending.marking import Take
    from casvault.pending.merge import How
    from casvault.vault.artifact import Artifact
    from casvault.vault.author import Author
    from casvault.vault.history import hash_file
    from casvault.vault.vault import Vault

__version__ = "0.1.0"
__all__ = [
    "Action",
    "Artifact",
    "Author",
    "CasvaultError",
    "DeployStrategy",
    "DriftType",
    "How",
    "MergeForecast",
    "Merging",
    "Oid",
    "Origin",
    "PullStrategy",
    "Purpose",
    "Recommendation",
    "Role",
    "Status",
    "Take",
    "UpdateStrategy",
    "Vault",
    "__version__",
    "hash_file",
]

_HOMES = {
    "Action": "deploy.actions",
    "Artifact": "vault.artifact",
    "Author": "vault.author",
    "CasvaultError": "errors",
    "DeployStrategy": "deploy.deploying",
    "DriftType": "deploy.advice",
    "MergeForecast": "deploy.advice",
    "Merging": "deploy.branching",
    "How": "pending.merge",
    "Oid": "oid",
    "Origin": "artifacts.version",
    "PullStrategy": "deploy.pulling",
    "Purpose": "deploy.purposes",
    "Recommendation": "deploy.advice",
    "Role": "deploy.holding",
    "Status": "deploy.drift",
    "Take": "pending.marking",
    "UpdateStrategy": "deploy.updating",
    "Vault": "vault.vault",
    "hash_file": "vault.history",
}


def __getattr__(name: str) -> object:
    """The public names, imported when they are first used: `import casvault` alone costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"casvault.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
