"""The policy of retention: how many operations and states of a vault are to be kept, recorded like any change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import MalformedError, UsageError
from casvault.limits import MAX_SIZE
from casvault.objects import Commit, read_commit, write_commit
from casvault.objects.canonical import decode, encode
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.objects import ObjectStage, Signature
    from casvault.oid import Oid
    from casvault.refs.view import View

RETENTION_REF = b"settings/retention"
TYPE = b"type"
RETENTION = b"retention"
OPERATIONS = b"operations"
STATES = b"states"
DAY = 86_400


class Limit(NamedTuple):
    """What is kept: so many of the newest, and whatever is not older than `days`; everything if neither is set."""

    newest: int | None = None
    days: int | None = None

    def cut(self, times: Sequence[int], now: int) -> int:
        """How many are kept of a line of things with these times, the newest first: it is cut at one place.

        Behind the last one that is kept: clocks go back at times, and nothing between two that are kept can go.
        """
        if self == Limit():
            return len(times)
        kept = min(self.newest or 0, len(times))
        if self.days is not None:
            oldest = now - self.days * DAY
            kept = max([kept, *(place + 1 for place, time in enumerate(times) if time >= oldest)])
        return kept


class Policy(NamedTuple):
    operations: Limit = Limit()
    states: Limit = Limit()


def read_policy(view: View) -> Policy:
    """The policy of a vault; without limits if none was ever set."""
    target = view.find(RETENTION_REF)
    if target is None:
        return Policy()
    commit = read_commit(view.reader, target)
    if commit.field(TYPE) != RETENTION or commit.root != empty_root():
        raise MalformedError("this commit is no policy of retention", place=str(target))
    return parse_policy(commit, target)


def parse_policy(commit: Commit, target: Oid) -> Policy:
    """The limits in a commit's fields."""
    return Policy(*(_decode(commit, key, target) for key in (OPERATIONS, STATES)))


def write_policy(stage: ObjectStage, who: Signature, reason: bytes, policy: Policy) -> Oid:
    for limit in policy:
        if any(value is not None and not 1 <= value <= MAX_SIZE for value in limit):
            raise UsageError("a limit is at least 1", place=f"retention {limit.newest} {limit.days}")
    fields = ((TYPE, RETENTION), (OPERATIONS, encode(policy.operations)), (STATES, encode(policy.states)))
    return write_commit(stage, Commit(empty_root(), (), who, who, reason, fields=fields))


def _decode(commit: Commit, key: bytes, target: Oid) -> Limit:
    values = commit.fields_of(key)
    items = decode(values[0], "retention") if len(values) == 1 else []
    if len(items) != 2 or any(
        item is not None and (type(item) is not int or not 1 <= item <= MAX_SIZE) for item in items
    ):
        raise MalformedError(f"the limit of {key.decode()} is not [newest, days]", place=str(target))
    return Limit(*items)
