"""Times as people type them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from casvault.errors import UsageError

_AGO = re.compile(r"([0-9]{1,6})([hdw])\Z")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
SINCE_HELP = "A date, a time (2026-03-01T12:00+01:00) or 12h, 7d, 2w ago."


def read_time(text: str | None, *, end: bool = False) -> datetime | None:
    """The moment that is meant: of a day its begin, or with `end` its last second; local if no zone is said."""
    if text is None:
        return None
    ago = _AGO.match(text)
    try:
        if ago is not None:
            return datetime.now().astimezone() - int(ago[1]) * _UNITS[ago[2]]
        found = datetime.fromisoformat(text)
        if end and _DAY.match(text):
            found += timedelta(days=1, seconds=-1)
        return found.astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError("not a time", place=text, remedy="write it as 2026-03-01, 2026-03-01T12:00 or 7d") from error
