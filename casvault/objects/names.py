"""Any bytes as one name that a tree can hold."""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes


def escape(path: bytes) -> bytes:
    """A path as one name: what is not a letter, a digit or one of ``-._~`` and a space is percent-encoded."""
    escaped = quote_from_bytes(path, safe=" ").encode()
    return b"%2E" + escaped[1:] if escaped in (b".", b"..") else escaped


def unescape(name: bytes) -> bytes:
    return unquote_to_bytes(name) if b"%" in name else name
