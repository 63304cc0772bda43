"""Trees: git's entries and casvault's.

Git writes an entry as its mode in octal, a space, the name, a NUL and the id, and sorts directories as if a slash
followed their names. Where a tree is written otherwise, or has entries that no tree of casvault can have, it is *odd*:
every entry still gets a place in casvault's tree, some under another name, and the bytes are kept beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import RefusedError
from casvault.interop.git.ids import GitFormat
from casvault.limits import MAX_NAME
from casvault.objects import EXECUTABLE, FILE, FOREIGN, SYMLINK, TREE, check_name
from casvault.oid import ID_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from casvault.interop.git.ids import GitId
    from casvault.objects import Entry

RawEntry = tuple[bytes, bytes, "GitId"]
"""Mode as it is written, name, id."""

MODES = {b"100644": FILE, b"100755": EXECUTABLE, b"120000": SYMLINK, b"40000": TREE, b"160000": FOREIGN}
"""The modes that git writes today, as it writes them."""

_TEXTS = {mode: text for text, mode in MODES.items()}
_ENTRIES = {form: re.compile(rb"[0-7]+ [^\0]*\0.{%d}" % form.size, re.DOTALL) for form in GitFormat}
_KIND_BITS = 0o170000


class ParsedTree(NamedTuple):
    entries: list[bytes]
    """Each as it is written, mode, name and id in one."""
    rest: int
    """Bytes that are no entries."""

    def split(self, form: GitFormat) -> list[RawEntry]:
        return [split_entry(entry, form) for entry in self.entries]


def parse_tree(content: bytes, form: GitFormat) -> ParsedTree:
    """The entries as they are written."""
    entries = _ENTRIES[form].findall(content)
    if sum(map(len, entries)) == len(content):
        return ParsedTree(entries, 0)
    return _parse_beginning(content, form)


def _parse_beginning(content: bytes, form: GitFormat) -> ParsedTree:
    """The entries before the first byte that belongs to none."""
    entries: list[bytes] = []
    at = 0
    while (found := _ENTRIES[form].match(content, at)) is not None:
        entries.append(found.group())
        at = found.end()
    return ParsedTree(entries, len(content) - at)


def split_entry(entry: bytes, form: GitFormat) -> RawEntry:
    """Mode, name and id of one entry."""
    mode, _, rest = entry.partition(b" ")
    return mode, rest[: -form.size - 1], rest[-form.size :]


def format_entry(name: bytes, mode: int, git_id: GitId) -> bytes:
    return b"%s %s\0%s" % (_TEXTS[mode], name, git_id)


def sort_key(name: bytes, mode: int) -> bytes:
    """What git sorts entries by."""
    return name + b"/" if mode == TREE else name


def format_tree(entries: Iterable[tuple[bytes, int, GitId]]) -> bytes:
    """The bytes that git has of a tree with these names, modes and ids."""
    parts = [(sort_key(name, mode), format_entry(name, mode, git_id)) for name, mode, git_id in entries]
    parts.sort()
    return b"".join([part for _, part in parts])


def pad_id(git_id: GitId) -> bytes:
    """A foreign id as casvault's trees have it."""
    return git_id.ljust(ID_SIZE, b"\0")


def unpad_id(entry: Entry, form: GitFormat) -> GitId:
    """The git id of a foreign link; RefusedError if it is of another format."""
    is_short = not any(entry.id[GitFormat.SHA1.size :])
    if is_short != (form is GitFormat.SHA1):
        raise RefusedError(
            f"the foreign link {entry.name!r} is no {form.value} id", remedy="export to a repository of the other kind"
        )
    return entry.id[: form.size]


def plan_names(entries: Sequence[RawEntry]) -> list[bytes]:
    """The name under which each entry of an odd tree stands in casvault's: its own where that can be.

    The first entry of a name keeps it. The others, and names that casvault refuses, get one that is not taken.
    """
    taken: set[bytes] = set()
    names: list[bytes] = []
    for _, name, _ in entries:
        free = name not in taken and check_name(name) is None
        names.append(name if free else b"")
        taken.update(names[-1:])
    for at, (_, name, _) in enumerate(entries):
        if not names[at]:
            names[at] = _free_name(name, taken)
            taken.add(names[at])
    return names


def _free_name(name: bytes, taken: set[bytes]) -> bytes:
    plain = name.replace(b"/", b"%2F")[: MAX_NAME // 2]
    if plain in (b"", b".", b".."):
        plain = plain.replace(b".", b"%2E") or b"%"
    found, number = plain, 1
    while found in taken:
        number += 1
        found = b"%s%%%d" % (plain, number)
    return found


def plan_mode(text: bytes) -> int:
    """The mode that git takes a written one for."""
    mode = int(text, 8)
    kind = mode & _KIND_BITS
    if kind == FILE & _KIND_BITS:
        return EXECUTABLE if mode & 0o100 else FILE
    return kind if kind in (TREE, SYMLINK) else FOREIGN


def oddity(parsed: ParsedTree, form: GitFormat) -> str:
    """What is odd about a tree that cannot be written again as it is, by name."""
    if parsed.rest:
        return f"{parsed.rest} bytes at its end are no entries"
    seen: set[bytes] = set()
    before = b""
    for mode, name, _ in parsed.split(form):
        if mode not in MODES:
            return f"{_show(name)} has the mode {mode.decode()}"
        if wrong := check_name(name):
            return f"{wrong} is not possible"
        if name in seen:
            return f"{_show(name)} stands twice"
        key = sort_key(name, MODES[mode])
        if key < before:
            return f"{_show(name)} is out of order"
        seen.add(name)
        before = key
    return "a tree below it, or the kind of what it names, cannot be said in casvault"


def _show(name: bytes) -> str:
    return repr(name.decode(errors="backslashreplace"))
