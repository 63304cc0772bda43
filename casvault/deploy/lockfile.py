"""`casvault.lock`: what a project has deployed, as a small text that is committed with the project.

It is made of the state of the project and can be made again; it is there for people who read a change of it, and for
checkouts that have no vault at hand yet. One key stands on a line and the tables are sorted, so that git merges two
branches that deployed different things; where it cannot, the markers it leaves are an error here, never a guess.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from casvault.artifacts.names import show, typed
from casvault.errors import ConflictError, MalformedError, UnsupportedError, UsageError
from casvault.objects import ROOT_MODES, check_name
from casvault.oid import Oid
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LOCK_FILE = "casvault.lock"
FORMAT = 1
HEADER = (
    "# What casvault has deployed here. Commit this file with the project; casvault writes it, do not edit it.",
    "# After a merge that git could not finish, take one side of it, then let casvault write it again.",
)
REMEDY = "take the file of another commit (git checkout), or remove it and let casvault write it again"

_MARKER = re.compile(rb"(?:<{7}|={7}|>{7}|\|{7})(?:[ \r]|\Z)")
_HEX_ID = re.compile(r"[0-9a-f]{64}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})+\Z")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MODES = {f"{mode:06o}": mode for mode in ROOT_MODES}


class LockEntry(NamedTuple):
    """One deployment: where it is, which version, and what this holds."""

    root: bytes
    collection: bytes
    path: bytes
    version: Oid
    mode: int
    content: Oid
    tag: str | None = None
    pin: str | None = None

    @property
    def file_path(self) -> bytes:
        """Relative to the project's directory."""
        return self.root + b"/" + self.path


_NAMES = ("root", "collection", "path", "tag", "pin")
"""Keys whose values need not be UTF-8; `_hex` is added to the key of one that is not."""
_KEYS = frozenset({"version", "mode", "content", *_NAMES, *(f"{name}_hex" for name in _NAMES)})


def render_lock(entries: Iterable[LockEntry]) -> bytes:
    """The file that says this; MalformedError where it could not be read back."""
    found = sorted(entries, key=_place_of)
    places = [f"{LOCK_FILE}, {show(entry.file_path)}" for entry in found]
    _check_apart(found, places)
    lines = [*HEADER, f"format = {FORMAT}"]
    for entry, place in zip(found, places, strict=True):
        _check(entry, place)
        lines += ["", "[[deployment]]", *_render(entry)]
    return "\n".join(lines).encode() + b"\n"


def _render(entry: LockEntry) -> Iterator[str]:
    yield _line("root", entry.root)
    yield _line("collection", entry.collection)
    yield _line("path", entry.path)
    yield f'version = "{entry.version}"'
    yield f'mode = "{entry.mode:06o}"'
    yield f'content = "{entry.content}"'
    for key, text in (("tag", entry.tag), ("pin", entry.pin)):
        if text is not None:
            yield _line(key, typed(text))


def _line(key: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f'{key}_hex = "{value.hex()}"'
    return f'{key} = "{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    """A sign of a TOML string; what does not print cannot deceive whoever reads the change."""
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08X}"


def parse_lock(text: bytes, place: str) -> list[LockEntry]:
    """The deployments in the order of the file, whose name for messages is `place`.

    ConflictError where git left conflict markers, MalformedError for everything else that casvault does not write.
    """
    _check_unmarked(text, place)
    try:
        table = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not TOML: {error}", place=place, remedy=REMEDY) from error
    _check_format(table, place)
    tables = table.get("deployment", [])
    if table.keys() - {"format", "deployment"} or not isinstance(tables, list):
        raise MalformedError("not a format and a list of [[deployment]] tables", place=place, remedy=REMEDY)
    places = _places(text, len(tables), place)
    entries = [_parse(found, where) for found, where in zip(tables, places, strict=True)]
    _check_apart(entries, places)
    return entries


def _check_unmarked(text: bytes, place: str) -> None:
    lines = text.split(b"\n")
    marked = {number: line for number, line in enumerate(lines, 1) if _MARKER.match(line)}
    if marked:
        listed = ", ".join(map(str, marked))
        raise ConflictError(
            f"git left conflict markers in line{'s' if len(marked) > 1 else ''} {listed}",
            conflicts=tuple(f"line {number}: {show(line.strip())}" for number, line in marked.items()),
            place=place,
            remedy="take one side (git checkout --ours, or --theirs), then let casvault write the file again",
        )


