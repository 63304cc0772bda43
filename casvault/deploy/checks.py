"""When somebody last looked at each project: a cache, which no answer but that one depends on."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from casvault.errors import FailureError
from casvault.files import find_file, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_checks(path: Path | None) -> dict[str, int]:
    """Seconds since 1970 by project; nothing where the file is not there or makes no sense."""
    try:
        table = {} if path is None else json.loads(find_file(path) or b"{}")
    except (ValueError, FailureError):
        return {}
    return {name: when for name, when in table.items() if type(when) is int} if isinstance(table, dict) else {}


def write_checks(path: Path | None, checks: Mapping[str, int]) -> None:
    """Remember them; a cache that cannot be written is no reason to fail."""
    if path is not None and path.parent.is_dir():
        with contextlib.suppress(OSError, FailureError):
            write_file(path, json.dumps(dict(sorted(checks.items()))).encode())
