"""Names that people type."""

from __future__ import annotations

from casvault.errors import UsageError

COLLECTIONS = b"collections/"
PROJECTS = b"projects/"


def check_line_name(name: str, what: str) -> bytes:
    """The bytes of a collection's or project's name; UsageError for one that could not be typed again."""
    wrong = not name or name != name.strip() or name.startswith(("-", ".", "@")) or not name.isprintable()
    if wrong or any(sign in name for sign in "/:~^\\"):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}: no slash, colon, ~, ^, backslash or control characters, "
            "no space at an end, no leading dash, dot or @"
        )
    return name.encode()


def collection_ref(name: str) -> bytes:
    return COLLECTIONS + check_line_name(name, "collection")


def project_ref(name: str) -> bytes:
    return PROJECTS + check_line_name(name, "project")


def show(path: bytes) -> str:
    """A path for people and for JSON: bytes that are not UTF-8 survive as surrogates, and can be typed back."""
    return path.decode(errors="surrogateescape")


def typed(text: str) -> bytes:
    """The bytes that somebody typed; UsageError for a string that no bytes are decoded to."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"not text: {text[error.start : error.end]!r} stands for no character", place=ascii(text)
        ) from error
