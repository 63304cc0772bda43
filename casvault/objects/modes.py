"""The modes of tree entries: git's, and one of our own for links to commits of the same vault."""

from __future__ import annotations

from typing import Final

FILE: Final = 0o100644
EXECUTABLE: Final = 0o100755
SYMLINK: Final = 0o120000
TREE: Final = 0o040000
FOREIGN: Final = 0o160000
"""A link to a commit of a git repository (a submodule): an opaque id, never followed."""
LINK: Final = 0o150000
"""A link to a commit or tag of this vault, reachable like any other entry."""

BLOB_MODES: Final = frozenset({FILE, EXECUTABLE, SYMLINK})
FILE_MODES: Final = frozenset({FILE, EXECUTABLE})
ALL_MODES: Final = frozenset({FILE, EXECUTABLE, SYMLINK, TREE, FOREIGN, LINK})
ROOT_MODES: Final = frozenset({FILE, EXECUTABLE, SYMLINK, TREE})
"""What the root of a commit may be."""
