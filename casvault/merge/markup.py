"""A merge with conflicts as a tree that people can look at: conflicted files as they would be marked up."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from casvault.limits import MERGE_BYTES
from casvault.merge.conflict import ConflictKind
from casvault.merge.content import NO_LABELS, mark_up, merge_mode
from casvault.objects import FILE_MODES, TREE, Root, read_blob, write_blob
from casvault.text.markers import Labels, Style
from casvault.trees import edit_paths, empty_root, find_path

if TYPE_CHECKING:
    from casvault.merge.conflict import TreeConflict, TreeMerge
    from casvault.objects import ObjectStage

_KEPT = (ConflictKind.BINARY, ConflictKind.LINK)


def mark_up_tree(
    stage: ObjectStage,
    merge: TreeMerge,
    labels: Labels = NO_LABELS,
    style: Style = Style.DIFF3,
    *,
    path: bytes = b"",
) -> Root | None:
    """The merged state of `path` with both sides of each conflict in it, as far as they can be shown.

    Texts are marked up. Of binary files, links and symlinks ours stands. Where a side deleted what the other changed,
    the changed file stands; a file that both renamed stands under both names; where a file and something else want one
    path, the file stands beside the other under a name with the label of its side.
    """
    if not merge.conflicts:
        return merge.state
    if merge.conflicts[0].path == path:
        return _shown(stage, merge.conflicts[0], labels, style)
    start = len(path) + 1 if path else 0
    edits: dict[bytes, Root] = {}
    beside: list[tuple[bytes, Root, bytes]] = []
    our_label, their_label = labels.ours or b"ours", labels.theirs or b"theirs"
    for conflict in merge.conflicts:
        place = conflict.path[start:]
        shown = _shown(stage, conflict, labels, style)
        if shown is not None:
            edits.update((each[start:], shown) for each in _places(conflict))
        if _are_two_things(conflict) and conflict.ours is not None and conflict.theirs is not None:
            if shown == conflict.ours:
                beside.append((place, conflict.theirs, their_label))
            else:
                beside.append((place, conflict.ours, our_label))
    root = merge.state or empty_root()
    # A name that a conflict is about is free for what is shown of it, whatever stands there now.
    own = {conflict.path[start:] for conflict in merge.conflicts if _are_two_things(conflict)}
    free: dict[bytes, Root] = {}
    for place, state in sorted(edits.items()):
        if free.keys().isdisjoint(_prefixes(place)) and _is_free(stage, root, place, whatever=place in own):
            free[place] = state
    root = edit_paths(stage, root, free)
    beside += [(place, state, our_label) for place, state in edits.items() if place not in free]
    for place, state, label in sorted(beside):
        root = _put_beside(stage, root, place, state, label)
    return root


def _places(conflict: TreeConflict) -> tuple[bytes, ...]:
    """Where the result has the conflicted file."""
    if conflict.kind is ConflictKind.RENAME and conflict.renamed is not None and conflict.renamed.theirs is not None:
        return conflict.path, conflict.renamed.theirs
    return (conflict.path,)


def _shown(stage: ObjectStage, conflict: TreeConflict, labels: Labels, style: Style) -> Root | None:
    base, ours, theirs = conflict[2:5]
    if ours is None or theirs is None:
        return ours or theirs
    if _are_two_things(conflict):
        return max(ours, theirs, key=_rank)
    files = ours.mode in FILE_MODES and theirs.mode in FILE_MODES
    if not files or conflict.kind in _KEPT:
        return ours
    known = base if base is not None and base.mode in FILE_MODES else None
    if max(state.size for state in (known, ours, theirs) if state is not None) > MERGE_BYTES:
        return ours
    content = None if known is None else read_blob(stage, known.id)
    mine, other = read_blob(stage, ours.id), read_blob(stage, theirs.id)
    marked = mark_up(content, mine, other, _labels_of(conflict, labels), style)
    mode = merge_mode(None if known is None else known.mode, ours.mode, theirs.mode)
    if marked is None:
        return ours
    return Root(mode if isinstance(mode, int) else ours.mode, len(marked), write_blob(stage, marked))


def _labels_of(conflict: TreeConflict, labels: Labels) -> Labels:
    """The labels with the paths behind them, where the sides have different ones (as git does)."""
    if conflict.renamed is None or conflict.renamed.ours == conflict.renamed.theirs:
        return labels
    pairs = zip((labels.base, labels.ours, labels.theirs), conflict.renamed, strict=True)
    return Labels(*(label if path is None else _in_one_line(label + b":" + path) for label, path in pairs))


def _in_one_line(label: bytes) -> bytes:
    return label.replace(b"\r", b"?").replace(b"\n", b"?")


def _are_two_things(conflict: TreeConflict) -> bool:
    """Whether the sides have something at the path of which only one can have the name."""
    if conflict.ours is None or conflict.theirs is None or conflict.kind is ConflictKind.RENAME:
        return False
    return _rank(conflict.theirs) != _rank(conflict.ours)


def _rank(state: Root) -> int:
    """A directory keeps its name before a symlink or a link does, and those before a file."""
    if state.mode in FILE_MODES:
        return 0
    return 1 << 20 if state.mode == TREE else state.mode


def _is_free(stage: ObjectStage, root: Root, path: bytes, *, whatever: bool) -> bool:
    """Whether a file can be put at a path: directories above it, and in its place at most another file, or whatever."""
    for above in _prefixes(path):
        found = find_path(stage, root, above)
        if found is None:
            return True
        if found.mode != TREE:
            return False
    found = find_path(stage, root, path)
    return whatever or found is None or found.mode != TREE


def _prefixes(path: bytes) -> list[bytes]:
    """The directories above a path, the outermost first."""
    parts = path.split(b"/")
    return [b"/".join(parts[:length]) for length in range(1, len(parts))]


def _put_beside(stage: ObjectStage, root: Root, path: bytes, state: Root, label: bytes) -> Root:
    """The tree with a state under a name that is like this path, and free: what is in the way keeps its own."""
    parts = path.split(b"/")
    tail = _in_one_line(b"~" + label.replace(b"/", b"_").replace(b"\0", b"_"))
    for length in range(1, len(parts) + 1):
        found = find_path(stage, root, b"/".join(parts[:length]))
        if found is not None and (length == len(parts) or found.mode != TREE):
            names = (parts[length - 1] + tail + (b"_%d" % number if number else b"") for number in count())
            heads = (b"/".join([*parts[: length - 1], name]) for name in names)
            head = next(head for head in heads if find_path(stage, root, head) is None)
            return edit_paths(stage, root, {b"/".join([head, *parts[length:]]): state})
    return edit_paths(stage, root, {path: state})
