"""Moments as people write them: ISO dates and times, and ways back from now."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from casvault.errors import UsageError

_AGO: Final = re.compile(r"([0-9]{1,9}) (second|minute|hour|day|week)s? ago|([0-9]{1,9})([hdw])")
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_SHORT: Final = {"h": "hour", "d": "day", "w": "week"}
_LAST: Final = time(23, 59, 59)
_WORDS: Final = {"now": 0, "yesterday": 86_400}


def parse_moment(text: str, now: tuple[int, int], *, begin: bool = False) -> int:
    """Seconds since 1970; UsageError for what is no moment.

    A date alone stands for its whole day, so for its last second, or with `begin` for its first; what names no zone is
    meant in that of `now`, which is the clock's answer: seconds, and minutes east of UTC.
    """
    seconds, offset = now
    plain = " ".join(text.split())
    if plain in _WORDS:
        return seconds - _WORDS[plain]
    if ago := _AGO.fullmatch(plain):
        number, unit = (ago[1], ago[2]) if ago[1] else (ago[3], _SHORT[ago[4]])
        return seconds - int(number) * _UNITS[unit]
    try:
        day = _find_day(plain)
        found = datetime.fromisoformat(plain) if day is None else datetime.combine(day, time.min if begin else _LAST)
        if found.tzinfo is None:
            found = found.replace(tzinfo=timezone(timedelta(minutes=offset)))
        return int(found.timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(
            "neither a date nor a time",
            place=text,
            remedy="write 2026-01-31, 2026-01-31T12:00, 2026-01-31T12:00:00+01:00, yesterday, 7d, or 3 days ago",
        ) from error


def _find_day(text: str) -> date | None:
    """The day, if a date stands alone."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
