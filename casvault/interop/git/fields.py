"""The fields in which commits and tags keep what git has and casvault's own encoding does not.

Headers of git get a prefix, so that no commit that somebody made elsewhere can pose as one of casvault's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.interop.git.headers import Header
    from casvault.objects import Field

HEADER = b"git:"
"""And the name of a header: its value."""

RAW_COMMIT = b"git-commit"
"""The commit as git has it, where the rest does not say it exactly."""

RAW_TAG = b"git-tag"

RAW_TREE = b"git-tree"
"""A tree below the commit or tag as git has it, where casvault's does not say it exactly."""

MISSING = b"git-missing"
"""The git id of an object that the source did not have."""

FORMAT = b"git-format"
"""The ids of the repository, where they are not SHA-1."""

DIRECT = b"git-direct"
"""In a tag that stands for a ref which points to a tree or blob: git has no such object."""

_OWN = frozenset({RAW_COMMIT, RAW_TAG, RAW_TREE, MISSING, FORMAT, DIRECT})


def header_fields(headers: Iterable[Header]) -> tuple[Field, ...]:
    """Headers that casvault has no place of its own for; those whose names no field can have are left out."""
    return tuple((HEADER + key, value) for key, value in headers if b"\0" not in key)


def field_headers(fields: Iterable[Field]) -> list[Header]:
    """The same headers again; RefusedError for a field that is not git's."""
    headers = []
    for key, value in fields:
        if key.startswith(HEADER):
            headers.append((key.removeprefix(HEADER), value))
        elif key not in _OWN:
            raise RefusedError(f"the field {key.decode(errors='replace')!r} has no place in git")
    return headers
