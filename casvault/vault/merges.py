"""The façade's part for merges in progress: looking at them, resolve, abort_merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show, typed
from casvault.deploy.run import Command, run
from casvault.deploy.subject import BRANCHES, AnySubject, Branching, Reverting, Subject, read_subject
from casvault.errors import ConflictError, NotFoundError, StaleError, UsageError
from casvault.merge.content import ModeConflict, merge_mode
from casvault.objects import FILE_MODES, Root, read_blob, write_blob
from casvault.pending import (
    MERGES,
    WRITTEN,
    Earlier,
    How,
    PendingMerge,
    Settled,
    find_conflict,
    find_earlier,
    handle_of,
    read_pending,
    settle,
    write_pending,
)
from casvault.pending.marking import Marked, Take, mark_up, take_hunks
from casvault.vault.results.merges import ConflictFiles, ConflictInfo, EarlierChoice, MergeInfo, MergeResult
from casvault.vault.writing import WritingVault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from casvault.artifacts.draft import Draft
    from casvault.merge.trees import TreeConflict

SIDES = frozenset({How.OURS, How.THEIRS, How.BASE})
MIN_HANDLE = 4
"""Digits of a handle that have to be typed at least."""


class Found(NamedTuple):
    """A merge in progress, read."""

    ref: bytes
    merge: PendingMerge
    subject: AnySubject


class Merges(WritingVault):
    def merges(self) -> list[MergeInfo]:
        """The merges in progress, sorted by project and artifact."""
        return [_merge_info(found) for found in self._iter_merges()]

    def merge_info(self, name: str) -> MergeInfo:
        """One merge in progress by its handle, the first four or more digits of it, or the artifact's name.

        UsageError that lists the candidates where several have this name.
        """
        return _merge_info(self._find_merge(name))

    def conflict_text(self, name: str, path: str) -> Marked | None:
        """A conflict as one text with markers; None where no lines clash. The path may be relative to the artifact."""
        found = self._find_merge(name)
        return self._mark_up(found, _find_conflict(found, path))

    def iter_conflict_texts(self, name: str) -> Iterator[Marked | None]:
        """The same for each conflict of a merge, in the order in which `merge_info` has them."""
        found = self._find_merge(name)
        return (self._mark_up(found, conflict) for conflict in found.merge.conflicts)

    def conflict_files(self, name: str, path: str) -> ConflictFiles:
        """The three versions of a file that clashes, whole, for a merge tool; UsageError where they are no files."""
        found = self._find_merge(name)
        conflict = _find_conflict(found, path)
        _file_mode(conflict)
        states = conflict.base, conflict.ours, conflict.theirs
        if any(state is not None and state.mode not in FILE_MODES for state in states):
            remedy = "choose one of the sides: --ours or --theirs"
            raise UsageError("not a file on every side, so no tool can merge it", place=path, remedy=remedy)
        base, ours, theirs = (None if state is None else read_blob(self.reader, state.id) for state in states)
        return ConflictFiles(base, ours, theirs, self._mark_up(found, conflict))

    def earlier_choices(self, name: str) -> list[EarlierChoice | None]:
        """For each conflict of a merge, in the order of `merge_info`, what settled the same one before; None if nothing
        did. The same are those with equal base and sides, which may be swapped; `How.REUSE` takes what is told here.
        """
        found = self._find_merge(name)
        return [None if each is None else _earlier_choice(each) for each in self._find_earlier(*found.merge.conflicts)]

    def resolve(
        self, name: str, path: str, how: How, content: bytes | None = None, *, message: str = ""
    ) -> MergeResult:
        """Settle one path of a merge in progress, by a side or, with a way of `WRITTEN`, by this content.

        May be repeated: the last choice stands. ConflictError, and nothing is settled, if the content has conflict
        markers left in it.
        """
        found = self._find_merge(name)
        return self._settle(found, _find_conflict(found, path), how, content, message)

    def resolve_hunks(self, name: str, path: str, takes: Mapping[int, Take], *, message: str = "") -> MergeResult:
        """Settle one path by a choice for each of its hunks, which are numbered from 1 as `conflict_text` has them.

        UsageError, and nothing is settled, if one is left out: a path is settled as a whole.
        """
        found = self._find_merge(name)
        conflict = _find_conflict(found, path)
        marked = self._mark_up(found, conflict)
        if marked is None or conflict.ours is None or conflict.theirs is None:
            remedy = "choose one of the sides: --ours or --theirs"
            raise UsageError(f"it has no hunks to choose from ({conflict.kind.value})", place=path, remedy=remedy)
        numbers = range(1, len(marked.hunks) + 1)
        if wrong := sorted(takes.keys() - set(numbers)):
            raise UsageError(f"there is no hunk {wrong[0]}: they are numbered from 1 to {numbers[-1]}", place=path)
        if left := [str(number) for number in numbers if number not in takes]:
            remedy = f"choose for all of them: --hunk {left[0]}=ours (or theirs, base, union)"
            raise UsageError(f"nothing is chosen for hunk {', '.join(left)}", place=path, remedy=remedy)
        content = take_hunks(self.reader, conflict, [takes[number] for number in numbers])
        return self._settle(found, conflict, How.HUNKS, content, message)

    def _settle(
        self, found: Found, conflict: TreeConflict, how: How, content: bytes | None, message: str
    ) -> MergeResult:
        self._check_content(found, conflict, how, content)
        latest = [found.merge]
        reused = self._read_earlier(conflict).settled.state if how is How.REUSE else None
        with self._stage() as stage:
            state = reused
            if content is not None:
                state = Root(_file_mode(conflict), len(content), write_blob(stage, content))

            def plan(draft: Draft) -> None:
                merge = _read_again(draft, found.ref, conflict)
                chosen = Settled(how, _side(conflict, how) if how in SIDES else state, draft.draftsman.who)
                before = merge.settled.get(conflict.path)
                if before is None or before[:2] != chosen[:2]:
                    merge = settle(merge, conflict.path, chosen)
                    draft.set_ref(found.ref, write_pending(draft.stage, draft.draftsman, merge))
                latest[:] = [merge]

            arguments = (*found.subject.arguments, conflict.path, how.value.encode())
            outcome = run(self._session(message, {}), stage, Command("resolve", arguments), plan)
        return MergeResult(_merge_info(found._replace(merge=latest[0])), outcome)

    def abort_merge(self, name: str, *, message: str = "") -> MergeResult:
        """Give a merge in progress up, with what was settled of it; neither side is touched."""
        found = self._find_merge(name)

        def plan(draft: Draft) -> None:
            if draft.ref(found.ref) is None:
                raise StaleError("it was continued or aborted meanwhile", place=handle_of(found.ref))
            draft.set_ref(found.ref, None)

        subject = found.subject
        arguments = (*subject.arguments, subject.path) if isinstance(subject, Subject) else subject.arguments
        with self._stage() as stage:
            outcome = run(self._session(message, {}), stage, Command("merge abort", arguments), plan)
        return MergeResult(_merge_info(found), outcome)

    def _iter_merges(self) -> Iterator[Found]:
        for ref, oid in self._view().iter_refs(MERGES.rstrip(b"/")):
            merge = read_pending(self.reader, oid)
            yield Found(ref, merge, read_subject(merge, str(oid)))

    def _find_merge(self, name: str) -> Found:
        known = list(self._iter_merges())
        found = [each for each in known if self._is_named(each, name)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"{handle_of(each.ref)} ({_described(each.subject)})" for each in found)
            raise UsageError(f"several merges have this name: {listed}", place=name, remedy="use one of the handles")
        raise NotFoundError("no such merge in progress", place=name, remedy="see `casvault merges list`")

    def _is_named(self, found: Found, name: str) -> bool:
        if len(name) >= MIN_HANDLE and handle_of(found.ref).startswith(name.lower()):
            return True
        wanted, subject = typed(name).strip(b"/"), found.subject
        if isinstance(subject, Branching):
            return wanted in (subject.into, BRANCHES + subject.into)
        rules = self._rules(show(subject.collection))
        # An artifact that was moved is known by its path in the project and by the one in the collection.
        for path in {subject.path, found.merge.path}:
            short = rules.short_name(path)
            if wanted and wanted in (path, short, short.rpartition(b"/")[2]):
                return True
        return False

    def _find_earlier(self, *conflicts: TreeConflict) -> list[Earlier | None]:
        return find_earlier(self.reader, self._repository.log.iter_pairs(), conflicts)

    def _read_earlier(self, conflict: TreeConflict) -> Earlier:
        """NotFoundError if nothing has settled the same conflict before."""
        (found,) = self._find_earlier(conflict)
        if found is None:
            remedy = "settle it yourself: `casvault resolve --help` lists the ways"
            raise NotFoundError("no such conflict was resolved before", place=show(conflict.path), remedy=remedy)
        return found

    def _mark_up(self, found: Found, conflict: TreeConflict) -> Marked | None:
        return mark_up(self.reader, conflict, found.subject.labels)

    def _check_content(self, found: Found, conflict: TreeConflict, how: How, content: bytes | None) -> None:
        """Refuse a choice that there is not, and content in which markers are left."""
        place = show(conflict.path)
        if (content is not None) != (how in WRITTEN):
            raise UsageError("content goes with a file, an edit, a tool or hunks, and with nothing else", place=place)
        if how is How.BASE and conflict.base is None:
            raise UsageError("there is no base: both sides added it", place=place, remedy="choose one of the sides")
        if content is None:
            return
        marked = self._mark_up(found, conflict)
        if marked is None and how is How.EDIT:
            raise UsageError(
                f"it cannot be edited: no lines clash in it ({conflict.kind.value})",
                place=place,
                remedy="choose one of the sides, or give a file that is to stand there",
            )
        # A line of seven = may well be meant, in a file of whoever says that it is done; nobody means the other signs.
        left = [] if marked is None else marked.find_left(content, b"<|>" if how is How.FILE else b"<|=>")
        if left:
            raise ConflictError(
                f"conflict markers are left in line{'s' if len(left) > 1 else ''} {', '.join(map(str, left))}",
                place=place,
                remedy="settle every hunk and remove its markers",
            )


def _read_again(draft: Draft, ref: bytes, conflict: TreeConflict) -> PendingMerge:
    """The merge in the newest view; StaleError if it is over, or the conflict is not the one that was looked at."""
    oid = draft.ref(ref)
    if oid is None:
        raise StaleError("it was continued or aborted meanwhile", place=handle_of(ref))
    merge = read_pending(draft.stage, oid)
    if find_conflict(merge, conflict.path) != conflict:
        remedy = f"look at it again: casvault merges show {handle_of(ref)}"
        raise StaleError("the conflict is another one meanwhile", place=show(conflict.path), remedy=remedy)
    return merge


def _find_conflict(found: Found, text: str) -> TreeConflict:
    """The conflict at a path, which may be typed with the artifact's path or relative to it."""
    wanted, artifact = typed(text).strip(b"/"), found.merge.path
    names = {wanted, artifact + b"/" + wanted} if artifact else {wanted}
    if artifact and wanted == artifact.rpartition(b"/")[2]:
        names.add(artifact)
    conflicts = [conflict for conflict in found.merge.conflicts if conflict.path in names]
    if len(conflicts) == 1:
        return conflicts[0]
    handle = handle_of(found.ref)
    if conflicts:
        listed = ", ".join(show(conflict.path) for conflict in conflicts)
        raise UsageError(f"several conflicts can be meant: {listed}", place=text)
    remedy = f"see `casvault merges show {handle}`"
    raise NotFoundError(f"this path is no conflict of merge {handle}", place=text, remedy=remedy)


