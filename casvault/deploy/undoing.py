"""Undo: the inverse of one operation, applied to the view and to the files as they are now; later changes stay."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.collection import merge_former, plan_emptied
from casvault.artifacts.names import COLLECTIONS, PROJECTS, show
from casvault.artifacts.recording import link_to
from casvault.artifacts.snapshot import Snapshot, open_snapshot, write_snapshot
from casvault.artifacts.version import Origin, write_version
from casvault.deploy.run import Command, read_written, written_files
from casvault.deploy.state import read_deployments, set_deployments
from casvault.errors import ConflictError, NotFoundError, RefusedError
from casvault.merge.rule import resolve
from casvault.merge.trees import LinkMerge, TreeMerge, merge_states, show_conflicts
from casvault.objects import LINK, TREE
from casvault.refs import View
from casvault.trees import diff_paths, empty_root, find_path, iter_entries
from casvault.worktree.plan import is_directory, same_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casvault.artifacts.draft import Draft, FileWrite
    from casvault.deploy.run import Written
    from casvault.deploy.state import Deployment, Place
    from casvault.objects import Entry, ObjectReader, Root
    from casvault.oid import Oid
    from casvault.refs import Operation, OperationLog

UNDOES = b"undoes"
UNDO, REDO = "undo", "redo"
LET_GO = "retention apply"
NO_STEPS = frozenset({"init", "observe", "upkeep", LET_GO})
LASTING = frozenset({"purge", "allow"})
"""Steps that nothing takes back: the bytes are gone."""
RESERVED_KINDS = NO_STEPS | LASTING | {UNDO, REDO}


class OnClash(Enum):
    """What becomes of files that were changed since, in the same places."""

    REFUSE = "refuse"
    REPLACE = "replace"
    """They go back all the same; what they held is recorded."""
    KEEP = "keep"
    """They stay, as local edits. What the operation itself has left half written is none, and goes back."""


class Step(NamedTuple):
    """An operation that can be taken back."""

    id: Oid
    operation: Operation


def find_undo(log: OperationLog) -> Step:
    """The latest step that is not undone; NotFoundError if there is none."""
    for step, stands in iter_standing(log):
        if stands and step.operation.kind not in (UNDO, REDO) and step.operation.kind not in NO_STEPS:
            if step.operation.kind in LASTING:
                raise RefusedError(
                    f"operation {step.operation.number} is a purge or the leave to have something again, and stays",
                    place="undo",
                    remedy="what was before it is no step any more; `casvault restore` brings earlier states back",
                )
            return step
    raise NotFoundError("there is nothing to undo", remedy=_beyond(log))


def find_redo(log: OperationLog) -> Step:
    """The latest undo that is not taken back itself; any other step since then closes the way."""
    for step, stands in iter_standing(log):
        kind = step.operation.kind
        if kind == UNDO and stands:
            return step
        if kind not in (UNDO, REDO) and kind not in NO_STEPS:
            break
    raise NotFoundError("there is nothing to redo", remedy=_beyond(log))


def _beyond(log: OperationLog) -> str | None:
    """Why the operations end where they do, if that is not where they began."""
    horizon = log.horizon
    return None if horizon is None or horizon.floor is None else horizon.describe()


def iter_standing(log: OperationLog) -> Iterator[tuple[Step, bool]]:
    """The operations, newest first, each with whether it stands: an undo or redo closes what it takes back, unless it
    was taken back itself.
    """
    closed: set[bytes] = set()
    for oid, operation in log.iter_chain():
        stands = oid not in closed
        if stands and operation.kind in (UNDO, REDO):
            closed.add(operation.field(UNDOES) or b"")
        yield Step(oid, operation), stands


def stands(log: OperationLog, step: Step) -> bool:
    """Whether nothing has taken the step back."""
    return any(found.id == step.id and is_standing for found, is_standing in iter_standing(log))


def undo_command(kind: str, step: Step) -> Command:
    arguments = (b"%d" % step.operation.number, step.operation.kind.encode())
    return Command(kind, arguments, ((UNDOES, step.id),))


def touched_refs(log: OperationLog, step: Step, draft_reader: View) -> set[bytes]:
    """The refs that an operation changed, and those in whose directories it wrote."""
    changed = {name for name, _, _ in _ref_changes(log, step, draft_reader)}
    return changed | written_files(step.operation).keys()


def plan_inverse(
    draft: Draft, log: OperationLog, step: Step, disk: Mapping[bytes, Mapping[bytes, Root]], *, on_clash: OnClash
) -> None:
    """Plan to take a step back. `disk` has the states of the files it wrote, by ref and path, for the directories at
    hand.

    ConflictError, by name, where something since then stands against it, unless `on_clash` says what becomes of it.
    """
    written = read_written(step.operation)
    for name, before, after in _ref_changes(log, step, draft.view):
        draft.set_ref(name, _inverse_ref(draft, name, before, after))
    _plan_markers(draft, log, step, written)
    conflicts: list[str] = []
    for ref, found in written.items():
        if ref in disk:
            for write in iter_invertible(found.writes):
                conflicts += _inverse_write(draft, ref, write, disk[ref].get(write.path), on_clash=on_clash)
            if ref.startswith(COLLECTIONS):
                plan_emptied(draft, ref, open_snapshot(draft.stage, draft.ref(ref)))
    if conflicts:
        raise ConflictError(
            "files were changed since, in the same places; nothing was undone",
            conflicts=tuple(conflicts),
            remedy="undo with --force, which records them first, or with --refs-only, which leaves files alone",
        )


def _plan_markers(draft: Draft, log: OperationLog, step: Step, written: Mapping[bytes, Written]) -> None:
    """Directories go back to what they held, which need not be what their collections were at; nor need these have
    moved.
    """
    parent = step.operation.parent
    if parent is None:
        return
    before = View(draft.stage, log.read_operation(parent).view)
    for name, found in written.items():
        if found.marker is not None and draft.ref(name) == before.find(name):
            draft.markers[name] = found.marker


def iter_invertible(writes: Iterable[FileWrite]) -> Iterator[FileWrite]:
    """The writes without the removals of directories that other writes had left empty: what comes back makes them."""
    writes = list(writes)
    above = {write.path[:end] for write in writes for end, sign in enumerate(write.path) if sign == 0x2F}
    return (write for write in writes if write[1:] != (empty_root(), None) or write.path not in above)


def _ref_changes(log: OperationLog, step: Step, view: View) -> list[tuple[bytes, Oid | None, Oid | None]]:
    parent = step.operation.parent
    before = None if parent is None else log.read_operation(parent).view
    changes = diff_paths(view.reader, before, step.operation.view)
    return [(name, _target(old), _target(new)) for name, old, new in changes]


def _target(state: Root | None) -> Oid | None:
    return state.id if state is not None and state.mode == LINK else None


def _inverse_ref(draft: Draft, name: bytes, before: Oid | None, after: Oid | None) -> Oid | None:
    """What the ref becomes: where it was, if nothing has moved it since, else the three-way merge."""
    current = draft.ref(name)
    if current in (after, before):
        return before
    if name.startswith(PROJECTS) and current is not None and after is not None:
        return _inverse_project(draft, name, before, after, current)
    if name.startswith(COLLECTIONS) and None not in (current, before, after):
        assert current is not None
        assert before is not None
        assert after is not None
        return _inverse_collection(draft, name, before, after, current)
    raise ConflictError(
        "it was changed since, so the operation cannot be undone by itself",
        place=show(name),
        remedy="undo what came later first",
    )


def _inverse_collection(draft: Draft, name: bytes, before: Oid, after: Oid, current: Oid) -> Oid:
    collection = name.removeprefix(COLLECTIONS)
    base, ours, theirs = (open_snapshot(draft.stage, oid) for oid in (after, current, before))
    content = _merged(draft, name, base, ours, theirs)
    if content == ours.content:
        return current
    former = merge_former(draft, collection, content, base, ours, theirs)
    return write_snapshot(draft.stage, draft.draftsman, content, former, (current,), collection)


def _merged(draft: Draft, name: bytes, base: Snapshot, ours: Snapshot, theirs: Snapshot) -> Root:
    merge_link = _inverse_version(draft, name.removeprefix(COLLECTIONS))
    merged = merge_states(draft.stage, base.content, ours.content, theirs.content, merge_link=merge_link)
    if not merged.is_clean or merged.state is None:
        raise ConflictError(
            "what the operation changed was changed again since",
            conflicts=show_conflicts(merged.conflicts),
            place=show(name),
            remedy="undo what came later first",
        )
    return merged.state


def _inverse_version(draft: Draft, collection: bytes) -> LinkMerge:
    """Takes a change of content out of later versions: by content with the given base, not by ancestry."""

    def merge(path: bytes, base: Root | None, ours: Root, theirs: Root) -> TreeMerge:
        contents = [None if link is None else draft.graph.commit(link.id).root for link in (base, ours, theirs)]
        merged = merge_states(draft.stage, *contents, path=path)
        if not merged.is_clean or merged.state is None or merged.state == contents[1]:
            return merged._replace(state=ours)
        version = write_version(
            draft.stage,
            draft.draftsman,
            merged.state,
            (ours.id,),
            collection=collection,
            path=path,
            origin=Origin.REVERT,
        )
        return TreeMerge(link_to(draft, version), ())

    return merge


def _inverse_project(draft: Draft, name: bytes, before: Oid | None, after: Oid, current: Oid) -> Oid | None:
    """Deployment by deployment. What was only observed since is no change of one."""
    base, ours, theirs = (read_deployments(draft.stage, oid) for oid in (after, current, before))
    changes: dict[Place, Deployment | None] = {}
    conflicts = []
    for place in sorted(base.keys() | theirs.keys()):
        sides = [_unobserved(found.get(place)) for found in (base, ours, theirs)]
        merged = resolve(*sides)
        if not merged.is_clean:
            conflicts.append(f"{show(place.file_path)}: deployed, pulled or removed since")
        elif merged.value != sides[1]:
            changes[place] = merged.value
    if conflicts:
        raise ConflictError(
            "these deployments were changed again since",
            conflicts=tuple(conflicts),
            place=show(name),
            remedy="undo what came later first",
        )
    if before is None and not ours.keys() - {place for place, left in changes.items() if left is None}:
        return None
    set_deployments(draft, name, changes)
    return draft.ref(name)


def _unobserved(deployment: Deployment | None) -> Deployment | None:
    return None if deployment is None else deployment._replace(observed=None)


def _inverse_write(
    draft: Draft, ref: bytes, write: FileWrite, disk: Root | None, *, on_clash: OnClash
) -> tuple[str, ...]:
    """Plan the inverse of one write: base is what was written, ours is the disk, theirs what was there before."""
    if on_clash is OnClash.KEEP and is_between(draft.stage, disk, write.old, write.new):
        # Where nothing was, directories may have been made for it, and go again.
        if disk != write.old or disk is None:
            draft.write_file(ref, write.path, disk, write.old)
        return ()
    merged = merge_states(draft.stage, write.new, disk, write.old, path=write.path)
    if not merged.is_clean and on_clash is OnClash.REFUSE:
        return show_conflicts(merged.conflicts)
    # Where there are conflicts, the merged state has what is on disk.
    target = write.old if not merged.is_clean and on_clash is OnClash.REPLACE else merged.state
    if target != disk:
        draft.write_file(ref, write.path, disk, target)
    return ()


def is_between(reader: ObjectReader, found: Root | None, old: Root | None, new: Root | None) -> bool:
    """Whether a path may be as it was found because a write from `old` to `new` was cut off: nobody has edited there.

    Name by name it holds the one or the other; where a directory and something else take each other's place, it is
    absent for a moment.
    """
    if same_state(found, old) or same_state(found, new):
        return True
    if found is None:
        return is_directory(old) != is_directory(new)
    if not is_directory(found) or not (is_directory(old) or is_directory(new)):
        return False
    names = {entry.name for state in (found, old, new) for entry in _entries(reader, state)}
    return all(is_between(reader, *(_below(reader, state, name) for state in (found, old, new))) for name in names)


def _entries(reader: ObjectReader, state: Root | None) -> Iterator[Entry]:
    return iter(()) if state is None or state.mode != TREE else iter_entries(reader, state.id)


def _below(reader: ObjectReader, state: Root | None, name: bytes) -> Root | None:
    return None if state is None or state.mode != TREE else find_path(reader, state, name)
