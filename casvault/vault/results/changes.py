"""How things differ."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.objects import Root


class ChangeKind(Enum):
    """How something differs from what was there before."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"

    @classmethod
    def of(cls, old: Root | None, new: Root | None) -> ChangeKind:
        if old is None:
            return cls.ADDED
        return cls.REMOVED if new is None else cls.MODIFIED


class FileChange(NamedTuple):
    """A file that differs between two states; None where it is absent."""

    path: str
    old: Root | None
    new: Root | None

    @property
    def change(self) -> ChangeKind:
        return ChangeKind.of(self.old, self.new)
