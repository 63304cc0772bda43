"""`vault.toml`: what a vault is, written once when it is made, and the settings that its owner may change."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from casvault.errors import MalformedError, UnsupportedError
from casvault.files import write_file
from casvault.files.durable import explained
from casvault.limits import KEEP_RECORDS, MIB

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
ID_SIZE = 16


class Config(NamedTuple):
    id: bytes
    """16 random bytes by which markers and caches know their vault."""
    keep_records: int = KEEP_RECORDS
    """Operation records that stay standing."""
    observe_max_size: int = 64 * MIB
    """Bytes up to which `drift` records what it sees."""


def create_config(path: Path) -> Config:
    config = Config(os.urandom(ID_SIZE))
    lines = (
        "# A casvault vault. What is below [settings] may be changed.",
        f"format = {FORMAT}",
        f'id = "{config.id.hex()}"',
        "",
        "[settings]",
        "",
    )
    write_file(path, "\n".join(lines).encode())
    return config


def read_config(path: Path) -> Config:
    """FileNotFoundError where there is none; MalformedError or UnsupportedError where it cannot be used."""
    with path.open("rb") as stream, explained(path):
        try:
            table = tomllib.load(stream)
        except ValueError as error:
            raise MalformedError(f"not TOML: {error}", place=str(path)) from error
    if table.get("format") != FORMAT:
        raise UnsupportedError(
            f"vault format {table.get('format')}", place=str(path), remedy="use a later version of casvault"
        )
    return _checked(table, path)


def _checked(table: dict[str, Any], path: Path) -> Config:
    settings = table.get("settings", {})
    try:
        config = Config(
            bytes.fromhex(table["id"]),
            int(settings.get("keep_records", KEEP_RECORDS)),
            int(settings.get("observe_max_size", 64 * MIB)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"a wrong or missing value: {error}", place=str(path)) from error
    if len(config.id) != ID_SIZE or config.keep_records < 4:
        raise MalformedError("the id or keep_records (at least 4) is out of range", place=str(path))
    return config
