"""Three-way merge of two states of a path: directories name by name, files by content and mode, links by a callback."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from casvault.limits import MERGE_BYTES
from casvault.merge.content import ContentConflict, ContentConflictKind, ModeConflict, merge_content, merge_mode
from casvault.merge.rule import Clash, resolve
from casvault.objects import FILE_MODES, LINK, TREE, Entry, Root, read_blob, write_blob
from casvault.trees import EMPTY_ID, diff_entries, edit_tree, find_entry, state_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casvault.objects import ObjectStage
    from casvault.oid import Oid


class ConflictKind(Enum):
    CONTENT = "content"
    """Lines were changed differently."""
    BINARY = "binary"
    """Different changes of something that has no lines, or of a file too large to merge."""
    BOTH_ADDED = "both added"
    OURS_DELETED = "ours deleted"
    THEIRS_DELETED = "theirs deleted"
    MODE = "mode"
    TYPE = "type"
    """A file on one side, a directory, symlink or link on the other."""
    LINK = "link"
    """Links to different commits that the caller could not merge."""


class TreeConflict(NamedTuple):
    """One path that needs a decision, with its three states; None where it is absent."""

    path: bytes
    kind: ConflictKind
    base: Root | None
    ours: Root | None
    theirs: Root | None


class TreeMerge(NamedTuple):
    """The merged state. Where there are conflicts it holds ours at their paths, and is no result to be kept."""

    state: Root | None
    conflicts: tuple[TreeConflict, ...]

    @property
    def is_clean(self) -> bool:
        return not self.conflicts


class LinkMerge(Protocol):
    """Merges links to commits, of which base may be absent. Answers the state, or the conflicts it met."""

    def __call__(self, path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge: ...


def no_link_merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
    """Links that both sides changed conflict."""
    return TreeMerge(ours, (TreeConflict(path, ConflictKind.LINK, base, ours, theirs),))


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


def merge_states(
    stage: ObjectStage,
    base: Root | None,
    ours: Root | None,
    theirs: Root | None,
    *,
    path: bytes = b"",
    merge_link: LinkMerge = no_link_merge,
) -> TreeMerge:
    """Merge two states of `path`; None stands for absent. New blobs and trees are written to the stage."""
    return _Merger(stage, merge_link).merge(path, base, ours, theirs)


class _Merger:
    def __init__(self, stage: ObjectStage, merge_link: LinkMerge) -> None:
        self._stage = stage
        self._merge_link = merge_link

    def merge(self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None) -> TreeMerge:
        decided = resolve(base, ours, theirs)
        if decided.is_clean:
            return TreeMerge(decided.value, ())
        if _are_directories(base, ours, theirs):
            return self._merge_directories(path, base, ours, theirs)
        if ours is not None and theirs is not None:
            if ours.mode in FILE_MODES and theirs.mode in FILE_MODES:
                return self._merge_files(path, base, ours, theirs)
            if ours.mode == theirs.mode == LINK:
                linked = base if base is not None and base.mode == LINK else None
                return self._merge_link(path, linked, ours, theirs)
            if ours.mode == theirs.mode:
                return _conflict(path, ConflictKind.BINARY, base, ours, theirs)
        return _conflict(path, _CLASHES[decided.clash or Clash.BOTH_CHANGED], base, ours, theirs)

    def _merge_directories(self, path: bytes, base: Root | None, ours: Root | None, theirs: Root | None) -> TreeMerge:
        """Name by name, where either side differs from the base. A side that removed the directory counts as empty."""
        base_id = tree_of(base)
        ours_id, theirs_id = tree_of(ours), tree_of(theirs)
        our_names = {name for name, _, _ in diff_entries(self._stage, base_id, ours_id)}
        prefix = path + b"/" if path else b""
        edits: dict[bytes, Entry | None] = {}
        conflicts: list[TreeConflict] = []
        for name, before, after in diff_entries(self._stage, base_id, theirs_id):
            mine = before
            if name in our_names:
                mine = self._entry(ours_id, name)
            merged = self.merge(prefix + name, state_of(before), state_of(mine), state_of(after))
            conflicts += merged.conflicts
            if merged.state != state_of(mine):
                edits[name] = None if merged.state is None else Entry(name, *merged.state)
        state = edit_tree(self._stage, ours_id or EMPTY_ID, edits)
        gone = (ours is None or theirs is None) and state.id == EMPTY_ID
        return TreeMerge(None if gone else state, tuple(conflicts))

    def _entry(self, tree: Oid | None, name: bytes) -> Entry | None:
        return None if tree is None else find_entry(self._stage, tree, name)

    def _merge_files(self, path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        known = base if base is not None and base.mode in FILE_MODES else None
        mode = merge_mode(None if known is None else known.mode, ours.mode, theirs.mode)
        if isinstance(mode, ModeConflict):
            return _conflict(path, ConflictKind.MODE, base, ours, theirs)
        decided = resolve(None if known is None else known[1:], ours[1:], theirs[1:])
        if decided.is_clean and decided.value is not None:
            return TreeMerge(Root(mode, *decided.value), ())
        states = [state for state in (known, ours, theirs) if state is not None]
        if max(state.size for state in states) > MERGE_BYTES:
            return _conflict(path, ConflictKind.BINARY, base, ours, theirs)
        contents = [read_blob(self._stage, state.id) for state in states]
        merged = merge_content(None if known is None else contents[0], *contents[-2:])
        if isinstance(merged, ContentConflict):
            return _conflict(path, _CONTENT_KINDS[merged.kind], base, ours, theirs)
        return TreeMerge(Root(mode, len(merged.data), write_blob(self._stage, merged.data)), ())


def _conflict(path: bytes, kind: ConflictKind, base: Root | None, ours: Root | None, theirs: Root | None) -> TreeMerge:
    return TreeMerge(ours, (TreeConflict(path, kind, base, ours, theirs),))


def _are_directories(base: Root | None, ours: Root | None, theirs: Root | None) -> bool:
    """Whether a merge by names makes sense: no side is anything but a directory, or absent where there was one."""
    present = [state for state in (ours, theirs) if state is not None]
    both_there = len(present) == 2
    return all(state.mode == TREE for state in present) and (both_there or (base is not None and base.mode == TREE))


def show_conflicts(conflicts: Iterable[TreeConflict]) -> tuple[str, ...]:
    """One line a conflict, for people."""
    return tuple(f"{conflict.path.decode(errors='replace')}: {conflict.kind.value}" for conflict in conflicts)
