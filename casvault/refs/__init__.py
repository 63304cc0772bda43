"""The namespace of refs: views, operations, and the rule by which writers agree on their order."""

from casvault.refs.horizon import HORIZON_REF, Floor, Horizon, read_horizon, write_horizon
from casvault.refs.log import Context, OperationLog, Plan, Tip
from casvault.refs.operation import Operation, operation_commit, parse_operation
from casvault.refs.records import LocalRecords, MemoryRecords, RecordLog, UnclearError
from casvault.refs.retention import RETENTION_REF, Limit, Policy, read_policy, write_policy
from casvault.refs.tombstones import (
    PURGED,
    Tombstone,
    purged_error,
    purged_ref,
    purged_tree,
    read_purged,
    read_tombstones,
    write_allowances,
    write_tombstones,
)
from casvault.refs.view import RefEdit, View, check_ref_name

__all__ = [
    "HORIZON_REF",
    "PURGED",
    "RETENTION_REF",
    "Context",
    "Floor",
    "Horizon",
    "Limit",
    "LocalRecords",
    "MemoryRecords",
    "Operation",
    "OperationLog",
    "Plan",
    "Policy",
    "RecordLog",
    "RefEdit",
    "Tip",
    "Tombstone",
    "UnclearError",
    "View",
    "check_ref_name",
    "operation_commit",
    "parse_operation",
    "purged_error",
    "purged_ref",
    "purged_tree",
    "read_horizon",
    "read_policy",
    "read_purged",
    "read_tombstones",
    "write_allowances",
    "write_horizon",
    "write_policy",
    "write_tombstones",
]
