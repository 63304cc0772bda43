"""Merges in progress: what two commits clash in, what was chosen so far, and the result once all is chosen."""

from casvault.pending.codec import Signer, read_pending, write_pending
from casvault.pending.merge import (
    WRITTEN,
    How,
    Moment,
    PendingMerge,
    Settled,
    carry_over,
    check_pending,
    find_conflict,
    open_paths,
    result_of,
    settle,
)
from casvault.pending.names import MERGES, handle_of, pending_ref
from casvault.pending.records import (
    CONTINUE,
    Earlier,
    Record,
    Resolved,
    Sides,
    Strategy,
    find_earlier,
    find_record,
    read_records,
    record_fields,
)

__all__ = [
    "CONTINUE",
    "MERGES",
    "WRITTEN",
    "Earlier",
    "How",
    "Moment",
    "PendingMerge",
    "Record",
    "Resolved",
    "Settled",
    "Sides",
    "Signer",
    "Strategy",
    "carry_over",
    "check_pending",
    "find_conflict",
    "find_earlier",
    "find_record",
    "handle_of",
    "open_paths",
    "pending_ref",
    "read_pending",
    "read_records",
    "record_fields",
    "result_of",
    "settle",
    "write_pending",
]
