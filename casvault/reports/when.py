"""Times with the zone in which they were taken."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from casvault.objects import Signature
    from casvault.pending import Moment


class When(NamedTuple):
    """Seconds since 1970 in UTC, and the zone as git writes it."""

    seconds: int
    zone: str = "+0000"

    @classmethod
    def of(cls, found: Signature | Moment) -> Self:
        return cls(found.seconds, found.zone.decode())

    @property
    def iso(self) -> str:
        """ISO 8601 with the zone; for what no calendar has, the seconds behind an @."""
        try:
            return datetime.fromtimestamp(self.seconds, timezone(_offset(self.zone))).isoformat()
        except (ValueError, OverflowError, OSError):
            return f"@{self.seconds}{self.zone}"


def _offset(zone: str) -> timedelta:
    """Four digits are hours and minutes; git takes more, of which the last two are seconds."""
    hours, minutes, seconds = int(zone[1:3]), int(zone[3:5]), int(zone[5:7] or 0)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if zone.startswith("-") else offset
