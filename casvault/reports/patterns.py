"""What keeps clashing, how it is settled, and what would spare it."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.artifacts.names import typed
from casvault.merge.drivers.registry import Binding, DriverName, Drivers
from casvault.merge.drivers.simple import Text
from casvault.pending import How, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from casvault.pending import Earlier
    from casvault.reports.conflicts import ConflictPath, ConflictRecord

OFTEN: Final = 2
"""Conflicts of one path from which on its driver is worth a thought."""
ALWAYS: Final = 3
"""Conflicts of one artifact with one project from which on the two are likely to go on like that."""
TYPES: Final = Drivers(
    (
        *(Binding(f"*.{name}", DriverName.JSON) for name in ("json", "ipynb", "webmanifest", "geojson")),
        Binding("*.toml", DriverName.TOML),
        *(Binding(f"*.{name}", DriverName.YAML) for name in ("yaml", "yml")),
        *(Binding(f"*.{name}", DriverName.FRONT_MATTER) for name in ("md", "mdx", "markdown")),
    )
)
"""The types of files whose structure a driver knows, also those that no collection binds by itself."""


class Tally(NamedTuple):
    name: str
    times: int


class Advice(Enum):
    REUSE = "reuse"
    """What is open was resolved before."""
    DRIVER = "driver"
    """A driver knows the structure of these files, and the collection merges them by lines."""
    FORK = "fork"
    """The project's copy goes its own way again and again."""


class Suggestion(NamedTuple):
    advice: Advice
    collection: str
    artifact: str
    project: str
    path: str
    """The path that clashes, or of `DRIVER` a pattern for such paths."""
    detail: str
    """The handle of the merge, the name of the driver, or how many conflicts there were."""


class Patterns(NamedTuple):
    conflicts: int
    """Merges that met conflicts."""
    waiting: int
    hunks: int
    artifacts: tuple[Tally, ...]
    """The most frequent first, as in the next four."""
    paths: tuple[Tally, ...]
    projects: tuple[Tally, ...]
    kinds: tuple[Tally, ...]
    strategies: tuple[Tally, ...]
    median_seconds: float | None
    """From the first sight of a conflict to its end; of those that waited, None if none did."""
    suggestions: tuple[Suggestion, ...]


def find_patterns(
    records: Iterable[ConflictRecord],
    drivers_of: Callable[[str], Drivers],
    earlier_of: Callable[[ConflictRecord], Sequence[Earlier | None]],
) -> Patterns:
    """`drivers_of` are those of a collection; `earlier_of` is what settled each path of a merge that waits before."""
    known = list(records)
    paths = [(record, path) for record in known for path in record.paths]
    waited = [
        record.completed.seconds - record.detected.seconds
        for record in known
        if record.completed is not None and record.strategy in (Strategy.MERGE, Strategy.MANUAL)
    ]
    return Patterns(
        len(known),
        sum(record.completed is None for record in known),
        sum(path.hunks for _, path in paths),
        _tally(record.artifact for record in known),
        _tally(path.path for _, path in paths),
        _tally(record.project for record in known if record.project),
        _tally(path.kind.value for _, path in paths),
        _tally(record.strategy.value for record in known if record.strategy is not None),
        _median(waited),
        (*_reusable(known, earlier_of), *_drivers(paths, drivers_of), *_diverging(known)),
    )


def _median(values: Sequence[int]) -> float | None:
    if not values:
        return None
    # Few commands ask for patterns, and all would wait for what it brings along: fractions, decimals, random numbers.
    from statistics import median

    return median(values)


def _tally(names: Iterable[str]) -> tuple[Tally, ...]:
    """The most frequent first, those of one number by name."""
    return tuple(
        sorted((Tally(*item) for item in Counter(names).items()), key=lambda tally: (-tally.times, tally.name))
    )


def _reusable(
    records: Iterable[ConflictRecord], earlier_of: Callable[[ConflictRecord], Sequence[Earlier | None]]
) -> Iterable[Suggestion]:
    for record in records:
        if record.merge is None or not record.open:
            continue
        for path, earlier in zip(record.paths, earlier_of(record), strict=True):
            if path.how is None and earlier is not None:
                yield _suggestion(Advice.REUSE, record, path.path, record.merge)


def _drivers(
    paths: Iterable[tuple[ConflictRecord, ConflictPath]], drivers_of: Callable[[str], Drivers]
) -> Iterable[Suggestion]:
    """Types that a driver knows and the collection merges by lines; a suggestion for each type of each collection."""
    found: dict[tuple[str, str], list[ConflictRecord]] = {}
    for record, path in paths:
        raw = typed(path.path)
        if path.hunks and record.collection and not isinstance(TYPES.find(raw), Text):
            suffix = path.path.rpartition("/")[2].rpartition(".")[2]
            if isinstance(drivers_of(record.collection).find(raw), Text):
                found.setdefault((record.collection, f"*.{suffix}"), []).append(record)
    for (_, pattern), records in found.items():
        if len(records) >= OFTEN:
            name = next(binding.driver for binding in TYPES.bindings if binding.pattern == pattern)
            yield _suggestion(Advice.DRIVER, records[0], pattern, name.value)


def _diverging(records: Iterable[ConflictRecord]) -> Iterable[Suggestion]:
    """What met conflicts again and again in one project, and was settled by one side as a whole most of the time."""
    found: dict[tuple[str, str, str], list[ConflictRecord]] = {}
    for record in records:
        if record.collection and not record.undone:
            found.setdefault((record.collection, record.artifact, record.project), []).append(record)
    for group in found.values():
        one_sided = sum(map(_is_one_sided, group))
        if len(group) >= ALWAYS and 2 * one_sided >= len(group) and group[-1].strategy is not Strategy.FORK:
            yield _suggestion(Advice.FORK, group[-1], group[-1].artifact, str(len(group)))


def _is_one_sided(record: ConflictRecord) -> bool:
    hows = {path.how for path in record.paths}
    return record.strategy is Strategy.OVERWRITE or hows in ({How.OURS}, {How.THEIRS})


def _suggestion(advice: Advice, record: ConflictRecord, path: str, detail: str) -> Suggestion:
    return Suggestion(advice, record.collection, record.artifact, record.project, path, detail)
