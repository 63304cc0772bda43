"""Budgets: the sizes beyond which casvault refuses, streams or splits. One place, so that they can be read at once."""

from __future__ import annotations

from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30

MAX_SIZE: Final = (1 << 63) - 1
"""No size, and no sum of sizes, is larger."""

MAX_OBJECT: Final = 64 * MIB
"""Trees, commits and tags are read whole; a larger one is refused before anything is allocated for it."""

MAX_NAME: Final = 4096
"""Bytes in the name of a tree entry."""

MAX_PARENTS: Final = 1 << 12
MAX_FIELDS: Final = 1 << 16

STREAM_THRESHOLD: Final = 8 * MIB
"""Blobs above this are written and read in pieces, never held whole."""

PIECE: Final = 1 * MIB
"""Bytes per piece of a streamed blob."""

MERGE_BYTES: Final = 64 * MIB
"""Larger files are not merged by lines: a change on both sides is a conflict."""

STRUCTURED_BYTES: Final = 256 * KIB
"""Larger files are merged as texts, whatever their type: parsers that know where everything stands are slow."""

STRUCTURED_YAML_BYTES: Final = 32 * KIB
"""The same for YAML, whose parser is slower still."""

STRUCTURED_TOML_BYTES: Final = 32 * KIB
"""And for TOML, of which the edits take time by the square of the number of keys."""

STRUCTURED_DEPTH: Final = 64
"""Mappings and lists in one another, beyond which a file is merged as a text."""

LOCK_BYTES: Final = 64 * MIB
"""A larger `casvault.lock` was not written by casvault, which takes some 300 bytes for an entry."""

ARCHIVE_BYTES: Final = 16 * GIB
"""An archive of somebody else's whose content is larger is not unpacked: it may be made to fill the disk."""

ARCHIVE_MEMBERS: Final = 1_000_000
"""Files, directories and links in one."""

RENAME_PAIRS: Final = 1_000_000
"""Removed files times added files that are compared for similarity, for each side of a merge; git's 1,000 a side."""

RENAME_BYTES: Final = 256 * MIB
"""And their total size."""

BATCH_BYTES: Final = 2 * MIB
BATCH_OBJECTS: Final = 2048
"""A batch of blobs is compressed when it reaches either."""

MAX_DEPTH: Final = 200
"""Directories below one another in a scan or a checkout."""

ROLLUP_FACTOR: Final = 8
"""Packs of one size class before they are rolled up into one of the next."""

ROLLUP_BYTES: Final = 256 * MIB
"""A single command copies no more than this when it rolls packs up."""

RESOLUTIONS_WITHIN: Final = 2_000
"""Operations in which earlier resolutions of a conflict are looked for, the newest ones."""

KEEP_RECORDS: Final = 64
"""Operation records that the dropper leaves standing, at least; the chain itself lives in the packs."""
