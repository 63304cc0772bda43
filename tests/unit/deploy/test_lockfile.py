"""The lock file: rendered and parsed, merged by git, and everything that is wrong with one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casvault.deploy.lockfile import HEADER, LockEntry, parse_lock, render_lock
from casvault.errors import ConflictError, MalformedError, UnsupportedError
from casvault.objects import EXECUTABLE, FILE, FOREIGN, LINK, ROOT_MODES, TREE, check_name
from casvault.oid import blob_id
from casvault.worktree.names import is_control_name

ONE, TWO = blob_id(b"one"), blob_id(b"two")
PDF = LockEntry(b".claude", b"lib", b"skills/pdf", ONE, TREE, TWO)
REVIEW = LockEntry(b".claude", b"lib", b"commands/review.md", TWO, FILE, ONE, tag="v1", pin="v1")
HEAD = "\n".join((*HEADER, "format = 1", ""))
TABLE = f"""
[[deployment]]
root = ".claude"
collection = "lib"
path = "skills/pdf"
version = "{ONE}"
mode = "040000"
content = "{TWO}"
"""
LINE = len(HEADER) + 3
"""Where the first table begins."""


def parsed(text: str) -> list[LockEntry]:
    return parse_lock(text.encode(), "app/casvault.lock")


def test_render_has_one_key_a_line_and_sorted_tables() -> None:
    second = TABLE
    first = f"""
