"""Points in time as SkillMeat writes them, and new ones in the form of those that stand there.

Mostly ISO 8601 in a string, with Z, an offset or nothing at the end, sometimes a time of TOML's own. One without a
zone is taken as UTC. The id of a snapshot is a time, too.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone
from typing import NamedTuple

_SNAPSHOT_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}\Z")
_ID_FORM = "%Y%m%d-%H%M%S-%f"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stamp(NamedTuple):
    seconds: int
    """Since 1970."""
    micros: int = 0
    offset: int = 0
    """Of the zone that it was written in, in minutes east of UTC."""

    @property
    def zone(self) -> bytes:
        """As commits have it."""
        sign = "-" if self.offset < 0 else "+"
        return f"{sign}{abs(self.offset) // 60:02d}{abs(self.offset) % 60:02d}".encode()

    def moment(self) -> datetime:
        return (_EPOCH + timedelta(seconds=self.seconds, microseconds=self.micros)).astimezone(
            timezone(timedelta(minutes=self.offset))
        )


def find_stamp(value: object) -> Stamp | None:
    """The point in time that a value of a TOML file is; None if it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    # At the ends of the calendar, another zone would be outside of it.
    return _stamp_of(value) if isinstance(value, datetime) and MINYEAR < value.year < MAXYEAR else None


def find_stamp_of_id(text: str) -> Stamp | None:
    """When the snapshot of this id was taken; None if it is no such id."""
    if not _SNAPSHOT_ID.match(text):
        return None
    try:
        return _stamp_of(datetime.strptime(text, _ID_FORM).replace(tzinfo=UTC))
    except ValueError:
        return None


def _stamp_of(moment: datetime) -> Stamp:
    offset = moment.utcoffset()
    if offset is None:
        moment, offset = moment.replace(tzinfo=UTC), timedelta()
    since = moment - _EPOCH
    return Stamp(since.days * 86400 + since.seconds, since.microseconds, int(offset.total_seconds()) // 60)


def snapshot_id(stamp: Stamp) -> str:
    return stamp._replace(offset=0).moment().strftime(_ID_FORM)


def write_like(stamp: Stamp, model: object) -> str | datetime:
    """A point in time in the form of another; without one as SkillMeat writes it itself, in UTC."""
    known = find_stamp(model)
    offset = 0 if known is None else known.offset
    moment = stamp._replace(offset=offset).moment()
    if isinstance(model, datetime):
        return moment if model.tzinfo is not None else moment.replace(tzinfo=None)
    text = model if isinstance(model, str) and known is not None else "T"
    has_fraction = "." in text or (known is None and stamp.micros != 0)
    written = moment.isoformat(" " if " " in text else "T", "microseconds" if has_fraction else "seconds")
    if text.endswith("Z"):
        return written.removesuffix("+00:00") + "Z"
    return written if known is not None and _has_zone(text) else written.removesuffix("+00:00")


def _has_zone(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None
