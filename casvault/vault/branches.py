"""The façade's part for branches: lines of plain directories, and what was imported from git."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.artifacts.revision import resolve_commitish
from casvault.deploy.branching import (
    Merged,
    branch_ref,
    plan_continue,
    plan_merge,
    plan_snapshot,
    read_tip,
)
from casvault.deploy.run import Command, Outcome, run
from casvault.deploy.scanning import load_cache
from casvault.deploy.subject import BRANCHES, Branching, Direction
from casvault.deploy.waiting import STRATEGY
from casvault.errors import NotFoundError, RefusedError, StaleError, UsageError
from casvault.objects import TREE, Kind, read_commit, read_tag
from casvault.pending import CONTINUE, read_pending
from casvault.trees import EMPTY_ID, find_path
from casvault.vault.merges import Merges
from casvault.vault.results.branches import BranchInfo, BranchMerge, BranchResult
from casvault.vault.results.deployments import conflict_rows
from casvault.vault.writing import learn
from casvault.worktree.scan import scan_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectPublisher, Root
    from casvault.oid import Oid
    from casvault.worktree.cache import StatCache
    from casvault.worktree.scan import Scan


class Branches(Merges):
    def branches(self) -> list[BranchInfo]:
        """The branches, sorted by name; a ref below `branches/` that is no commit is none."""
        found = []
        for ref, oid in self._view().iter_refs(BRANCHES.rstrip(b"/")):
            tip = self._peeled(oid)
            if tip is not None:
                commit = read_commit(self.reader, tip)
                who = commit.committer
                subject = show(commit.message.strip().split(b"\n")[0])
                found.append(BranchInfo(show(ref.removeprefix(BRANCHES)), tip, who.seconds, who.zone.decode(), subject))
        return found

    def create_branch(self, name: str, revision: str = "@", *, collection: str | None = None) -> BranchResult:
        """Let a new branch begin at a revision; RefusedError if there is one of this name that stands elsewhere."""
        ref = branch_ref(name)
        tip = self._commit_of(revision, collection)

        def plan(draft: Draft) -> None:
            standing = draft.ref(ref)
            if standing not in (None, tip):
                remedy = "choose another name, or delete that one first"
                raise RefusedError("there is a branch of this name already", place=name, remedy=remedy)
            draft.set_ref(ref, tip)

        outcome = self._run_on_branches("branch", (ref.removeprefix(BRANCHES),), plan)
        return BranchResult(name, tip, outcome.operation is not None, (), (), outcome)

    def delete_branch(self, name: str) -> Outcome:
        """Forget a branch; its commits stay in the vault, and `undo` brings it back."""
        ref = branch_ref(name)

        def plan(draft: Draft) -> None:
            read_tip(draft, ref)
            draft.set_ref(ref, None)

        return self._run_on_branches("branch delete", (ref.removeprefix(BRANCHES),), plan)

    def snapshot_branch(self, name: str, directory: Path | str, message: str = "") -> BranchResult:
        """Record what a plain directory holds as a commit on a branch, which begins with it if need be.

        The directory gets no marker and belongs to no branch: what it holds is the next state of this one, whatever was
        there before. StaleError if the branch moves while the directory is read; RefusedError if the directory is empty
        and the branch is not, which is a disk that is not mounted rather than a removal of everything.
        """
        ref, place = branch_ref(name), Path(os.path.realpath(directory))
        if not place.is_dir():
            raise NotFoundError("no such directory", place=str(directory))
        tip = self._view().find(ref)
        before = None if tip is None else read_commit(self.reader, tip).root
        made: list[Oid] = []
        with self._stage() as stage:
            scan, state, cache = self._scan_plain(stage, place, before)
            if state.id == EMPTY_ID and before is not None and before.id != EMPTY_ID:
                remedy = f"mount what is not mounted; or lay it out anew: `casvault restore {show(ref)} --to DIR`"
                raise RefusedError(
                    "the directory is empty, but the branch has content", place=str(place), remedy=remedy
                )

            def plan(draft: Draft) -> None:
                if draft.ref(ref) != tip:
                    raise StaleError("somebody else has moved this branch meanwhile", place=name)
                made[:] = [plan_snapshot(draft, ref, state)]

            arguments = (ref.removeprefix(BRANCHES),)
            outcome = run(self._session(message, {}), stage, Command("branch snapshot", arguments), plan)
            learn(stage, cache)
        ignored = tuple(show(path.partition(b"/")[2]) for path in scan.ignored)
        return BranchResult(name, made[0], outcome.operation is not None, ignored, tuple(scan.notes), outcome)

    def merge_branch(
        self,
        source: str,
        into: str,
        *,
        unrelated: bool = False,
        message: str = "",
        collection: str | None = None,
    ) -> BranchMerge:
        """Merge a branch, or any other revision, into a branch: forward, or as a commit with both as parents.

        The base is their merge base, several united into a virtual one; where there is none, RefusedError unless
        `unrelated`. Conflicts change nothing: the merge waits, to be resolved and brought to its end by
        `continue_branch`.
        """
        target = branch_ref(into)
        known = self._find_branch(source)
        fixed = self._commit_of(source, collection) if known is None else None
        label = fixed.hex().encode() if known is None and fixed is not None else (known or b"").removeprefix(BRANCHES)
        subject = Branching(Direction.BRANCH, target.removeprefix(BRANCHES), label, STRATEGY)

        def plan(draft: Draft) -> Merged:
            theirs = fixed if known is None else self._peeled(read_tip(draft, known))
            if theirs is None:
                raise UsageError("not a commit", place=source, remedy="name a branch, see `casvault branch`")
            return plan_merge(draft, subject, theirs, unrelated=unrelated)

        return self._merge(subject, "merge", message, plan)

    def continue_branch(self, merge: str, *, message: str = "") -> BranchMerge:
        """Bring a merge of branches to its end whose conflicts are all resolved, together with what has come to the
        branch since.

        ConflictError, with nothing changed, names what is still open. Where the branch has moved on and clashes with
        the result, that is a new conflict, which waits under the same name.
        """
        found = self._find_merge(merge)
        subject = found.subject
        if not isinstance(subject, Branching):
            raise UsageError("no merge of branches; `continue_merge` brings it to its end", place=merge)

        def plan(draft: Draft) -> Merged:
            standing = draft.ref(found.ref)
            if standing is None:
                raise StaleError("somebody else has ended this merge", place=merge)
            return plan_continue(draft, subject, read_pending(draft.stage, standing))

        return self._merge(subject, CONTINUE, message, plan)

    def _merge(self, subject: Branching, kind: str, message: str, plan: Callable[[Draft], Merged]) -> BranchMerge:
        latest: list[Merged] = []

        def keep(draft: Draft) -> None:
            latest[:] = [plan(draft)]

        outcome = self._run_on_branches(kind, subject.arguments, keep, message)
        merged = latest[0]
        rows = conflict_rows(merged.conflicts)
        names = (show(subject.into), show(subject.source))
        return BranchMerge(*names, merged.action, merged.tip, rows, merged.merge, outcome)

    def _run_on_branches(
        self, kind: str, arguments: tuple[bytes, ...], plan: Callable[[Draft], None], message: str = ""
    ) -> Outcome:
        with self._stage() as stage:
            return run(self._session(message, {}), stage, Command(kind, arguments), plan)

    def _find_branch(self, name: str) -> bytes | None:
        """The ref of the branch that a name means, if it is one's; else the name is a revision."""
        try:
            ref = branch_ref(name)
        except UsageError:
            return None
        return None if self._view().find(ref) is None else ref

    def _commit_of(self, revision: str, collection: str | None) -> Oid:
        known = self._find_branch(revision)
        oid = resolve_commitish(self._names(collection), revision) if known is None else self._view().find(known)
        tip = None if oid is None else self._peeled(oid)
        if tip is None:
            raise UsageError("not a commit", place=revision, remedy="name a branch, tag or commit")
        return tip

    def _peeled(self, oid: Oid) -> Oid | None:
        """The commit that an id or a chain of tags leads to; None if it is something else."""
        info = self.reader.find_infos([oid])[0]
        while info is not None and info.kind is Kind.TAG:
            oid = read_tag(self.reader, oid).target
            info = self.reader.find_infos([oid])[0]
        return oid if info is not None and info.kind is Kind.COMMIT else None

    def _scan_plain(self, stage: ObjectPublisher, place: Path, before: Root | None) -> tuple[Scan, Root, StatCache]:
        """What a directory holds, by the ignore rules; they hide nothing that the branch has."""
        name = os.fsencode(place.name)
        if not name:
            raise UsageError("the root of the file system cannot be recorded", place=str(place))
        prefix = name + b"/"

        def is_held(path: bytes) -> bool:
            below = path.removeprefix(prefix)
            return before is not None and before.mode == TREE and find_path(stage, before, below) is not None

        cache = load_cache(self._repository, place.parent)
        scan = scan_paths(place.parent, [name], stage, cache=cache, held=is_held, progress=self._progress)
        if name not in scan.units:
            raise NotFoundError("the directory vanished", place=str(place))
        return scan, scan.units[name], cache
