"""How the files of a collection are merged: what its newest snapshot's `casvault.toml` says, else the built-in choice.

What is recorded counts, not what is on disk, so that a merge comes out the same wherever it is done.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from casvault.artifacts.names import COLLECTIONS, show
from casvault.artifacts.rules import RULES_FILE, parse_rules
from casvault.artifacts.snapshot import open_snapshot
from casvault.merge.drivers.registry import DEFAULT_DRIVERS, Drivers
from casvault.objects import FILE_MODES, read_blob
from casvault.trees import find_path

if TYPE_CHECKING:
    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectReader, Root


def drivers_of(draft: Draft, collection: bytes) -> Drivers:
    """Those of the snapshot that the collection will be at."""
    snapshot = open_snapshot(draft.stage, draft.ref(COLLECTIONS + collection))
    return recorded_drivers(draft.stage, snapshot.content, collection)


def recorded_drivers(reader: ObjectReader, content: Root, collection: bytes) -> Drivers:
    found = find_path(reader, content, RULES_FILE)
    if found is None or found.mode not in FILE_MODES:
        return DEFAULT_DRIVERS
    return _parsed(read_blob(reader, found.id), f"{show(RULES_FILE)} of collection {show(collection)}")


@lru_cache(maxsize=16)
def _parsed(text: bytes, place: str) -> Drivers:
    """A pull of many artifacts asks for the same file again and again."""
    return parse_rules(text, place).drivers
