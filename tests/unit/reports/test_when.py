from __future__ import annotations

import pytest

from casvault.reports.when import When


@pytest.mark.parametrize(
    ("when", "iso"),
    [
        (When(0), "1970-01-01T00:00:00+00:00"),
        (When(1_700_000_000, "+0130"), "2023-11-14T23:43:20+01:30"),
        (When(1_700_000_000, "-0800"), "2023-11-14T14:13:20-08:00"),
        (When(-1, "-0000"), "1969-12-31T23:59:59+00:00"),
        (When(0, "+051800"), "1970-01-01T05:18:00+05:18"),
        (When(0, "+9900"), "@0+9900"),
        (When(1 << 62, "+0000"), f"@{1 << 62}+0000"),
    ],
)
def test_iso(when: When, iso: str) -> None:
    assert when.iso == iso
