"""merges and resolve, as typed: what is said, which code, and what an editor can do."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from casvault import Author, How, Vault
from casvault.cli.tools import TOOLS
from casvault.deploy.subject import Direction
from casvault.objects import SYMLINK
from tests.cli.conftest import World
from tests.support.merging import Content, begin_merge

BASE = {"SKILL.md": b"# pdf\none\ntwo\nthree\n", "bin": b"\0base"}
OURS = {"SKILL.md": b"# pdf\none\nlibrary\nthree\n", "bin": b"\0ours"}
THEIRS = {"SKILL.md": b"# pdf\none\nproject\nthree\n"}
MARKED = """\
# pdf
one
<<<<<<< collection lib
library
||||||| base
two
=======
project
>>>>>>> project app
three
"""

MERGE = {
    "handle", "ref", "direction", "project", "root", "collection", "artifact", "strategy", "ours_name", "theirs_name",
    "ours", "theirs", "seconds", "zone", "conflicts", "open",
}  # fmt: skip
CONFLICT = {"path", "kind", "base", "ours", "theirs", "how", "chosen"}
OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}


class Merging:
    """A vault with one merge in progress."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.vault = Vault.open(
            world.library, author=Author("Ann", "ann@example.org"), clock=lambda: (1_700_000_000, 90)
        )
        self.handle = begin_merge(self.vault, "skills/pdf", BASE, OURS, THEIRS)

    def choices(self) -> list[How | None]:
        return [conflict.how for conflict in self.vault.merge_info(self.handle).conflicts]

    def chosen(self) -> bytes:
        """What was chosen for the first conflict."""
        state = self.vault.merge_info(self.handle).conflicts[0].chosen
        assert state is not None
        return self.vault.read_blob(state.id)


@pytest.fixture
def merging(world: World) -> Merging:
    return Merging(world)


