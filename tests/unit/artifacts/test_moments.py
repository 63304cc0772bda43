"""Dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casvault.artifacts.moments import parse_moment
from casvault.errors import UsageError

NOW = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", at(2026, 1, 31, 22, 59, 59)),
        ("20260131", at(2026, 1, 31, 22, 59, 59)),
        ("2026-01-31T12:00", at(2026, 1, 31, 11)),
        ("2026-01-31 12:00:05", at(2026, 1, 31, 11, 0, 5)),
        ("2026-01-31T12:00Z", at(2026, 1, 31, 12)),
        ("2026-01-31T12:00:00+05:30", at(2026, 1, 31, 6, 30)),
        ("now", NOW),
        ("yesterday", NOW - 86_400),
        ("1 hour ago", NOW - 3600),
        ("3  days ago", NOW - 3 * 86_400),
        ("2 weeks ago", NOW - 14 * 86_400),
        ("10 minutes ago", NOW - 600),
        ("1 seconds ago", NOW - 1),
        ("12h", NOW - 12 * 3600),
        ("7d", NOW - 7 * 86_400),
        ("2w", NOW - 14 * 86_400),
    ],
)
def test_a_moment_in_the_zone_of_the_clock(text: str, expected: int) -> None:
    assert parse_moment(text, (NOW, 60)) == expected


def test_a_day_has_a_first_second_and_a_last_one() -> None:
    first, last = (parse_moment("2026-01-31", (NOW, 0), begin=begin) for begin in (True, False))
    assert last - first == 86_399


@pytest.mark.parametrize(
    "text",
    ["", "5y", "soon", "2026-13-01", "2026-02-30", "3 days", "days ago", "in:app", "2026-01-31T25:00", "x" * 1000],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="neither a date nor a time"):
        parse_moment(text, (NOW, 0))
