"""Two contents compared, and the truth table of what a difference means for the next version."""

from __future__ import annotations

import pytest

from casvault.artifacts.contents import ContentKind, compare_contents, suggest_bump
from casvault.artifacts.semver import Bump
from casvault.objects import EXECUTABLE, SYMLINK, Root
from casvault.trees import empty_root
from tests.unit.artifacts.drafting import Desk

LONG = b"".join(b"line %d\n" % number for number in range(40))
SIMILAR = LONG.replace(b"line 7\n", b"line seven\n")
BEFORE: dict[str, bytes | Root] = {"a.md": b"a\n", "b.md": LONG}


def compare(
    desk: Desk, old: dict[str, bytes | Root], new: dict[str, bytes | Root]
) -> list[tuple[str, str, str | None]]:
    found = compare_contents(desk.objects, desk.directory(old), desk.directory(new)).changes
    return [
        (each.kind.value, each.path.decode(), None if each.old_path is None else each.old_path.decode())
        for each in found
    ]


def bump(desk: Desk, old: dict[str, bytes | Root], new: dict[str, bytes | Root], *, strict: bool = False) -> str:
    changes = compare_contents(desk.objects, desk.directory(old), desk.directory(new)).changes
    return suggest_bump(changes, strict=strict).bump.value


def test_each_kind_of_change(desk: Desk) -> None:
    old: dict[str, bytes | Root] = {
        "gone": b"gone\n", "edited": b"1\n", "script": b"#!\n", "moved/x": LONG, "link": b"to", "same": b"same\n",
    }  # fmt: skip
    new: dict[str, bytes | Root] = {
        "edited": b"2\n",
        "script": desk.file(b"#!\n", EXECUTABLE),
        "there/x": SIMILAR,
        "link": desk.file(b"to", SYMLINK),
        "new": b"new\n",
        "same": b"same\n",
    }
    assert compare(desk, old, new) == [
        ("modified", "edited", "edited"),
        ("removed", "gone", "gone"),
        ("modified", "link", "link"),
        ("added", "new", None),
        ("mode", "script", "script"),
        ("renamed", "there/x", "moved/x"),
    ]


def test_an_artifact_that_is_a_file(desk: Desk) -> None:
    changes = compare_contents(desk.objects, desk.file(b"1"), desk.file(b"2")).changes
    assert [(each.kind, each.path, each.old_path) for each in changes] == [(ContentKind.MODIFIED, b"", b"")]


def test_a_file_that_became_a_directory(desk: Desk) -> None:
    changes = compare_contents(desk.objects, desk.file(b"1"), desk.directory({"x": b"2"})).changes
    assert [(each.kind.value, each.path) for each in changes] == [("removed", b""), ("added", b"x")]
    assert suggest_bump(changes).bump is Bump.MAJOR


def test_empty_directories_are_seen(desk: Desk) -> None:
    assert compare(desk, {"x": b"x"}, {"x": b"x", "empty": empty_root()}) == [("added", "empty", None)]


def test_nothing_before(desk: Desk) -> None:
    changes = compare_contents(desk.objects, None, desk.directory(BEFORE)).changes
    assert [(each.kind.value, each.path) for each in changes] == [("added", b"a.md"), ("added", b"b.md")]


def test_empty_files_are_never_taken_for_one_another(desk: Desk) -> None:
    assert compare(desk, {"a": b"", "x": b"x"}, {"b": b"", "x": b"x"}) == [("removed", "a", "a"), ("added", "b", None)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "none"),
        ({"a.md": b"x\n"}, "patch"),
        ({"c.md": b"c\n"}, "minor"),
        ({"a.md": None}, "major"),
        ({"a.md": b"x\n", "c.md": b"c\n"}, "minor"),
        ({"a.md": None, "c.md": b"another thing\n"}, "major"),
        ({"a.md": None, "b.md": b"x\n"}, "major"),
        ({"a.md": None, "b.md": b"x\n", "c.md": b"other\n"}, "major"),
    ],
)
def test_removal_outranks_addition_outranks_modification(
    desk: Desk, changes: dict[str, bytes | None], expected: str
) -> None:
    new = {path: content for path, content in {**BEFORE, **changes}.items() if content is not None}
    assert bump(desk, BEFORE, new) == expected
    assert bump(desk, BEFORE, new, strict=True) == expected


def test_a_mode_alone_is_a_patch(desk: Desk) -> None:
    assert bump(desk, BEFORE, {**BEFORE, "a.md": desk.file(b"a\n", EXECUTABLE)}) == "patch"


@pytest.mark.parametrize("content", [LONG, SIMILAR])
def test_a_rename_is_minor_but_if_taken_strictly_major(desk: Desk, content: bytes) -> None:
    new: dict[str, bytes | Root] = {"a.md": b"a\n", "c.md": content}
    assert (bump(desk, BEFORE, new), bump(desk, BEFORE, new, strict=True)) == ("minor", "major")


def test_reasons_begin_with_the_weightiest(desk: Desk) -> None:
    old: dict[str, bytes | Root] = {"a": b"1", "b": b"2", "c": b"3"}
    new: dict[str, bytes | Root] = {"a": b"one", "b": b"2", "new": b"something else"}
    changes = compare_contents(desk.objects, desk.directory(old), desk.directory(new)).changes
    reasons = suggest_bump(changes).reasons
    assert [(weight.value, each.path) for weight, each in reasons] == [
        ("major", b"c"),
        ("minor", b"new"),
        ("patch", b"a"),
    ]
