"""What casvault takes from the environment. It is read here and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casvault import Author


def read_author() -> Author:
    """Who works here: what casvault is told, else what git is told, else the login name at this machine."""
    from casvault.vault.author import Author

    name = _first("CASVAULT_AUTHOR_NAME", "GIT_AUTHOR_NAME")
    mail = _first("CASVAULT_AUTHOR_MAIL", "GIT_AUTHOR_EMAIL")
    login = "" if name and mail else _login()
    return Author(name or login, mail or f"{login}@{os.uname().nodename}")


def read_vault() -> str | None:
    return _first("CASVAULT_VAULT")


def read_editor() -> str | None:
    """The command line of the editor, by the variables that every program goes by."""
    return _first("VISUAL", "EDITOR")


def wants_traceback() -> bool:
    return _first("CASVAULT_DEBUG") is not None


def allows_colour() -> bool:
    """The conventions of https://no-color.org, and of terminals that say they can do nothing."""
    return _first("NO_COLOR") is None and os.environ.get("TERM") != "dumb"


def _first(*names: str) -> str | None:
    """The first of these variables that is set and not empty."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def _login() -> str:
    from getpass import getuser  # not needed where the author is named

    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown"
