"""Making one pack of others, entry by entry, and then removing these.

Entries are copied as they are and nothing is compressed again. The new pack is published before the old ones lose
their names; a crash in between leaves objects twice, which may be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casvault.errors import UnsupportedError
from casvault.files.durable import explained, sync_directory
from casvault.formats.pack import Encoding
from casvault.store import PackWriter

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from casvault.oid import Oid
    from casvault.store import Pack, PackDatabase

_ALONE = frozenset({Encoding.RAW, Encoding.ZSTD})
"""The encodings of entries that need no other entry."""


def replace_packs(database: PackDatabase, chosen: Sequence[Pack], without: Set[Oid] = frozenset()) -> None:
    """Put one pack into the place of the chosen ones, with all that they hold but the objects `without`.

    The caller holds the lock of whoever removes packs. DamageError, and nothing is changed, if one of them is damaged.
    """
    writer = PackWriter(database.directory)
    try:
        for pack in chosen:
            pack.check_sums()
            if without:
                _check_alone(pack)
            for offset, oid in sorted((offset, oid) for oid, offset in pack.index.items()):
                if oid not in writer and oid not in without:
                    writer.copy_entry(oid, pack.entry(offset))
        if len(writer):
            database.add(writer.publish())
    finally:
        writer.abandon()
    database.forget(pack.name for pack in chosen)
    with explained(database.directory):
        for pack in chosen:
            pack.path.unlink(missing_ok=True)
        sync_directory(database.directory)


def _check_alone(pack: Pack) -> None:
    """Nothing may be taken away that another entry is made from."""
    for _, header in pack.iter_offsets():
        if header.encoding not in _ALONE:
            raise UnsupportedError(
                f"the encoding {header.encoding.name.lower()}",
                place=pack.name,
                remedy="use a later version of casvault to take objects out of this pack",
            )
