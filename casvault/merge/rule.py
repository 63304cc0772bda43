"""The three-way rule: what became of one value, seen from its base and two sides.

Drift, tree entries, file contents, modes and ref edits are all decided by this one function. None
stands for absent, on any of the three; values are compared by `==` alone.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

V = TypeVar("V")


class Outcome(Enum):
    """Who changed the value, and with it which value stands."""

    UNCHANGED = "unchanged"
    """All three are equal."""
    OURS = "ours"
    """Only ours changed; it stands."""
    THEIRS = "theirs"
    """Only theirs changed; it stands."""
    SAME = "same"
    """Both made the same change."""
    CONFLICT = "conflict"
    """Both changed, differently."""


class Clash(Enum):
    """How two sides can contradict each other. With an absent base neither can have deleted."""

    BOTH_ADDED = "both added"
    BOTH_CHANGED = "both changed"
    OURS_DELETED = "ours deleted"
    THEIRS_DELETED = "theirs deleted"


@dataclass(frozen=True, slots=True)
class Resolution(Generic[V]):
    """The verdict, with the three values that it was made of."""

    outcome: Outcome
    base: V | None
    ours: V | None
    theirs: V | None

    @property
    def is_clean(self) -> bool:
        return self.outcome is not Outcome.CONFLICT

    @property
    def value(self) -> V | None:
        """The value that stands, None for a deletion. Raises ValueError on a conflict: ask `is_clean` first."""
        if not self.is_clean:
            raise ValueError("a conflict has no value")
        return self.theirs if self.outcome is Outcome.THEIRS else self.ours

    @property
    def clash(self) -> Clash | None:
        """The kind of a conflict, None where there is none."""
        if self.is_clean:
            return None
        if self.base is None:
            return Clash.BOTH_ADDED
        if self.ours is None:
            return Clash.OURS_DELETED
        return Clash.THEIRS_DELETED if self.theirs is None else Clash.BOTH_CHANGED


def resolve(base: V | None, ours: V | None, theirs: V | None) -> Resolution[V]:
    """Decide by the three-way rule: a side equal to the base gives way, equal sides agree, all else is a conflict."""
    return Resolution(_outcome(base, ours, theirs), base, ours, theirs)


def _outcome(base: object, ours: object, theirs: object) -> Outcome:
    if ours == theirs:
        return Outcome.UNCHANGED if ours == base else Outcome.SAME
    if theirs == base:
        return Outcome.OURS
    if ours == base:
        return Outcome.THEIRS
    return Outcome.CONFLICT
