"""Trees of a few files for tests of merges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.objects import FILE, TREE, MemoryObjects, Root, read_blob, write_blob
from casvault.trees import edit_paths, empty_root, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casvault.objects import ObjectReader

STORE = MemoryObjects()
Files = dict[str, bytes]


def file(content: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(content), write_blob(STORE, content))


def tree(files: Mapping[str, bytes | Root]) -> Root:
    states: dict[bytes, Root | None] = {
        path.encode(): file(content) if isinstance(content, bytes) else content for path, content in files.items()
    }
    return edit_paths(STORE, empty_root(), states)


def contents(state: Root | None, reader: ObjectReader = STORE) -> Files:
    assert state is not None
    found = walk(reader, state.id)
    return {path.decode(): read_blob(reader, entry.id) for path, entry in found if entry.mode != TREE}


def text(name: str, edits: Mapping[int, str] | None = None, count: int = 12) -> bytes:
    """Numbered lines that no other text has, some of them edited."""
    lines = [(edits or {}).get(number, f"{name} {number}") for number in range(count)]
    return "".join(line + "\n" for line in lines).encode()
