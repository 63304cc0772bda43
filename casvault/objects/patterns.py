"""Patterns of paths as rules name them: wildcards within a name, and ** for any number of directories."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Compiled = tuple[re.Pattern[str] | None, ...]


def compile_path(pattern: str) -> Compiled:
    """An expression for each component; None stands for `**`."""
    return tuple(None if part == "**" else re.compile(translate(part)) for part in pattern.split("/"))


def names_of(path: bytes) -> list[str]:
    return path.decode(errors="surrogateescape").split("/")


def matches(patterns: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    if not patterns:
        return not names
    first, rest = patterns[0], patterns[1:]
    if first is None:
        return any(matches(rest, names[start:]) for start in range(len(names) + 1))
    return bool(names) and first.match(names[0]) is not None and matches(rest, names[1:])
