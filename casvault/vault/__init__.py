"""The façade: the embedded Python API."""

from casvault.deploy.deploying import DeployStrategy
from casvault.deploy.drift import Status
from casvault.deploy.pulling import PullStrategy
from casvault.vault.author import Author
from casvault.vault.history import hash_file
from casvault.vault.vault import Vault

__all__ = ["Author", "DeployStrategy", "PullStrategy", "Status", "Vault", "hash_file"]
