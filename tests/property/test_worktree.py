"""What is checked out is scanned as it was, whatever the names and shapes; and from any state to any other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.objects import EXECUTABLE, FILE, SYMLINK, TREE, Entry, MemoryObjects, Root, write_blob
from casvault.trees import build_tree, empty_root
from casvault.worktree.applying import Applied
from casvault.worktree.cache import StatCache
from casvault.worktree.hashonly import HashOnly
from casvault.worktree.ignore import IgnoreRules
from casvault.worktree.names import is_control_name
from casvault.worktree.plan import plan_changes
from casvault.worktree.scan import scan_path
from casvault.worktree.target import Target, checkout_tree

Shape = dict[bytes, "Shape"] | tuple[int, bytes]

odd_names = st.one_of(
    st.sampled_from(
        [b"a", b"a.b", b"a-b", b"a b", b"\xff\xfe", b"-rf", b"...", b"*", b"~", b"x.pyc", "é".encode(), b"\n"]
    ),
    st.binary(min_size=1, max_size=6).filter(lambda name: b"/" not in name and b"\0" not in name),
).filter(lambda name: name not in (b".", b"..", b".casvaultignore") and not is_control_name(name))

files = st.tuples(st.sampled_from([FILE, EXECUTABLE]), st.binary(max_size=20))
symlinks = st.tuples(
    st.just(SYMLINK), st.binary(min_size=1, max_size=10).map(lambda target: target.replace(b"\0", b"0"))
)
shapes = st.recursive(files | symlinks, lambda below: st.dictionaries(odd_names, below, max_size=5), max_leaves=15)
directories = st.dictionaries(odd_names, shapes, max_size=5)


def write(objects: MemoryObjects, shape: Shape) -> Root:
    if isinstance(shape, tuple):
        return Root(shape[0], len(shape[1]), write_blob(objects, shape[1]))
    return build_tree(objects, sorted(Entry(name, *write(objects, below)) for name, below in shape.items()))


def everything(path: bytes) -> bool:
    """No ignore rule applies to what the parent version holds."""
    return True


@settings(max_examples=60, deadline=None)
@given(directories)
def test_scan_of_a_checkout_is_the_tree(shape: dict[bytes, Shape]) -> None:
    objects = MemoryObjects()
    root = write(objects, shape)
    with tempfile.TemporaryDirectory() as base:
        place = Path(base) / "out"
        checkout_tree(objects, root, place)
        assert scan_path(place, MemoryObjects(), held=everything) == root
        cache = StatCache(Path(base) / "cache")
        for _ in range(2):
            assert scan_path(place, HashOnly(objects), held=everything, cache=cache, storing=False) == root


@settings(max_examples=80, deadline=None)
@given(shapes | st.none(), shapes | st.none(), st.integers(0, 30))
def test_apply_leads_from_any_state_to_any_other(before: Shape | None, after: Shape | None, stop: int) -> None:
    """Also when a first run was cut off after some of its changes."""
    objects = MemoryObjects()
    old = None if before is None else write(objects, before)
    new = None if after is None else write(objects, after)
    with tempfile.TemporaryDirectory() as base, Target(Path(base)) as target:
        assert target.apply(plan_changes(objects, b"p", None, old), objects).kept == []
        changes = plan_changes(objects, b"p", old, new)
        target.apply([change for change in changes if change.new is None][-stop:], objects)
        applied = target.apply(changes, objects)
        assert (applied.kept, applied.left) == ([], [])
        assert scan_path(Path(base) / "p", objects, follow=False, held=everything) == new
        assert target.apply(changes, objects) == Applied([], [], [], [])
        assert target.apply(plan_changes(objects, b"p", new, None), objects).kept == []
        assert list(Path(base).iterdir()) == []


@settings(max_examples=30, deadline=None)
@given(directories, directories)
def test_a_cached_scan_after_a_change_equals_a_fresh_one(before: dict[bytes, Shape], after: dict[bytes, Shape]) -> None:
    objects = MemoryObjects()
    old, new = write(objects, before), write(objects, after)
    rules = IgnoreRules({})
    with tempfile.TemporaryDirectory() as base, Target(Path(base)) as target:
        cache = StatCache(Path(base) / "cache")
        place = Path(base) / "p"
        target.apply(plan_changes(objects, b"p", None, old), objects)
        first = scan_path(place, MemoryObjects(), held=everything, cache=cache, ignore=rules)
        target.apply(plan_changes(objects, b"p", old, new), objects)
        second = scan_path(place, MemoryObjects(), held=everything, cache=cache, ignore=rules)
        assert (first, second) == (old, new)


def test_the_generated_trees_are_not_all_empty() -> None:
    objects = MemoryObjects()
    shape: Shape = {b"\xff": {b"x": (FILE, b"1")}, b"l": (SYMLINK, b"x")}
    assert write(objects, shape).mode == TREE
    assert write(objects, {}) == empty_root()
