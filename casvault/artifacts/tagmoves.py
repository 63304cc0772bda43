"""Tags go with their artifacts: what becomes of them where paths change hands.

An artifact that moves takes its tags along. One that is removed leaves them under its path, where it has them again
when it is made again. Where another artifact comes to such a path, they are no longer the path's: they are set aside as
former tags, so that neither has the other's and none is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS
from casvault.artifacts.snapshot import find_version, open_snapshot
from casvault.artifacts.tags import FORMER_TAGS, VERSION_TAGS, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.artifacts.moves import Address
    from casvault.oid import Oid


def make_way(draft: Draft, collection: bytes, arrivals: Mapping[bytes, Oid], last: Mapping[bytes, Oid]) -> None:
    """Set the tags aside that are left at paths where other artifacts arrive, as these versions.

    One that comes from the last version at its path, of those in `last`, is the artifact that was there. What the
    newest snapshot has at a path is no arrival, whatever the directory that is recorded knew of it.
    """
    if not _has_any(draft, collection):
        return
    tip = open_snapshot(draft.stage, draft.ref(COLLECTIONS + collection))
    for path, version in arrivals.items():
        left = list(draft.iter_refs(tags_of(collection, path)))
        if not left or find_version(draft.stage, tip, path) is not None:
            continue
        if path in last and draft.graph.is_ancestor(last[path], version):
            continue
        for name, _ in left:
            _set_aside(draft, name)


def carry_tags(draft: Draft, moves: Iterable[tuple[Address, Address]]) -> None:
    """Let all tags follow artifacts from old places to new ones."""
    for old, new in moves:
        above = tags_of(*old)
        for name, oid in list(draft.iter_refs(above)):
            there = tags_of(*new) + name[len(above) :]
            if draft.ref(there) not in (None, oid):
                _set_aside(draft, there)
            draft.set_ref(name, None)
            draft.set_ref(there, oid)


def _set_aside(draft: Draft, name: bytes) -> None:
    wanted = FORMER_TAGS + name.removeprefix(VERSION_TAGS)
    free, number = wanted, 1
    while draft.ref(free) not in (None, draft.ref(name)):
        number += 1
        free = wanted + b"~%d" % number
    draft.set_ref(free, draft.ref(name))
    draft.set_ref(name, None)


def _has_any(draft: Draft, collection: bytes) -> bool:
    return next(iter(draft.iter_refs(VERSION_TAGS + collection)), None) is not None
