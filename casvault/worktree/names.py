"""Names that belong to a control directory, in any disguise that some file system takes for the plain name.

The rules are those that git learned one advisory at a time: case, code points that a file system ignores, compatibility
forms, trailing dots and spaces, NTFS streams, 8.3 short names, and the backslash as a separator.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache

from casvault.errors import RefusedError
from casvault.files import durable
from casvault.limits import MAX_DEPTH
from casvault.objects import check_name

TEMPORARY = os.fsencode(durable.TEMPORARY)
"""What unfinished files of a checkout begin with."""

_CONTROL = frozenset({".git", ".casvault"})
OWN_FILES = b".casvault-"
"""What casvault's own files in the directories of others begin with: markers, journals, unfinished files."""
_SHORT_NAME = re.compile(r"(?:git|casvau|(?:ca|gi)[0-9a-f]{4})~[0-9]+")

# HFS+ ignores some of these when it compares names, Linux's case-folding file systems ignored all that Unicode calls
# default ignorable until 6.13.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


# The same few names stand in most directories.
@lru_cache(4096)
def is_control_name(name: bytes) -> bool:
    """Whether one component of a path names `.git`, `.casvault` or one of casvault's own `.casvault-…` files.

    True also for what only some file system would take for such a name. `.casvaultignore` and `casvault.toml` are
    ordinary files.
    """
    return any(map(_is_control, name.split(b"\\")))


def _is_control(component: bytes) -> bool:
    text = component.decode("utf-8", "surrogateescape")
    if not text.isascii():
        text = _IGNORABLE.sub("", unicodedata.normalize("NFKC", _IGNORABLE.sub("", text)))
    text = text.partition(":")[0].rstrip(" .").casefold()
    return text in _CONTROL or text.startswith(OWN_FILES.decode()) or _SHORT_NAME.fullmatch(text) is not None


def check_path(path: bytes) -> None:
    """Raise RefusedError unless every component of the relative path may be written by a checkout."""
    parts = path.split(b"/")
    if len(parts) > MAX_DEPTH:
        raise RefusedError(f"more than {MAX_DEPTH} directories below one another", place=shown(path))
    for part in parts:
        if wrong := check_name(part):
            raise RefusedError(f"{wrong} cannot be written", place=shown(path))
        if is_control_name(part):
            raise RefusedError(
                f"{shown(part)} is the name of a control directory or file and is never written",
                place=shown(path),
                remedy="take it out of the version, or rename it there",
            )


def join(directory: bytes, name: bytes) -> bytes:
    """The relative path of a name in a directory; b"" is the root."""
    return directory + b"/" + name if directory else name


def shown(path: bytes) -> str:
    """A path in a message; bytes that are not UTF-8 are shown as escapes."""
    return path.decode("utf-8", "backslashreplace")
