from __future__ import annotations

import pytest

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.snapshot import find_content, flatten, iter_links, open_snapshot, read_listing
from casvault.errors import DamageError
from casvault.trees import empty_root
from tests.unit.artifacts.drafting import NOTHING, Desk


def test_open_snapshot_before_the_first(desk: Desk) -> None:
    assert open_snapshot(desk.objects, None) == NOTHING


def test_open_snapshot_written_one_comes_back(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/a": b"a", "skills/b": b"b"})
    second = desk.record(first, {"skills/b": None})
    assert open_snapshot(desk.objects, second.id) == second


def test_open_snapshot_of_a_version(desk: Desk) -> None:
    with pytest.raises(DamageError, match="not a snapshot"):
        open_snapshot(desk.objects, desk.version(b"x"))


def test_read_listing_versions_contents_and_plain(desk: Desk) -> None:
    skill = {"SKILL.md": b"text", "deep/er": b"x"}
    plain = {"README": desk.file(b"1"), "empty": empty_root()}
    snapshot = desk.record(NOTHING, {"skills/a": b"a", "skills/dir": desk.version_of(skill), **plain})
    listing = read_listing(desk.objects, snapshot)
    assert listing.versions == {path: desk.find(snapshot, path.decode()) for path in (b"skills/a", b"skills/dir")}
    assert listing.contents == {b"skills/a": desk.file(b"a"), b"skills/dir": desk.directory(skill)}
    assert listing.plain == {b"README": desk.file(b"1"), b"empty": empty_root()}


def test_iter_links_paths_in_order(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/b": b"b", "hooks/x": b"x", "skills/a": b"a", "README": desk.file(b"1")})
    assert [path for path, _ in iter_links(desk.objects, first)] == [b"hooks/x", b"skills/a", b"skills/b"]


def test_find_content_through_links(desk: Desk) -> None:
    first = desk.record(NOTHING, {"README": desk.file(b"1"), "skills/c": b"c"})
    first = desk.record(first, {"skills/d": desk.version_of({"SKILL.md": b"text"})})
    found = [find_content(desk.objects, first, path) for path in (b"skills/d/SKILL.md", b"skills/c", b"README", b"")]
    assert found == [desk.file(b"text"), desk.file(b"c"), desk.file(b"1"), first.content]


@pytest.mark.parametrize("path", [b"none", b"skills/c/below", b"README/below", b"skills/none/below"])
def test_find_content_absent(desk: Desk, path: bytes) -> None:
    first = desk.record(NOTHING, {"README": desk.file(b"1"), "skills/c": b"c"})
    assert find_content(desk.objects, first, path) is None


def test_flatten_is_the_directory_as_it_is_on_disk(desk: Desk) -> None:
    first = desk.record(NOTHING, {"README": desk.file(b"1"), "skills/c": b"c"})
    first = desk.record(first, {"skills/d": desk.version_of({"SKILL.md": b"text"})})
    on_disk = desk.directory({"README": b"1", "skills/c": b"c", "skills/d/SKILL.md": b"text"})
    assert flatten(desk.objects, first.content) == on_disk


def test_file_changes_are_seen_through_the_links(desk: Desk) -> None:
    first = desk.record(NOTHING, {"skills/d": desk.version_of({"a": b"1", "b": b"2"}), "skills/c": b"c"})
    second = desk.record(first, {"skills/d": desk.version_of({"a": b"1", "b": b"3", "n": b""}), "skills/c": None})
    changes = {change.path: change[1:] for change in iter_file_changes(desk.objects, first.content, second.content)}
    assert changes == {
        b"skills/c": (desk.file(b"c"), None),
        b"skills/d/b": (desk.file(b"2"), desk.file(b"3")),
        b"skills/d/n": (None, desk.file(b"")),
    }
