"""Recording changes: versions, their descent, renames, re-creation, and what became of removed paths."""

from __future__ import annotations

import pytest

from casvault.artifacts.recording import NewVersion, compare_listing, record_changes
from casvault.artifacts.snapshot import Snapshot, find_former, read_listing
from casvault.artifacts.version import Origin
from casvault.errors import RefusedError
from casvault.objects import EXECUTABLE, FILE, Root
from casvault.objects.names import escape
from casvault.trees import find_entries
from tests.unit.artifacts.drafting import COLLECTION, NOTHING, Desk

TEXT = b"a skill\n"


def former(desk: Desk, snapshot: Snapshot, *paths: str) -> list[bool]:
    found = find_former(desk.objects, snapshot, [path.encode() for path in paths])
    return [path.encode() in found for path in paths]


def test_record_new_artifact_is_an_import(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    version = desk.read(first, "skills/a")
    assert (version.parents, version.origin, version.path, version.collection) == ((), "import", b"skills/a", "lib")


def test_record_edit_continues_the_version(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    second = desk.record(first, {"skills/a": b"other\n"})
    version = desk.read(second, "skills/a")
    assert (version.parents, version.origin) == ((desk.find(first, "skills/a"),), "edit")


def test_record_back_and_forth_is_three_versions_with_two_contents(desk: Desk) -> None:
    """A → B → A."""
    snapshots = [desk.record(NOTHING, {"skills/a": b"A"})]
    for content in (b"B", b"A"):
        snapshots.append(desk.record(snapshots[-1], {"skills/a": content}))
    versions = [desk.read(snapshot, "skills/a") for snapshot in snapshots]
    assert (len({version.id for version in versions}), len({version.content for version in versions})) == (3, 2)


def test_record_equal_files_at_two_paths_are_two_artifacts(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT, "skills/b": TEXT})
    assert desk.find(first, "skills/a") != desk.find(first, "skills/b")


def test_record_nothing_is_the_same_snapshot(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    assert desk.record(first, {}) == first


def test_record_nothing_at_first_is_an_empty_snapshot(desk: Desk) -> None:
    first = desk.record(NOTHING, {})
    assert (first.id is None, first.content) == (False, NOTHING.content)


def test_record_removal_keeps_the_last_version_in_former(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT, "skills/b": b"b"})
    second = desk.record(first, {"skills/a": None})
    entry = find_entries(desk.objects, second.former.id, [escape(b"skills/a")])[escape(b"skills/a")]
    assert (entry.id, desk.find(second, "skills/a")) == (desk.find(first, "skills/a"), None)


def test_record_recreation_continues_the_removed_version(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    gone = desk.record(first, {"skills/a": None})
    again = desk.record(gone, {"skills/a": b"again\n"})
    version = desk.read(again, "skills/a")
    assert (version.parents, version.origin) == ((desk.find(first, "skills/a"),), "recreate")
    assert former(desk, again, "skills/a") == [False]


def test_record_recreation_costs_no_walk_however_long_ago(desk: Desk) -> None:
    snapshot = first = desk.record(NOTHING, {"skills/a": TEXT, "skills/b": b"0"})
    snapshot = desk.record(snapshot, {"skills/a": None})
    for number in range(1, 6):
        snapshot = desk.record(snapshot, {"skills/b": b"%d" % number})
    assert desk.read(desk.record(snapshot, {"skills/a": TEXT}), "skills/a").parents == (desk.find(first, "skills/a"),)


def test_record_rename_continues_the_version_that_vanished(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    moved = desk.record(first, {"skills/a": None, "skills/b": TEXT})
    version = desk.read(moved, "skills/b")
    assert (version.parents, version.origin) == ((desk.find(first, "skills/a"),), "rename")
    assert former(desk, moved, "skills/a", "skills/b") == [True, False]


def test_record_rename_goes_before_recreation(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"old a", "skills/b": TEXT})
    gone = desk.record(first, {"skills/a": None})
    moved = desk.record(gone, {"skills/b": None, "skills/a": TEXT})
    assert desk.read(moved, "skills/a").origin == "rename"


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({"skills/a": TEXT, "skills/b": TEXT}, {"skills/a": None, "skills/b": None, "skills/c": TEXT}),
        ({"skills/a": TEXT}, {"skills/a": None, "skills/b": TEXT, "skills/c": TEXT}),
        ({"skills/a": TEXT}, {"skills/a": None, "skills/c": TEXT + b"more"}),
        ({"skills/a": TEXT}, {"skills/c": TEXT}),
    ],
    ids=["two vanished", "two appeared", "only similar", "nothing vanished"],
)
def test_record_what_is_no_rename(desk: Desk, before: dict[str, bytes], changes: dict[str, bytes | None]) -> None:
    first = desk.record(NOTHING, before)
    after = desk.record(first, changes)
    assert desk.read(after, "skills/c").origin == "import"


