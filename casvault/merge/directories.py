"""Directories that a side renamed, as far as its renamed files say so."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class DirectoryRenames(NamedTuple):
    """Old directory → new one. The root is the empty path."""

    to: dict[bytes, bytes]
    unclear: frozenset[bytes]
    """Directories whose files went to several places, none of which got the most."""

    def without(self, others: DirectoryRenames) -> DirectoryRenames:
        """Without those that the other side renamed too: what is new there has no side that knows better."""
        return DirectoryRenames({old: new for old, new in self.to.items() if old not in others.to}, self.unclear)

    def nearest(self, path: bytes) -> bytes | None:
        """The innermost directory above a path that was renamed, or should have been."""
        return next((each for each in directories_above(path) if each in self.to or each in self.unclear), None)


NO_DIRECTORY_RENAMES = DirectoryRenames({}, frozenset())


def find_directory_renames(pairs: Mapping[bytes, bytes], is_gone: Callable[[bytes], bool]) -> DirectoryRenames:
    """Each renamed file votes for where its directory went, if that is gone as a whole.

    It votes for the directories above too, as long as both paths call them the same: a/b/file → x/b/file says that a/b
    became x/b, and a became x.
    """
    votes: defaultdict[bytes, Counter[bytes]] = defaultdict(Counter)
    for old_path, new_path in pairs.items():
        old, new = parent(old_path), parent(new_path)
        while old and old != new and is_gone(old):
            votes[old][new] += 1
            if not new or _last(old) != _last(new):
                break
            old, new = parent(old), parent(new)
    to: dict[bytes, bytes] = {}
    unclear = set()
    for old, counts in votes.items():
        most = max(counts.values())
        winners = [new for new, count in counts.items() if count == most]
        if len(winners) == 1:
            to[old] = winners[0]
        else:
            unclear.add(old)
    return DirectoryRenames(to, frozenset(unclear))


def moved(path: bytes, old: bytes, new: bytes) -> bytes:
    """Where a path below `old` is when that is called `new`."""
    rest = path[len(old) + 1 :]
    return new + b"/" + rest if new else rest


def directories_above(path: bytes) -> Iterator[bytes]:
    """The innermost first, without the root."""
    while path := parent(path):
        yield path


def parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _last(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
