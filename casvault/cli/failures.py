"""What goes wrong, in one or two lines, and the exit codes. The only place that knows both."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from casvault.cli.documents import print_document
from casvault.cli.environment import wants_traceback
from casvault.cli.terminal import complain, printable
from casvault.errors import (
    CasvaultError,
    ConflictError,
    DamageError,
    FailureError,
    NotFoundError,
    RefusedError,
    UsageError,
)

if TYPE_CHECKING:
    from typing import Any

FAILURE: Final = 1
USAGE: Final = 2
CONFLICT: Final = 4
DAMAGE: Final = 5
DIFFERENCE: Final = 6
"""What `--exit-code` asks for."""
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""What a shell reports of a program that SIGPIPE has ended."""

_CODES: Final = ((UsageError, USAGE), (NotFoundError, 3), (RefusedError, CONFLICT), (DamageError, DAMAGE))


class BugError(CasvaultError):
    """Something that casvault did not expect, and that its authors want to hear of."""

    code = "bug"


def report(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong; the exit code."""
    if wants_traceback():
        # Python's own printer: no import, and nothing of it is lost.
        sys.excepthook(type(error), error, error.__traceback__)
    known = _explained(error)
    if as_json:
        print_document({"error": _document(known)})
    else:
        complain(_line(known), known.remedy, known.conflicts if isinstance(known, ConflictError) else ())
    return exit_code(known)


def exit_code(error: CasvaultError) -> int:
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILURE)


def _explained(error: Exception) -> CasvaultError:
    if isinstance(error, CasvaultError):
        return error
    if isinstance(error, OSError):
        place = error.filename if isinstance(error.filename, str) else None
        return FailureError(error.strerror or str(error), place=place)
    if hasattr(error, "format_message"):  # typer's own errors, whose home differs between its versions
        return _usage(error)
    return BugError(
        f"this is a bug in casvault: {type(error).__name__}: {error}",
        remedy="please report it, with what CASVAULT_DEBUG=1 shows when you run the command again",
    )


def _usage(error: Any) -> UsageError:
    """Typer's complaint about the command line, in one line."""
    context = getattr(error, "ctx", None)
    path = "casvault" if context is None else context.command_path
    message = " ".join(error.format_message().split()).removesuffix(".")
    return UsageError(message[:1].lower() + message[1:], remedy=f"see `{path} --help`")


def _line(error: CasvaultError) -> str:
    return error.message if error.place is None else f"{error.place}: {error.message}"


def _document(error: CasvaultError) -> dict[str, object]:
    document: dict[str, object] = {
        "code": error.code,
        "message": printable(error.message),
        "place": error.place,
        "remedy": error.remedy,
    }
    if isinstance(error, ConflictError):
        document["conflicts"] = list(error.conflicts)
    return document
