"""The façade: the embedded Python API."""

from casvault.vault.author import Author
from casvault.vault.vault import Vault

__all__ = ["Author", "Vault"]
