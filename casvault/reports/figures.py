"""Counts and sizes of a vault, and how they grew."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from casvault.artifacts.names import COLLECTIONS, PROJECTS, show
from casvault.artifacts.snapshot import open_snapshot
from casvault.deploy.state import read_deployments
from casvault.objects import Kind, read_commit
from casvault.progress import silent
from casvault.refs import View
from casvault.reports import changes
from casvault.reports.changes import find_start, iter_changes, iter_steps_forward
from casvault.reports.measure import Measure, Sizes
from casvault.store import PackDatabase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.objects import ObjectReader, Root
    from casvault.progress import Progress
    from casvault.reports.changes import Change, Step
    from casvault.repository import Repository

_DAYS: Final = 62
"""Up to so many days, each is a period of its own."""
_WEEKS: Final = 104


class Span(Enum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(NamedTuple):
    """What was done from a day on, and how large the vault was at the end of that time."""

    start: str
    """An ISO 8601 date in UTC."""
    operations: int
    snapshots: int
    versions: int
    deployments: int
    pulls: int
    conflicts: int
    added: Sizes
    total: Sizes
    content: int
    """Bytes of the collections as they were."""
    copies: int
    """Bytes of all states of the collections until then, and of all edits recorded in projects, each as a copy."""


class Deployed(NamedTuple):
    collection: str
    artifact: str
    projects: int
    """In which it is deployed now."""
    deployments: int
    """How often a version of it was put somewhere."""


class Busy(NamedTuple):
    project: str
    operations: int
    deployments: int
    pulls: int


class Share(NamedTuple):
    """Objects of one kind, or stored in one way."""

    name: str
    sizes: Sizes


class Figures(NamedTuple):
    packs: int
    pack_bytes: int
    packed: int
    """Objects in packs, each once for each pack; what no operation leads to included."""
    operations: int
    total: Sizes
    """What the operations lead to."""
    kinds: tuple[Share, ...]
    encodings: tuple[Share, ...]
    copies: int
    """Bytes of all states of all collections, and of all edits recorded in projects, each as a copy."""
    saved_by_sharing: float
    """The part of these bytes that is not kept a second time: 0 to 1."""
    saved_by_packing: float
    """The part of the bytes of all objects that compression and patches spare; below 0 if they take more."""
    deployed: tuple[Deployed, ...]
    """The most deployed first."""
    projects: tuple[Busy, ...]
    """The busiest first."""
    span: Span
    periods: tuple[Period, ...]
    """The oldest first, those in which nothing was done left out."""


def count_all(repository: Repository, progress: Progress = silent) -> Figures:
    """Walk over all operations and over every object that they lead to, once. Blobs are not read."""
    count = _Count(repository)
    repository.log.tip()
    count.begin(find_start(repository.log))
    for step in iter_steps_forward(repository.log):
        count.take(step)
        progress("count", step.operation.number, None)
    return count.figures()


class _Day(NamedTuple):
    """What was done on one day."""

    kinds: Counter[changes.Kind]
    """`NOTHING` counts the operations themselves, here and below."""
    added: Sizes
    total: Sizes
    content: int
    copies: int


class _Count:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._reader: ObjectReader = repository.objects
        self._measure = Measure(repository)
        self._days: dict[int, _Day] = {}
        self._contents: dict[bytes | None, int] = {}
        self._copies = 0
        self._deployed: Counter[tuple[bytes, bytes]] = Counter()
        self._busy: dict[bytes, Counter[changes.Kind]] = {}
        self._operations = 0
        self._last: Step | None = None

    def begin(self, view: Root | None) -> None:
        """Start from what there was when the oldest operation was made whose past was not let go."""
        for ref, tip in () if view is None else View(self._reader, view).iter_refs(COLLECTIONS.rstrip(b"/")):
            size = open_snapshot(self._reader, tip).content.size
            self._contents[ref.removeprefix(COLLECTIONS)] = size
            self._copies += size

    def take(self, step: Step) -> None:
        self._operations += 1
        self._last = step
        found = list(iter_changes(self._reader, step))
        for change in found:
            self._take_change(change)
        for project in {change.project for change in found if change.project is not None}:
            self._busy.setdefault(project, Counter())[changes.Kind.NOTHING] += 1
        before = self._measure.total
        self._measure.take(step.id)
        total = self._measure.total
        day = step.operation.who.seconds // 86400
        kinds: Counter[changes.Kind] = Counter(change.kind for change in found)
        kinds[changes.Kind.NOTHING] = 1
        old = self._days.get(day)
        added = total.minus(before)
        if old is not None:
            kinds, added = old.kinds + kinds, old.added.plus(added)
        self._days[day] = _Day(kinds, added, total, sum(self._contents.values()), self._copies)

    def _take_change(self, change: Change) -> None:
        if change.kind is changes.Kind.SNAPSHOT:
            size = 0 if change.after is None else open_snapshot(self._reader, change.after).content.size
            self._contents[change.collection] = size
            self._copies += size
        if change.kind is changes.Kind.OBSERVATION and change.after is not None:
            self._copies += read_commit(self._reader, change.after).root.size
        if change.project is not None and change.collection is not None and change.path is not None:
            self._busy.setdefault(change.project, Counter())[change.kind] += 1
            if change.kind is changes.Kind.DEPLOYMENT and change.after is not None:
                self._deployed[change.collection, change.path] += 1

    def figures(self) -> Figures:
        objects = self._repository.objects
        packs = objects.packs if isinstance(objects, PackDatabase) else []
        total = self._measure.total
        span = _span(self._days)
        return Figures(
            len(packs),
            sum(pack.size for pack in packs),
            sum(map(len, packs)),
            self._operations,
            total,
            _shares(self._measure.kinds),
            _shares(self._measure.encodings),
            self._copies,
            _saved(self._measure.kinds.get(str(Kind.BLOB), Sizes()).raw, self._copies),
            _saved(total.stored, total.raw),
            tuple(self._most_deployed()),
            tuple(self._busiest()),
            span,
            tuple(_periods(self._days, span)),
        )

    def _most_deployed(self) -> list[Deployed]:
        now = self._count_deployed()
        names = self._deployed.keys() | now.keys()
        found = (Deployed(show(name[0]), show(name[1]), now[name], self._deployed[name]) for name in names)
        return sorted(found, key=lambda row: (-row.projects, -row.deployments, row.collection, row.artifact))

    def _count_deployed(self) -> Counter[tuple[bytes, bytes]]:
        """In how many projects each artifact is now."""
        counts: Counter[tuple[bytes, bytes]] = Counter()
        if self._last is not None:
            view = View(self._reader, self._last.operation.view)
            for _, state in view.iter_refs(PROJECTS.rstrip(b"/")):
                counts.update({(place.collection, place.path) for place in read_deployments(self._reader, state)})
        return counts

    def _busiest(self) -> list[Busy]:
        found = (
            Busy(
                show(name),
                counts[changes.Kind.NOTHING],
                counts[changes.Kind.DEPLOYMENT],
                counts[changes.Kind.PULL],
            )
            for name, counts in self._busy.items()
        )
        return sorted(found, key=lambda row: (-row.operations, row.project))


def _saved(kept: int, whole: int) -> float:
    return 1 - kept / whole if whole else 0.0


def _shares(table: dict[str, Sizes]) -> tuple[Share, ...]:
    return tuple(Share(name, sizes) for name, sizes in sorted(table.items(), key=lambda item: -item[1].stored))


def _span(days: Iterable[int]) -> Span:
    known = list(days)
    length = max(known) - min(known) + 1 if known else 0
    if length <= _DAYS:
        return Span.DAY
    return Span.WEEK if length <= 7 * _WEEKS else Span.MONTH


def _periods(days: dict[int, _Day], span: Span) -> Iterator[Period]:
    groups: dict[str, list[_Day]] = {}
    for number, day in sorted(days.items()):
        groups.setdefault(_start(number, span), []).append(day)
    for start, group in groups.items():
        kinds: Counter[changes.Kind] = Counter()
        added = Sizes()
        for day in group:
            kinds += day.kinds
            added = added.plus(day.added)
        last = group[-1]
        yield Period(
            start,
            kinds[changes.Kind.NOTHING],
            kinds[changes.Kind.SNAPSHOT],
            kinds[changes.Kind.VERSION],
            kinds[changes.Kind.DEPLOYMENT],
            kinds[changes.Kind.PULL],
            kinds[changes.Kind.CONFLICT],
            added,
            last.total,
            last.content,
            last.copies,
        )


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _start(day: int, span: Span) -> str:
    """The first day of the period that a day is in; a clock far off is taken for the ends of the calendar."""
    date = (_EPOCH + timedelta(days=min(max(day, -719_000), 2_900_000))).date()
    if span is Span.WEEK:
        date -= timedelta(days=date.weekday())
    elif span is Span.MONTH:
        date = date.replace(day=1)
    return date.isoformat()
