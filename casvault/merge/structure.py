"""The three-way merge by names: directories entry by entry, files by content and mode, links by a callback.

It knows no renames, but it notes where some could matter: paths that are gone from one side and not unchanged on the
other, and what is new in a directory that is gone from the other side. Where nothing is noted, its result stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import PurgedError, RefusedError
from casvault.limits import MAX_DEPTH, MERGE_BYTES
from casvault.merge.conflict import ConflictKind, Side, TreeMerge, conflict_at
from casvault.merge.content import ContentConflict, ContentConflictKind, ModeConflict, merge_mode
from casvault.merge.drivers.registry import DEFAULT_DRIVERS, Drivers
from casvault.merge.rule import Clash, Outcome, resolve
from casvault.objects import BLOB_MODES, FILE_MODES, LINK, ROOT_MODES, TREE, Entry, Root, read_blob, write_blob
from casvault.trees import EMPTY_ID, READ_AHEAD, diff_entries, edit_tree, read_roots_ahead, state_of, tree_of

if TYPE_CHECKING:
    from casvault.merge.conflict import LinkMerge, TreeConflict
    from casvault.objects import ObjectStage

_CLASHES = {
    Clash.OURS_DELETED: ConflictKind.OURS_DELETED,
    Clash.THEIRS_DELETED: ConflictKind.THEIRS_DELETED,
    Clash.BOTH_ADDED: ConflictKind.BOTH_ADDED,
    Clash.BOTH_CHANGED: ConflictKind.TYPE,
}
_CONTENT_KINDS = {
    ContentConflictKind.TEXT: ConflictKind.CONTENT,
    ContentConflictKind.BINARY: ConflictKind.BINARY,
    ContentConflictKind.BOTH_ADDED: ConflictKind.BOTH_ADDED,
}


class Survey:
    """Where a rename on a side would change the result; paths are those that the merge was given."""

    def __init__(self) -> None:
        self.removed: dict[Side, set[bytes]] = {side: set() for side in Side}
        """Files that are gone from the side and were changed on the other."""
        self.both_removed = False
        """Whether something is gone from both sides, which may have renamed it."""
        self.displaced: dict[Side, list[bytes]] = {side: [] for side in Side}
        """What the other side added to a directory that is gone from this one."""

    def concerns(self, side: Side) -> bool:
        return self.both_removed or bool(self.removed[side]) or bool(self.displaced[side])


class StructuralMerge:
    """Merges states of one path at a time; what it was asked once it remembers."""

    def __init__(self, stage: ObjectStage, merge_link: LinkMerge, drivers: Drivers = DEFAULT_DRIVERS) -> None:
        self.survey = Survey()
        self._stage = stage
        self._merge_link = merge_link
        self._drivers = drivers
        self._known: dict[tuple[bytes, Root | None, Root | None, Root | None], TreeMerge] = {}

    def merge(self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None) -> TreeMerge:
        decided = resolve(base, ours, theirs)
        if decided.is_clean:
            if decided.outcome is Outcome.SAME and ours is None and base is not None:
                self.survey.both_removed |= base.mode in ROOT_MODES
            return TreeMerge(decided.value, ())
        asked = (path, base, ours, theirs)
        found = self._known.get(asked)
        if found is None:
            clash = decided.clash or Clash.BOTH_CHANGED
            modes = {state.mode for state in (base, ours, theirs) if state is not None}
            if TREE not in modes:
                found = self._merge_leaves(*asked, clash)
            elif len(modes) == 1:
                found = self._merge_directories(*asked)
            else:
                found = self._merge_mixed(*asked, clash)
            self._known[asked] = found
        return found

    def _merge_mixed(
        self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None, clash: Clash
    ) -> TreeMerge:
        """A directory in one state and something else in another: each for itself, and then one of them must be gone.

        So a directory that both sides removed is not in the way of a file that one of them put there.
        """
        states = (base, ours, theirs)
        leaf = self.merge(path, *(None if tree_of(state) else state for state in states))
        tree = self.merge(path, *(state if tree_of(state) else None for state in states))
        if leaf.is_clean and leaf.state is None:
            return tree
        if tree.is_clean and tree.state is None:
            return leaf
        return conflict_at(path, _CLASHES[clash], base, ours, theirs)

    def _merge_directories(self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None) -> TreeMerge:
        """Name by name, where either side differs from the base. A side that removed the directory counts as empty."""
        if path.count(b"/") >= MAX_DEPTH:
            place = path.decode(errors="replace")
            raise RefusedError(f"more than {MAX_DEPTH} directories below one another", place=place)
        base_id, ours_id, theirs_id = tree_of(base), tree_of(ours), tree_of(theirs)
        our_changes = {name: after for name, _, after in diff_entries(self._stage, base_id, ours_id)}
        their_changes = diff_entries(self._stage, base_id, theirs_id)
        prefix = path + b"/" if path else b""
        if base is not None and ours is None:
            self._note_displaced(Side.OURS, prefix, [name for name, before, _ in their_changes if before is None])
        if base is not None and theirs is None:
            kept = {name for name, _, _ in their_changes}
            self._note_displaced(Side.THEIRS, prefix, [name for name in our_changes if name not in kept])
        edits: dict[bytes, Entry | None] = {}
        conflicts: list[TreeConflict] = []
        for at, (name, before, after) in enumerate(their_changes):
            if at % READ_AHEAD == 0:
                coming = their_changes[at : at + READ_AHEAD]
                both = [(old, our_changes[name], new) for name, old, new in coming if name in our_changes]
                read_roots_ahead(
                    self._stage, (entry for entries in both if entries[1] != entries[2] for entry in entries)
                )
            mine = our_changes.get(name, before)
            merged = self.merge(prefix + name, state_of(before), state_of(mine), state_of(after))
            conflicts += merged.conflicts
            state = merged.state
            if tree_of(state) == EMPTY_ID and EMPTY_ID not in (tree_of(state_of(mine)), tree_of(state_of(after))):
                state = None  # each side removed a part of it, and so both together removed it
            if state != state_of(mine):
                edits[name] = None if state is None else Entry(name, *state)
        edited = edit_tree(self._stage, ours_id or EMPTY_ID, edits)
        gone = (ours is None or theirs is None) and edited.id == EMPTY_ID
        return TreeMerge(None if gone else edited, tuple(conflicts))

    def _note_displaced(self, side: Side, prefix: bytes, names: list[bytes]) -> None:
        self.survey.displaced[side] += [prefix + name for name in names]

    def _merge_leaves(
        self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None, clash: Clash
    ) -> TreeMerge:
        if ours is not None and theirs is not None:
            if ours.mode in FILE_MODES and theirs.mode in FILE_MODES:
                return self._merge_files(path, base, ours, theirs)
            if ours.mode == theirs.mode == LINK:
                linked = base if base is not None and base.mode == LINK else None
                return self._merge_link(path, linked, ours, theirs)
            if ours.mode == theirs.mode:
                return conflict_at(path, ConflictKind.BINARY, base, ours, theirs)
        elif base is not None and base.mode in BLOB_MODES:
            self.survey.removed[Side.OURS if ours is None else Side.THEIRS].add(path)
        return conflict_at(path, _CLASHES[clash], base, ours, theirs)

    def _merge_files(self, path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        known = base if base is not None and base.mode in FILE_MODES else None
        mode = merge_mode(None if known is None else known.mode, ours.mode, theirs.mode)
        if isinstance(mode, ModeConflict):
            return conflict_at(path, ConflictKind.MODE, base, ours, theirs)
        decided = resolve(None if known is None else known[1:], ours[1:], theirs[1:])
        if decided.is_clean and decided.value is not None:
            return TreeMerge(Root(mode, *decided.value), ())
        states = [state for state in (known, ours, theirs) if state is not None]
        if max(state.size for state in states) > MERGE_BYTES:
            return conflict_at(path, ConflictKind.BINARY, base, ours, theirs)
        try:
            contents = [read_blob(self._stage, state.id) for state in states]
        except PurgedError:
            return conflict_at(path, ConflictKind.BINARY, base, ours, theirs)  # what is gone on purpose has no lines
        merged = self._drivers.find(path).merge(None if known is None else contents[0], *contents[-2:])
        if isinstance(merged, ContentConflict):
            return conflict_at(path, _CONTENT_KINDS[merged.kind], base, ours, theirs)
        return TreeMerge(Root(mode, len(merged.data), write_blob(self._stage, merged.data)), ())
