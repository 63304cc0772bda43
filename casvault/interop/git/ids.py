"""Git's object ids: raw bytes of SHA-1 or SHA-256 over a header and the object."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from casvault.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

GitId = bytes
"""20 or 32 bytes. They are never mixed up with ids of casvault, which are `Oid`s."""

KINDS = {str(kind).encode(): kind for kind in Kind}
"""Git's names of the four kinds are casvault's."""


class GitFormat(Enum):
    """How a repository computes its ids."""

    SHA1 = "sha1"
    SHA256 = "sha256"

    def __init__(self, name: str) -> None:
        # Plain attributes: they are asked for with every entry of every tree.
        self.size = 20 if name == "sha1" else 32
        self.new_hash: Callable[..., Any] = hashlib.sha1 if name == "sha1" else hashlib.sha256

    def id_of(self, kind: Kind, content: bytes) -> GitId:
        digest: bytes = self.new_hash(b"%s %d\0%s" % (NAMES[kind], len(content), content)).digest()
        return digest


NAMES = {kind: name for name, kind in KINDS.items()}
