"""A plot of how a vault grew, as SVG: what all states would take as copies, what is kept, what is stored; and the
operations of each period.
"""

from __future__ import annotations

import math
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from casvault.reports.figures import Figures, Period

WIDTH, HEIGHT = 840, 520
LEFT, RIGHT = 84, 816
UPPER: Final = (64, 290)
"""Top and bottom of the panel of sizes."""
LOWER: Final = (354, 464)
"""Likewise of the panel of operations."""
_INK, _FAINT, _GRID = "#1f2933", "#616e7c", "#e4e7eb"
_WIDE = 50
"""From this ratio of the largest to the smallest size on, the axis is logarithmic."""


class Series(NamedTuple):
    name: str
    colour: str
    values: Sequence[int]


class _Axis(NamedTuple):
    place: Callable[[float], float]
    ticks: Sequence[float]
    is_logarithmic: bool = False


def draw(figures: Figures) -> str:
    """The plot as a document that stands alone; readable on white and without fonts of its own."""
    periods = figures.periods
    across = _across(periods)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{_INK}" role="img">',
        "<title>How the vault grew</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_sizes(figures, across),
        *_operations(figures, across),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _across(periods: Sequence[Period]) -> Callable[[int], float]:
    """Where on the axis of time a period is, by its number. Half a bar is left free at both ends."""
    days = [date.fromisoformat(period.start).toordinal() for period in periods]
    first, last = (days[0], days[-1]) if days else (0, 0)
    margin = 18
    width = RIGHT - LEFT - 2 * margin
    return lambda number: (
        LEFT + margin + (width * (days[number] - first) / (last - first) if last > first else width / 2)
    )


def _sizes(figures: Figures, across: Callable[[int], float]) -> Iterator[str]:
    periods = figures.periods
    series = (
        Series("every state as a copy", "#b45309", [period.copies for period in periods]),
        Series("each object once", "#2563eb", [period.total.raw for period in periods]),
        Series("stored", "#047857", [period.total.stored for period in periods]),
    )
    axis = _size_axis([value for each in series for value in each.values], UPPER)
    title = "Size over time (logarithmic)" if axis.is_logarithmic else "Size over time"
    yield _text(LEFT, 26, title, size=15, weight="600")
    yield from _grid(axis, UPPER, _bytes)
    for each in series:
        points = [(across(number), axis.place(value)) for number, value in enumerate(each.values)]
        if len(points) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            yield f'<polyline points="{path}" fill="none" stroke="{each.colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{each.colour}"/>' for x, y in points)
    yield from _legend(series)


def _legend(series: Sequence[Series]) -> Iterator[str]:
    at = LEFT
    for each in series:
        label = f"{each.name} ({_bytes(each.values[-1])})" if each.values else each.name
        yield f'<rect x="{at}" y="38" width="12" height="4" fill="{each.colour}"/>'
        yield _text(at + 18, 44, label)
        at += 18 + round(6.6 * len(label)) + 20


def _operations(figures: Figures, across: Callable[[int], float]) -> Iterator[str]:
    periods = figures.periods
    most = max((period.operations for period in periods), default=0)
    axis = _count_axis(most, LOWER)
    yield _text(LEFT, LOWER[0] - 16, f"Operations per {figures.span.value}", size=15, weight="600")
    yield from _grid(axis, LOWER, lambda value: f"{value:,.0f}")
    gaps = [across(number + 1) - across(number) for number in range(len(periods) - 1)]
    width = max(2.0, min([28.0, *(0.8 * gap for gap in gaps)]))
    for number, period in enumerate(periods):
        top = axis.place(period.operations)
        tip = escape(f"{period.start}: {period.operations:,} operation{'' if period.operations == 1 else 's'}")
        yield (
            f'<rect x="{across(number) - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{LOWER[1] - top:.1f}" fill="#7b8794"><title>{tip}</title></rect>'
        )
    yield from _dates(periods, across)


def _dates(periods: Sequence[Period], across: Callable[[int], float]) -> Iterator[str]:
    """Dates under the lower panel, as many as there is room for."""
    free = float("-inf")
    for number, period in enumerate(periods):
        at = across(number)
        if at >= free:
            yield f'<line x1="{at:.1f}" y1="{LOWER[1]}" x2="{at:.1f}" y2="{LOWER[1] + 5}" stroke="{_FAINT}"/>'
            yield _text(at, LOWER[1] + 20, period.start, anchor="middle", colour=_FAINT)
            free = at + 88


def _grid(axis: _Axis, panel: tuple[int, int], label: Callable[[float], str]) -> Iterator[str]:
    for tick in axis.ticks:
        at = axis.place(tick)
        yield f'<line x1="{LEFT}" y1="{at:.1f}" x2="{RIGHT}" y2="{at:.1f}" stroke="{_GRID}"/>'
        yield _text(LEFT - 8, at + 4, label(tick), anchor="end", colour=_FAINT)
    yield f'<line x1="{LEFT}" y1="{panel[1]}" x2="{RIGHT}" y2="{panel[1]}" stroke="{_FAINT}"/>'


def _size_axis(values: Sequence[int], panel: tuple[int, int]) -> _Axis:
    known = [value for value in values if value > 0]
    top, bottom = panel
    if known and max(known) > _WIDE * min(known):
        low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
        step = (bottom - top) / (high - low)
        ticks = [10**each for each in range(low, high + 1)]

        def place(value: float) -> float:
            return bottom - (math.log10(max(value, 10**low)) - low) * step

        return _Axis(place, ticks, is_logarithmic=True)
    return _count_axis(max(known, default=0), panel)


def _count_axis(most: int, panel: tuple[int, int]) -> _Axis:
    """From zero on, with round steps."""
    top, bottom = panel
    size = 10 ** math.floor(math.log10(max(most, 1) / 4)) if most > 4 else 1
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 5 >= most)
    count = max(1, math.ceil(most / step))
    return _Axis(
        lambda value: bottom - (bottom - top) * value / (step * count), [step * each for each in range(count + 1)]
    )


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or value == int(value) else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: str = "400", anchor: str = "start", colour: str = _INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
