"""One open vault's store: where its parts are, and how they are wired together."""

from casvault.repository.places import Places
from casvault.repository.repository import CONTROL, Repository

__all__ = ["CONTROL", "Places", "Repository"]
