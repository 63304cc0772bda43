"""Where merges in progress stand among the refs, and how people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects.names import escape
from casvault.oid import blob_id

if TYPE_CHECKING:
    from collections.abc import Sequence

MERGES = b"merges/"
HANDLE_SIZE = 8


def pending_ref(key: Sequence[bytes]) -> bytes:
    """The ref of the one merge in progress that this key can have; each part of the key is one name."""
    return MERGES + b"/".join(map(escape, key))


def handle_of(ref: bytes) -> str:
    """A short name that stays the same while the merge is in progress: the first hex digits of the ref's BLAKE3."""
    return blob_id(ref).hex()[:HANDLE_SIZE]
