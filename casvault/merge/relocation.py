"""A merge that follows renames.

Every file that a rename concerns is lifted out of the three trees, what is left is merged by names, each lifted file is
merged with the states that belong to it under whatever name, and the results are put where they belong now. So there is
one merge, by `structure`; what is here only says which three states meet, and where.
"""

from __future__ import annotations

from stat import S_IFMT
from typing import TYPE_CHECKING, NamedTuple

from casvault.merge.conflict import ConflictKind, Renamed, Side, SkippedRenames, TreeConflict, TreeMerge, conflict_at
from casvault.merge.directories import (
    NO_DIRECTORY_RENAMES,
    DirectoryRenames,
    directories_above,
    find_directory_renames,
    moved,
)
from casvault.merge.placing import Placed, Places
from casvault.merge.renames import Moves, pair, read_moves
from casvault.objects import BLOB_MODES, TREE, Root
from casvault.trees import edit_paths, empty_root, find_path, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.merge.structure import StructuralMerge, Survey
    from casvault.objects import ObjectStage

_OTHER = {Side.OURS: Side.THEIRS, Side.THEIRS: Side.OURS}
_DELETED = {Side.OURS: ConflictKind.OURS_DELETED, Side.THEIRS: ConflictKind.THEIRS_DELETED}


class SideRenames(NamedTuple):
    """What one side renamed."""

    files: dict[bytes, bytes]
    directories: DirectoryRenames
    skipped: tuple[SkippedRenames, ...]


class Trees(NamedTuple):
    base: Root
    ours: Root
    theirs: Root

    def of(self, side: Side) -> Root:
        return self.ours if side is Side.OURS else self.theirs


def find_renames(
    stage: ObjectStage, trees: Trees, survey: Survey, prefix: bytes, *, follow_directories: bool = True
) -> dict[Side, SideRenames]:
    """What each side renamed, as far as it matters to the merge. Paths are relative to the trees: without prefix."""
    moves = {side: read_moves(stage, trees.base, trees.of(side)) for side in Side if survey.concerns(side)}
    both = set.intersection(*(set(each.removed) for each in moves.values())) if len(moves) == len(Side) else set()
    found = {}
    for side in Side:
        if side in moves:
            relevant = {path[len(prefix) :] for path in survey.removed[side]} | both
            displaced = [path[len(prefix) :] for path in survey.displaced[side] if follow_directories]
            found[side] = _find_side(stage, trees, side, moves[side], relevant, displaced)
        else:
            found[side] = SideRenames({}, NO_DIRECTORY_RENAMES, ())
    ours, theirs = found[Side.OURS], found[Side.THEIRS]
    return {
        Side.OURS: ours._replace(directories=ours.directories.without(theirs.directories)),
        Side.THEIRS: theirs._replace(directories=theirs.directories.without(ours.directories)),
    }


def _find_side(
    stage: ObjectStage, trees: Trees, side: Side, moves: Moves, relevant: set[bytes], displaced: list[bytes]
) -> SideRenames:
    gone = _Gone(stage, trees.of(side))
    asked = {directory for path in displaced for directory in directories_above(path) if gone(directory)}
    relevant |= {path for path in moves.removed if not asked.isdisjoint(directories_above(path))}
    pairing = pair(stage, moves, relevant)
    directories = find_directory_renames(pairing.pairs, gone) if asked else NO_DIRECTORY_RENAMES
    skipped = () if pairing.too_many is None else (SkippedRenames(side, *pairing.too_many),)
    return SideRenames(pairing.pairs, directories, skipped)


class _Gone:
    """Whether a directory of the base is no directory any more on a side."""

    def __init__(self, stage: ObjectStage, root: Root) -> None:
        self._stage = stage
        self._root = root
        self._known: dict[bytes, bool] = {}

    def __call__(self, directory: bytes) -> bool:
        found = self._known.get(directory)
        if found is None:
            state = find_path(self._stage, self._root, directory)
            found = self._known[directory] = state is None or state.mode != TREE
        return found


class _Slot:
    """The three states that meet at one path of the result, and the paths that they come from."""

    def __init__(self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None) -> None:
        self.path = path
        self.base = base
        self.sides = {Side.OURS: ours, Side.THEIRS: theirs}
        self.base_path = path
        self.side_paths = dict.fromkeys(Side, path)
        self.removed_by: Side | None = None
        """The side that removed what the other one renamed: a conflict even if that one left the content alone."""

    @property
    def states(self) -> tuple[Root | None, Root | None, Root | None]:
        return self.base, self.sides[Side.OURS], self.sides[Side.THEIRS]

    def renamed(self, prefix: bytes) -> Renamed | None:
        paths = (self.base_path, self.side_paths[Side.OURS], self.side_paths[Side.THEIRS])
        shown = [None if state is None else path for path, state in zip(paths, self.states, strict=True)]
        if {None, self.path}.issuperset(shown):
            return None
        return Renamed(*(None if path is None else prefix + path for path in shown))


