"""Help, the global options, and what is loaded."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from casvault import __version__
from casvault.cli.app import HOMES
from casvault.cli.failures import USAGE

if TYPE_CHECKING:
    from .conftest import World

COMMANDS = [
    *((name,) for name, home in HOMES.items() if isinstance(home, str)),
    *((group, name) for group, homes in HOMES.items() if isinstance(homes, dict) for name in homes),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_each_command_has_an_example_of_it(empty: World, command: tuple[str, ...]) -> None:
    help_text = empty.done(*command, "--help").out
    assert "Usage: casvault " + " ".join(command) in help_text
    assert "Examples" in help_text
    assert "$ casvault " + " ".join(command) in help_text
    for option in ("--json", "--vault", "-C", "--quiet"):
        assert option in help_text


def test_help_groups_the_commands(empty: World) -> None:
    help_text = empty.done("--help").out
    for panel in ("Collections", "History", "Projects", "Operations", "Exchange", "Plumbing"):
        assert f"─ {panel} ─" in help_text
    for name in HOMES:
        assert f" {name} " in help_text


@pytest.mark.parametrize("command", [(), ("collection",), ("project",), ("merges",), ("git",), ("skillmeat",)], ids=str)
def test_a_group_alone_shows_its_help_and_is_a_usage_error(empty: World, command: tuple[str, ...]) -> None:
    result = empty.run(*command)
    assert result.code == USAGE
    assert "Usage: casvault" in result.out


def test_version(empty: World) -> None:
    assert empty.done("--version").out == f"casvault {__version__}\n"


def test_a_misspelt_command_gets_a_suggestion(empty: World) -> None:
    result = empty.run("snapshto")
    assert result.err == "error: snapshto: no such command\nhint: did you mean `casvault snapshot`?\n"


def test_global_options_may_stand_before_and_after_the_command(world: World) -> None:
    before = world.done("--json", "-C", str(world.library), "status", at=world.base)
    after = world.done("status", "--json", "-C", str(world.library), at=world.base)
    assert before.document == after.document


def test_vault_option_goes_before_the_variable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASVAULT_VAULT", str(world.base / "nowhere"))
    assert world.run("collection", "list", at=world.base).code == 3
    assert world.done("collection", "list", "--vault", str(world.library), at=world.base)
    monkeypatch.setenv("CASVAULT_VAULT", str(world.library))
    assert world.done("collection", "list", at=world.base)


def test_quiet_says_nothing_but_does_it(world: World) -> None:
    world.skill.write_text("new\n")
    assert world.done("snapshot", "-q").raw == b""
    assert world.done("diff", "--exit-code").raw == b""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], ["casvault.vault", "casvault.cli.commands.history", "rich", "pydantic"]),
        (["status"], ["casvault.cli.commands.history", "rich", "pydantic", "rapidfuzz"]),
        (["log", "-n", "1"], ["casvault.cli.commands.projects", "rich", "pydantic", "rapidfuzz"]),
    ],
    ids=lambda value: value[0],
)
def test_a_command_loads_only_what_it_needs(world: World, arguments: list[str], absent: list[str]) -> None:
    """Start-up was three times as slow with pydantic, which typer takes for values, and with every command loaded."""
    code = f"import sys; from casvault.cli.app import main; main({arguments!r}); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=world.library, capture_output=True, check=True)
    loaded = run.stdout.decode().split()
    assert "casvault.cli.app" in loaded
    assert not set(absent) & set(loaded)


def test_import_of_the_package_is_cheap_and_finds_the_public_names() -> None:
    code = (
        "import sys, casvault; assert 'casvault.vault' not in sys.modules;"
        "from casvault import Vault, Author, CasvaultError; print(Vault.__module__, 'Vault' in dir(casvault))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == b"casvault.vault.vault True\n"
