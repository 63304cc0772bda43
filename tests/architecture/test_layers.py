"""Imports only go down: the contracts that `make check` runs, and that they name all that is there."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import ROOT, find_contract, layers, modules

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
WITH_TERMINAL = {"cli"}


def test_the_contracts_are_kept() -> None:
    result = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_module_has_a_layer() -> None:
    assert modules() - {name for line in layers() for name in line} == set()


def test_every_module_but_the_command_is_kept_from_the_terminal() -> None:
    contract = find_contract("terminal")
    assert contract is not None
    assert set(contract["source_modules"]) == {f"casvault.{name}" for name in modules() - WITH_TERMINAL}


def test_the_command_is_kept_from_all_but_the_facade() -> None:
    if "cli" not in modules():
        return
    contract = find_contract("cli")
    assert contract is not None, 'the contract "cli" is due: the command talks to the façade and interop only'
    allowed = {"cli", "interop", "vault", "errors", "limits", "progress", "oid"}
    assert set(contract["forbidden_modules"]) == {f"casvault.{name}" for name in modules() - allowed}
