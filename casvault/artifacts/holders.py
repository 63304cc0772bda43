"""Which snapshots hold a version: read off the change index, without opening the snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import COLLECTIONS
from casvault.artifacts.snapshot import CONTENT
from casvault.objects import LINK
from casvault.repository.changeindex import iter_chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.oid import Oid
    from casvault.refs import View
    from casvault.repository.changeindex import Change, ChangeIndex

_UNDER = CONTENT + b"/"


class Segment(NamedTuple):
    """A part of a history: a commit and its first parents down to a depth."""

    top: int
    bottom: int


class Span(NamedTuple):
    """Snapshots that follow one another and hold a version at one path."""

    path: bytes
    last: int
    """Positions in the index: the newest of them."""
    first: int
    length: int


class Holders:
    """The snapshots that a collection's tip comes from, by what they hold."""

    def __init__(self, index: ChangeIndex, tip: Oid) -> None:
        self._index = index
        self._segments = segments_of(index, index.catch_up([tip])[0])
        self._events: dict[bytes, list[Change]] = {}
        self._touched: dict[bytes, set[tuple[int, int]]] = {}
        self._spans: dict[bytes, dict[Oid, list[Span]]] = {}

    def id_of(self, commit: int) -> Oid:
        return self._index.id_of(commit)

    def spans(self, version: Oid) -> list[Span]:
        """Where the version is held, the newest first."""
        paths = {change.path for change in self._index.changes_to(version) if change.path.startswith(_UNDER)}
        found = [span for path in sorted(paths) for span in self._spans_at(path).get(version, ())]
        return sorted(found, key=lambda span: span.last, reverse=True)

    def brought(self, version: Oid, spans: Iterable[Span]) -> list[Oid]:
        """The snapshots that hold the version where none of their parents did, the oldest first."""
        found = set()
        for span in spans:
            parents = range(max(len(self._index.parents(span.first)), 1))
            if {(span.first, number) for number in parents} <= self._changed(_UNDER + span.path):
                found.add(span.first)
        return [self._index.id_of(commit) for commit in sorted(found)]

    def snapshots(self, spans: Iterable[Span]) -> list[Oid]:
        """All snapshots of the spans, the newest first."""
        held = {
            commit
            for span in spans
            for commit in iter_chain(self._index, span.last, self._index.place(span.first).depth)
        }
        return [self._index.id_of(commit) for commit in sorted(held, reverse=True)]

    def _at(self, path: bytes) -> list[Change]:
        if path not in self._events:
            self._events[path] = self._index.changes_at(path)
        return self._events[path]

    def _changed(self, path: bytes) -> set[tuple[int, int]]:
        if path not in self._touched:
            self._touched[path] = {(change.commit, change.parent) for change in self._at(path)}
        return self._touched[path]

    def _spans_at(self, path: bytes) -> dict[Oid, list[Span]]:
        """What one path held and holds, for all versions at once: one look at each of its changes."""
        if path not in self._spans:
            found: dict[Oid, list[Span]] = {}
            for segment in self._segments:
                for version, span in self._spans_in(segment, path):
                    found.setdefault(version, []).append(span)
            self._spans[path] = found
        return self._spans[path]

    def _spans_in(self, segment: Segment, path: bytes) -> Iterator[tuple[Oid, Span]]:
        """The versions that a segment has at a path, each from where it came to before it went."""
        index = self._index
        above = segment.top
        for change in reversed([change for change in self._at(path) if change.parent == 0]):
            depth = index.place(change.commit).depth
            if depth > index.place(above).depth or index.ancestor_at(above, depth) != change.commit:
                continue
            # Whatever lies between this change and `above` has the path as this change left it.
            first = index.ancestor_at(above, max(depth, segment.bottom))
            if change.new is not None and change.new.mode == LINK:
                length = index.place(above).depth - index.place(first).depth + 1
                yield change.new.id, Span(path.removeprefix(_UNDER), above, first, length)
            if depth <= segment.bottom:
                return
            above = index.place(change.commit).parent


def segments_of(index: ChangeIndex, tip: int) -> list[Segment]:
    """All that a commit comes from, itself included, each commit in one segment."""
    merges = sorted(index.merges(), reverse=True)
    found: list[Segment] = []
    waiting = [tip]
    while waiting:
        top = waiting.pop()
        bottom = max((_meeting(index, top, segment) for segment in found), default=0) + 1
        if index.place(top).depth < bottom:
            continue
        found.append(Segment(top, bottom))
        for merge in merges:
            depth = index.place(merge).depth
            if bottom <= depth <= index.place(top).depth and index.ancestor_at(top, depth) == merge:
                waiting += index.parents(merge)[1:]
    return found


def _meeting(index: ChangeIndex, commit: int, segment: Segment) -> int:
    """The depth of the first commit, on the way down from one, that is in the segment; 0 if none is."""
    low, high = segment.bottom, min(index.place(segment.top).depth, index.place(commit).depth)
    if low > high or index.ancestor_at(commit, low) != index.ancestor_at(segment.top, low):
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        if index.ancestor_at(commit, middle) == index.ancestor_at(segment.top, middle):
            low = middle
        else:
            high = middle - 1
    return low


def tips_of(view: View) -> dict[bytes, Oid]:
    """The newest snapshot of every collection."""
    refs = view.iter_refs(COLLECTIONS.rstrip(b"/"))
    return {name.removeprefix(COLLECTIONS): oid for name, oid in refs}
