"""The base of a merge of two commits: what their merge base holds or, where there are several, those merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.graph import merge_bases
from casvault.merge.conflict import ConflictKind, no_link_merge
from casvault.merge.content import mark_up
from casvault.merge.drivers.registry import DEFAULT_DRIVERS, Drivers
from casvault.merge.trees import merge_states
from casvault.objects import FILE_MODES, Root, read_blob, write_blob
from casvault.oid import blob_id
from casvault.text.markers import Style
from casvault.trees import edit_paths, find_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from casvault.merge.conflict import LinkMerge, TreeConflict, TreeMerge
    from casvault.objects import Overlay
    from casvault.oid import Oid

_TEXTS = (ConflictKind.CONTENT, ConflictKind.BOTH_ADDED)


class Bases:
    """Finds bases over one graph, and remembers those that it had to make.

    Several merge bases are merged in order, each pair over the base that it has itself, as deep as it goes. What is
    made on the way stays in the overlay: a virtual base is nobody's version. So does what a conflict has as its base,
    until the caller copies it.
    """

    def __init__(
        self,
        overlay: Overlay,
        parents_of: Callable[[Oid], Sequence[Oid]],
        content_of: Callable[[Oid], Root],
        merge_link: LinkMerge = no_link_merge,
        *,
        path: bytes = b"",
        drivers: Drivers = DEFAULT_DRIVERS,
    ) -> None:
        """`content_of` answers what of a commit is merged, and `path` is where that is."""
        self._overlay = overlay
        self._parents_of = parents_of
        self._content_of = content_of
        self._merge_link = merge_link
        self._path = path
        self._drivers = drivers
        self._joined: dict[Oid, tuple[Oid, Oid]] = {}
        """The virtual commits, with their parents."""
        self._contents: dict[Oid, Root | None] = {}

    def merge_bases(self, ours: Oid, theirs: Oid) -> list[Oid]:
        return merge_bases(self._parents, ours, theirs)

    def find(self, ours: Oid, theirs: Oid) -> Root | None:
        """The base of two commits; None where their histories do not meet, or have nothing in common there."""
        return self.unite(self.merge_bases(ours, theirs))

    def unite(self, bases: Sequence[Oid]) -> Root | None:
        """What the merge bases hold together; None if there are none."""
        node = self._join(bases)
        return None if node is None else self._content(node)

    def _parents(self, node: Oid) -> Sequence[Oid]:
        return self._joined.get(node) or self._parents_of(node)

    def _join(self, bases: Sequence[Oid]) -> Oid | None:
        """A commit over all of these: the only one, or a virtual one."""
        if not bases:
            return None
        joined = bases[0]
        for base in bases[1:]:
            pair = (joined, base)
            # No commit has the id of a blob, so that virtual ones cannot be taken for those that there are.
            joined = blob_id(joined + base)
            self._joined[joined] = pair
        return joined

    def _content(self, wanted: Oid) -> Root | None:
        """What a commit holds, after everything that this depends on; a ladder of criss-crosses can be any length."""
        open_nodes = [wanted]
        while open_nodes:
            node = open_nodes[-1]
            needed = [] if node in self._contents else self._needed(node)
            if not needed:
                open_nodes.pop()
            open_nodes += needed
        return self._contents[wanted]

    def _needed(self, node: Oid) -> list[Oid]:
        """The commits whose contents must be known before; if there are none left, the content is."""
        pair = self._joined.get(node)
        if pair is None:
            self._contents[node] = self._content_of(node)
            return []
        if unknown := [each for each in pair if each not in self._contents]:
            return unknown
        one, other = (self._contents[each] for each in pair)
        base = None if one == other else self._join(self.merge_bases(*pair))
        if base is not None and base not in self._contents:
            return [base]
        self._contents[node] = self._merge(None if base is None else self._contents[base], one, other)
        return []

    def _merge(self, base: Root | None, one: Root | None, other: Root | None) -> Root | None:
        merged = merge_states(
            self._overlay,
            base,
            one,
            other,
            path=self._path,
            merge_link=self._merge_link,
            follow_directories=False,  # what was new in one was merged, and whoever merged it may have left it there
            drivers=self._drivers,
        )
        return self._settled(merged, base)

    def _settled(self, merged: TreeMerge, base: Root | None) -> Root | None:
        """The merge with every conflict settled so that it stays one for whoever changed nothing there since.

        Texts are marked up, so that a side that settled them has changed them. Elsewhere the base stands.
        """
        edits: dict[bytes, Root | None] = {}
        start = len(self._path) + 1 if self._path else 0
        for conflict in merged.conflicts:
            if conflict.path == self._path:
                return self._marked(conflict) or base
            marked = self._marked(conflict)
            edits[conflict.path[start:]] = marked
            if marked is None and conflict.base is not None:
                place = conflict.path if conflict.renamed is None else conflict.renamed.base or conflict.path
                edits[place[start:]] = conflict.base
        if merged.state is None or not edits:
            return merged.state
        cleared = edit_paths(self._overlay, merged.state, dict.fromkeys(edits))
        for path, state in sorted(edits.items()):
            if state is not None and self._has_room(cleared, path):
                cleared = edit_paths(self._overlay, cleared, {path: state})
        return cleared

    def _marked(self, conflict: TreeConflict) -> Root | None:
        base, ours, theirs = conflict[2:5]
        if conflict.kind not in _TEXTS or ours is None or theirs is None:
            return None
        if ours.mode not in FILE_MODES or theirs.mode not in FILE_MODES:
            return None
        known = None if base is None or base.mode not in FILE_MODES else read_blob(self._overlay, base.id)
        mine, other = read_blob(self._overlay, ours.id), read_blob(self._overlay, theirs.id)
        marked = mark_up(known, mine, other, style=Style.MERGE)
        return None if marked is None else Root(ours.mode, len(marked), write_blob(self._overlay, marked))

    def _has_room(self, root: Root, path: bytes) -> bool:
        """Whether nothing stands at a path, nor a file where it needs a directory."""
        names = path.split(b"/")
        found = (find_path(self._overlay, root, b"/".join(names[:length])) for length in range(1, len(names) + 1))
        states = list(found)
        return states[-1] is None and all(state is None or state.mode not in FILE_MODES for state in states)
