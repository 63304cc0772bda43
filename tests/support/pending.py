"""Merges in progress for tests, the same on every run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from casvault.merge.trees import ConflictKind, TreeConflict, merge_states
from casvault.objects import EXECUTABLE, FILE, Commit, Field, ObjectStage, Root, Signature, write_blob, write_commit
from casvault.oid import Oid
from casvault.pending import How, Moment, PendingMerge, Record, Resolved, Settled, Sides, Strategy, settle
from casvault.trees import edit_paths, empty_root
from tests.support.objects import WHO, numbered_id

DETECTED = Moment(1_700_000_000, b"+0130")


class Pen(NamedTuple):
    """Signs commits without a message."""

    who: Signature = WHO

    def write(
        self,
        stage: ObjectStage,
        root: Root,
        parents: Iterable[Oid],
        fields: Iterable[Field],
        message: str | None = None,
    ) -> Oid:
        return write_commit(stage, Commit(root, tuple(parents), self.who, self.who, b"", fields=tuple(fields)))


def file(stage: ObjectStage, content: bytes, mode: int = FILE) -> Root:
    return Root(mode, len(content), write_blob(stage, content))


def directory(stage: ObjectStage, files: dict[bytes, Root | None]) -> Root:
    return edit_paths(stage, empty_root(), files)


def merge_of(
    stage: ObjectStage, base: Root | None, ours: Root | None, theirs: Root | None, path: bytes = b""
) -> PendingMerge:
    """What is pending of a merge of these states."""
    merged = merge_states(stage, base, ours, theirs, path=path)
    return PendingMerge(path, numbered_id(1), numbered_id(2), base, merged.state, merged.conflicts, {}, (), DETECTED)


def example_merge(stage: ObjectStage) -> PendingMerge:
    """Three conflicts, of which one is settled by a side, one by a deletion and one is open."""
    ours, theirs, base = (file(stage, text) for text in (b"ours\n", b"theirs\n", b"base\n"))
    script = file(stage, b"#!\n", EXECUTABLE)
    before = directory(stage, {b"a.md": base, b"b.md": base, b"run": script})
    merged = directory(stage, {b"a.md": ours, b"run": script, b"new": ours})
    conflicts = (
        TreeConflict(b"notes/a.md", ConflictKind.CONTENT, base, ours, theirs),
        TreeConflict(b"notes/b.md", ConflictKind.OURS_DELETED, base, None, theirs),
        TreeConflict(b"notes/new", ConflictKind.BOTH_ADDED, None, ours, theirs),
    )
    fields = ((b"reason", b"an example"), (b"reason", b"\xff"))
    merge = PendingMerge(b"notes", numbered_id(1), numbered_id(2), before, merged, conflicts, {}, fields, DETECTED)
    merge = settle(merge, b"notes/a.md", Settled(How.THEIRS, theirs, WHO))
    return settle(merge, b"notes/b.md", Settled(How.OURS, None))


def example_record(stage: ObjectStage) -> Record:
    """What a commit keeps of the same merge, with all conflicts settled."""
    merge = settle(example_merge(stage), b"notes/new", Settled(How.HUNKS, file(stage, b"ours\ntheirs\n"), WHO))
    return record_of(merge, Strategy.MERGE, hunks=1)


def record_of(merge: PendingMerge, strategy: Strategy, hunks: int = 0) -> Record:
    sides = Sides(b"pull", b"app", b".claude", merge.base, merge.ours, merge.theirs)
    resolved = (Resolved(each, merge.settled[each.path], hunks) for each in merge.conflicts)
    return Record(strategy, merge.detected, sides, tuple(resolved))
