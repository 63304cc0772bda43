"""The horizon: where the past of a vault ends, because what lies behind it was let go by a policy of retention.

It is a ref, and recorded before any object goes. Ids do not change by it: the commits at the boundary go on naming
their parents, and whoever walks along parents stops there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError
from casvault.limits import MAX_SIZE
from casvault.objects import Commit, read_commit, write_commit
from casvault.objects.canonical import decode, encode
from casvault.oid import ID_SIZE, Oid
from casvault.refs.retention import OPERATIONS, STATES, Policy, parse_policy
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.objects import ObjectStage, Signature
    from casvault.refs.view import View

HORIZON_REF = b"settings/horizon"
TYPE = b"type"
HORIZON = b"horizon"
SERIAL = b"serial"
FLOOR = b"floor"
CUT = b"cut"
SINCE = b"since"
CUTS_EACH = 1000


class Floor(NamedTuple):
    """The operation below the oldest that was kept: there for its view only, so that it is known what came next."""

    number: int
    id: Oid


class Horizon(NamedTuple):
    commit: Oid
    serial: int
    """How often something was let go."""
    floor: Floor | None
    """None as long as all operations are there."""
    states: frozenset[Oid]
    """Commits whose parents were let go, besides the floor."""
    since: Mapping[Oid, Mapping[bytes, int]]
    """For some of these, since when what is at a path of theirs has been there, which only their parents said."""
    policy: Policy
    """By which it was done last."""
    who: Signature
    reason: bytes

    @property
    def boundary(self) -> frozenset[Oid]:
        """All commits whose parents were let go."""
        return self.states if self.floor is None else self.states | {self.floor.id}

    def describe(self) -> str:
        """For messages about what is not there any more."""
        return f"older operations were let go by retention on {_day(self.who)}"


def read_horizon(view: View) -> Horizon | None:
    """Where the past ends; None if nothing was ever let go. MalformedError for a ref that leads to something else."""
    target = view.find(HORIZON_REF)
    if target is None:
        return None
    commit = read_commit(view.reader, target)
    if commit.field(TYPE) != HORIZON or commit.root != empty_root() or commit.parents:
        raise MalformedError("this commit is no horizon", place=str(target))
    (serial,) = _single(commit, SERIAL, target)
    if type(serial) is not int or not 1 <= serial <= MAX_SIZE:
        raise MalformedError("the serial number is out of range", place=str(target))
    floor = _decode_floor(_single(commit, FLOOR, target), target)
    states = [oid for value in commit.fields_of(CUT) for oid in _decode_ids(value, target)]
    if states != sorted(set(states)):
        raise MalformedError("the commits that were cut are not sorted", place=str(target))
    policy = parse_policy(commit, target)
    since = {}
    for value in commit.fields_of(SINCE):
        oid, times = _decode_times(value, target)
        if oid in since or oid not in states:
            raise MalformedError("times are of a commit that was not cut, or twice of one", place=str(target))
        since[oid] = times
    return Horizon(target, serial, floor, frozenset(states), since, policy, commit.committer, commit.message)


def write_horizon(
    stage: ObjectStage,
    who: Signature,
    reason: bytes,
    serial: int,
    policy: Policy,
    floor: Floor | None,
    states: Iterable[Oid],
    since: Mapping[Oid, Mapping[bytes, int]],
) -> Oid:
    cut = sorted(states)
    fields = (
        (TYPE, HORIZON),
        (SERIAL, encode([serial])),
        (OPERATIONS, encode(policy.operations)),
        (STATES, encode(policy.states)),
        (FLOOR, encode([] if floor is None else [*floor])),
        *((CUT, encode(cut[start : start + CUTS_EACH])) for start in range(0, len(cut), CUTS_EACH)),
        *((SINCE, encode([oid, [[*each] for each in sorted(times.items())]])) for oid, times in sorted(since.items())),
    )
    return write_commit(stage, Commit(empty_root(), (), who, who, reason, fields=fields))


def _single(commit: Commit, key: bytes, target: Oid) -> list[object]:
    values = commit.fields_of(key)
    items = decode(values[0], "horizon") if len(values) == 1 else None
    if not isinstance(items, list) or (key == SERIAL and len(items) != 1):
        raise MalformedError(f"the field {key.decode()} is not one list", place=str(target))
    return items


def _decode_floor(items: list[object], target: Oid) -> Floor | None:
    if not items:
        return None
    if len(items) == 2:
        number, oid = items
        if type(number) is int and 2 <= number <= MAX_SIZE and type(oid) is bytes and len(oid) == ID_SIZE:
            return Floor(number, Oid(oid))
    raise MalformedError("the floor is not [number, id]", place=str(target))


def _decode_ids(value: bytes, target: Oid) -> list[Oid]:
    items = decode(value, "horizon")
    if not isinstance(items, list) or any(type(item) is not bytes or len(item) != ID_SIZE for item in items):
        raise MalformedError("what was cut is not a list of ids", place=str(target))
    return [Oid(item) for item in items]


def _decode_times(value: bytes, target: Oid) -> tuple[Oid, dict[bytes, int]]:
    items = decode(value, "horizon")
    if isinstance(items, list) and len(items) == 2:
        oid, times = items
        if type(oid) is bytes and len(oid) == ID_SIZE and isinstance(times, list) and all(map(_is_time, times)):
            paths = [path for path, _ in times]
            if paths == sorted(set(paths)):
                return Oid(oid), dict(times)
    raise MalformedError("times are not [id, [[path, seconds], …]] by path", place=str(target))


def _is_time(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and type(item[0]) is bytes and type(item[1]) is int


def _day(who: Signature) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(who.seconds))
    except (OverflowError, OSError, ValueError):  # a time that no calendar has
        return f"second {who.seconds}"
