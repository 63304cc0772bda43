"""A small world in which the real steps of `casvault.refs.winning` meet every misfortune, explored exhaustively.

A state is the records that stand, the creations that are still on their way, and where each actor is. One step lets one
actor carry out one request, whole, with every answer that it could get; an actor that sleeps or has crashed is one that
the schedule does not choose, and since the rules are checked in every state, "for ever" needs no step of its own.

Generators cannot be copied. An actor's position is therefore the list of the answers that it has had, and its next
request is found by playing these to a new generator, once for each list. Positions are merged where the generators'
frames are equal: the same place in the code with the same variables. That is exact as long as nothing that decides
what comes next lives in the interpreter's stack alone, and `Exact` positions, which are never merged, cross-check it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blake3 import blake3

from casvault.formats.record import Record
from casvault.oid import Oid
from casvault.refs.winning import ChainLink, Create, Drop, Find, ListNumbers, ReadLink

Steps = Generator[Any, Any, Any]
Plan = Callable[[Record | None], Record | None]

SOLO_STEPS = 40
"""An actor that runs alone, with no more misfortunes, must finish a job within so many requests."""


class Rule(NamedTuple):
    """The code under test."""

    commit: Callable[[Plan], Steps]
    find_tip: Callable[[], Steps]
    drop_old: Callable[[int], Steps]


class WrongRuleError(AssertionError):
    """A state that must not be; the message is the shortest schedule that leads to it."""


@dataclass(frozen=True)
class Actor:
    """Carries out the same kind of job a number of times."""

    name: str
    jobs: int = 1


@dataclass(frozen=True)
class Writer(Actor):
    at_once: bool = False
    """Each transaction is one step: a writer in an undisturbed moment, which makes logs long at little cost."""
    gives_up: bool = False
    """Plans no second attempt, and then counts as told that it has lost."""


@dataclass(frozen=True)
class Dropper(Actor):
    keep: int = 2
    at_once: bool = False


@dataclass(frozen=True)
class Reader(Actor):
    """Reads the tip, which must be an operation of the chain."""


class Position(NamedTuple):
    """Where an actor is: the job, and the answers so far in it."""

    job: int
    answers: tuple[Any, ...]


class Done(NamedTuple):
    """In place of a request: the job has ended with this result."""

    result: Record | None


class State(NamedTuple):
    records: tuple[Record, ...]
    """Those that stand, by number."""
    on_the_way: tuple[Record, ...]
    """Creations that nobody waits for any more, and that may still land or never."""
    misfortunes: int
    """How many more answers may be lost."""
    given_up: tuple[bytes, ...]
    """The logical transactions whose writers were told that they lost."""
    positions: tuple[Position, ...]


class Step(NamedTuple):
    label: str
    state: State
    ended: tuple[int, Record | None] | None = None
    """The actor that has ended a job by this step, with the result."""


@dataclass
class World:
    """One set of actors under one rule."""

    rule: Rule
    actors: tuple[Actor, ...]
    misfortunes: int = 0
    exact: bool = False
    links: dict[Oid, ChainLink] = field(default_factory=dict)
    states: int = 0
    _asked: dict[tuple[int, Position], tuple[Any, Any]] = field(default_factory=dict)
    _alone: set[Any] = field(default_factory=set)

    def explore(self, limit: int = 10_000_000) -> int:
        """Visit every state; WrongRuleError with a shortest schedule to a wrong one. Returns the number of states."""
        start = State((), (), self.misfortunes, (), tuple(Position(0, ()) for _ in self.actors))
        came_from: dict[Any, tuple[Any, str]] = {self._key(start): (None, "")}
        queue = deque([start])
        while queue:
            state = queue.popleft()
            key = self._key(state)
            for step in self._steps(state):
                wrong = self._judge(state, step)
                if wrong is not None:
                    raise WrongRuleError("\n".join([*_schedule(came_from, key), step.label, f"→ {wrong}"]))
                after = self._key(step.state)
                if after not in came_from:
                    came_from[after] = (key, step.label)
                    queue.append(step.state)
            if len(came_from) > limit:
                raise AssertionError(f"more than {limit} states")
        self.states = len(came_from)
        return self.states

    # What can happen in a state

    def _steps(self, state: State) -> Iterator[Step]:
        for number, record in enumerate(state.on_the_way):
            rest = state.on_the_way[:number] + state.on_the_way[number + 1 :]
            landed = state._replace(records=_created(state.records, record)[0], on_the_way=rest)
            yield Step(f"the creation of {_show(record)} lands", landed)
        for index, actor in enumerate(self.actors):
            if state.positions[index].job == actor.jobs:
                continue
            if isinstance(actor, Writer | Dropper) and actor.at_once:
                yield self._whole_job(state, index)
            else:
                yield from self._single_steps(state, index)

    def _single_steps(self, state: State, index: int) -> Iterator[Step]:
        request = self._request(index, state.positions[index])[0]
        for told, records, extra, cost in _outcomes(state, request):
            if cost <= state.misfortunes:
                changed = state._replace(
                    records=records,
                    on_the_way=tuple(sorted(state.on_the_way + extra)),
                    misfortunes=state.misfortunes - cost,
                )
                yield self._answered(changed, index, request, told)

    def _whole_job(self, state: State, index: int) -> Step:
        job = state.positions[index].job
        labels = []
        for _ in range(SOLO_STEPS):
            step = self._undisturbed(state, index)
            labels.append(step.label)
            if step.state.positions[index].job != job:
                return step._replace(label="; ".join(labels))
            state = step.state
        raise WrongRuleError(f"{self.actors[index].name} does not come to an end alone:\n" + "\n".join(labels))

    def _undisturbed(self, state: State, index: int) -> Step:
        request = self._request(index, state.positions[index])[0]
        told, records, _, _ = next(_outcomes(state, request))
        return self._answered(state._replace(records=records), index, request, told)

    def _answered(self, state: State, index: int, request: Any, told: Any) -> Step:
        """The step by which an actor gets its answer and goes on to its next request or job."""
        position = state.positions[index]
        label = f"{self.actors[index].name}: {_show_request(request)} → {_show(told)}"
        following = Position(position.job, (*position.answers, told))
        coming = self._request(index, following)[0]
        if not isinstance(coming, Done):
            return Step(label, state._replace(positions=_replaced(state.positions, index, following)))
        actor = self.actors[index]
        state = state._replace(positions=_replaced(state.positions, index, Position(position.job + 1, ())))
        if isinstance(actor, Writer) and coming.result is None:
            state = state._replace(given_up=(*state.given_up, _logical(actor, position.job)))
        return Step(f"{label}; is told {_show(coming.result)}", state, (index, coming.result))

    # Where an actor is

    def _request(self, index: int, position: Position) -> tuple[Any, Any]:
        """The next request at a position, and what stands for the position when states are compared."""
        found = self._asked.get((index, position))
        if found is None:
            found = self._asked[index, position] = self._play(index, position)
        return found

    def _play(self, index: int, position: Position) -> tuple[Any, Any]:
        steps = self._start(self.actors[index], position.job)
        told = iter(position.answers)
        try:
            request = next(steps)
            while True:
                if isinstance(request, ReadLink):  # what is read never changes: no step of its own
                    request = steps.send(self.links[request.operation])
                else:
                    answer = next(told, _NO_MORE)
                    if answer is _NO_MORE:
                        return request, position if self.exact else (position.job, *_frames(steps))
                    request = steps.send(list(answer) if isinstance(request, ListNumbers) else answer)
        except StopIteration as stop:
            return Done(stop.value), None

    def _start(self, actor: Actor, job: int) -> Steps:
        match actor:
            case Writer():
                return self.rule.commit(_Planner(self, actor, job))
            case Dropper():
                return self.rule.drop_old(actor.keep)
            case _:
                return self.rule.find_tip()

    def _key(self, state: State) -> Any:
        marks = tuple(
            None if position.job == actor.jobs else self._request(index, position)[1]
            for index, (actor, position) in enumerate(zip(self.actors, state.positions, strict=True))
        )
        return (*state[:4], marks)

    # What must hold

    def _judge(self, before: State, step: Step) -> str | None:
        old, chain = self._chain(before), self._chain(step.state)
        if chain[: len(old)] != old:
            return "the chain has lost an operation"
        if [link.number for link in chain] != list(range(1, len(chain) + 1)):
            return "the chain has a gap"
        logical = [_logical_of(link.transaction) for link in chain]
        if len(set(logical)) != len(logical):
            return "a transaction stands twice"
        if told := set(logical).intersection(step.state.given_up):
            return f"{told.pop().decode()} stands although its writer was told that it lost"
        if step.ended is not None and step.ended[1] is not None:
            record = step.ended[1]
            if len(chain) < record.number or chain[record.number - 1].transaction != record.transaction:
                return f"{_show(record)} is not in the chain"
        return self._judge_progress(step.state)

    def _judge_progress(self, state: State) -> str | None:
        for index, actor in enumerate(self.actors):
            position = state.positions[index]
            mark = (index, state.records, self._request(index, position)[1])
            if position.job < actor.jobs and mark not in self._alone:
                self._alone.add(mark)
                try:
                    self._whole_job(state, index)
                except WrongRuleError as error:
                    return str(error)
        return None

    def _chain(self, state: State) -> list[ChainLink]:
        """The operations that the highest record leads to, the first one first."""
        chain = []
        operation = state.records[-1].operation if state.records else None
        while operation is not None:
            chain.append(self.links[operation])
            operation = chain[-1].parent
        return chain[::-1]


_NO_MORE = object()


@dataclass
class _Planner:
    """The plan of one logical transaction; its attempts are told apart by the last part of their transaction ids."""

    world: World
    writer: Writer
    job: int
    attempts: int = 0

    def __call__(self, tip: Record | None) -> Record | None:
        if self.writer.gives_up and self.attempts:
            return None
        self.attempts += 1
        transaction = b"%s/%d" % (_logical(self.writer, self.job), self.attempts)
        link = ChainLink(1, transaction, None) if tip is None else ChainLink(tip.number + 1, transaction, tip.operation)
        operation = Oid(blake3(repr(link).encode()).digest())
        self.world.links[operation] = link
        return Record(link.number, transaction, operation)

    def __repr__(self) -> str:
        return f"{self.attempts}"


def _outcomes(state: State, request: Any) -> Iterator[tuple[Any, tuple[Record, ...], tuple[Record, ...], int]]:
    """Each answer a request can get, the records then, creations that stay on the way, and misfortunes used up."""
    records = state.records
    match request:
        case ListNumbers():
            yield tuple(record.number for record in records), records, (), 0
        case Find(number):
            yield next((record for record in records if record.number == number), None), records, (), 0
        case Drop(number):
            yield None, tuple(record for record in records if record.number != number), (), 0
        case Create(record):
            after, created = _created(records, record)
            yield created, after, (), 0
            yield None, after, (), 1  # the answer is lost
            yield None, records, (), 1  # the request is lost
            yield None, records, (record,), 1  # the request is late
            yield created, after, (record,), 1  # the request was sent twice, and one of them is late
            if created:
                yield False, after, (), 1  # tried twice below: the second try was told that the first one had landed


def _created(records: tuple[Record, ...], record: Record) -> tuple[tuple[Record, ...], bool]:
    if any(standing.number == record.number for standing in records):
        return records, False
    return tuple(sorted((*records, record))), True


def _frames(steps: Steps) -> Iterator[Any]:
    """The place and the variables of a generator that waits at a yield, and of those that it waits for."""
    while True:
        frame = steps.gi_frame
        yield steps.gi_code.co_name, frame.f_lasti, repr(sorted(frame.f_locals.items()))
        if steps.gi_yieldfrom is None:
            return
        steps = steps.gi_yieldfrom


def _logical(writer: Writer, job: int) -> bytes:
    return b"%s%d" % (writer.name.encode(), job + 1)


def _logical_of(transaction: bytes) -> bytes:
    return transaction.partition(b"/")[0]


def _replaced(positions: tuple[Position, ...], index: int, position: Position) -> tuple[Position, ...]:
    return (*positions[:index], position, *positions[index + 1 :])


def _schedule(came_from: dict[Any, tuple[Any, str]], key: Any) -> Iterable[str]:
    labels = []
    while came_from[key][0] is not None:
        key, label = came_from[key]
        labels.append(label)
    return reversed(labels)


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
