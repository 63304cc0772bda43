"""Trees against twins that know no nodes: dicts of names, dicts of paths."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.objects import FILE, TREE, Entry, MemoryObjects, Root, is_boundary
from casvault.oid import blob_id
from casvault.trees import (
    build_tree,
    diff_entries,
    diff_paths,
    edit_paths,
    edit_tree,
    find_entries,
    find_entry,
    iter_entries,
    walk,
)
from casvault.trees.edit import EMPTY_ID
from tests.support.objects import entry

Directory = dict[bytes, Entry]
QUICK = settings(deadline=None, max_examples=60)

CUTS = [name for name in (b"c%05d" % number for number in range(40_000)) if is_boundary(name, 1)]
"""Names behind which nodes of level 1 end too, so that trees of hundreds of entries have several levels."""
PLAIN = [b"%03d" % number for number in range(600)]
NAMES = st.sampled_from(PLAIN) | st.sampled_from(CUTS)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """A run of plain names of any length, some boundaries, single names added and taken away."""
    start, end = draw(st.integers(0, len(PLAIN))), draw(st.integers(0, len(PLAIN)))
    names = set(PLAIN[start:end]) | set(draw(st.lists(st.sampled_from(CUTS), max_size=20)))
    names ^= draw(st.sets(NAMES, max_size=5))
    return {name: entry(name, 1) for name in sorted(names)}


EDITS = st.one_of(
    st.dictionaries(NAMES, st.none() | st.integers(0, 9), max_size=8),
    st.tuples(st.integers(0, 600), st.integers(0, 600)).map(lambda ends: dict.fromkeys(PLAIN[ends[0] : ends[1]])),
)


def _build(store: MemoryObjects, directory: Directory) -> Root:
    return build_tree(store, [directory[name] for name in sorted(directory)])


@QUICK
@given(directories())
def test_tree_round_trip(directory: Directory) -> None:
    store = MemoryObjects()
    root = _build(store, directory)
    assert sorted(directory.values()) == list(iter_entries(store, root.id))
    assert (TREE, sum(each.size for each in directory.values())) == root[:2]
    assert directory == find_entries(store, root.id, [*directory, b"absent"])


@settings(deadline=None, max_examples=100)
@given(directories(), EDITS)
def test_edit_tree_equals_building(directory: Directory, changes: dict[bytes, int | None]) -> None:
    store = MemoryObjects()
    edits = {name: None if size is None else entry(name, size) for name, size in changes.items()}
    edited = edit_tree(store, _build(store, directory).id, edits)
    after = {name: each for name, each in (directory | edits).items() if each is not None}
    assert _build(MemoryObjects(), after) == edited
    assert sorted(after.values()) == list(iter_entries(store, edited.id))
    for name in edits:
        assert after.get(name) == find_entry(store, edited.id, name)


@settings(deadline=None, max_examples=100)
@given(directories(), directories() | EDITS)
def test_diff_entries_equals_comparing_dicts(old: Directory, other: dict[bytes, Entry | int | None]) -> None:
    store = MemoryObjects()
    changed = {name: entry(name, each) if isinstance(each, int) else each for name, each in other.items()}
    whole = any(isinstance(each, Entry) for each in other.values())
    base: dict[bytes, Entry | None] = {} if whole else dict(old)
    new = {name: each for name, each in (base | changed).items() if each is not None}
    expected = [(n, old.get(n), new.get(n)) for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n)]
    assert expected == diff_entries(store, _build(store, old).id, _build(store, new).id)


Files = dict[bytes, Root]

PARTS = st.sampled_from([b"a", b"a.b", b"b"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(b"/".join)
STATES = st.integers(0, 2).map(lambda n: Root(FILE, n, blob_id(b"%d" % n)))


def _without_clashes(files: Files) -> Files:
    """The files of which no other lies below."""
    return {p: f for p, f in files.items() if not any(other.startswith(p + b"/") for other in files)}


FILES = st.dictionaries(PATHS, STATES, max_size=8).map(_without_clashes)


def _tree(store: MemoryObjects, files: Files) -> Root:
    build_tree(store, ())
    return edit_paths(store, Root(TREE, 0, EMPTY_ID), dict(files))


def _files(store: MemoryObjects, root: Root) -> Files:
    return {path: Root(*each[1:]) for path, each in walk(store, root.id) if each.mode != TREE}


@QUICK
@given(FILES)
def test_edit_paths_round_trip(files: Files) -> None:
    store = MemoryObjects()
    root = _tree(store, files)
    assert files == _files(store, root)
    assert sum(file.size for file in files.values()) == root.size


@QUICK
@given(FILES, FILES)
def test_edit_paths_from_one_state_to_another(old: Files, new: Files) -> None:
    store = MemoryObjects()
    edits: dict[bytes, Root | None] = {path: None for path in old if path not in new} | new
    assert _tree(store, new) == edit_paths(store, _tree(store, old), edits)


@QUICK
@given(FILES, FILES)
def test_diff_paths_equals_comparing_dicts(old: Files, new: Files) -> None:
    store = MemoryObjects()
    changes = list(diff_paths(store, _tree(store, old), _tree(store, new)))
    expected = [(p, old.get(p), new.get(p)) for p in sorted(old.keys() | new.keys()) if old.get(p) != new.get(p)]
    assert expected == sorted(changes)


@QUICK
@given(FILES, FILES)
def test_diff_paths_applied_gives_the_other_side(old: Files, new: Files) -> None:
    store = MemoryObjects()
    start, end = _tree(store, old), _tree(store, new)
    edits = {change.path: change.new for change in diff_paths(store, start, end)}
    assert end == edit_paths(store, start, edits)