@pytest.fixture
def edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for the temporary files of editors, to see what stays of them."""
    place = tmp_path / "edits"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return place


def editor(place: Path, monkeypatch: pytest.MonkeyPatch, code: str, variable: str = "EDITOR") -> None:
    """Let this code be the editor; it finds the file in `path`."""
    script = place.parent / "editor with spaces.py"
    script.write_text(f"import sys, pathlib\npath = pathlib.Path(sys.argv[-1])\n{code}\n")
    monkeypatch.setenv(variable, f"'{sys.executable}' '{script}'")


def test_list_of_nothing(world: World) -> None:
    assert world.done("merges", "list").out == "no merges in progress\n"
    assert world.done("merges", "list", "--json").document == {"merges": []}


def test_list_has_a_line_for_each_merge(merging: Merging) -> None:
    other = begin_merge(
        merging.vault, "commands/x.md", b"1\n", b"2\n", b"3\n", direction=Direction.DEPLOY, project="web"
    )
    merging.world.done("resolve", other, "x.md", "--ours")
    assert merging.world.done("merges", "list").out.splitlines() == [
        f"{merging.handle}  pull    skills/pdf     project app → collection lib  2 open",
        f"{other}  deploy  commands/x.md  collection lib → project web  all settled",
    ]


def test_show_has_the_sides_and_the_hunks(merging: Merging) -> None:
    lines = merging.world.done("merges", "show", "skill/pdf").out.splitlines()
    assert lines[:2] == [
        f"{merging.handle} pull of skills/pdf from project app into collection lib",
        "met 2023-11-14 23:43:20 +0130 · 2 conflicts, 2 open",
    ]
    at = lines.index("skills/pdf/SKILL.md: content")
    hunk = ["@@ hunk 1, line 1 of the text with markers @@", *MARKED.splitlines()]
    assert lines[at + 4 : at + 4 + len(hunk)] == hunk
    at = lines.index("skills/pdf/bin: theirs deleted")
    assert [line.split()[:2] for line in lines[at + 1 : at + 4]] == [
        ["base", "100644"],
        ["ours", "100644"],
        ["theirs", "absent"],
    ]
    assert lines[-1].startswith(f"settle them: casvault resolve {merging.handle} PATH")


def test_show_says_what_is_settled_and_what_is_left_to_do(merging: Merging) -> None:
    world = merging.world
    world.done("resolve", "pdf", "bin", "--theirs")
    world.done("resolve", "pdf", "SKILL.md", "--ours")
    lines = world.done("merges", "show", "pdf").out.splitlines()
    assert "  skills/pdf/SKILL.md  content         settled: ours" in lines
    assert "  skills/pdf/bin       theirs deleted  settled: theirs (absent)" in lines
    assert lines[-1] == f"finish it: casvault merges continue {merging.handle}"


def test_show_as_json_has_everything(merging: Merging) -> None:
    merging.world.done("resolve", merging.handle, "bin", "--ours")
    document = merging.world.done("merges", "show", merging.handle, "--json").document
    assert set(document) == MERGE
    assert set(document["conflicts"][0]) == {*CONFLICT, "marked_up", "earlier"}
    assert {key: document[key] for key in ("handle", "direction", "project", "collection", "artifact", "open")} == {
        "handle": merging.handle,
        "direction": "pull",
        "project": "app",
        "collection": "lib",
        "artifact": "skills/pdf",
        "open": 1,
    }
    first, second = document["conflicts"]
    assert (first["path"], first["kind"], first["how"]) == ("skills/pdf/SKILL.md", "content", None)
    assert first["marked_up"] == MARKED
    assert first["base"]["mode"] == 0o100644
    assert (second["kind"], second["how"], second["theirs"], second["marked_up"]) == (
        "theirs_deleted",
        "ours",
        None,
        None,
    )
    assert second["chosen"] == second["ours"]
    assert len(document["ours"]) == 64


def test_show_lets_nothing_through_that_a_terminal_obeys(world: World) -> None:
    vault = Vault.open(world.library)
    handle = begin_merge(vault, "skills/pdf", {"a": b"1\n"}, {"a": b"\x1b[2J\xff\n"}, {"a": b"3\r\n"})
    out = world.done("merges", "show", handle).out
    assert "\\x1b[2J\\xff\n" in out
    assert "\x1b" not in out
    assert "\r" not in out


def test_abort_says_that_nothing_was_touched(merging: Merging) -> None:
    world = merging.world
    assert world.done("merges", "abort", "skill/pdf").out.splitlines() == [
        f"{merging.handle} pull of skills/pdf: aborted",
        "neither side was touched; `casvault undo` brings the merge back",
    ]
    assert world.run("merges", "show", merging.handle).code == 3
    world.done("undo")
    assert world.done("merges", "show", merging.handle).code == 0


def test_abort_as_json(merging: Merging) -> None:
    document = merging.world.done("merges", "abort", "pdf", "--json").document
    assert (document["handle"], document["written"], document["open"]) == (merging.handle, 0, 2)
    assert isinstance(document["operation"], int)


@pytest.mark.parametrize(("option", "how"), [("--ours", How.OURS), ("--theirs", How.THEIRS), ("--base", How.BASE)])
def test_resolve_by_a_side(merging: Merging, option: str, how: How) -> None:
    out = merging.world.done("resolve", "skill/pdf", "SKILL.md", option).out
    assert out.splitlines() == [f"SKILL.md: settled by {how.value} · 1 open", "next: skills/pdf/bin"]
    assert merging.choices() == [how, None]
    again = merging.world.done("resolve", "skill/pdf", "SKILL.md", option).out
    assert again.splitlines()[0] == f"SKILL.md: was settled already by {how.value} · 1 open"


def test_resolve_by_a_file(merging: Merging, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_bytes(b"mine\n")
    document = merging.world.done("resolve", "pdf", "SKILL.md", "--file", str(file), "--json").document
    assert set(document) == {*MERGE, *OUTCOME}
    assert set(document["conflicts"][0]) == CONFLICT
    assert (document["open"], document["conflicts"][0]["how"]) == (1, "file")
    assert merging.chosen() == b"mine\n"


@pytest.mark.parametrize("options", [[], ["--ours", "--theirs"], ["--edit", "--file", "x"]])
def test_resolve_needs_one_choice(merging: Merging, options: list[str]) -> None:
    result = merging.world.run("resolve", "pdf", "SKILL.md", *options)
    assert (result.code, result.raw) == (2, b"")
    assert result.err.startswith("error: say how it is settled\nhint: with one of --ours")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["pdf", "SKILL.md", "--file", "nowhere"], 3, "error: nowhere: no such file\n"),
        (["pdf", "SKILL.md", "--file", "."], 1, "error: .: Is a directory\n"),
        (["other", "SKILL.md", "--ours"], 3, "error: other: no such merge in progress\n"),
        (["pdf", "other", "--ours"], 3, "error: other: this path is no conflict of merge "),
    ],
)
def test_resolve_of_what_is_not_there(merging: Merging, arguments: list[str], code: int, message: str) -> None:
    result = merging.world.run("resolve", *arguments)
    assert (result.code, result.err.startswith(message)) == (code, True), result.err
    assert merging.choices() == [None, None]


@pytest.mark.parametrize("variable", ["VISUAL", "EDITOR"])
def test_edit_starts_with_the_marked_up_text(
    merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    seen = edits.parent / "seen"
    code = f"pathlib.Path({str(seen)!r}).write_text(path.name + ':' + path.read_text()); path.write_text('both\\n')"
    editor(edits, monkeypatch, code, variable)
    if variable == "VISUAL":
        monkeypatch.setenv("EDITOR", "false")
    out = merging.world.done("resolve", "pdf", "SKILL.md", "--edit").out
    assert out.splitlines()[0] == "SKILL.md: settled by edit · 1 open"
    assert seen.read_text() == "SKILL.md:" + MARKED
    assert (merging.chosen(), merging.choices()) == (b"both\n", [How.EDIT, None])
    assert os.listdir(edits) == []


def test_edit_that_leaves_markers_keeps_what_was_written(
    merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an hour in an editor must not be lost because of one line."""
    editor(edits, monkeypatch, "path.write_text('much work\\n=======\\n')")
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--edit")
    assert result.code == 4
    assert "skills/pdf/SKILL.md: conflict markers are left in line 2" in result.err
    (kept,) = edits.glob("*/SKILL.md")
    assert f"what you wrote is in {kept}, for --file" in result.err
    assert kept.read_text() == "much work\n=======\n"
    assert merging.choices() == [None, None]


