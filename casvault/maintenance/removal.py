"""Taking objects out of the packs for good.

What is to go is recorded before anything goes, by whoever calls this, so that a removal that was cut off is known and
can be repeated: a crash leaves objects in some packs and not in others, and the next call goes on from there. Readers
that have an old pack open go on reading it; others find the objects gone when they look again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import DamageError, UnsupportedError
from casvault.files import lock_file, try_lock_file
from casvault.maintenance.rewriting import replace_packs
from casvault.maintenance.rollup import remove_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set
    from pathlib import Path

    from casvault.oid import Oid
    from casvault.store import Pack, PackDatabase


class Lingering(NamedTuple):
    """An object that a pack holds and should not hold any more."""

    id: Oid
    pack: str


def iter_lingering(database: PackDatabase, ids: Iterable[Oid]) -> Iterator[Lingering]:
    """Where these objects are, among the packs known now."""
    wanted = list(ids)
    for pack in database.packs:
        yield from (Lingering(oid, pack.name) for oid in wanted if pack.index.find(oid) is not None)


def is_lingering(database: PackDatabase, ids: Iterable[Oid]) -> bool:
    return any(database.find(oid) is not None for oid in ids)


def remove_objects(database: PackDatabase, lock_path: Path, ids: Set[Oid], *, wait: bool) -> bool:
    """Rewrite each pack that holds one of the objects without it; whether that was done.

    False where somebody else is at the packs and `wait` does not say to wait for them. DamageError or UnsupportedError
    for a pack that cannot be rewritten, when the others are.
    """
    lock = lock_file(lock_path) if wait else try_lock_file(lock_path)
    if lock is None:
        return False
    with lock:
        database.refresh()
        failed: list[DamageError | UnsupportedError] = []
        for pack in [pack for pack in database.packs if _holds(pack, ids)]:
            try:
                replace_packs(database, [pack], ids)
            except (DamageError, UnsupportedError) as error:
                failed.append(error)
        # What a writer that died has left unpublished may hold them, too.
        remove_leftovers(database.directory)
    if failed:
        raise failed[0]
    return True


def _holds(pack: Pack, ids: Set[Oid]) -> bool:
    if len(ids) < len(pack):
        return any(pack.index.find(oid) is not None for oid in ids)
    return any(oid in ids for oid in pack.index.iter_ids())
