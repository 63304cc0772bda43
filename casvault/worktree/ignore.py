"""Which paths a scan leaves out: the built-in defaults, then ignore files, of which the deeper one wins.

The defaults are plain sets, so that a tree without ignore files pays nothing for the pattern library.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casvault.worktree.patterns import Patterns

IGNORE_FILE = b".casvaultignore"

DEFAULT_NAMES = frozenset(
    {
        # what operating systems leave behind
        b".DS_Store", b".Spotlight-V100", b".Trashes", b".directory", b"Thumbs.db", b"desktop.ini",
        # what tools can make again
        b"__pycache__", b".mypy_cache", b".pytest_cache", b".ruff_cache", b".hypothesis", b".ipynb_checkpoints",
        b".tox", b".nox", b".venv", b"node_modules",
        # other version control
        b".hg", b".svn", b".bzr", b".jj", b"_darcs",
    }
)  # fmt: skip
DEFAULT_PREFIXES = (b".#", b"._", b".nfs0000", b".fuse_hidden", b".~lock.")
"""Of files only: locks of editors, AppleDouble files, files that were deleted while open on a network file system."""
DEFAULT_SUFFIXES = (b"~", b".pyc", b".pyo", b".swp", b".swo", b".swn", b".kate-swp", b"___jb_tmp___", b"___jb_old___")
"""Of files only."""


def is_ignored_by_default(name: bytes, *, is_directory: bool) -> bool:
    """Whether the built-in list leaves out a file or directory of this name, wherever it is."""
    if name in DEFAULT_NAMES:
        return True
    if is_directory:
        return False
    autosave = len(name) > 2 and name[:1] == name[-1:] == b"#"
    return autosave or name.startswith(DEFAULT_PREFIXES) or name.endswith(DEFAULT_SUFFIXES)


def _suspicious() -> re.Pattern[bytes]:
    plain = [re.escape(name) for name in DEFAULT_NAMES if not name.startswith(b".")]
    suffixes = b"|".join(map(re.escape, DEFAULT_SUFFIXES))
    return re.compile(rb"\0[.#]|[~\\\x80-\xff]|\0(?:" + b"|".join(plain) + rb")\0|(?:" + suffixes + rb")\0")


_SUSPICIOUS = _suspicious()


def needs_look(names: Sequence[bytes]) -> bool:
    """False if none of the names can be a control name, an ignore file or ignored by default.

    One search over all names of a directory, which is what nearly every directory costs.
    """
    return _SUSPICIOUS.search(b"\0" + b"\0".join(names) + b"\0") is not None


class Level(NamedTuple):
    """The ignore files that apply in one directory, deepest first, each with the directory that it lies in."""

    files: tuple[tuple[bytes, Patterns], ...] = ()

    def ignores(self, path: bytes, name: bytes, *, is_directory: bool) -> bool:
        """Whether the rules leave out this path, whose directory is not left out."""
        for base, patterns in self.files:
            verdict = patterns.match(path[len(base) :], is_directory=is_directory)
            if verdict is not None:
                return verdict
        return is_ignored_by_default(name, is_directory=is_directory)

    def below(self, directory: bytes, text: bytes) -> Level:
        """The level of a directory that has an ignore file of its own."""
        # Importing the pattern library takes 50 ms, which only those who have an ignore file should pay.
        from casvault.worktree.patterns import Patterns

        base = directory + b"/" if directory else b""
        return Level(((base, Patterns(text, base + IGNORE_FILE)), *self.files))


class IgnoreRules(NamedTuple):
    """Where the ignore files come from.

    `files` holds their texts by directory (b"" is the root of the scan), for a scan by the rules of some recorded
    state; None means the files that the scan meets on disk. `above` holds texts for directories above the units of a
    scan of paths, which apply before those on disk.
    """

    files: Mapping[bytes, bytes] | None = None
    above: Mapping[bytes, bytes] | None = None


FROM_DISK = IgnoreRules()
