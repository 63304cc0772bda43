"""Refs on both sides: `refs/heads/x` is `branches/x`, `refs/tags/x` is `tags/x`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from casvault.errors import NotFoundError
from casvault.interop.git.repository import HEADS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BRANCHES, VAULT_TAGS = b"branches/", b"tags/"
_SIDES = ((HEADS, BRANCHES), (TAGS, VAULT_TAGS))

_REFUSED = re.compile(rb"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|\.\Z|/\Z|\A/")
"""What no ref of git has in its name."""


def vault_name(git_name: bytes) -> bytes:
    return next(vault + git_name.removeprefix(git) for git, vault in _SIDES if git_name.startswith(git))


def git_name(vault_name: bytes) -> bytes | None:
    """None if git can have no ref of this name."""
    found = next((git + vault_name.removeprefix(vault) for git, vault in _SIDES if vault_name.startswith(vault)), None)
    return None if found is None or _REFUSED.search(found) else found


def short_name(name: bytes) -> bytes:
    """What people call a ref: its name without what says which kind of ref it is."""
    prefixes = (HEADS, TAGS, BRANCHES, VAULT_TAGS)
    return next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)


def choose(names: Iterable[bytes], patterns: Sequence[str], place: str) -> list[bytes]:
    """The names that one of the patterns fits, in full or without `refs/heads/` and the like; all without patterns.

    NotFoundError for a pattern that fits none.
    """
    listed = list(names)
    if not patterns:
        return listed
    chosen: set[bytes] = set()
    for pattern in patterns:
        fitting = [name for name in listed if _fits(name, pattern)]
        if not fitting:
            raise NotFoundError(f"no branch or tag {pattern!r}", place=place)
        chosen.update(fitting)
    return [name for name in listed if name in chosen]


def _fits(name: bytes, pattern: str) -> bool:
    texts = (form.decode(errors="surrogateescape") for form in (name, short_name(name)))
    return any(fnmatchcase(text, pattern) for text in texts)
