"""Laws of tree merges, on small trees in which names clash, move and swap as often as they can."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.errors import CasvaultError
from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import ConflictKind, TreeMerge, merge_states
from casvault.objects import (
    ALL_MODES,
    EXECUTABLE,
    FILE,
    FILE_MODES,
    FOREIGN,
    SYMLINK,
    TREE,
    MemoryObjects,
    Overlay,
    Root,
    read_blob,
    write_blob,
)
from casvault.oid import blob_id
from casvault.trees import edit_paths, empty_root, walk

STORE = MemoryObjects()
LAWS = settings(deadline=None, max_examples=100)


def _text(name: str, first: int, last: int) -> bytes:
    """Texts of one name are similar, and different edits of the first and the last line merge."""
    lines = [f"{name} {number}" for number in range(8)]
    return "".join(line + "\n" for line in (f"first {first}", *lines, f"last {last}")).encode()


TEXTS = st.builds(_text, st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 2))
CONTENTS = TEXTS | st.sampled_from([b"", b"\0one", b"\0two"])
FILES = st.builds(
    lambda content, mode: Root(mode, len(content), write_blob(STORE, content)),
    CONTENTS,
    st.sampled_from([FILE, FILE, FILE, EXECUTABLE, SYMLINK]),
)
PATHS = st.lists(st.sampled_from([b"d", b"e", b"f"]), min_size=1, max_size=3).map(b"/".join)
Tree = dict[bytes, Root]


def _without_clashes(files: Tree) -> Tree:
    """The files of which no other lies below."""
    return {p: f for p, f in files.items() if not any(other.startswith(p + b"/") for other in files)}


TREES = st.dictionaries(PATHS, FILES, max_size=6).map(_without_clashes)


@st.composite
def edits(draw: st.DrawFn, base: Tree) -> Tree:
    """The tree after some of what people do to trees: edits, removals, additions, files and directories renamed."""
    files = dict(base)
    for _ in range(draw(st.integers(0, 4))):
        if not files:
            break
        path = draw(st.sampled_from(sorted(files)))
        match draw(st.sampled_from(["edit", "remove", "add", "move", "move directory"])):
            case "edit":
                files[path] = draw(FILES)
            case "remove":
                del files[path]
            case "add":
                files[draw(PATHS)] = draw(FILES)
            case "move":
                files[draw(PATHS)] = files.pop(path)
            case _:
                old, new = path.rpartition(b"/")[0], draw(PATHS)
                moved = {each for each in files if old and each.startswith(old + b"/")}
                files = {new + each[len(old) :] if each in moved else each: files[each] for each in files}
        files = _without_clashes(files)
    return files


@st.composite
def triples(draw: st.DrawFn) -> tuple[Root, Root, Root]:
    base = draw(TREES)
    return _tree(base), _tree(draw(edits(base))), _tree(draw(edits(base)))


def _tree(files: Tree) -> Root:
    return edit_paths(STORE, empty_root(), dict(files))


def _files(root: Root | None) -> Tree:
    assert root is not None
    return {path: Root(*entry[1:]) for path, entry in walk(STORE, root.id) if entry.mode != TREE}


def _lines(state: Root) -> Counter[bytes]:
    return Counter(read_blob(STORE, state.id).splitlines())


def _merge(base: Root, ours: Root, theirs: Root) -> TreeMerge:
    return merge_states(STORE, base, ours, theirs)


@LAWS
@given(triples())
def test_an_unchanged_side_gives_way_and_equal_sides_agree(trees: tuple[Root, Root, Root]) -> None:
    base, ours, _ = trees
    for states in ((base, ours, base), (base, base, ours), (base, ours, ours)):
        assert _merge(*states) == TreeMerge(ours, ())


@LAWS
@given(triples())
def test_swapping_the_sides_swaps_them_and_changes_nothing_else(trees: tuple[Root, Root, Root]) -> None:
    base, ours, theirs = trees
    there, back = _merge(base, ours, theirs), _merge(base, theirs, ours)
    assert there.is_clean == back.is_clean
    if there.is_clean:
        assert there.state == back.state
    names = {
        ConflictKind.OURS_DELETED: ConflictKind.THEIRS_DELETED,
        ConflictKind.THEIRS_DELETED: ConflictKind.OURS_DELETED,
    }
    swapped = {(names.get(c.kind, c.kind), c.base, c.theirs, c.ours) for c in back.conflicts}
    assert {(c.kind, c.base, c.ours, c.theirs) for c in there.conflicts} == swapped


@LAWS
@given(triples())
def test_the_same_merge_twice_is_the_same(trees: tuple[Root, Root, Root]) -> None:
    """In stages of their own, so that nothing is remembered."""
    one, other = (merge_states(Overlay(STORE), *trees) for _ in range(2))
    assert one == other


@LAWS
@given(triples())
def test_a_clean_result_merged_again_changes_nothing(trees: tuple[Root, Root, Root]) -> None:
    """Once merged, either side is an ancestor of the result, and so the base of the next merge."""
    _, ours, theirs = trees
    merged = _merge(*trees)
    if merged.is_clean and merged.state is not None:
        assert _merge(ours, merged.state, ours).state == merged.state
        assert _merge(theirs, theirs, merged.state).state == merged.state


@LAWS
@given(triples())
def test_every_line_of_a_clean_result_stems_from_a_side(trees: tuple[Root, Root, Root]) -> None:
    merged = _merge(*trees)
    if merged.is_clean:
        sides = {line for tree in trees[1:] for state in _files(tree).values() for line in _lines(state)}
        assert {line for state in _files(merged.state).values() for line in _lines(state)} <= sides


@LAWS
@given(triples())
def test_nothing_that_a_side_added_is_lost(trees: tuple[Root, Root, Root]) -> None:
    """Lines that the base has nowhere are in the result, or in a side of a conflict."""
    base, ours, theirs = trees
    known = {line for state in _files(base).values() for line in _lines(state)}
    merged = _merge(*trees)
    kept = {line for state in _files(merged.state).values() for line in _lines(state)}
    for conflict in merged.conflicts:
        for state in conflict[3:5]:
            if state is not None:
                files = _files(state).values() if state.mode == TREE else [state]
                kept |= {line for each in files for line in _lines(each)}
    for side in (ours, theirs):
        assert {line for state in _files(side).values() for line in _lines(state)} - known <= kept


@LAWS
@given(triples())
def test_a_conflict_has_states_that_the_sides_have(trees: tuple[Root, Root, Root]) -> None:
    """Or, where a renamed file met another one of its new name, the merge of its own that it had before."""
    for conflict in _merge(*trees).conflicts:
        paths = conflict.renamed or (conflict.path,) * 3
        for tree, path, state in zip(trees, paths, conflict[2:5], strict=True):
            if conflict.kind is ConflictKind.RENAME:
                assert state in _files(tree).values()
            elif path is None or state is None or conflict.kind is ConflictKind.BOTH_ADDED:
                continue
            elif state.mode == TREE:
                assert _files(state).items() <= _files(_find(tree, path)).items(), "some of it may have moved away"
            else:
                assert _find(tree, path) == state


def _find(root: Root, path: bytes) -> Root | None:
    found = {each: Root(*entry[1:]) for each, entry in walk(STORE, root.id)}
    return found.get(path)


@LAWS
@given(triples())
def test_a_marked_up_tree_has_every_conflict_in_it(trees: tuple[Root, Root, Root]) -> None:
    """It can be listed, and what both sides of a conflict have as text is in it."""
    merged = _merge(*trees)
    shown = mark_up_tree(STORE, merged)
    lines = {line for state in _files(shown or empty_root()).values() for line in _lines(state)}
    for conflict in merged.conflicts:
        before, *sides = ([] if state is None else _texts(state) for state in conflict[2:5])
        if None not in [*before, *sides[0], *sides[1]]:
            assert {line for side in sides for line in side if line} - set(before) <= lines


def _texts(state: Root) -> list[bytes | None]:
    """The lines of all files; None among them for each that has none."""
    files = list(_files(state).values()) if state.mode == TREE else [state]
    contents = [read_blob(STORE, each.id) if each.mode in FILE_MODES else b"\0" for each in files]
    return [line for content in contents for line in (content.splitlines() if b"\0" not in content else [None])]


ODD_STATES = st.builds(
    lambda mode, size, number: Root(mode, 0 if mode == FOREIGN else size, blob_id(b"%d" % number)),
    st.sampled_from(sorted(ALL_MODES)),
    st.sampled_from([0, 1, 1 << 40]),
    st.integers(0, 3),
)
ODD_TREES = st.dictionaries(PATHS, FILES | ODD_STATES, max_size=5).map(_without_clashes)
WHOLE = st.none() | FILES | ODD_STATES | ODD_TREES.map(_tree)


@settings(deadline=None, max_examples=300)
@given(WHOLE, WHOLE, WHOLE)
def test_no_input_raises_anything_but_errors_of_casvault(
    base: Root | None, ours: Root | None, theirs: Root | None
) -> None:
    """States that refer to objects which are not there, or are something else; sizes that are not true."""
    try:
        merged = merge_states(STORE, base, ours, theirs)
        mark_up_tree(STORE, merged)
    except CasvaultError:
        return
    assert merged.is_clean or all(isinstance(conflict.kind, ConflictKind) for conflict in merged.conflicts)
