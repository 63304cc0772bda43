"""Exit codes and the one or two lines that go with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from casvault.cli import failures
from casvault.errors import ConflictError, FailureError, MalformedError, NotFoundError, RefusedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import World


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("nope", 2),
        ("status --nope", 2),
        ("pull", 2),
        ("pull skill/pdf", 2),
        ("deploy skill/pdf --project ../app --strategy guess", 2),
        ("log -n -1", 2),
        ("diff @ @ @", 2),
        ("cat @:skills", 2),
        ("init --name a/b ../other", 2),
        ("status --collection nope", 3),
        ("deploy skill/nope --project ../app", 3),
        ("deploy skill/pdf --project ../nowhere", 3),
        ("log nope", 3),
        ("cat @:nope", 3),
        ("undo", 3),
        ("merges show nope", 3),
        ("merges abort nope", 3),
        ("resolve nope SKILL.md --ours", 3),
        ("resolve nope SKILL.md", 2),
        ("-C nowhere status", 3),
        ("--vault nowhere status", 3),
        ("drift --project ../app", 3),
        ("hash nowhere", 3),
        ("init", 1),
        ("hash .", 1),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines(world: World, command: str, code: int) -> None:
    result = world.run(*command.split())
    assert result.code == code
    lines = result.err.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert all(line.startswith("hint: ") for line in lines[1:])
    assert result.raw == b""


def test_outside_of_any_vault_the_way_in_is_named(empty: World) -> None:
    result = empty.run("status")
    assert result.code == 3
    assert f"error: {empty.base}: no vault here" in result.err
    assert "casvault init" in result.err


def test_a_conflict_leaves_both_sides_as_they_are(conflict: World) -> None:
    before = _contents(conflict.library), _contents(conflict.project)
    for command in ("pull skill/pdf", "deploy skill/pdf", "deploy skill/pdf --strategy merge"):
        result = conflict.run(*command.split(), "--project", str(conflict.project))
        assert result.code == 4, result
        assert "skills/pdf" in result.err
        assert (_contents(conflict.library), _contents(conflict.project)) == before


def test_a_conflict_is_shown_line_by_line_with_the_way_on(conflict: World) -> None:
    result = conflict.run("pull", "skill/pdf", "--project", str(conflict.project))
    lines = result.out.splitlines()
    assert lines[1] == "  skills/pdf  conflict"
    assert lines[2] == "    ! skills/pdf/SKILL.md: content"
    assert lines[4].startswith("  casvault resolve ")
    assert lines[5].startswith("  casvault merges continue ")
    assert result.err == "warning: skills/pdf: both sides changed the same; neither was touched\n"


@pytest.mark.parametrize("command", ["status", "diff", "drift"])
def test_exit_code_option_tells_differences(world: World, command: str) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    assert world.run(command, "--exit-code").code == 0
    world.skill.write_text("changed\n")
    assert world.run(command, "--exit-code").code == 6
    assert world.run(command).code == 0
    assert world.run(command, "--exit-code", "-q").raw == b""


def test_a_damaged_pack_is_found(world: World) -> None:
    pack = max((world.library / ".casvault/packs").iterdir(), key=lambda path: path.stat().st_size)
    raw = bytearray(pack.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    pack.chmod(0o644)
    pack.write_bytes(raw)
    result = world.run("fsck")
    assert result.code == 5
    assert "problem" in result.out + result.err
    document = world.run("fsck", "--json")
    assert document.code == 5
    assert document.document


def test_a_sound_vault_has_no_problems(world: World) -> None:
    result = world.done("fsck", "--json").document
    assert (result["ok"], result["problems"]) == (True, [])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (NotFoundError("x"), 3),
        (RefusedError("x"), 4),
        (ConflictError("x"), 4),
        (MalformedError("x"), 5),
        (FailureError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_code_follows_the_class(error: UsageError, code: int) -> None:
    assert failures.exit_code(error) == code


def test_a_bug_is_one_line_and_asks_to_be_reported(empty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casvault.cli.app._run", lambda arguments: 1 // 0)
    result = empty.run("status")
    assert result.code == 1
    assert result.err.startswith("error: this is a bug in casvault: ZeroDivisionError")
    assert "Traceback" not in result.err
    monkeypatch.setenv("CASVAULT_DEBUG", "1")
    assert "Traceback" in empty.run("status").err


def test_an_error_of_the_system_names_the_place(empty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> int:
        raise OSError(28, "No space left on device", "/some/where")

    monkeypatch.setattr("casvault.cli.app._run", fail)
    result = empty.run("snapshot")
    assert (result.code, result.err) == (1, "error: /some/where: No space left on device\n")


def test_an_interrupt_is_one_line(empty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("casvault.cli.app._run", interrupt)
    result = empty.run("fsck")
    assert (result.code, result.err) == (130, "\ninterrupted\n")


def test_a_vault_that_cannot_be_written_is_read_all_the_same(world: World) -> None:
    world.skill.write_text("changed\n")
    control = world.library / ".casvault"
    paths = [control, *control.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        for command in (["status"], ["log"], ["cat", "@:commands/review.md"], ["fsck"]):
            read = world.process(command, preexec_fn=_give_up_privileges)
            assert (read.returncode, read.stderr.count(b"error")) == (0, 0), read
        written = world.process(["snapshot"], preexec_fn=_give_up_privileges)
        assert written.returncode == 1, written
        assert written.stderr.startswith(b"error: " + os.fsencode(control))
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o700)
    assert world.done("snapshot")


def _give_up_privileges() -> None:
    """Let permissions hold for root too."""
    if os.geteuid() == 0:
        from ctypes import CDLL

        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _contents(directory: Path) -> dict[str, bytes]:
    """All files but those of the vault, and its markers."""
    files = (
        path
        for path in directory.rglob("*")
        if path.is_file() and not any(part.startswith(".casvault") for part in path.parts)
    )
    return {str(path): path.read_bytes() for path in files}


def test_an_interrupted_directory_is_said_by_every_command(world: World) -> None:
    """A journal whose operation is in the chain, as a crash between record and files leaves it."""
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    world.skill.write_text("newer\n")
    world.done("snapshot")
    killed = world.process(["deploy", "skill/pdf", "--project", str(world.project)], program=("-c", _DIE))
    assert killed.returncode == 9, killed
    for command, code in ((["deploy", "skill/pdf"], 4), (["pull", "skill/pdf"], 4), (["drift"], 0)):
        result = world.run(*command, "--project", str(world.project))
        assert result.code == code, result
        assert "cut off" in result.err
        assert "casvault recover" in result.err
    assert world.done("drift", "--json").document["interrupted"] == [str(world.project)]
    assert "finished" in world.done("recover").out
    assert world.deployed.read_text() == "newer\n"
    assert world.done("recover").out == "nothing was cut off; there is nothing to recover\n"


_DIE = """
import os, sys
import casvault.deploy.run as run
run._apply = lambda *arguments: os._exit(9)
from casvault.cli.app import main
main(sys.argv[1:])
"""