def _check_format(table: Mapping[str, Any], place: str) -> None:
    found = table.get("format")
    if type(found) is int and found > FORMAT:
        raise UnsupportedError(f"format {found}", place=place, remedy="use a later version of casvault")
    if type(found) is not int or found != FORMAT:
        raise MalformedError(f"the format is {found!r}, not {FORMAT}", place=place, remedy=REMEDY)


def _places(text: bytes, count: int, place: str) -> list[str]:
    """Where each table begins; its number alone, where the file is not written as casvault writes it."""
    lines = [number for number, line in enumerate(text.split(b"\n"), 1) if line.strip() == b"[[deployment]]"]
    if len(lines) == count:
        return [f"{place}:{line}" for line in lines]
    return [f"{place}, deployment {number}" for number in range(1, count + 1)]


def _parse(table: object, place: str) -> LockEntry:
    if not isinstance(table, dict):
        raise _wrong("not a table", place)
    if unknown := sorted(table.keys() - _KEYS):
        raise _wrong(f"the unknown key {unknown[0]!r}", place)
    for key, value in table.items():
        if not isinstance(value, str):
            raise _wrong(f"{key} is not a string", place)
    version, content = (_parse_id(table, key, place) for key in ("version", "content"))
    mode = _MODES.get(table.get("mode", ""))
    if mode is None:
        raise _wrong(f"mode is not one of {', '.join(sorted(_MODES))}", place)
    root, collection, path, tag, pin = (_parse_name(table, name, place) for name in _NAMES)
    for name, value in (("root", root), ("collection", collection), ("path", path)):
        if value is None:
            raise _wrong(f"{name} is missing", place)
    entry = LockEntry(
        root or b"",
        collection or b"",
        path or b"",
        version,
        mode,
        content,
        None if tag is None else show(tag),
        None if pin is None else show(pin),
    )
    _check(entry, place)
    return entry


def _parse_id(table: Mapping[str, str], key: str, place: str) -> Oid:
    text = table.get(key, "")
    if not _HEX_ID.match(text):
        raise _wrong(f"{key} is not an id of 64 hexadecimal digits", place)
    return Oid.from_hex(text)


def _parse_name(table: Mapping[str, str], key: str, place: str) -> bytes | None:
    """The bytes under a key, which stand there as text or in hexadecimal."""
    in_hex = f"{key}_hex"
    if in_hex not in table:
        return table[key].encode() if key in table else None
    if key in table:
        raise _wrong(f"both {key} and {in_hex}", place)
    if not _HEX.match(table[in_hex]):
        raise _wrong(f"{in_hex} is not in hexadecimal", place)
    return bytes.fromhex(table[in_hex])


def _check(entry: LockEntry, place: str) -> None:
    """What holds for an entry that is written as for one that is read."""
    if entry.mode not in ROOT_MODES:
        raise _wrong(f"the mode {entry.mode:o} is not one of {', '.join(sorted(_MODES))}", place)
    for name, path in (("root", entry.root), ("path", entry.path)):
        for part in path.split(b"/"):
            if wrong := check_name(part):
                raise _wrong(f"{wrong} in the {name} {show(path)!r}: it is a relative path without . and ..", place)
            if is_control_name(part):
                raise _wrong(f"the {name} {show(path)!r} leads into a control directory or file", place)
    if wrong := check_name(entry.collection):
        raise _wrong(f"{wrong} as the collection", place)
    for key, text in (("tag", entry.tag), ("pin", entry.pin)):
        if text is not None and not _is_plain(text):
            raise _wrong(f"{key} is empty or has signs that no bytes stand for", place)


def _is_plain(text: str) -> bool:
    """Whether this is what a name of bytes is shown as."""
    try:
        return bool(text) and show(typed(text)) == text
    except UsageError:
        return False


def _check_apart(entries: Sequence[LockEntry], places: Sequence[str]) -> None:
    """MalformedError if two entries are of one place, or the files of one would lie among those of another."""
    seen: dict[bytes, str] = {}
    for entry, place in zip(entries, places, strict=True):
        if entry.file_path in seen:
            raise _wrong(f"{show(entry.file_path)!r} stands twice, also in {seen[entry.file_path]}", place)
        seen[entry.file_path] = place
    for path, place in seen.items():
        for at, sign in enumerate(path):
            if sign == 0x2F and path[:at] in seen:
                raise _wrong(f"{show(path)!r} lies in {show(path[:at])!r}, of {seen[path[:at]]}", place)


def _place_of(entry: LockEntry) -> tuple[bytes, bytes, bytes]:
    return entry.root, entry.collection, entry.path


def _wrong(message: str, place: str) -> MalformedError:
    return MalformedError(message, place=place, remedy=REMEDY)