def test_edit_that_changes_nothing(merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(edits, monkeypatch, "pass")
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--edit")
    assert (result.code, "nothing was changed in the editor" in result.err) == (4, True)
    assert (merging.choices(), os.listdir(edits)) == ([None, None], [])


def test_edit_with_an_editor_that_fails(merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(edits, monkeypatch, "path.write_text('both\\n'); sys.exit(3)")
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--edit")
    assert (result.code, "the editor ended with code 3" in result.err) == (1, True)
    assert (merging.choices(), os.listdir(edits)) == ([None, None], [])


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (None, 2, "no editor is known"),
        ("/nowhere/editor --wait", 1, "the editor cannot be started: No such file or directory"),
        ("'unclosed", 2, "the editor is no command line"),
        (" ", 2, "the editor is no command line"),
    ],
)
def test_edit_without_an_editor(
    merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch, line: str | None, code: int, message: str
) -> None:
    if line is not None:
        monkeypatch.setenv("EDITOR", line)
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--edit")
    assert (result.code, message in result.err) == (code, True), result.err
    assert (merging.choices(), os.listdir(edits)) == ([None, None], [])


def test_edit_of_what_is_binary(merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(edits, monkeypatch, "path.write_text('x')")
    result = merging.world.run("resolve", "pdf", "bin", "--edit")
    assert (result.code, "it cannot be edited: it is binary" in result.err) == (2, True)
    assert "--file" in result.err


@pytest.mark.parametrize(
    ("side", "content"),
    [
        ("ours", b"# pdf\none\nlibrary\nthree\n"),
        ("theirs", b"# pdf\none\nproject\nthree\n"),
        ("base", b"# pdf\none\ntwo\nthree\n"),
        ("union", b"# pdf\none\nlibrary\nproject\nthree\n"),
    ],
)
def test_resolve_by_hunks(merging: Merging, side: str, content: bytes) -> None:
    out = merging.world.done("resolve", "pdf", "SKILL.md", "--hunk", f"1={side}").out
    assert out.splitlines()[0] == "SKILL.md: settled by hunks · 1 open"
    assert (merging.chosen(), merging.choices()) == (content, [How.HUNKS, None])


@pytest.mark.parametrize(
    ("hunks", "message"),
    [
        (["1"], "--hunk 1: not N=ours"),
        (["one=ours"], "--hunk one=ours: not N=ours"),
        (["1=both"], "--hunk 1=both: not N=ours"),
        (["2=ours"], "SKILL.md: there is no hunk 2: they are numbered from 1 to 1"),
        (["1=ours", "1=theirs"], "--hunk 1=theirs: two choices for one hunk"),
    ],
)
def test_resolve_by_hunks_that_there_are_not(merging: Merging, hunks: list[str], message: str) -> None:
    typed = [part for hunk in hunks for part in ("--hunk", hunk)]
    result = merging.world.run("resolve", "pdf", "SKILL.md", *typed)
    assert (result.code, message in result.err) == (2, True), result.err
    assert merging.choices() == [None, None]


def test_a_tool_gets_the_versions_by_the_conventions_of_git(merging: Merging, edits: Path) -> None:
    seen = edits.parent / "seen"
    script = f'(cd / && head -n 99 "$BASE" "$LOCAL" "$REMOTE" "$MERGED") > \'{seen}\'; echo both > "$MERGED"'
    out = merging.world.done("resolve", "pdf", "SKILL.md", "--tool", script).out
    assert out.splitlines()[0] == "SKILL.md: settled by tool · 1 open"
    shown = seen.read_bytes()
    directory = shown.split()[1].rpartition(b"/")[0]
    parts = zip(
        (b"SKILL_BASE.md", b"SKILL_LOCAL.md", b"SKILL_REMOTE.md", b"SKILL.md"),
        (BASE["SKILL.md"], OURS["SKILL.md"], THEIRS["SKILL.md"], MARKED.encode()),
        strict=True,
    )
    assert shown == b"\n".join(b"==> %b/%b <==\n%b" % (directory, *part) for part in parts)
    assert (merging.chosen(), merging.choices()) == (b"both\n", [How.TOOL, None])
    assert os.listdir(edits) == []


@pytest.mark.parametrize("tool", TOOLS)
def test_a_known_tool_is_run_with_its_own_arguments(
    merging: Merging, edits: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """Each stands in the path as a program that finds the result among its arguments, as that tool does."""
    programs = edits.parent / "programs"
    programs.mkdir()
    program = programs / TOOLS[tool].split()[0]
    program.write_text('#!/bin/sh\nfor last; do :; done\necho "$@" > "$0.seen"\necho both > "$MERGED"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    merging.world.done("resolve", "pdf", "SKILL.md", "--tool", tool)
    seen = program.with_name(program.name + ".seen").read_text()
    wanted = ("SKILL_LOCAL.md", "SKILL_REMOTE.md", "SKILL_BASE.md", "/SKILL.md")
    assert [name for name in wanted if name not in seen] == []
    assert merging.chosen() == b"both\n"


def test_a_tool_merges_what_is_binary(world: World, edits: Path) -> None:
    """No lines clash in it, so the result begins with ours."""
    vault = Vault.open(world.library)
    handle = begin_merge(vault, "skills/pdf", {"bin": b"\0base"}, {"bin": b"\0ours"}, {"bin": b"\0theirs"})
    world.done("resolve", handle, "bin", "--tool", 'cat "$MERGED" "$REMOTE" > all; mv all "$MERGED"')
    state = vault.merge_info(handle).conflicts[0].chosen
    assert state is not None
    assert vault.read_blob(state.id) == b"\0ours\0theirs"
    assert os.listdir(edits) == []


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("exit 3", 1, "the merge tool exit 3 ended with code 3, so nothing is settled"),
        ("true", 4, "nothing was changed by the merge tool"),
        ('rm "$MERGED"', 1, "the result cannot be read: No such file or directory"),
        ('echo "=======" > "$MERGED"', 4, "conflict markers are left in line 1"),
    ],
)
def test_a_tool_that_settles_nothing(merging: Merging, edits: Path, script: str, code: int, message: str) -> None:
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--tool", script)
    assert (result.code, message in result.err) == (code, True), result.err
    assert merging.choices() == [None, None]
    assert [path.read_text() for path in edits.glob("*/SKILL.md")] == (
        ["=======\n"] if code == 4 and "=" in script else []
    )


def test_a_tool_with_what_is_no_file(world: World) -> None:
    vault = Vault.open(world.library)
    link = {"x": (SYMLINK, b"elsewhere")}
    handle = begin_merge(vault, "skills/pdf", {"x": b"1\n"}, link, {"x": b"2\n"})
    result = world.run("resolve", handle, "x", "--tool", "true")
    assert (result.code, "not a file on every side" in result.err) == (2, True), result.err


def test_what_was_resolved_before_is_offered_and_taken_when_asked(world: World) -> None:
    contents: tuple[Content, ...] = ({"a": b"1\n"}, {"a": b"2\n"}, {"a": b"3\n"})
    vault = Vault.open(world.library, author=Author("Ann", "a@example.org"), clock=lambda: (1_700_000_000, 0))
    first = begin_merge(vault, "skills/pdf", *contents)
    world.done("resolve", first, "a", "--theirs")
    world.done("merges", "continue", first)
    number = vault.operations()[0].number
    second = begin_merge(vault, "skills/pdf", *contents, project="web")
    lines = world.done("merges", "show", second).out.splitlines()
    (offered,) = [line for line in lines if line.startswith("resolved before")]
    assert offered.startswith(f"resolved before, in operation {number} by Ann, 20")
    assert offered.endswith("): take it with --reuse")
    (conflict,) = world.done("merges", "show", second, "--json").document["conflicts"]
    assert (conflict["how"], conflict["earlier"]["how"], conflict["earlier"]["operation"]) == (None, "theirs", number)
    out = world.done("resolve", second, "a", "--reuse").out
    assert out.splitlines()[0] == "a: settled by reuse · all settled"


def test_resolve_offers_what_is_known_of_the_next_conflict(world: World) -> None:
    base, ours, theirs = ({"a": b"1\n", "b": b"1\n"}, {"a": b"2\n", "b": b"4\n"}, {"a": b"3\n", "b": b"5\n"})
    vault = Vault.open(world.library)
    first = begin_merge(vault, "skills/pdf", base, ours, theirs)
    for name in ("a", "b"):
        world.done("resolve", first, name, "--theirs")
    world.done("merges", "continue", first)
    second = begin_merge(vault, "skills/pdf", base, ours, theirs, project="web")
    lines = world.done("resolve", second, "a", "--ours").out.splitlines()
    assert lines[1] == "next: skills/pdf/b"
    assert lines[2].startswith("resolved before, in operation ")


def test_show_says_what_was_resolved_on_the_way(conflict: World) -> None:
    conflict.run("pull", "skill/pdf", "--project", str(conflict.project))
    conflict.done("resolve", "pdf", "SKILL.md", "--hunk", "1=union")
    conflict.done("merges", "continue", "pdf")
    shown = conflict.done("show", "skill/pdf").out.splitlines()
    assert shown[-1] == "resolved skills/pdf/SKILL.md (content): hunks, by Ann"
    (record,) = conflict.done("show", "skill/pdf", "--json").document["resolved"]
    assert (record["how"], record["kind"], record["author"]) == ("hunks", "content", "Ann")


def test_reuse_of_what_was_never_resolved(merging: Merging) -> None:
    result = merging.world.run("resolve", "pdf", "SKILL.md", "--reuse")
    assert (result.code, "no such conflict was resolved before" in result.err) == (3, True), result.err


def test_edit_with_json_keeps_stdout_for_the_document(
    world: World, edits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors draw on stdout, where a program expects one document."""
    Merging(world)
    editor(edits, monkeypatch, "print('drawn'); path.write_text('both\\n')")
    run = world.process(["resolve", "pdf", "SKILL.md", "--edit", "--json"])
    assert (run.returncode, run.stderr.decode()) == (0, "drawn\n")
    assert json.loads(run.stdout)["conflicts"][0]["how"] == "edit"