def _side(conflict: TreeConflict, how: How) -> Root | None:
    return {How.OURS: conflict.ours, How.THEIRS: conflict.theirs, How.BASE: conflict.base}[how]


def _file_mode(conflict: TreeConflict) -> int:
    """The mode of a file that is to settle the conflict: what the three-way rule says of the sides' modes."""
    modes = [state.mode for state in (conflict.ours, conflict.theirs) if state is not None and state.mode in FILE_MODES]
    if not modes:
        raise UsageError(
            "neither side is a file", place=show(conflict.path), remedy="choose one of the sides: --ours or --theirs"
        )
    base = conflict.base.mode if conflict.base is not None and conflict.base.mode in FILE_MODES else None
    merged = merge_mode(base, modes[0], modes[-1])
    return modes[0] if isinstance(merged, ModeConflict) else merged


def _earlier_choice(earlier: Earlier) -> EarlierChoice:
    how, state, who = earlier.settled
    name, seconds, zone = ("", 0, b"+0000") if who is None else (show(who.name), who.seconds, who.zone)
    return EarlierChoice(earlier.operation, how, state, name, seconds, zone.decode())


def _described(subject: AnySubject) -> str:
    if isinstance(subject, Branching):
        return f"{show(subject.source)} into {show(subject.into)}"
    if isinstance(subject, Subject):
        return f"{show(subject.path)}, project {show(subject.project)}"
    if isinstance(subject, Reverting):
        return f"{show(subject.path)}, revert of {show(subject.source[:12])}"
    return f"{show(subject.path)}, from upstream"


def _merge_info(found: Found) -> MergeInfo:
    merge, subject = found.merge, found.subject
    labels = subject.labels
    project, root, collection, artifact = map(show, subject.about)
    return MergeInfo(
        handle_of(found.ref),
        show(found.ref),
        subject.direction,
        project,
        root,
        collection,
        artifact,
        show(subject.strategy),
        show(labels.ours),
        show(labels.theirs),
        merge.ours,
        merge.theirs,
        merge.detected.seconds,
        merge.detected.zone.decode(),
        tuple(_conflict_info(conflict, merge.settled.get(conflict.path)) for conflict in merge.conflicts),
    )


def _conflict_info(conflict: TreeConflict, settled: Settled | None) -> ConflictInfo:
    how, state = (None, None) if settled is None else settled[:2]
    return ConflictInfo(show(conflict.path), conflict.kind, conflict.base, conflict.ours, conflict.theirs, how, state)
