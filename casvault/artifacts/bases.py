"""The base of a merge of two versions, and the merge: several merge bases are united into a virtual one.

What is made on the way stays in the draft's scratch overlay and reaches no pack; only the result does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.artifacts.drivers import drivers_of
from casvault.merge.bases import Bases
from casvault.merge.drivers.registry import DEFAULT_DRIVERS
from casvault.merge.trees import LinkMerge, TreeMerge, merge_states, no_link_merge
from casvault.trees import copy_added

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.merge.drivers.registry import Drivers
    from casvault.objects import Root
    from casvault.oid import Oid


def find_base(
    draft: Draft, ours: Oid, theirs: Oid, path: bytes = b"", *, collection: bytes | None = None
) -> Root | None:
    """The content of the merge base of two versions of what is at `path`; None if there is none.

    It may be in the draft's scratch overlay only, over which `merge_contents` reads.
    """
    bases = draft.graph.merge_bases(ours, theirs)
    contents = {draft.graph.commit(base).root for base in bases}
    if len(contents) <= 1:
        return next(iter(contents), None)
    virtual = Bases(
        draft.scratch,
        draft.graph.parents,
        lambda oid: draft.graph.commit(oid).root,
        path=path,
        drivers=_drivers(draft, collection),
    )
    return virtual.unite(bases)


def merge_contents(
    draft: Draft,
    base: Root | None,
    ours: Root | None,
    theirs: Root | None,
    *,
    path: bytes = b"",
    merge_link: LinkMerge = no_link_merge,
    collection: bytes | None = None,
) -> TreeMerge:
    """Merge three states, of which the base may be a virtual one; the draft's stage gets what the result holds.

    Files are merged as the collection says.
    """
    drivers = _drivers(draft, collection)
    merged = merge_states(draft.scratch, base, ours, theirs, path=path, merge_link=merge_link, drivers=drivers)
    for state in (merged.state, *(state for conflict in merged.conflicts for state in conflict[2:5])):
        copy_added(draft.scratch, state, draft.stage)
    return merged


def _drivers(draft: Draft, collection: bytes | None) -> Drivers:
    return DEFAULT_DRIVERS if collection is None else drivers_of(draft, collection)


def keep_base(draft: Draft, base: Root | None) -> None:
    """Write a base that must outlive the draft, as that of a merge that waits."""
    copy_added(draft.scratch, base, draft.stage)
