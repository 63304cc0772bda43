"""What holds certain blobs: trees, and through links the commits and tags that lead to them.

Every object is looked at once, however many commits share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import BLOB_MODES, LINK, TREE, Kind, Leaf, Root, read_commit, read_node, read_tag
from casvault.oid import trusted_oids
from casvault.trees import EMPTY_ID, iter_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casvault.objects import ObjectReader
    from casvault.oid import Oid

_Ask = tuple[int, "Oid"]
"""A mode and an id; the nodes below a fork are asked about as trees."""


class Holders:
    """Answers which states hold one of the wanted blobs, and where."""

    def __init__(self, reader: ObjectReader, wanted: Iterable[Oid]) -> None:
        self._reader = reader
        self._wanted = frozenset(wanted)
        self._known: dict[Oid, bool] = {EMPTY_ID: False}

    def holds(self, state: Root | None) -> bool:
        """Whether one of the blobs is at or below this state, through links too; parents of commits do not count."""
        return state is not None and self._holds((state.mode, state.id))

    def holds_commit(self, oid: Oid) -> bool:
        return self._holds((LINK, oid))

    def iter_paths(
        self, state: Root | None, path: bytes = b"", *, through_links: bool = True
    ) -> Iterator[tuple[bytes, Root]]:
        """Where in a state the blobs are, with what stands there."""
        if state is None or not self.holds(state) or (state.mode == LINK and not through_links):
            return
        if state.mode in BLOB_MODES:
            yield path, state
        elif state.mode == LINK:
            yield from self.iter_paths(self._target(state.id), path)
        elif state.mode == TREE:
            for entry in iter_entries(self._reader, state.id):
                below = path + b"/" + entry.name if path else entry.name
                yield from self.iter_paths(Root(*entry[1:]), below, through_links=through_links)

    def _holds(self, ask: _Ask) -> bool:
        if ask[0] not in (TREE, LINK):
            return ask[0] in BLOB_MODES and ask[1] in self._wanted
        stack = [ask]
        while stack:
            mode, oid = stack[-1]
            if oid in self._known:
                stack.pop()
                continue
            below = self._below(mode, oid)
            unknown = [each for each in below if each[0] in (TREE, LINK) and each[1] not in self._known]
            if unknown and not any(self._is_held(each) for each in below):
                stack.extend(unknown)
                continue
            self._known[oid] = any(self._is_held(each) for each in below)
            stack.pop()
        return self._known[ask[1]]

    def _is_held(self, ask: _Ask) -> bool:
        mode, oid = ask
        return oid in self._wanted if mode in BLOB_MODES else self._known.get(oid, False)

    def _below(self, mode: int, oid: Oid) -> list[_Ask]:
        if mode == LINK:
            state = self._target(oid)
            return [] if state is None else [(state.mode, state.id)]
        node = read_node(self._reader, oid)
        if isinstance(node, Leaf):
            return [(entry.mode, entry.id) for entry in node.entries]
        return [(TREE, oid) for oid in trusted_oids(node.ids)]

    def _target(self, oid: Oid) -> Root | None:
        """The state that a link leads to; None for a tag on something that has no state of its own."""
        kind, _ = next(self._reader.read_many((oid,)))
        if kind is Kind.COMMIT:
            return read_commit(self._reader, oid).root
        tag = read_tag(self._reader, oid)
        if tag.kind in (Kind.COMMIT, Kind.TAG):
            return Root(LINK, 0, tag.target)
        mode = TREE if tag.kind is Kind.TREE else next(iter(sorted(BLOB_MODES)))
        return Root(mode, 0, tag.target)
