"""Where artifacts went: renames, chains of them, ways back, other collections, and what merges make of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.artifacts.collection import merge_former, merge_snapshots
from casvault.artifacts.moves import find_last_versions, find_moved
from casvault.artifacts.recording import MovedTo, NewVersion, record_changes
from casvault.artifacts.snapshot import Snapshot, find_former, read_listing
from casvault.artifacts.version import Origin
from casvault.errors import ConflictError
from casvault.merge.trees import merge_states
from casvault.oid import Oid
from tests.unit.artifacts.drafting import COLLECTION, NOTHING, Desk

OTHER = b"other"


def move(desk: Desk, snapshot: Snapshot, old: str, new: str) -> Snapshot:
    """An explicit rename: the content stays."""
    version = desk.read(snapshot, old)
    return desk.record(snapshot, {old: None, new: NewVersion(version.content, Origin.RENAME, (version.id,))})


def moved(desk: Desk, snapshot: Snapshot, path: str, **others: Snapshot) -> str | None:
    """The address at which an artifact of this collection is now, as "path" or "collection:path"."""
    known = {COLLECTION: snapshot, **{name.encode(): other for name, other in others.items()}}
    found = find_moved(desk.objects, known.get, COLLECTION, path.encode())
    if found is None:
        return None
    collection, there = (part.decode() for part in found)
    return there if collection == COLLECTION.decode() else f"{collection}:{there}"


def last(desk: Desk, snapshot: Snapshot, path: str) -> Oid | None:
    return find_last_versions(desk.objects, snapshot, COLLECTION, [path.encode()]).get(path.encode())


def send(desk: Desk, here: Snapshot, there: Snapshot, old: str, new: str) -> tuple[Snapshot, Snapshot]:
    """A move to the other collection; both snapshots afterwards."""
    version = desk.read(here, old)
    change = NewVersion(version.content, Origin.RENAME, (version.id,))
    arrived = record_changes(desk.draft(), OTHER, there, {new.encode(): change})
    return desk.record(here, {old: MovedTo(desk.read(arrived, new).id)}), arrived


@pytest.mark.parametrize("way", ["found", "told"])
def test_former_of_a_rename_is_the_version_at_the_new_path(desk: Desk, way: str) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a"})
    after = desk.record(first, {"skills/a": None, "skills/b": b"a"}) if way == "found" else None
    after = after or move(desk, first, "skills/a", "skills/b")
    assert find_former(desk.objects, after, [b"skills/a"]) == {b"skills/a": desk.find(after, "skills/b")}
    assert last(desk, after, "skills/a") == desk.find(first, "skills/a")
    assert desk.read(after, "skills/b").parents == (desk.find(first, "skills/a"),)
    assert moved(desk, after, "skills/a") == "skills/b"


def test_find_moved_what_was_removed(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a"})
    assert moved(desk, desk.record(first, {"skills/a": None}), "skills/a") is None


def test_find_moved_what_never_was(desk: Desk) -> None:
    assert moved(desk, desk.record(NOTHING, {"skills/a": b"a"}), "skills/z") is None


def test_find_moved_what_is_still_there(desk: Desk) -> None:
    assert moved(desk, desk.record(NOTHING, {"skills/a": b"a"}), "skills/a") == "skills/a"


def test_find_moved_follows_several_renames(desk: Desk) -> None:
    snapshot = desk.record(NOTHING, {"skills/a": b"a"})
    for old, new in ("ab", "bc", "cd"):
        snapshot = move(desk, snapshot, f"skills/{old}", f"skills/{new}")
    assert [moved(desk, snapshot, f"skills/{name}") for name in "abc"] == ["skills/d"] * 3


def test_find_moved_renamed_then_removed(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a"})
    gone = desk.record(move(desk, first, "skills/a", "skills/b"), {"skills/b": None})
    assert [moved(desk, gone, path) for path in ("skills/a", "skills/b")] == [None, None]


def test_find_moved_edited_after_the_rename(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a"})
    edited = desk.record(move(desk, first, "skills/a", "skills/b"), {"skills/b": b"b"})
    assert moved(desk, edited, "skills/a") == "skills/b"


def test_rename_back_is_a_rename_too(desk: Desk) -> None:
    """a → b → a: the version at a descends from both, and only b was left."""
    first = desk.record(NOTHING, {"skills/a": b"a"})
    there = move(desk, first, "skills/a", "skills/b")
    back = desk.record(there, {"skills/b": None, "skills/a": b"a"})
    version = desk.read(back, "skills/a")
    assert (version.parents, version.origin) == ((desk.find(there, "skills/b"),), "rename")
    assert find_former(desk.objects, back, [b"skills/a", b"skills/b"]) == {b"skills/b": version.id}
    assert moved(desk, back, "skills/b") == "skills/a"


def test_rename_back_then_removed_is_removed(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a"})
    back = move(desk, move(desk, first, "skills/a", "skills/b"), "skills/b", "skills/a")
    gone = desk.record(back, {"skills/a": None})
    assert [moved(desk, gone, path) for path in ("skills/a", "skills/b")] == [None, None]
    assert last(desk, gone, "skills/a") == desk.find(back, "skills/a")


def test_recreation_of_a_path_that_was_renamed_away(desk: Desk) -> None:
    """It continues what was at this path, not what the rename made of it elsewhere."""
    first = desk.record(NOTHING, {"skills/a": b"a"})
    there = move(desk, first, "skills/a", "skills/b")
    again = desk.record(there, {"skills/a": b"something else"})
    version = desk.read(again, "skills/a")
    assert (version.parents, version.origin) == ((desk.find(first, "skills/a"),), "recreate")
    assert find_former(desk.objects, again, [b"skills/a"]) == {}


def test_restored_old_name_is_a_rename_back(desk: Desk) -> None:
    """A restore said where the content came from, and deployments of the newer name could not be followed."""
    there = move(desk, desk.record(NOTHING, {"skills/a": b"a"}), "skills/a", "skills/b")
    restored = NewVersion(desk.file(b"a"), Origin.RESTORE)
    back = desk.record(there, {"skills/b": None, "skills/a": restored})
    assert desk.read(back, "skills/a").origin == "rename"
    assert moved(desk, back, "skills/b") == "skills/a"


def test_find_moved_to_another_collection(desk: Desk) -> None:
    here, there = send(desk, desk.record(NOTHING, {"skills/a": b"a"}), NOTHING, "skills/a", "skills/a")
    assert moved(desk, here, "skills/a", other=there) == "other:skills/a"


def test_find_moved_to_a_collection_that_was_forgotten(desk: Desk) -> None:
    here, _ = send(desk, desk.record(NOTHING, {"skills/a": b"a"}), NOTHING, "skills/a", "skills/a")
    assert moved(desk, here, "skills/a") is None


def test_recreation_after_a_move_to_the_same_path_elsewhere(desk: Desk) -> None:
    """Path and path are equal, so that only the collection tells a move from a removal."""
    first = desk.record(NOTHING, {"skills/a": b"a"})
    here, _ = send(desk, first, NOTHING, "skills/a", "skills/a")
    again = desk.record(here, {"skills/a": b"new"})
    assert desk.read(again, "skills/a").parents == (desk.find(first, "skills/a"),)


def test_find_moved_there_renamed_and_back(desk: Desk) -> None:
    """lib:a → other:a → other:b → lib:c"""
    here, there = send(desk, desk.record(NOTHING, {"skills/a": b"a"}), NOTHING, "skills/a", "skills/a")
    renaming = {b"skills/a": None, b"skills/b": NewVersion(desk.file(b"a"))}
    there = record_changes(desk.draft(), OTHER, there, renaming)
    version = desk.read(there, "skills/b")
    here = desk.record(here, {"skills/c": NewVersion(version.content, Origin.RENAME, (version.id,))})
    leaving = {b"skills/b": MovedTo(desk.read(here, "skills/c").id)}
    there = record_changes(desk.draft(), OTHER, there, leaving)
    assert moved(desk, here, "skills/a", other=there) == "skills/c"


def test_find_moved_stops_at_a_loop(desk: Desk) -> None:
    """Two collections of which each says that the other has it, as when one of them was restored from a backup."""
    first = desk.record(NOTHING, {"skills/a": b"a"})
    here, there = send(desk, first, NOTHING, "skills/a", "skills/a")
    back = desk.read(there, "skills/a")
    returned = desk.record(here, {"skills/a": NewVersion(back.content, Origin.RENAME, (back.id,))})
    there = record_changes(desk.draft(), OTHER, there, {b"skills/a": MovedTo(desk.read(returned, "skills/a").id)})
    assert moved(desk, here, "skills/a", other=there) is None


def test_rename_version_at_its_own_path_is_not_taken_for_a_move(desk: Desk) -> None:
    """What was renamed to b and removed there left a link to the rename itself."""
    first = desk.record(NOTHING, {"skills/a": b"a"})
    there = move(desk, first, "skills/a", "skills/b")
    gone = desk.record(there, {"skills/b": None})
    assert last(desk, gone, "skills/b") == desk.find(there, "skills/b")


@pytest.mark.parametrize("swapped", [False, True])
def test_merge_one_side_renamed_and_the_other_removed(desk: Desk, swapped: bool) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a", "skills/z": b"z"})
    sides = [move(desk, base, "skills/a", "skills/b"), desk.record(base, {"skills/a": None})]
    united = merge_snapshots(desk.draft(), COLLECTION, base, *(reversed(sides) if swapped else sides))
    assert moved(desk, united, "skills/a") == "skills/b"


def test_merge_both_sides_renamed_alike(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a"})
    sides = [move(desk, base, "skills/a", "skills/b") for _ in range(2)]
    united = merge_snapshots(desk.draft(), COLLECTION, base, *sides)
    assert moved(desk, united, "skills/a") == "skills/b"
    assert last(desk, united, "skills/a") == desk.find(base, "skills/a")


@pytest.mark.parametrize("swapped", [False, True])
def test_merge_created_again_by_both_and_removed_again_by_one(desk: Desk, swapped: bool) -> None:
    """`former` kept a link for a path that the collection has an artifact at."""
    base = desk.record(desk.record(NOTHING, {"skills/a": b"a", "skills/z": b"z"}), {"skills/a": None})
    back = desk.record(base, {"skills/a": b"again"})
    gone = desk.record(desk.record(base, {"skills/a": b"again"}), {"skills/a": None})
    sides = (gone, back) if swapped else (back, gone)
    united = merge_snapshots(desk.draft(), COLLECTION, base, *sides)
    assert desk.find(united, "skills/a") == desk.find(back, "skills/a")
    assert find_former(desk.objects, united, [b"skills/a"]) == {}


def check_no_path_is_both(desk: Desk, snapshot: Snapshot) -> None:
    listing = read_listing(desk.objects, snapshot)
    assert find_former(desk.objects, snapshot, listing.versions) == {}


PATHS = ("skills/a", "skills/b", "skills/c")
STEPS = st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)), max_size=12)


def walk(desk: Desk, snapshot: Snapshot, steps: list[tuple[str, str]]) -> tuple[Snapshot, dict[str, str | None]]:
    """Each step moves an artifact if its path has one and the other is free, removes it if the two are the same, or
    makes one. Answers the snapshot and, per path, where its artifact went: what a naive twin knows.
    """
    went: dict[str, str | None] = {}
    for number, (old, new) in enumerate(steps):
        if desk.find(snapshot, old) is None:
            snapshot = desk.record(snapshot, {old: b"content %d" % number})
            went.pop(old, None)
        elif old == new:
            snapshot = desk.record(snapshot, {old: None})
            went[old] = None
        elif desk.find(snapshot, new) is None:
            snapshot = move(desk, snapshot, old, new)
            went[old] = new
            went.pop(new, None)
    return snapshot, went


def follow(went: dict[str, str | None], path: str | None) -> str | None:
    while path is not None and path in went:
        path = went[path]
    return path


@settings(deadline=None)
@given(STEPS)
def test_find_moved_as_a_naive_twin(steps: list[tuple[str, str]]) -> None:
    desk = Desk()
    snapshot, went = walk(desk, NOTHING, steps)
    found = {path: moved(desk, snapshot, path) for path in went}
    assert found == {path: follow(went, path) for path in went}
    check_no_path_is_both(desk, snapshot)


@settings(deadline=None)
@given(STEPS, STEPS, STEPS)
def test_merge_no_path_is_both_there_and_former(
    before: list[tuple[str, str]], ours: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> None:
    desk = Desk()
    base = walk(desk, desk.record(NOTHING, {"skills/z": b"z"}), before)[0]
    sides = [walk(desk, base, steps)[0] for steps in (ours, theirs)]
    try:
        united = merge_snapshots(desk.draft(), COLLECTION, base, *sides)
    except ConflictError:
        return
    check_no_path_is_both(desk, united)
    listings = [read_listing(desk.objects, side) for side in (base, *sides, united)]
    gone = {path for listing in listings[:-1] for path in listing.versions} - listings[-1].versions.keys()
    assert find_last_versions(desk.objects, united, COLLECTION, gone).keys() == gone


def test_merge_made_by_one_and_left_behind_by_the_other(desk: Desk) -> None:
    """ours made b; theirs renamed a to b and back: `former` said that b had become a, while b was there."""
    base = desk.record(NOTHING, {"skills/a": b"a"})
    theirs = move(desk, move(desk, base, "skills/a", "skills/b"), "skills/b", "skills/a")
    united = merge_snapshots(desk.draft(), COLLECTION, base, desk.record(base, {"skills/b": b"b"}), theirs)
    check_no_path_is_both(desk, united)


def test_former_of_a_rename_that_is_taken_back_below_later_changes(desk: Desk) -> None:
    """The old path stayed in `former` although the artifact was there again, and the new one was never put in.

    first ── after (a → b) ── later (z is edited), from which the rename is taken out
    """
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/z": b"z"})
    after = move(desk, first, "skills/a", "skills/b")
    later = desk.record(after, {"skills/z": b"Z"})
    content = merge_states(desk.objects, after.content, later.content, first.content).state
    assert content is not None
    former = merge_former(desk.draft(), COLLECTION, content, after, later, first)
    found = find_former(desk.objects, Snapshot(later.id, content, former), [b"skills/a", b"skills/b"])
    assert found == {b"skills/b": desk.find(after, "skills/b")}
