"""A small world in which the real steps of `casvault.refs.winning` meet every misfortune, explored exhaustively.

A state is the records that stand, the creations that are still on their way, and where each actor is. One step lets one
actor carry out one request, whole, with every answer that it could get. An actor that sleeps or has crashed is one that
the schedule does not choose; since the rules are judged in every state, "for ever" needs no step of its own.

Generators cannot be copied. An actor's spot is therefore kept as the answers that it has had, and the next request is
found by playing these to a new generator, once for each spot. Spots are one where the frames of the generators are
equal: the same place in the code, the same variables. That is exact as long as nothing that decides what comes next
lives in the interpreter's stack alone; worlds that are `exact` never join spots, and cross-check it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any, NamedTuple

from blake3 import blake3

from casvault.formats.record import Record
from casvault.oid import Oid
from casvault.refs.winning import ChainLink, Create, Drop, Find, ListNumbers, ReadLink

Steps = Generator[Any, Any, Any]
Plan = Callable[[Record | None], Record | None]

SOLO_REQUESTS = 40
"""An actor that runs alone, with no more misfortunes, must finish a job within so many requests."""


class Rule(NamedTuple):
    """The code under test."""

    commit: Callable[[Plan], Steps]
    find_tip: Callable[[], Steps]
    drop_old: Callable[[int], Steps]


class WrongRuleError(AssertionError):
    """A state that must not be; the message is a shortest schedule that leads to it."""


@dataclass(frozen=True)
class Actor:
    """Does the same kind of job a number of times."""

    name: str
    jobs: int = 1
    at_once: bool = False
    """Each job is one step: an undisturbed moment, which makes logs long at little cost."""


@dataclass(frozen=True)
class Writer(Actor):
    """Each job is a transaction."""

    gives_up: bool = False
    """Plans no second attempt; it has then been told that it lost."""


@dataclass(frozen=True)
class Dropper(Actor):
    keep: int = 2


@dataclass(frozen=True)
class Reader(Actor):
    """Reads the tip, which must be an operation of the chain."""


@dataclass(eq=False)
class Spot:
    """Where an actor is: in which job, and waiting for the answer to which request."""

    actor: Actor
    job: int
    request: Any
    answers: tuple[Any, ...]
    """One of the lists of answers that lead here."""
    following: dict[Any, Spot | End] = field(default_factory=dict)
    """By answer; filled as the exploration goes."""

    @property
    def is_over(self) -> bool:
        return self.request is None


class End(NamedTuple):
    """A job has ended, with this result; stands in place of the spot that follows."""

    spot: Spot
    """Where the next job begins."""
    result: Record | None


class State(NamedTuple):
    records: tuple[Record, ...]
    """Those that stand, by number."""
    on_the_way: tuple[Record, ...]
    """Creations that nobody waits for, and that may still land, or never."""
    misfortunes: int
    """How many more may happen."""
    given_up: tuple[bytes, ...]
    """The logical transactions whose writers were told that they lost."""
    spots: tuple[Spot, ...]


class Step(NamedTuple):
    labels: tuple[Any, ...]
    state: State
    won: Record | None = None
    """What an actor was told by this step to be in the chain."""


class Outcome(NamedTuple):
    answer: Any
    records: tuple[Record, ...]
    on_the_way: tuple[Record, ...] = ()
    misfortunes: int = 0


class World:
    """One set of actors under one rule."""

    def __init__(self, rule: Rule, actors: Iterable[Actor], misfortunes: int = 0, *, exact: bool = False) -> None:
        self._rule = rule
        self._actors = tuple(actors)
        self._misfortunes = misfortunes
        self._exact = exact
        self._links: dict[Oid, ChainLink] = {}
        self._chains: dict[Oid | None, tuple[ChainLink, ...]] = {None: ()}
        self._spots: dict[Any, Spot] = {}
        self._alone: set[tuple[tuple[Record, ...], Spot]] = set()

    def explore(self, limit: int = 5_000_000) -> int:
        """Visit every state and return their number; WrongRuleError with a shortest schedule to a wrong one."""
        start = State((), (), self._misfortunes, (), tuple(self._begin(actor, 0) for actor in self._actors))
        came_from: dict[State, tuple[State, tuple[Any, ...]] | None] = {start: None}
        queue = deque([start])
        while queue:
            state = queue.popleft()
            for step in self._steps(state):
                wrong = self._judge(state, step)
                if wrong is not None:
                    raise WrongRuleError("\n".join([*_schedule(came_from, state, step.labels), f"→ {wrong}"]))
                if step.state not in came_from:
                    came_from[step.state] = (state, step.labels)
                    queue.append(step.state)
            assert len(came_from) <= limit, "more states than the limit"
        return len(came_from)

    # What can happen in a state

    def _steps(self, state: State) -> Iterator[Step]:
        for place, record in enumerate(state.on_the_way):
            rest = state.on_the_way[:place] + state.on_the_way[place + 1 :]
            yield Step((record,), state._replace(records=_created(state.records, record)[0], on_the_way=rest))
        for place, spot in enumerate(state.spots):
            if spot.is_over:
                continue
            if spot.actor.at_once:
                yield self._whole_job(state, place)
                continue
            for outcome in _outcomes(state.records, spot.request):
                if outcome.misfortunes <= state.misfortunes:
                    yield self._answered(state, place, outcome)

    def _whole_job(self, state: State, place: int) -> Step:
        """The actor does the rest of its job alone and without misfortunes."""
        labels: tuple[Any, ...] = ()
        start = state.spots[place]
        for _ in range(SOLO_REQUESTS):
            spot = state.spots[place]
            step = self._answered(state, place, next(_outcomes(state.records, spot.request)))
            labels += step.labels
            state = step.state
            if state.spots[place].is_over or state.spots[place].job != start.job:
                return step._replace(labels=labels)
        raise WrongRuleError("\n".join([*map(_show_label, labels), f"→ {start.actor.name} does not come to an end"]))

    def _answered(self, state: State, place: int, outcome: Outcome) -> Step:
        spot = state.spots[place]
        following = self._follow(spot, outcome.answer)
        result, given_up = None, state.given_up
        if isinstance(following, End):
            result = following.result
            if isinstance(spot.actor, Writer) and result is None:
                given_up = (*given_up, _logical(spot.actor, spot.job))
            following = following.spot
        on_the_way = state.on_the_way
        if outcome.on_the_way:
            on_the_way = tuple(sorted(on_the_way + outcome.on_the_way))
        spots = (*state.spots[:place], following, *state.spots[place + 1 :])
        after = State(outcome.records, on_the_way, state.misfortunes - outcome.misfortunes, given_up, spots)
        return Step(((spot, outcome, result),), after, result)

    # Where an actor is

    def _follow(self, spot: Spot, answer: Any) -> Spot | End:
        found = spot.following.get(answer)
        if found is None:
            found = self._play(spot.actor, spot.job, (*spot.answers, answer))
            spot.following[answer] = found
        return found

    def _begin(self, actor: Actor, job: int) -> Spot:
        if job < actor.jobs:
            first = self._play(actor, job, ())
            assert isinstance(first, Spot), "a job that asks nothing"
            return first
        return self._spots.setdefault((actor, job), Spot(actor, job, None, ()))

    def _play(self, actor: Actor, job: int, answers: tuple[Any, ...]) -> Spot | End:
        """The spot to which these answers lead, or the end of the job."""
        steps = self._start(actor, job)
        left = list(reversed(answers))
        try:
            request = next(steps)
            while True:
                if isinstance(request, ReadLink):  # what is read never changes: no step of its own
                    request = steps.send(self._links[request.operation])
                elif left:
                    answer = left.pop()
                    request = steps.send(list(answer) if isinstance(request, ListNumbers) else answer)
                else:
                    break
        except StopIteration as stop:
            return End(self._begin(actor, job + 1), stop.value)
        mark = (actor, job, answers if self._exact else tuple(_frames(steps)))
        return self._spots.setdefault(mark, Spot(actor, job, request, answers))

    def _start(self, actor: Actor, job: int) -> Steps:
        match actor:
            case Writer():
                return self._rule.commit(_Planner(self._links, actor, job))
            case Dropper():
                return self._rule.drop_old(actor.keep)
            case _:
                return self._rule.find_tip()

    # What must hold

    def _judge(self, before: State, step: Step) -> str | None:
        old, chain = self._chain(before.records), self._chain(step.state.records)
        if chain is not old:
            if chain[: len(old)] != old:
                return "the chain has lost an operation"
            if [link.number for link in chain] != list(range(1, len(chain) + 1)):
                return "the chain has a gap"
            logical = [_logical_of(link.transaction) for link in chain]
            if len(set(logical)) != len(logical):
                return "a transaction stands twice"
            if told := set(logical).intersection(step.state.given_up):
                return f"{told.pop().decode()} stands although its writer was told that it lost"
        if step.won is not None:
            number = step.won.number
            if len(chain) < number or chain[number - 1].transaction != step.won.transaction:
                return f"{_show(step.won)} is not in the chain"
        return self._judge_progress(step.state)

    def _judge_progress(self, state: State) -> str | None:
        for place, spot in enumerate(state.spots):
            if not spot.is_over and (state.records, spot) not in self._alone:
                self._alone.add((state.records, spot))
                try:
                    self._whole_job(state, place)
                except WrongRuleError as error:
                    return str(error)
        return None

    def _chain(self, records: tuple[Record, ...]) -> tuple[ChainLink, ...]:
        """The operations that the highest record leads to, the first one first."""
        return self._chain_of(records[-1].operation if records else None)

    def _chain_of(self, operation: Oid | None) -> tuple[ChainLink, ...]:
        found = self._chains.get(operation)
        if found is None:
            assert operation is not None
            link = self._links[operation]
            found = self._chains[operation] = (*self._chain_of(link.parent), link)
        return found


@dataclass
class _Planner:
    """The plan of one logical transaction; the last part of a transaction id tells its attempts apart."""

    links: dict[Oid, ChainLink]
    writer: Writer
    job: int
    attempts: int = 0

    def __call__(self, tip: Record | None) -> Record | None:
        if self.writer.gives_up and self.attempts:
            return None
        self.attempts += 1
        transaction = b"%s/%d" % (_logical(self.writer, self.job), self.attempts)
        link = ChainLink(1, transaction, None) if tip is None else ChainLink(tip.number + 1, transaction, tip.operation)
        operation = Oid(blake3(repr((link.number, transaction, bytes(link.parent or b""))).encode()).digest())
        self.links[operation] = link
        return Record(link.number, transaction, operation)

    def __repr__(self) -> str:
        return f"{self.attempts} attempts"


def _outcomes(records: tuple[Record, ...], request: Any) -> Iterator[Outcome]:
    """Every answer that a request can get, the undisturbed one first."""
    match request:
        case ListNumbers():
            yield Outcome(tuple(record.number for record in records), records)
        case Find(number):
            yield Outcome(next((record for record in records if record.number == number), None), records)
        case Drop(number):
            yield Outcome(None, tuple(record for record in records if record.number != number))
        case Create(record):
            after, created = _created(records, record)
            yield Outcome(created, after)
            yield Outcome(None, after, (), 1)  # the answer is lost
            yield Outcome(None, records, (record,), 1)  # the request is late, or lost if it never lands
            yield Outcome(created, after, (record,), 1)  # it was sent twice, and one of them is late
            if created:
                yield Outcome(False, after, (), 1)  # sent twice, and answered by the one that came second


def _created(records: tuple[Record, ...], record: Record) -> tuple[tuple[Record, ...], bool]:
    if any(standing.number == record.number for standing in records):
        return records, False
    return tuple(sorted((*records, record))), True


def _frames(steps: Steps) -> Iterator[Any]:
    """The place and the variables of a generator that waits at a yield, and of those that it waits for."""
    waiting: Any = steps
    while isinstance(waiting, GeneratorType):
        frame = waiting.gi_frame
        assert frame is not None, "a generator that has ended"
        yield frame.f_code.co_name, frame.f_lasti, repr(sorted(frame.f_locals.items()))
        waiting = waiting.gi_yieldfrom


def _logical(writer: Writer, job: int) -> bytes:
    return b"%s%d" % (writer.name.encode(), job + 1)


def _logical_of(transaction: bytes) -> bytes:
    return transaction.partition(b"/")[0]


def _schedule(came_from: dict[State, Any], state: State, labels: tuple[Any, ...]) -> list[str]:
    steps = [labels]
    while (before := came_from[state]) is not None:
        state, labels = before
        steps.append(labels)
    return [_show_label(label) for labels in reversed(steps) for label in labels]


def _show_label(label: Any) -> str:
    if isinstance(label, Record):
        return f"the creation of {_show(label)} lands"
    spot, outcome, result = label
    told = "" if result is None else f", and is told {_show(result)}"
    late = ", one is late" if outcome.on_the_way else ""
    return f"{spot.actor.name}: {_show_request(spot.request)} → {_show(outcome.answer)}{late}{told}"


def _show(value: Any) -> str:
    match value:
        case Record(number, transaction):
            return f"{transaction.decode()} at {number}"
        case tuple():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return repr(value)


def _show_request(request: Any) -> str:
    match request:
        case Create(record):
            return f"create {_show(record)}"
        case Find(number) | Drop(number):
            return f"{type(request).__name__.lower()} {number}"
        case _:
            return "list"
