"""Ignore files in gitignore's syntax. Imported only when there is one: the library behind it takes 50 ms to import."""

from __future__ import annotations

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from casvault.errors import UsageError
from casvault.worktree.names import shown

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Patterns:
    """The patterns of one ignore file. UsageError where one of them is none, naming file and line."""

    def __init__(self, text: bytes, path: bytes) -> None:
        # Not splitlines: a form feed or a Unicode line separator is part of a pattern.
        lines = [line.removesuffix("\r") for line in _text(text.removeprefix(_BYTE_ORDER_MARK)).split("\n")]
        try:
            # The other backends cannot match names that are not UTF-8.
            self._spec = GitIgnoreSpec.from_lines(lines, backend="simple")
        except GitIgnorePatternError as error:
            raise UsageError(
                f"line {_first_wrong(lines)} is not a pattern", place=shown(path), remedy="correct the line"
            ) from error

    def match(self, path: bytes, *, is_directory: bool) -> bool | None:
        """True: ignored; False: re-included by `!`; None: no pattern matches. The path is relative to the file's."""
        return self._spec.check_file(_text(path) + "/" if is_directory else _text(path)).include


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _first_wrong(lines: list[str]) -> int:
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line], backend="simple")
        except GitIgnorePatternError:
            return number
    return 0