def test_record_rename_compares_the_mode_too(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    executable = NewVersion(desk.file(TEXT, EXECUTABLE))
    after = desk.record(first, {"skills/a": None, "skills/b": executable})
    assert desk.read(after, "skills/b").origin == "import"


def test_record_two_renames_at_once(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    moved = desk.record(first, {"skills/a": None, "skills/b": None, "skills/c": b"b", "skills/d": b"a"})
    found = {path: desk.read(moved, path).parents for path in ("skills/c", "skills/d")}
    assert found == {"skills/c": (desk.find(first, "skills/b"),), "skills/d": (desk.find(first, "skills/a"),)}


def test_record_explicit_origin_and_parents_stand(desk: Desk) -> None:
    other = desk.version(b"elsewhere")
    change = NewVersion(desk.file(TEXT), Origin.FORK, (other,))
    version = desk.read(desk.record(NOTHING, {"skills/a": change}), "skills/a")
    assert (version.parents, version.origin) == ((other,), "fork")


def test_record_artifact_that_becomes_a_plain_file_is_former(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    plain = desk.record(first, {"skills/a": desk.file(b"plain")})
    again = desk.record(plain, {"skills/a": b"again"})
    version = desk.read(again, "skills/a")
    assert (version.parents, version.origin) == ((desk.find(first, "skills/a"),), "recreate")


def test_record_plain_file_at_a_former_path_keeps_the_lineage(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT, "skills/b": b"b"})
    gone = desk.record(first, {"skills/a": None})
    plain = desk.record(gone, {"skills/a": desk.file(b"plain")})
    again = desk.record(plain, {"skills/a": b"again"})
    assert desk.read(again, "skills/a").parents == (desk.find(first, "skills/a"),)


def test_record_over_a_directory_of_artifacts_is_refused(desk: Desk) -> None:
    """An embedder's put("skills", …) removed skills/a and skills/b, and their lineages could not be found again."""
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    with pytest.raises(RefusedError, match="artifacts below this path, such as skills/a"):
        desk.record(first, {"skills": TEXT})


def test_record_over_a_directory_whose_artifacts_go_too(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    after = desk.record(first, {"skills/a": None, "skills/b": None, "skills": TEXT})
    assert former(desk, after, "skills/a", "skills/b") == [True, True]
    assert desk.read(after, "skills").content == desk.file(TEXT)


def test_compare_artifacts_covered_by_a_file_stay_in_former(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a", "hooks/h": b"h"})
    units = {b"hooks/h": desk.file(b"h")}
    changes = compare_listing(read_listing(desk.objects, first), units, {b"skills": desk.file(b"now a file")})
    after = record_changes(desk.draft(), COLLECTION, first, changes)
    assert former(desk, after, "skills/a") == [True]


def test_compare_unchanged_directory_changes_nothing(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT, "README": desk.file(b"read me")})
    listing = read_listing(desk.objects, first)
    assert compare_listing(listing, {b"skills/a": desk.file(TEXT)}, {b"README": desk.file(b"read me")}) == {}


def test_compare_names_what_was_added_edited_and_removed(desk: Desk) -> None:
    plain = {"README": desk.file(b"1"), "LICENSE": desk.file(b"2")}
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b", **plain})
    units = {b"skills/a": desk.file(b"A"), b"skills/c": desk.file(b"c")}
    changes = compare_listing(read_listing(desk.objects, first), units, {b"README": desk.file(b"3")})
    assert changes == {
        b"LICENSE": None,
        b"README": desk.file(b"3"),
        b"skills/a": NewVersion(desk.file(b"A")),
        b"skills/b": None,
        b"skills/c": NewVersion(desk.file(b"c")),
    }


def test_compare_mode_alone_is_a_change(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    executable = desk.file(TEXT, EXECUTABLE)
    changes = compare_listing(read_listing(desk.objects, first), {b"skills/a": executable}, {})
    assert changes == {b"skills/a": NewVersion(executable)}


def test_compare_size_alone_is_no_change(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": TEXT})
    wrong = Root(FILE, 99, desk.file(TEXT).id)
    assert compare_listing(read_listing(desk.objects, first), {b"skills/a": wrong}, {}) == {}


def test_compare_plain_file_becomes_a_directory(desk: Desk) -> None:
    """A file docs that became a directory: every snapshot was refused with "docs: not a directory"."""
    first = desk.record(NOTHING, {"docs": desk.file(b"a file")})
    changes = compare_listing(read_listing(desk.objects, first), {}, {b"docs/x": desk.file(b"x")})
    after = record_changes(desk.draft(), COLLECTION, first, changes)
    assert read_listing(desk.objects, after).plain == {b"docs/x": desk.file(b"x")}
