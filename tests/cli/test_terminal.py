"""The command as a process: pipes that close, terminals, colours, progress."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from casvault.cli.environment import allows_colour
from casvault.cli.patches import patch_lines
from casvault.cli.progress import ProgressLine
from casvault.cli.terminal import columns, moment, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conftest import World


def test_a_reader_that_leaves_is_no_error(world: World) -> None:
    """`casvault cat … | head -1` must not end in a traceback."""
    (world.library / "skills/pdf/long").write_bytes(b"line\n" * 1_000_000)
    world.done("snapshot")
    for command in (["cat", "@:skills/pdf/long"], ["show", "--patch"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "casvault", *command],
            cwd=world.library,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert (process.wait(), errors) == (141, b"")


def test_colours_on_a_terminal_only_and_not_where_they_are_unwanted(world: World) -> None:
    world.skill.write_text("changed\n")
    assert b"\x1b[" not in world.process(["diff"]).stdout
    assert b"\x1b[" in _on_terminal(world, ["diff"], {"TERM": "xterm"})
    assert b"\x1b[" in _on_terminal(world, ["status"], {"TERM": "xterm"})
    assert rb"\x1b" not in _on_terminal(world, ["log"], {"TERM": "xterm"})
    assert b"\x1b[" not in _on_terminal(world, ["diff"], {"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\x1b[" not in _on_terminal(world, ["status"], {"TERM": "dumb"})


def test_no_color_and_dumb_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert allows_colour()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not allows_colour()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not allows_colour()


def test_an_error_in_a_process_is_on_stderr_alone(empty: World) -> None:
    run = empty.process(["status"])
    assert (run.returncode, run.stdout) == (3, b"")
    assert run.stderr.startswith(b"error: ")


def test_an_encoding_that_lacks_a_sign_is_no_reason_to_fail(world: World) -> None:
    world.skill.write_text("changed\n")
    run = world.process(["status"], {"PYTHONIOENCODING": "ascii"})
    assert (run.returncode, run.stderr.count(b"error")) == (0, 0), run


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("plain/name with space", "plain/name with space"),
        ("é", "é"),
        ('a"b', '"a\\"b"'),
        ("a\nb", '"a\\nb"'),
        ("\x1b[31m", '"\\033[31m"'),
        ("caf\udce9", '"caf\\351"'),
        ("é\udcff", '"\\303\\251\\377"'),
    ],
)
def test_names_are_quoted_as_git_does(path: str, expected: str) -> None:
    assert quoted(path) == expected


def test_messages_cannot_move_the_cursor(world: World) -> None:
    assert printable("a\x1b[2Jb\udcff\tc\n") == "a\\x1b[2Jb\\xff\tc\n"
    world.skill.write_text("changed\n")
    world.done("snapshot", "-m", "evil \x1b[2J")
    assert "\x1b" not in world.done("log").out + world.done("log", "--oneline").out + world.done("ops").out


def test_a_diff_on_a_terminal_is_coloured_by_line_and_harmless() -> None:
    lines = [b"diff --git a/x b/x\n", b"--- a/x\n", b"+++ b/x\n", b"@@ -1 +1 @@\n", b"--- removed\n", b"+a\x1b[2J\r\n"]
    shown = b"".join(patch_lines(lines))
    assert b"\x1b[31m--- removed\x1b[0m\n" in shown
    assert b"\x1b[1m--- a/x\x1b[0m\n" in shown
    assert b"\x1b[32m+a^[[2J^M\x1b[0m\n" in shown


def test_columns_do_not_count_colours() -> None:
    assert columns([("\x1b[31mab\x1b[0m", "c"), ("d", "e")]) == ["\x1b[31mab\x1b[0m  c", "d   e"]
    assert columns([]) == []


def test_moments_are_told_where_they_happened() -> None:
    assert moment(0, "+0130") == "1970-01-01 01:30:00 +0130"
    assert moment(0, "-0500") == "1969-12-31 19:00:00 -0500"


def test_progress_waits_shows_one_line_and_removes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    line = ProgressLine()
    line("scan", 1, None)
    assert capsys.readouterr().err == ""
    now[0] = 0.6
    line("scan", 1000, 4000)
    assert capsys.readouterr().err == "\r\x1b[Klooking at files: 1,000 of 4,000 (25%)"
    line("scan", 1001, 4000)
    assert capsys.readouterr().err == ""
    line.clear()
    line.clear()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_no_progress_where_nobody_looks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    monkeypatch.setattr("time.monotonic", lambda: 1e9)
    line("scan", 1, None)
    assert capsys.readouterr().err == ""


def _on_terminal(world: World, command: list[str], environment: Mapping[str, str]) -> bytes:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "casvault", *command],
            cwd=world.library,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        shown = b""
        try:
            while piece := terminal.read(65536):
                shown += piece
        except OSError:  # how Linux says that the other end is closed
            pass
    assert process.wait() == 0
    return shown
