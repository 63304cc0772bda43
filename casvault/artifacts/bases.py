"""The base of a merge: what the merge bases of two versions hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.objects import Root
    from casvault.oid import Oid


class Ambiguous(NamedTuple):
    """Several merge bases with different contents: there is no one base."""

    bases: tuple[Oid, ...]


def find_base_content(draft: Draft, bases: list[Oid]) -> Root | Ambiguous | None:
    """The content that all merge bases share; None if there are none."""
    contents = {draft.graph.commit(base).root for base in bases}
    if len(contents) > 1:
        return Ambiguous(tuple(bases))
    return next(iter(contents), None)
