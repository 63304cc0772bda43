from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from casvault.merge.conflict import ConflictKind
from casvault.merge.content import ContentConflict, ContentConflictKind, MergedContent
from casvault.merge.drivers.registry import BUILT_IN, DEFAULT_DRIVERS, Binding, DriverName, Drivers
from casvault.merge.trees import merge_states
from casvault.objects import FILE, MemoryObjects, Root, read_blob, write_blob
from casvault.trees import edit_paths, empty_root, find_path

UNION, BINARY, TEXT = (
    Drivers([Binding("*", name)]).find(b"x") for name in (DriverName.UNION, DriverName.BINARY, DriverName.TEXT)
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"a.json", DriverName.JSON),
        (b"skills/pdf/a.json", DriverName.JSON),
        (b"x/pyproject.toml", DriverName.TOML),
        (b"a.yaml", DriverName.YAML),
        (b"a.yml", DriverName.YAML),
        (b"SKILL.md", DriverName.FRONT_MATTER),
        (b"a.jsonl", DriverName.TEXT),
        (b"a.json/b", DriverName.TEXT),
        (b"json", DriverName.TEXT),
        (b"\xff", DriverName.TEXT),
    ],
)
def test_the_built_in_choice(path: bytes, name: DriverName) -> None:
    assert DEFAULT_DRIVERS.find(path) is Drivers([Binding("*", name)]).find(b"x")


def test_the_first_binding_that_matches_holds() -> None:
    drivers = Drivers([Binding("logs/**/*.json", DriverName.UNION), *BUILT_IN])
    found = [drivers.find(path) for path in (b"logs/a.json", b"logs/x/y/a.json", b"other/logs/a.json")]
    assert found == [UNION, UNION, DEFAULT_DRIVERS.find(b"a.json")]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a\n", b"a\nb\n", b"a\nc\n", b"a\nb\nc\n"),
        (b"a", b"a\nb", b"a\nc", b"a\nb\nc"),
        (b"a\r\n", b"a\r\nb", b"a\r\nc\r\n", b"a\r\nb\r\nc\r\n"),
        (None, b"a\nb\n", b"a\nc\n", b"a\nb\nc\n"),
        (b"a\nb\nc\n", b"x\na\nb\nc\n", b"a\nb\n", b"x\na\nb\n"),
    ],
)
def test_union_has_the_lines_of_both(base: bytes | None, ours: bytes, theirs: bytes, merged: bytes) -> None:
    assert UNION.merge(base, ours, theirs) == MergedContent(merged)


def test_union_of_binary_contents_is_a_conflict() -> None:
    assert UNION.merge(b"a", b"\0b", b"c") == ContentConflict(ContentConflictKind.BINARY)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    "texts", [("a\n", "a\nb\n", "a\nc\n"), ("", "1\n2\n", "3\n"), ("a\nz\n", "b\nz\n", "c\nz\n"), ("a", "a\nb", "a\nc")]
)
def test_union_is_gits(tmp_path: Path, texts: tuple[str, str, str]) -> None:
    for name, text in zip(("base", "ours", "theirs"), texts, strict=True):
        (tmp_path / name).write_text(text)
    found = subprocess.run(
        ["git", "merge-file", "-p", "--union", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, check=True
    )
    assert UNION.merge(*(text.encode() for text in texts)) == MergedContent(found.stdout)


def test_binary_never_merges_and_has_nothing_to_mark_up() -> None:
    assert BINARY.merge(b"1\na\nb\n", b"2\na\nb\n", b"1\na\n3\n") == ContentConflict(ContentConflictKind.BINARY)
    assert BINARY.merge(None, b"a", b"b") == ContentConflict(ContentConflictKind.BINARY)


def test_a_tree_is_merged_by_the_drivers_of_its_paths() -> None:
    store = MemoryObjects()

    def tree(**files: bytes) -> Root:
        states = {name.encode(): Root(FILE, len(data), write_blob(store, data)) for name, data in files.items()}
        return edit_paths(store, empty_root(), dict(states))

    logs, fixed = (b"", b"a\n", b"b\n"), (b"1\n2\n3\n", b"0\n2\n3\n", b"1\n2\n4\n")
    sides = [tree(log=log, fixed=text) for log, text in zip(logs, fixed, strict=True)]
    drivers = Drivers([Binding("log", DriverName.UNION), Binding("fixed", DriverName.BINARY)])
    merged = merge_states(store, sides[0], sides[1], sides[2], drivers=drivers)
    log = merged.state and find_path(store, merged.state, b"log")
    assert log is not None
    assert read_blob(store, log.id) == b"a\nb\n"
    assert [(each.path, each.kind) for each in merged.conflicts] == [(b"fixed", ConflictKind.BINARY)]


def test_the_libraries_are_loaded_when_a_file_needs_them() -> None:
    code = (
        "import sys; from casvault.merge.drivers.registry import DEFAULT_DRIVERS as drivers\n"
        "def loaded(): return [name for name in ('ruamel.yaml', 'tomlkit') if name in sys.modules]\n"
        "drivers.find(b'a.json').merge(b'{}', b'{\"a\": 1}', b'{\"b\": 1}'); print(loaded())\n"
        "drivers.find(b'a.yml').merge(b'a: 1', b'a: 2', b'b: 1'); print(loaded())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == b"[]\n['ruamel.yaml']\n"
