"""Rolling small packs up, so that their number stays logarithmic.

Entries are copied as they are, nothing is compressed again, every object is kept: readers and writers in flight are not
disturbed, and no operation records it. Packs fall into size classes, each `ROLLUP_FACTOR` times the one below; when a
class holds that many packs they become one. What a crash leaves twice, the next roll-up of its class mends.
"""

from __future__ import annotations

from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING

from casvault.files import try_lock_existing, try_lock_file
from casvault.files.durable import TEMPORARY
from casvault.limits import KIB, ROLLUP_BYTES, ROLLUP_FACTOR
from casvault.maintenance.rewriting import replace_packs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from casvault.store import Pack, PackDatabase

SMALLEST_CLASS = 4 * KIB


def size_class(size: int) -> int:
    """0 for the smallest packs, one more for each factor of `ROLLUP_FACTOR`."""
    found = 0
    while size > SMALLEST_CLASS:
        size //= ROLLUP_FACTOR
        found += 1
    return found


def plan_roll_up(packs: Sequence[Pack], budget: int = ROLLUP_BYTES) -> list[Pack]:
    """The packs that should become one now: the fullest of the lowest class that is full. Empty where none is."""
    classes: dict[int, list[Pack]] = {}
    for pack in packs:
        classes.setdefault(size_class(pack.size), []).append(pack)
    for _, members in sorted(classes.items()):
        if len(members) >= ROLLUP_FACTOR:
            sizes = accumulate(sorted(pack.size for pack in members))
            fitting = sum(size <= budget for size in sizes)
            if fitting > 1:
                return sorted(members, key=attrgetter("size"))[:fitting]
    return []


def roll_up(database: PackDatabase, lock_path: Path) -> int:
    """Roll up what is due; how many packs went. Somebody else doing it is as good."""
    if not plan_roll_up(database.packs):
        return 0
    lock = try_lock_file(lock_path)
    if lock is None:
        return 0
    with lock:
        database.refresh()
        gone = 0
        budget = ROLLUP_BYTES
        while chosen := plan_roll_up(database.packs, budget):
            budget -= sum(pack.size for pack in chosen)
            replace_packs(database, chosen)
            gone += len(chosen)
        remove_leftovers(database.directory)
        return gone


def remove_leftovers(directory: Path) -> None:
    """Remove temporary packs whose writers are gone: a living writer holds a lock on its own."""
    for path in directory.glob(f"{TEMPORARY}*"):
        lock = try_lock_existing(path)
        if lock is not None:
            with lock:
                path.unlink(missing_ok=True)
