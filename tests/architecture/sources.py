"""The source of casvault, layer by layer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "casvault"


def modules() -> set[str]:
    """The names directly below the package: one is one layer, or a part of it."""
    found = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return found - {"__init__", "__main__"}


def files_of(names: set[str]) -> Iterator[Path]:
    """The source files of these layers."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in names:
            yield path


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def settings() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def layers() -> list[list[str]]:
    """The layers of the contract, the highest first; names on one line may not import each other."""
    contract = find_contract("layers")
    assert contract is not None
    return [[name.strip(" ()") for name in line.split("|")] for line in contract["layers"]]


def find_contract(name: str) -> dict[str, Any] | None:
    contracts = settings()["tool"]["importlinter"]["contracts"]
    return next((contract for contract in contracts if contract["id"] == name), None)


def layers_below(name: str) -> set[str]:
    """All names in layers under that of `name`."""
    lines = layers()
    above = next(number for number, line in enumerate(lines) if name in line)
    return {found for line in lines[above + 1 :] for found in line}
