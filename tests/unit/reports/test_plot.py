"""The plot: a document that parses, with an axis that holds every value, on few days and on many."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from casvault import Vault
from casvault.reports.figures import Figures, Period, Span
from casvault.reports.measure import Sizes
from casvault.reports.plot import HEIGHT, WIDTH, draw

SVG = "{http://www.w3.org/2000/svg}"


def figures(*sizes: int, copies: int = 10) -> Figures:
    """One operation more on each day, after which the vault has these sizes."""
    periods = [
        Period(f"2026-03-{day:02}", day, 1, 1, 0, 0, 0, Sizes(), Sizes(day, 2 * size, size), size, copies * size)
        for day, size in enumerate(sizes, start=1)
    ]
    return Vault.in_memory().figures()._replace(span=Span.DAY, periods=tuple(periods))


def parsed(found: Figures) -> ElementTree.Element:
    return ElementTree.fromstring(draw(found))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (7, 7), (1000, 2000, 3000), (5, 10**9), tuple(range(1, 29))])
def test_everything_lies_within_the_picture(sizes: tuple[int, ...]) -> None:
    root = parsed(figures(*sizes))
    for element in root.iter():
        for key, limit in (("x", WIDTH), ("cx", WIDTH), ("x1", WIDTH), ("y", HEIGHT), ("cy", HEIGHT), ("y2", HEIGHT)):
            assert 0 <= float(element.get(key, "0")) <= limit, ElementTree.tostring(element)
    assert len(list(root.iter(f"{SVG}circle"))) == 3 * len(sizes)


def test_larger_is_higher_and_later_is_further_right() -> None:
    root = parsed(figures(1000, 2000, 4000, copies=3))
    lines = [line.get("points", "").split() for line in root.iter(f"{SVG}polyline")]
    assert len(lines) == 3
    for line in lines:
        places = [tuple(map(float, point.split(","))) for point in line]
        assert places == sorted(places)
        heights = [height for _, height in places]
        assert heights == sorted(heights, reverse=True)
    assert "Size over time" in texts(root)


def test_sizes_far_apart_get_a_logarithmic_axis_that_says_so() -> None:
    found = texts(parsed(figures(100, 200, copies=1000)))
    assert "Size over time (logarithmic)" in found
    assert {"100 B", "1 kB", "10 kB", "100 kB", "1 MB"} <= set(found)


def test_legend_and_bars_have_their_numbers() -> None:
    root = parsed(figures(1000, 2000, copies=3))
    assert "every state as a copy (6 kB)" in texts(root)
    assert "stored (2 kB)" in texts(root)
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert titles[1:] == ["2026-03-01: 1 operation", "2026-03-02: 2 operations"]


def test_dates_do_not_overlap() -> None:
    root = parsed(figures(*range(1, 29)))
    at = [float(each.get("x", "")) for each in root.iter(f"{SVG}text") if (each.text or "").startswith("2026-")]
    assert len(at) > 4
    assert all(later - earlier >= 80 for earlier, later in pairwise(at))