[[deployment]]
root = ".claude"
collection = "lib"
path = "commands/review.md"
version = "{TWO}"
mode = "100644"
content = "{ONE}"
tag = "v1"
pin = "v1"
"""
    assert render_lock([PDF, REVIEW]).decode() == HEAD + first + second
    assert render_lock([REVIEW, PDF]) == render_lock([PDF, REVIEW])


def test_render_of_nothing_can_be_parsed() -> None:
    assert render_lock([]).decode() == HEAD
    assert parsed(HEAD) == []


def test_render_names_that_are_odd() -> None:
    entry = PDF._replace(
        root=b'a\\b"c', path=b"sk\xffills/p", collection="büro\u2028".encode(), pin="\udcfe", tag="\x7f\t"
    )
    text = render_lock([entry]).decode()
    for line in (
        'root = "a\\\\b\\"c"',
        'collection = "büro\\u2028"',
        'path_hex = "736bff696c6c732f70"',
        'tag = "\\u007F\\t"',
        'pin_hex = "fe"',
    ):
        assert line in text.splitlines()
    assert parsed(text) == [entry]


PARTS = (st.binary(min_size=1, max_size=8) | st.text(min_size=1, max_size=4).map(str.encode)).filter(
    lambda part: check_name(part) is None and not is_control_name(part)
)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(b"/".join)
IDS = st.binary(max_size=3).map(blob_id)
TEXTS = st.none() | st.binary(min_size=1, max_size=6).map(lambda raw: raw.decode(errors="surrogateescape"))
ENTRIES = st.builds(LockEntry, PATHS, PARTS, PATHS, IDS, st.sampled_from(sorted(ROOT_MODES)), IDS, TEXTS, TEXTS)


def apart(entries: list[LockEntry]) -> list[LockEntry]:
    """Those whose files lie at places of their own."""
    paths = {entry.file_path + b"/": entry for entry in entries}
    return [e for path, e in paths.items() if not any(path != other and path.startswith(other) for other in paths)]


@settings(deadline=None, max_examples=200)
@given(st.lists(ENTRIES, max_size=5).map(apart))
def test_render_then_parse_is_the_identity(entries: list[LockEntry]) -> None:
    text = render_lock(entries)
    found = parse_lock(text, "casvault.lock")
    assert found == sorted(entries, key=lambda entry: entry[:3])
    assert text == render_lock(found)
    assert text.count(b"\n") == len(text.decode().splitlines())


def test_parse_with_the_line_ends_of_windows() -> None:
    assert parse_lock(render_lock([REVIEW, PDF]).replace(b"\n", b"\r\n"), "casvault.lock") == [REVIEW, PDF]


MALFORMED = {
    "not_toml": (HEAD + "[[deployment]\n", "app/casvault.lock", "not TOML"),
    "not_utf8": (HEAD + "# \udcff\n", "app/casvault.lock", "not TOML"),
    "nested_too_deep": (HEAD + "a = " + "[" * 100_000, "app/casvault.lock", "not TOML"),
    "empty": ("", "app/casvault.lock", "the format is None, not 1"),
    "format_older": (HEAD.replace("format = 1", "format = 0"), "app/casvault.lock", "the format is 0, not 1"),
    "format_is_text": (HEAD.replace("format = 1", 'format = "1"'), "app/casvault.lock", "the format is '1', not 1"),
    "format_is_a_truth": (
        HEAD.replace("format = 1", "format = true"),
        "app/casvault.lock",
        "the format is True, not 1",
    ),
    "another_key": (HEAD + "more = 1\n" + TABLE, "app/casvault.lock", "not a format and a list of"),
    "one_table": (
        HEAD + TABLE.replace("[[", "[").replace("]]", "]"),
        "app/casvault.lock",
        "not a format and a list of",
    ),
    "list_of_numbers": (HEAD + "deployment = [1]\n", "app/casvault.lock, deployment 1", "not a table"),
    "unknown_key": (HEAD + TABLE + 'verison = ""\n', f"app/casvault.lock:{LINE}", "the unknown key 'verison'"),
    "number_as_mode": (HEAD + TABLE.replace('"040000"', "16384"), f"app/casvault.lock:{LINE}", "mode is not a string"),
    "unknown_mode": (
        HEAD + TABLE.replace("040000", "100600"),
        f"app/casvault.lock:{LINE}",
        "mode is not one of 040000, 100644, 100755, 120000",
    ),
    "link_as_mode": (HEAD + TABLE.replace("040000", "150000"), f"app/casvault.lock:{LINE}", "mode is not one of"),
    "short_id": (HEAD + TABLE.replace(str(ONE), str(ONE)[:62]), f"app/casvault.lock:{LINE}", "version is not an id"),
    "id_in_capitals": (
        HEAD + TABLE.replace(str(TWO), str(TWO).upper()),
        f"app/casvault.lock:{LINE}",
        "content is not an id of 64 hexadecimal digits",
    ),
    "no_version": (HEAD + TABLE.replace("version", "tag"), f"app/casvault.lock:{LINE}", "version is not an id"),
    "no_path": (HEAD + TABLE.replace("path", "pin"), f"app/casvault.lock:{LINE}", "path is missing"),
    "no_root": (HEAD + TABLE.replace("root", "pin"), f"app/casvault.lock:{LINE}", "root is missing"),
    "no_collection": (HEAD + TABLE.replace("collection", "pin"), f"app/casvault.lock:{LINE}", "collection is missing"),
    "path_twice": (HEAD + TABLE + 'path_hex = "61"\n', f"app/casvault.lock:{LINE}", "both path and path_hex"),
    "bad_hex": (
        HEAD + TABLE.replace('path = "skills/pdf"', 'path_hex = "f"'),
        f"app/casvault.lock:{LINE}",
        "path_hex is not in hexadecimal",
    ),
    "hex_with_spaces": (
        HEAD + TABLE + 'tag_hex = "ff ff"\n',
        f"app/casvault.lock:{LINE}",
        "tag_hex is not in hexadecimal",
    ),
    "absolute_path": (
        HEAD + TABLE.replace("skills/pdf", "/etc/passwd"),
        f"app/casvault.lock:{LINE}",
        "an empty name in the path '/etc/passwd': it is a relative path",
    ),
    "path_upwards": (
        HEAD + TABLE.replace("skills/pdf", "../pdf"),
        f"app/casvault.lock:{LINE}",
        "the name '..' in the path",
    ),
    "root_upwards": (HEAD + TABLE.replace(".claude", "a/.."), f"app/casvault.lock:{LINE}", "the name '..' in the root"),
    "empty_root": (HEAD + TABLE.replace(".claude", ""), f"app/casvault.lock:{LINE}", "an empty name in the root"),
    "path_with_nul": (HEAD + TABLE.replace("pdf", "\\u0000"), f"app/casvault.lock:{LINE}", "a NUL in the name"),
    "collection_with_a_slash": (
        HEAD + TABLE.replace('"lib"', '"a/b"'),
        f"app/casvault.lock:{LINE}",
        "a slash in the name b'a/b' as the collection",
    ),
    "git_directory": (
        HEAD + TABLE.replace("skills/pdf", "skills/.GIT/hooks"),
        f"app/casvault.lock:{LINE}",
        "leads into a control directory",
    ),
    "own_file": (HEAD + TABLE.replace(".claude", ".casvault-x"), f"app/casvault.lock:{LINE}", "leads into a control"),
    "empty_tag": (HEAD + TABLE + 'tag = ""\n', f"app/casvault.lock:{LINE}", "tag is empty"),
    "entry_twice": (
        HEAD + TABLE + TABLE,
        f"app/casvault.lock:{LINE + 8}",
        f"'.claude/skills/pdf' stands twice, also in app/casvault.lock:{LINE}",
    ),
    "one_place_of_two_collections": (
        HEAD + TABLE + TABLE.replace('"lib"', '"other"'),
        f"app/casvault.lock:{LINE + 8}",
        "stands twice",
    ),
    "one_in_another": (
        HEAD + TABLE.replace("skills/pdf", "skills/pdf/deep/in") + TABLE,
        f"app/casvault.lock:{LINE}",
        f"'.claude/skills/pdf/deep/in' lies in '.claude/skills/pdf', of app/casvault.lock:{LINE + 8}",
    ),
}


@pytest.mark.parametrize(("text", "place", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_parse_what_casvault_does_not_write(text: str, place: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_lock(text.encode(errors="surrogateescape"), "app/casvault.lock")
    assert caught.value.message.startswith(message) or message in caught.value.message
    assert caught.value.place == place
    assert "let casvault write it again" in (caught.value.remedy or "")


def test_parse_the_format_of_a_later_version() -> None:
    with pytest.raises(UnsupportedError, match="format 2"):
        parsed(HEAD.replace("format = 1", "format = 2"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([PDF._replace(mode=LINK)], "the mode 150000 is not one of"),
        ([PDF._replace(mode=FOREIGN)], "the mode 160000 is not one of"),
        ([PDF._replace(path=b"")], "an empty name in the path"),
        ([PDF._replace(path=b"skills/.git")], "leads into a control directory"),
        ([PDF._replace(root=b"..")], "the name '..' in the root"),
        ([PDF._replace(collection=b"")], "an empty name as the collection"),
        ([PDF._replace(tag="")], "tag is empty"),
        ([PDF._replace(pin="\ud800")], "pin is empty or has signs"),
        ([PDF._replace(tag="\udcc3\udca9")], "tag is empty or has signs"),
        ([PDF, PDF._replace(collection=b"other")], "stands twice"),
        ([PDF, PDF._replace(path=b"skills/pdf/x", mode=EXECUTABLE)], "lies in '.claude/skills/pdf'"),
    ],
)
def test_render_what_could_not_be_parsed(entries: list[LockEntry], message: str) -> None:
    with pytest.raises(MalformedError, match=r"casvault\.lock, ") as caught:
        render_lock(entries)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        (("<<<<<<< HEAD", "=======", ">>>>>>> other"), (5, 6, 7)),
        (("<<<<<<< HEAD", "||||||| base", "=======\r", ">>>>>>> other\r"), (5, 6, 7, 8)),
        (("=======",), (5,)),
        (("# fine", ">>>>>>>"), (6,)),
    ],
)
def test_parse_conflict_markers(lines: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    text = HEAD + "\n" + "\n".join(lines) + "\n" + TABLE
    with pytest.raises(ConflictError) as caught:
        parsed(text)
    assert tuple(int(line.split(":")[0].removeprefix("line ")) for line in caught.value.conflicts) == numbers
    assert (caught.value.place, "git checkout" in (caught.value.remedy or "")) == ("app/casvault.lock", True)


@pytest.mark.parametrize("line", ["# <<<<<<< HEAD", "#=======", "# ======== x"])
def test_parse_what_only_looks_like_a_marker(line: str) -> None:
    assert parsed(f"{HEAD}{line}\n{TABLE}") == [PDF]


def git(directory: Path, *arguments: str) -> int:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode


def merge_in_git(directory: Path, base: list[LockEntry], ours: list[LockEntry], theirs: list[LockEntry]) -> bytes:
    """The file after `git merge` of two branches that changed it."""
    lock = directory / "casvault.lock"
    assert git(directory, "init", "-q", "-b", "main") == 0
    for branch, entries in (("main", base), ("theirs", theirs), ("main", ours)):
        git(directory, "checkout", "-q", *(["-b"] if branch == "theirs" else []), branch)
        lock.write_bytes(render_lock(entries))
        git(directory, "add", ".")
        assert git(directory, "commit", "-q", "-m", branch) == 0
    git(directory, "merge", "-q", "theirs")
    return lock.read_bytes()


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
OTHERS = [LockEntry(b".claude", b"lib", b"skills/%d" % number, ONE, TREE, ONE) for number in range(4)]


@needs_git
def test_git_merges_what_two_branches_changed_of_different_deployments(tmp_path: Path) -> None:
    ours = [OTHERS[0]._replace(version=TWO, content=TWO), *OTHERS[1:]]
    theirs = [OTHERS[0], OTHERS[1]._replace(version=TWO, content=TWO), OTHERS[2]]
    merged = parse_lock(merge_in_git(tmp_path, OTHERS, ours, theirs), "casvault.lock")
    assert merged == [ours[0], theirs[1], OTHERS[2]]


@needs_git
def test_git_leaves_markers_where_one_deployment_changed_twice(tmp_path: Path) -> None:
    ours = [OTHERS[0]._replace(version=TWO)]
    theirs = [OTHERS[0]._replace(version=blob_id(b"three"))]
    text = merge_in_git(tmp_path, OTHERS[:1], ours, theirs)
    with pytest.raises(ConflictError, match="conflict markers in lines") as caught:
        parse_lock(text, "casvault.lock")
    lines = text.decode().split("\n")
    shown = [f"line {n}: {line}" for n, line in enumerate(lines, 1) if line[:7] in ("<<<<<<<", "=======", ">>>>>>>")]
    assert caught.value.conflicts == tuple(shown)
    assert len(shown) == 3
