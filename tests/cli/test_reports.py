"""audit, timeline, fleet, conflicts, stats, as people read them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from casvault.cli.bars import bar, size
from casvault.formats.record import record_name

if TYPE_CHECKING:
    from .conftest import World


def test_audit_lines(world: World) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    lines = world.done("audit").out.splitlines()
    assert lines[0].split()[0] == "2"
    assert "deployment  skills/pdf in app" in lines[0]
    assert " - → " in lines[0]
    assert len(world.done("audit", "-n", "1").out.splitlines()) == 1
    found = world.done("audit", "--kind", "Deployment", "--since", "1d").out.splitlines()
    assert [line.split() for line in found] == [lines[0].split()]
    assert world.done("audit", "--until", "2001-01-01").out == "nothing was changed\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "dance"], "no such word"),
        (["--since", "yesterday-ish"], "neither a date nor a time"),
        (["--verify", "--limit", "3"], "--verify goes over the whole chain"),
    ],
)
def test_audit_refuses(world: World, arguments: list[str], words: str) -> None:
    result = world.run("audit", *arguments)
    assert result.code == 2
    assert words in result.err


def test_audit_verify_says_what_is_broken(world: World) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    assert world.done("audit", "--verify").out.endswith(": the chain is whole\n")
    world.done("undeploy", "skill/pdf", "--project", str(world.project))
    second, third = (world.library / ".casvault/ops" / record_name(number) for number in (2, 3))
    os.chmod(second, 0o644)
    second.write_bytes(third.read_bytes())
    result = world.run("audit", "--verify")
    assert result.code == 5
    assert "the chain is broken\n  operation 2: operation record 2: it says that it is number 3" in result.out
    broken = world.run("audit", "--verify", "--json")
    assert (broken.code, broken.document["ok"]) == (5, False)
    assert broken.document["first_break"] == {
        "operation": 2,
        "place": "operation record 2",
        "message": "it says that it is number 3",
    }


def test_timeline_lines(world: World) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    before = world.deployed.read_text()
    world.deployed.write_text("mine\n")
    assert "modified, not recorded yet" in world.done("timeline", "skill/pdf").out
    world.done("drift")
    out = world.done("timeline", "skill/pdf").out
    assert out.startswith("skills/pdf in app: modified, since 20")
    assert "  modified\n" in out
    assert "to now  still  1 state" in out
    world.deployed.write_text(before)
    world.done("drift")
    assert "reverted by hand  1 state" in world.done("timeline", "skill/pdf").out


def test_fleet_lines(world: World) -> None:
    world.done("deploy", "skill/pdf", "review", "--project", str(world.project))
    world.skill.write_text("newer\n")
    world.done("snapshot")
    out = world.done("fleet").out
    assert "1 version behind" in out
    assert out.splitlines()[-1] in (
        "2 artifacts in 1 project: 1 in_sync, 1 outdated",
        "2 artifacts in 1 project: 1 outdated, 1 in_sync",
    )
    assert "skills/pdf" in world.done("fleet", "--behind").out
    assert world.done("fleet", "--status", "conflict").out == "nothing of that is deployed anywhere\n"
    shutil.rmtree(world.project)
    gone = world.done("fleet")
    assert "project app is not where it was registered" in gone.err
    assert "2 deployments cannot be looked at" in gone.err


def test_conflicts_lines(conflict: World) -> None:
    assert conflict.done("conflicts").out == "no merge met a conflict\n"
    assert conflict.done("conflicts", "stats").out == "no merge met a conflict\n"
    conflict.run("pull", "skill/pdf", "--project", str(conflict.project))
    out = conflict.done("conflicts").out
    assert "waits, 1 of 1 path open" in out
    assert "skills/pdf/SKILL.md  content  1 hunk  open" in out
    conflict.done("resolve", "pdf", "SKILL.md", "--theirs")
    conflict.done("merges", "continue", "pdf")
    assert "(merge) by Ann in operation" in conflict.done("conflicts", "skill/pdf").out
    assert conflict.done("conflicts", "--unresolved").out == "no merge met a conflict\n"
    out = conflict.done("conflicts", "stats").out
    assert out.startswith("1 merge with conflicts in 1 hunk; resolved in ")
    assert conflict.run("conflicts", "stats", "--unresolved").code == 2
    assert conflict.run("conflicts", "a", "b").code == 2


def test_stats_lines_and_plot(world: World) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    out = world.done("stats", "--plot", "growth.svg").out
    assert out.startswith("2 operations, ")
    assert "skills/pdf  1 project" in out
    assert out.endswith("drawn to growth.svg\n")
    assert (world.library / "growth.svg").read_text().startswith("<svg ")
    assert world.run("stats", "--plot", "growth.png").code == 2
    assert world.run("stats", "--plot", "nowhere/growth.svg").code == 1


@pytest.mark.parametrize(
    ("value", "most", "wanted"),
    [(0, 10, ""), (10, 10, "████"), (5, 10, "██"), (1, 1000, "▏"), (3, 32, "▍"), (0, 0, "")],
)
def test_bars(value: int, most: int, wanted: str) -> None:
    assert bar(value, most, width=4) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (5_400_000, "5.4 MB"), (7 * 10**12, "7.0 TB")],
)
def test_sizes(value: int, wanted: str) -> None:
    assert size(value) == wanted
