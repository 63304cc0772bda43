"""Options that take words of a closed set, or times."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, TypeVar

import typer

from casvault.errors import UsageError

SINCE_HELP = "A date, a time (2026-03-01T12:00+01:00), or 12h, 7d, 2w ago."
SinceOption = Annotated[str | None, typer.Option("--since", metavar="TIME", help=SINCE_HELP, show_default=False)]
E = TypeVar("E", bound=Enum)


def chosen(kinds: type[E], words: list[str] | None) -> list[E] | None:
    """The members that are meant by these words: values or names, in any case; UsageError that lists them."""
    if not words:
        return None
    known = {name.lower(): each for each in kinds for name in (str(each.value), each.name)}
    for word in words:
        if word.lower() not in known:
            listed = ", ".join(each.name.lower() for each in kinds)
            raise UsageError("no such word", place=word, remedy=f"one of: {listed}")
    return [known[word.lower()] for word in words]