class Relocation:
    """One merge of three trees over the renames of both sides."""

    def __init__(
        self, stage: ObjectStage, merger: StructuralMerge, trees: Trees, renames: dict[Side, SideRenames], path: bytes
    ) -> None:
        self._stage = stage
        self._merger = merger
        self._trees = trees
        self._files = {side: dict(renames[side].files) for side in Side}
        self._directories = {side: renames[side].directories for side in Side}
        self._path = path
        self._prefix = path + b"/" if path else b""
        self._slots: dict[bytes, _Slot] = {}
        self._lifted: list[set[bytes]] = [set(), set(), set()]
        self._conflicts: list[TreeConflict] = []
        self._kept: dict[bytes, Root] = {}
        """Files of conflicts that are put into the result as they are."""

    def merge(self, displaced: dict[Side, list[bytes]]) -> TreeMerge | None:
        """The merge over the renames; None if there are none that change anything."""
        for side in Side:
            self._follow_directories(side, [path[len(self._prefix) :] for path in displaced[side]])
        for source in sorted({source for side in Side for source in self._files[side]}):
            self._follow_file(source)
        if not self._slots and not self._conflicts:
            return None
        lifted = (
            edit_paths(self._stage, tree, dict.fromkeys(paths)) if paths else tree
            for tree, paths in zip(self._trees, self._lifted, strict=True)
        )
        return self._put(self._merger.merge(self._path, *lifted))

    def _slot(self, path: bytes) -> _Slot:
        """What stands at a path, lifted out of the trees; directories stay where they are."""
        slot = self._slots.get(path)
        if slot is None:
            states = [find_path(self._stage, tree, path) for tree in self._trees]
            for lifted, state in zip(self._lifted, states, strict=True):
                if state is not None and state.mode != TREE:
                    lifted.add(path)
            slot = _Slot(path, *(None if state is None or state.mode == TREE else state for state in states))
            self._slots[path] = slot
        return slot

    def _follow_directories(self, side: Side, displaced: list[bytes]) -> None:
        """Take what the other side added to directories that this side renamed to their new places."""
        directories, adder = self._directories[side], _OTHER[side]
        if not directories.to and not directories.unclear:
            return
        goals: dict[bytes, list[bytes]] = {}
        for path in self._new_files(adder, displaced):
            old = directories.nearest(path)
            if old is None:
                continue
            if old in directories.unclear:
                self._misplaced(path, adder)
            elif (new := directories.to[old]) not in self._directories[adder].to:
                goals.setdefault(moved(path, old, new), []).append(path)
        for goal, paths in goals.items():
            if len(paths) == 1 and find_path(self._stage, self._trees.of(adder), goal) is None:
                self._move_added(adder, paths[0], goal)
            else:
                for path in paths:
                    self._misplaced(path, adder)

    def _new_files(self, adder: Side, displaced: list[bytes]) -> Iterator[bytes]:
        for path in sorted(displaced):
            state = find_path(self._stage, self._trees.of(adder), path)
            if state is not None and state.mode in BLOB_MODES:
                yield path
            elif state is not None and state.mode == TREE:
                found = walk(self._stage, state.id, path + b"/")
                yield from (below for below, entry in found if entry.mode in BLOB_MODES)

    def _move_added(self, adder: Side, path: bytes, goal: bytes) -> None:
        slot, target = self._slot(path), self._slot(goal)
        target.sides[adder], slot.sides[adder] = slot.sides[adder], None
        target.side_paths[adder] = path
        for source, found in self._files[adder].items():
            if found == path:
                self._files[adder][source] = goal

    def _misplaced(self, path: bytes, adder: Side) -> None:
        """A new file whose directory has gone, nobody can say where to."""
        if path in self._files[adder].values():
            return  # it has a conflict of its own, or a place
        slot = self._slot(path)
        state = slot.sides[adder]
        assert state is not None
        del self._slots[path]
        self._kept[path] = state
        states = (None, state, None) if adder is Side.OURS else (None, None, state)
        self._conflicts.append(TreeConflict(self._prefix + path, ConflictKind.LOCATION, *states))

    def _follow_file(self, source: bytes) -> None:
        targets = {side: self._files[side][source] for side in Side if source in self._files[side]}
        if len(targets) == 1:
            ((side, target),) = targets.items()
            self._renamed_once(side, source, target)
        elif len(set(targets.values())) == 1:
            self._renamed_alike(source, targets[Side.OURS])
        else:
            self._renamed_differently(source, targets[Side.OURS], targets[Side.THEIRS])

    def _renamed_alike(self, source: bytes, target: bytes) -> None:
        old, new = self._slot(source), self._slot(target)
        new.base, old.base = old.base, None
        new.base_path = source

    def _renamed_differently(self, source: bytes, our_path: bytes, their_path: bytes) -> None:
        ours, theirs = self._slot(our_path), self._slot(their_path)
        if ours.sides[Side.THEIRS] is not None or theirs.sides[Side.OURS] is not None:
            return  # each new path has two files already, which conflict, or are equal
        old = self._slot(source)
        our_state, their_state = ours.sides[Side.OURS], theirs.sides[Side.THEIRS]
        assert our_state is not None
        assert their_state is not None
        renamed = Renamed(*(self._prefix + path for path in (source, our_path, their_path)))
        found = TreeConflict(self._prefix + our_path, ConflictKind.RENAME, old.base, our_state, their_state, renamed)
        self._conflicts.append(found)
        self._kept[our_path] = our_state
        old.base = ours.sides[Side.OURS] = theirs.sides[Side.THEIRS] = None

    def _renamed_once(self, side: Side, source: bytes, target: bytes) -> None:
        other = _OTHER[side]
        old, new = self._slot(source), self._slot(target)
        theirs, mine = old.sides[other], new.sides[side]
        assert old.base is not None
        if theirs is None or S_IFMT(theirs.mode) != S_IFMT(old.base.mode):
            # It was removed, or replaced by something that is not the same file any more.
            if new.sides[other] is None:
                new.base, old.base = old.base, None
                new.base_path = source
                new.removed_by = other
        elif new.sides[other] is None:
            new.base, new.sides[other] = old.base, theirs
            new.base_path = new.side_paths[other] = source
            old.base = old.sides[other] = None
        else:
            # Another file has the new name. If the renamed one merges by itself, the two are what is left to decide.
            states = (old.base, mine, theirs) if side is Side.OURS else (old.base, theirs, mine)
            merged = self._merger.merge(self._prefix + target, *states)
            if merged.is_clean:
                new.sides[side] = merged.state
                old.base = old.sides[other] = None

    def _put(self, rest: TreeMerge) -> TreeMerge:
        """The merge of what is left with the files that were lifted."""
        places = Places(self._stage, rest.state or empty_root(), self._prefix)
        for conflict in (*rest.conflicts, *self._conflicts):
            places.note(conflict)
        contested = dict(self._kept)
        merged: dict[bytes, Placed] = {}
        for path, slot in self._slots.items():
            full, renamed = self._prefix + path, slot.renamed(self._prefix)
            found = self._merge_slot(full, slot)
            for conflict in found.conflicts:
                places.note(conflict if conflict.renamed else conflict._replace(renamed=renamed))
            if found.state is None:
                continue
            if found.is_clean:
                merged[path] = Placed(found.state, TreeConflict(full, ConflictKind.TYPE, *slot.states, renamed))
            else:
                contested[path] = found.state
        places.put(merged.items())
        places.put_contested(contested.items())
        return TreeMerge(places.finish(), tuple(sorted(places.conflicts, key=lambda conflict: conflict.path)))

    def _merge_slot(self, path: bytes, slot: _Slot) -> TreeMerge:
        if slot.removed_by is None:
            return self._merger.merge(path, *slot.states)
        return conflict_at(path, _DELETED[slot.removed_by], *slot.states)


def merge_relocated(
    stage: ObjectStage,
    merger: StructuralMerge,
    trees: Trees,
    path: bytes,
    plain: TreeMerge,
    *,
    follow_directories: bool,
) -> TreeMerge:
    """The merge of three trees with the renames that matter, of which `plain` is the merge by names."""
    survey = merger.survey
    prefix = path + b"/" if path else b""
    renames = find_renames(stage, trees, survey, prefix, follow_directories=follow_directories)
    merged = Relocation(stage, merger, trees, renames, path).merge(survey.displaced) or plain
    return merged._replace(skipped=plain.skipped + renames[Side.OURS].skipped + renames[Side.THEIRS].skipped)
