"""What can be reached from certain states: every object once, with its kind. Blobs are not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import BLOB_MODES, FOREIGN, LINK, TREE, Kind, Leaf, Root, decode_commit, decode_node, decode_tag
from casvault.oid import trusted_oids
from casvault.trees import EMPTY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from casvault.objects import ObjectReader
    from casvault.oid import Oid

_BATCH = 1000


def link_to(oid: Oid) -> Root:
    """A commit or tag as a state to start from."""
    return Root(LINK, 0, oid)


def reach(
    reader: ObjectReader, starts: Iterable[Root], cut: Set[Oid] = frozenset(), known: Set[Oid] = frozenset()
) -> dict[Oid, Kind]:
    """The objects at and behind these states, without those behind what is `known`.

    The parents of the commits in `cut`, and of those at the boundary, are not followed.
    """
    found: dict[Oid, Kind] = {}
    queued: set[Oid] = {EMPTY_ID, *known}
    pending: list[Oid] = []

    def expect(state: Root) -> None:
        if state.mode in BLOB_MODES:
            found[state.id] = Kind.BLOB
        elif state.mode != FOREIGN and state.id not in queued:
            queued.add(state.id)
            pending.append(state.id)

    for start in starts:
        expect(start)
    while pending:
        batch = pending[-_BATCH:]
        del pending[-_BATCH:]
        for oid, (kind, data) in zip(batch, reader.read_many(batch), strict=True):
            found[oid] = kind
            for state in _iter_targets(kind, data, follows=oid not in cut and oid not in reader.boundary):
                expect(state)
    return found


def _iter_targets(kind: Kind, data: bytes, *, follows: bool) -> Iterator[Root]:
    if kind is Kind.COMMIT:
        commit = decode_commit(data)
        yield commit.root
        yield from map(link_to, commit.parents if follows else ())
    elif kind is Kind.TREE:
        node = decode_node(data)
        if isinstance(node, Leaf):
            yield from (Root(*entry[1:]) for entry in node.entries)
        else:
            yield from (Root(TREE, 0, oid) for oid in trusted_oids(node.ids))
    elif kind is Kind.TAG:
        tag = decode_tag(data)
        if tag.kind in (Kind.COMMIT, Kind.TAG):
            yield link_to(tag.target)
        else:
            yield Root(TREE if tag.kind is Kind.TREE else min(BLOB_MODES), 0, tag.target)
