from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casvault.errors import UsageError
from casvault.objects import MemoryObjects
from casvault.worktree.ignore import (
    DEFAULT_NAMES,
    DEFAULT_PREFIXES,
    DEFAULT_SUFFIXES,
    IgnoreRules,
    Level,
    is_ignored_by_default,
    needs_look,
)
from casvault.worktree.names import is_control_name
from casvault.worktree.node import Role
from casvault.worktree.scan import Scan, scan_paths, scan_units

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lay(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def plain(path: bytes, is_directory: bool) -> Role:
    return Role.PLAIN


def scan(root: Path, ignore: IgnoreRules = IgnoreRules(), held: Callable[[bytes], bool] = lambda path: False) -> Scan:  # noqa: B008
    return scan_units(root, MemoryObjects(), classify=plain, ignore=ignore, held=held)


@pytest.mark.parametrize(
    ("name", "is_directory", "ignored"),
    [
        (b"__pycache__", True, True),
        (b".DS_Store", False, True),
        (b"node_modules", True, True),
        (b"a.pyc", False, True),
        (b"a.pyc", True, False),
        (b"notes.md~", False, True),
        (b"#a#", False, True),
        (b"##", False, False),
        (b".#lock", False, True),
        (b"SKILL.md", False, False),
        (b".env", False, False),
        (b".vscode", True, False),
    ],
)
def test_defaults(name: bytes, is_directory: bool, ignored: bool) -> None:
    assert is_ignored_by_default(name, is_directory=is_directory) is ignored


tricky = st.sampled_from(
    [*DEFAULT_NAMES, *DEFAULT_PREFIXES, *(b"x" + s for s in DEFAULT_SUFFIXES), b"#a#", b"git~1", b"a\\.git", b".Git"]
)


@given(st.lists(tricky | st.binary(min_size=1, max_size=12).map(lambda b: b.replace(b"\0", b"0")), max_size=4))
def test_needs_look_misses_no_name_that_a_rule_concerns(names: list[bytes]) -> None:
    concerned = any(is_ignored_by_default(name, is_directory=False) or is_control_name(name) for name in names)
    assert needs_look(names) or not concerned


def test_needs_look_passes_ordinary_names() -> None:
    assert not needs_look([b"SKILL.md", b"run.py", b"a b", b"README"])


def test_scan_leaves_out_defaults_and_names_them(tmp_path: Path) -> None:
    lay(tmp_path, "a/x.py", "a/x.pyc", "a/__pycache__/y.py", "node_modules/z")
    found = scan(tmp_path)
    assert list(found.plain) == [b"a/x.py"]
    assert found.ignored == [b"a/__pycache__", b"a/x.pyc", b"node_modules"]


def test_deeper_ignore_files_win_and_reinclude_defaults(tmp_path: Path) -> None:
    lay(tmp_path, "a.log", "a/a.log", "a/keep.pyc", "a/b/keep.pyc", "keep.pyc", "build/x", "a/build/x")
    (tmp_path / ".casvaultignore").write_text("*.log\r\n/build/\n")
    (tmp_path / "a" / ".casvaultignore").write_text("!*.log\n!keep.pyc\n")
    (tmp_path / "a" / "b" / ".casvaultignore").write_text("*.pyc\n")
    found = scan(tmp_path)
    assert list(found.plain) == [
        b".casvaultignore", b"a/.casvaultignore", b"a/a.log", b"a/b/.casvaultignore", b"a/build/x", b"a/keep.pyc",
    ]  # fmt: skip
    assert found.ignored == [b"a.log", b"a/b/keep.pyc", b"build", b"keep.pyc"]


def test_held_paths_are_never_ignored(tmp_path: Path) -> None:
    lay(tmp_path, "node_modules/in/a", "node_modules/in/b", "node_modules/c")
    kept = {b"node_modules", b"node_modules/in", b"node_modules/in/a"}
    found = scan(tmp_path, held=kept.__contains__)
    assert list(found.plain) == [b"node_modules/in/a"]
    assert found.ignored == [b"node_modules/c", b"node_modules/in/b"]


def test_given_texts_replace_the_files_on_disk(tmp_path: Path) -> None:
    lay(tmp_path, "s/a.txt", "s/b.txt", "s/d/c.txt")
    (tmp_path / "s" / ".casvaultignore").write_text("a.txt\n")
    rules = IgnoreRules({b"": b"b.txt\n", b"s/d": b"c.txt"})
    assert scan(tmp_path, rules).ignored == [b"s/b.txt", b"s/d/c.txt"]
    assert scan_paths(tmp_path, [b"s"], MemoryObjects(), ignore=rules).ignored == [b"s/b.txt", b"s/d/c.txt"]


def test_rules_above_a_path_apply_in_it_but_not_to_it(tmp_path: Path) -> None:
    lay(tmp_path, "s/one/one", "s/one/b")
    (tmp_path / "s" / ".casvaultignore").write_text("one\n!b\n")
    found = scan_paths(tmp_path, [b"s/one"], MemoryObjects())
    assert found.ignored == [b"s/one/one"]
    assert found.units[b"s/one"].size == len("s/one/b")


def test_a_directory_of_the_name_of_an_ignore_file_is_none(tmp_path: Path) -> None:
    """Every command on a collection that had one ended with "Is a directory", also the one that would remove it."""
    lay(tmp_path, ".casvaultignore/a.txt")
    assert list(scan(tmp_path).plain) == [b".casvaultignore/a.txt"]


def test_a_symlinked_ignore_file_is_no_ignore_file(tmp_path: Path) -> None:
    lay(tmp_path, "rules", "a")
    (tmp_path / "rules").write_text("a\n")
    (tmp_path / ".casvaultignore").symlink_to("rules")
    assert scan(tmp_path).ignored == []


def test_wrong_pattern_names_file_and_line(tmp_path: Path) -> None:
    lay(tmp_path, "s/a")
    (tmp_path / "s" / ".casvaultignore").write_text("ok\n!\n")
    with pytest.raises(UsageError, match=r"s/\.casvaultignore: line 2"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("text", "path", "is_directory", "ignored"),
    [
        (b"\xef\xbb\xbf*.txt", b"a.txt", False, True),
        (b"caf\xc3\xa9", "café".encode(), False, True),
        (b"odd\xff", b"odd\xff", False, True),
        (b"# odd", b"# odd", False, False),
        (b"only/", b"only", True, True),
        (b"only/", b"only", False, False),
        (b"a/**/z", b"a/b/c/z", False, True),
    ],
)
def test_pattern_syntax(text: bytes, path: bytes, is_directory: bool, ignored: bool) -> None:
    level = Level().below(b"", text)
    assert level.ignores(path, path.rpartition(b"/")[2], is_directory=is_directory) is ignored


def test_pattern_library_is_imported_only_for_an_ignore_file(tmp_path: Path) -> None:
    lay(tmp_path, "a/b", "a/.DS_Store")
    program = (
        "import sys; from pathlib import Path\n"
        "from casvault.objects import MemoryObjects; from casvault.worktree.scan import scan_path\n"
        "assert scan_path(Path(sys.argv[1]) / 'a', MemoryObjects()) is not None\n"
        "print('pathspec' in sys.modules)\n"
    )
    before = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    (tmp_path / "a" / ".casvaultignore").write_text("b\n")
    after = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert (before.stdout, after.stdout) == ("False\n", "True\n")
