"""Uniting snapshots and versions: what a second copy of a directory, or another writer, brings."""

from __future__ import annotations

import pytest

from casvault.artifacts.bases import find_base
from casvault.artifacts.collection import merge_snapshots, plan_snapshot
from casvault.artifacts.draft import FileWrite
from casvault.artifacts.recording import link_to
from casvault.artifacts.snapshot import Snapshot, read_listing
from casvault.errors import ConflictError
from casvault.objects import read_blob
from casvault.oid import Oid
from tests.unit.artifacts.drafting import COLLECTION, NOTHING, Desk

TEXT = b"1\n2\n3\n4\n5\n6\n7\n8\n"
REF = b"collections/lib"


def unite(desk: Desk, base: Snapshot, ours: Snapshot, theirs: Snapshot) -> Snapshot:
    return merge_snapshots(desk.draft(), COLLECTION, base, ours, theirs)


def contents(desk: Desk, snapshot: Snapshot) -> dict[bytes, bytes]:
    listing = read_listing(desk.objects, snapshot)
    return {path: read_blob(desk.objects, state.id) for path, state in {**listing.contents, **listing.plain}.items()}


def test_merge_snapshots_nothing_recorded_is_the_tip(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": TEXT})
    tip = desk.record(base, {"skills/a": b"new"})
    assert unite(desk, base, tip, base) == tip


def test_merge_snapshots_tip_where_it_was_is_what_was_recorded(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": TEXT})
    recorded = desk.record(base, {"skills/a": b"new"})
    assert unite(desk, base, base, recorded) == recorded


def test_merge_snapshots_different_artifacts(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b", "README": desk.file(b"r")})
    ours = desk.record(base, {"skills/a": b"A", "README": desk.file(b"R")})
    theirs = desk.record(base, {"skills/b": b"B", "skills/c": b"c"})
    united = unite(desk, base, ours, theirs)
    assert contents(desk, united) == {b"skills/a": b"A", b"skills/b": b"B", b"skills/c": b"c", b"README": b"R"}
    assert desk.draft().graph.commit(united.id or desk.version(b"")).parents == (ours.id, theirs.id)


def test_merge_snapshots_one_artifact_by_its_versions(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": TEXT})
    ours = desk.record(base, {"skills/a": TEXT.replace(b"1", b"one")})
    theirs = desk.record(base, {"skills/a": TEXT.replace(b"8", b"eight")})
    united = unite(desk, base, ours, theirs)
    version = desk.read(united, "skills/a")
    assert read_blob(desk.objects, version.content.id) == TEXT.replace(b"1", b"one").replace(b"8", b"eight")
    assert (version.parents, version.origin) == ((desk.find(ours, "skills/a"), desk.find(theirs, "skills/a")), "merge")


def test_merge_snapshots_same_edit_on_both_sides_is_no_conflict(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": TEXT})
    ours, theirs = (desk.record(base, {"skills/a": b"same"}) for _ in range(2))
    united = unite(desk, base, ours, theirs)
    assert ours.id is not None
    assert united.id is not None
    assert contents(desk, united) == {b"skills/a": b"same"}
    assert desk.draft().graph.is_ancestor(ours.id, united.id)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        ({"skills/a": b"x"}, {"skills/a": b"y"}, "skills/a: content"),
        ({"skills/a": None}, {"skills/a": b"y"}, "skills/a: ours deleted"),
        ({"skills/a": b"x"}, {"skills/a": None}, "skills/a: theirs deleted"),
        ({"skills/n": b"x"}, {"skills/n": b"y"}, "skills/n: both added"),
    ],
)
def test_merge_snapshots_conflict_names_the_path(
    desk: Desk, ours: dict[str, bytes], theirs: dict[str, bytes], kind: str
) -> None:
    base = desk.record(NOTHING, {"skills/a": TEXT})
    with pytest.raises(ConflictError) as caught:
        unite(desk, base, desk.record(base, ours), desk.record(base, theirs))
    assert caught.value.conflicts == (kind,)


def test_merge_snapshots_removals_of_both_sides_are_former(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b", "skills/c": b"c"})
    united = unite(desk, base, desk.record(base, {"skills/a": None}), desk.record(base, {"skills/b": None}))
    again = desk.record(united, {"skills/a": b"a2", "skills/b": b"b2"})
    found = {path: desk.read(again, path).parents for path in ("skills/a", "skills/b")}
    assert found == {path: (desk.find(base, path),) for path in ("skills/a", "skills/b")}


def test_merge_snapshots_tip_that_went_back_is_not_overwritten(desk: Desk) -> None:
    """undo --refs-only, then an edit elsewhere and a snapshot: the collection held again what had been undone.

    first ── second ── recorded     (the directory: at second, then an edit of b)
      └ tip, after the undo
    """
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    second = desk.record(first, {"skills/a": b"undone"})
    recorded = desk.record(second, {"skills/b": b"edited"})
    united = unite(desk, second, first, recorded)
    assert contents(desk, united) == {b"skills/a": b"a", b"skills/b": b"edited"}


def test_merge_snapshots_without_a_tip_is_what_the_directory_holds(desk: Desk) -> None:
    """A collection that was removed and added again: its directory was emptied."""
    base = desk.record(NOTHING, {"skills/a": TEXT})
    assert contents(desk, unite(desk, base, NOTHING, base)) == {b"skills/a": TEXT}


def linked(desk: Desk, base: Snapshot, version: Oid) -> Snapshot:
    """The same with skills/a, which is new there, at this version."""
    return desk.record(base, {"skills/a": link_to(desk.draft(), version)})


def test_merge_snapshots_versions_of_which_one_holds_the_other(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/other": b"other"})
    old = desk.version(b"old")
    new = desk.version(b"new", old)
    older, newer = linked(desk, base, old), linked(desk, base, new)
    found = [desk.find(unite(desk, base, *sides), "skills/a") for sides in ((older, newer), (newer, older))]
    assert found == [new, new]


def test_merge_snapshots_versions_with_several_bases_that_differ(desk: Desk) -> None:
    """A criss-cross: left and right each merged the other, differently; left2 and right2 have two bases."""
    base = desk.record(NOTHING, {"skills/other": b"other"})
    root = desk.version(TEXT)
    left, right = desk.version(b"left", root), desk.version(b"right", root)
    left2, right2 = desk.version(b"l2", left, right), desk.version(b"r2", right, left)
    with pytest.raises(ConflictError) as caught:
        unite(desk, base, linked(desk, base, left2), linked(desk, base, right2))
    assert caught.value.conflicts == ("skills/a: content",)


def criss_cross(desk: Desk, left: bytes, right: bytes) -> tuple[Oid, Oid]:
    """Two versions that each have merged two versions of one root."""
    root = desk.version(TEXT)
    one, other = desk.version(left, root), desk.version(right, root)
    return desk.version(b"l2", one, other), desk.version(b"r2", other, one)


def test_find_base_of_bases_that_agree(desk: Desk) -> None:
    assert find_base(desk.draft(), *criss_cross(desk, b"same", b"same")) == desk.file(b"same")


def test_find_base_unites_bases_that_differ_and_writes_nothing(desk: Desk) -> None:
    """Each of the bases has changed another line, so the virtual one has both changes; it is in the scratch only."""
    draft = desk.draft()
    lines = TEXT.splitlines(keepends=True)
    left, right = b"".join([b"left\n", *lines[1:]]), b"".join([*lines[:-1], b"right\n"])
    base = find_base(draft, *criss_cross(desk, left, right))
    assert base is not None
    assert read_blob(draft.scratch, base.id) == b"".join([b"left\n", *lines[1:-1], b"right\n"])
    assert draft.stage.find_infos([base.id]) == [None]


def test_find_base_of_versions_that_never_met(desk: Desk) -> None:
    assert find_base(desk.draft(), desk.version(b"one"), desk.version(b"other")) is None


def test_plan_snapshot_stale_directory_is_brought_up_to_date(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    tip = desk.record(base, {"skills/a": b"A"})
    draft = desk.draft({REF: tip.id})
    units = {b"skills/a": desk.file(b"a"), b"skills/b": desk.file(b"B")}
    united = plan_snapshot(draft, REF, COLLECTION, base.id, units, {})
    assert contents(desk, united) == {b"skills/a": b"A", b"skills/b": b"B"}
    assert draft.ref(REF) == united.id
    assert draft.files == {REF: [FileWrite(b"skills/a", desk.file(b"a"), desk.file(b"A"))]}


def test_plan_snapshot_up_to_date_directory_is_not_written(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a"})
    draft = desk.draft({REF: base.id})
    plan_snapshot(draft, REF, COLLECTION, base.id, {b"skills/a": desk.file(b"B")}, {})
    assert draft.files == {}


def test_plan_snapshot_is_planned_anew_on_a_newer_tip_with_the_same_scan(desk: Desk) -> None:
    base = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    units = {b"skills/a": desk.file(b"mine"), b"skills/b": desk.file(b"b")}
    plan_snapshot(desk.draft({REF: base.id}), REF, COLLECTION, base.id, units, {})
    newer = desk.record(base, {"skills/b": b"faster"})
    again = plan_snapshot(desk.draft({REF: newer.id}), REF, COLLECTION, base.id, units, {})
    assert contents(desk, again) == {b"skills/a": b"mine", b"skills/b": b"faster"}


def test_draft_two_writes_of_one_path_become_one(desk: Desk) -> None:
    draft = desk.draft()
    a, b, c = (desk.file(content) for content in (b"a", b"b", b"c"))
    draft.write_file(REF, b"x", a, b)
    draft.write_file(REF, b"x", b, c)
    assert draft.files == {REF: [FileWrite(b"x", a, c)]}
