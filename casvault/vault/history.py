"""The façade's part for looking: revisions, logs, trees, contents, differences."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from casvault.artifacts.changes import iter_file_changes
from casvault.artifacts.names import show, typed
from casvault.artifacts.pathlog import iter_changed, iter_changed_by_walk
from casvault.artifacts.preview import preview_merge
from casvault.artifacts.revision import (
    find_state,
    resolve,
    resolve_commitish,
    resolve_path,
    resolve_state,
    split_path,
)
from casvault.artifacts.snapshot import flatten, is_snapshot
from casvault.artifacts.version import COLLECTION, ORIGIN, PATH, TYPE
from casvault.deploy.scanning import scan_collection
from casvault.errors import FailureError, NotFoundError, PurgedError, UsageError
from casvault.limits import MERGE_BYTES, PIECE
from casvault.merge.trees import show_skipped
from casvault.objects import BLOB_MODES, FOREIGN, LINK, TREE, Overlay, Root, read_blob, read_commit, read_parents
from casvault.oid import BlobHasher
from casvault.pending import read_records
from casvault.text.lines import is_binary
from casvault.text.unified import unified_diff
from casvault.trees import EMPTY_ID, edit_paths, empty_root, find_path, iter_entries
from casvault.vault.base import OpenVault
from casvault.vault.results.changes import FileChange
from casvault.vault.results.history import CommitInfo, MergedTree, PairBases, TreeConflictInfo, TreeLine
from casvault.vault.results.merges import ResolvedConflict
from casvault.worktree.hashonly import HashOnly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from casvault.artifacts.preview import Preview
    from casvault.merge.trees import TreeConflict
    from casvault.objects import Commit, ObjectReader
    from casvault.oid import Oid
    from casvault.pending import Resolved

_KINDS = {TREE: "tree", LINK: "commit", FOREIGN: "commit"}


class History(OpenVault):
    def rev_parse(self, revision: str, *, collection: str | None = None) -> Oid:
        """The id of what a revision names; for REV:PATH that of what stands there."""
        return resolve(self._names(collection), revision)

    def show(self, revision: str, *, collection: str | None = None) -> CommitInfo:
        """The commit that a revision names; UsageError if it is something else."""
        oid = resolve_commitish(self._names(collection), revision)
        info = self.reader.find_infos([oid])[0]
        if info is None or str(info.kind) != "commit":
            raise UsageError("not a commit", place=revision, remedy="`casvault cat` prints other objects")
        return _info(oid, read_commit(self.reader, oid))

    def log(
        self,
        revision: str = "@",
        *,
        paths: Iterable[str] = (),
        limit: int | None = None,
        collection: str | None = None,
    ) -> list[CommitInfo]:
        """The commits that a revision can reach, the newest first; for an artifact its versions.

        With paths only those that changed one of them: files inside artifacts, artifacts, other files, directories. An
        artifact that was renamed is followed to where it was before.
        """
        oid = resolve_commitish(self._names(collection), revision)
        wanted = [typed(path).strip(b"/") for path in paths]
        if b"" in wanted or not wanted:
            found = self._repository.graph().iter_children_first([oid])
            return [_info(each, commit) for each, commit in islice(found, limit)]
        changed = islice(self._iter_changed(oid, wanted), limit)
        return [_info(each, read_commit(self.reader, each)) for each in changed]

    def has_path(self, path: str, revision: str = "@", *, collection: str | None = None) -> bool:
        """Whether a path is in what a revision holds, or ever was in the collection's history that leads there."""
        oid = resolve_commitish(self._names(collection), revision)
        return next(self._iter_changed(oid, [typed(path).strip(b"/")]), None) is not None

    def _iter_changed(self, tip: Oid, paths: list[bytes]) -> Iterator[Oid]:
        commit = read_commit(self.reader, tip)
        if is_snapshot(commit):
            name = commit.field(COLLECTION) or b""
            return iter_changed(self._repository.changes(), self.reader, name, tip, paths)
        return iter_changed_by_walk(self._repository.graph(), self.reader, tip, paths)

    def merge_bases(self, one: str, *others: str, collection: str | None = None) -> list[Oid]:
        """All best common ancestors of a revision and another, or of what would come of merging several others."""
        first, *more = self._commits((one, *others), collection)
        return self._repository.graph().merge_bases_with_any(first, more)

    def iter_merge_bases(
        self, pairs: Iterable[tuple[str, str]], *, collection: str | None = None
    ) -> Iterator[PairBases]:
        """The same for each pair of revisions, as soon as it is given."""
        names = self._names(collection)
        graph = self._repository.graph()
        for pair in pairs:
            yield PairBases(*pair, graph.merge_bases(*(resolve_commitish(names, revision) for revision in pair)))

    def is_ancestor(self, ancestor: str, descendant: str, *, collection: str | None = None) -> bool:
        """Whether the second revision is, or comes from, the first."""
        return self._repository.graph().is_ancestor(*self._commits((ancestor, descendant), collection))

    def independent(self, revisions: Iterable[str], *, collection: str | None = None) -> list[Oid]:
        """The commits, of those named, that none of the others comes from, in the order in which they are named."""
        commits = self._commits(revisions, collection)
        kept = set(self._repository.graph().independent(commits))
        return [oid for oid in dict.fromkeys(commits) if oid in kept]

    def count_ahead_behind(self, one: str, other: str, *, collection: str | None = None) -> tuple[int, int]:
        """How many commits the first revision comes from and the second does not, and the other way."""
        return self._repository.graph().count_ahead_behind(*self._commits((one, other), collection))

    def _commits(self, revisions: Iterable[str], collection: str | None) -> list[Oid]:
        names = self._names(collection)
        return [resolve_commitish(names, revision) for revision in revisions]

    def merge_tree(
        self, ours: str, theirs: str, *, base: str | None = None, collection: str | None = None
    ) -> MergedTree:
        """What a merge of two revisions would give; see `merge_trees`."""
        return self.merge_trees([(ours, theirs)], base=base, collection=collection)[0]

    def merge_trees(
        self, pairs: Iterable[tuple[str, str]], *, base: str | None = None, collection: str | None = None
    ) -> list[MergedTree]:
        """Merge pairs of revisions, each over its own merge bases or over what `base` holds.

        The results are stored as trees that nothing refers to: no ref, version or file changes.
        """
        names = self._names(collection)
        stage = self._repository.begin()
        try:
            merged = [
                _merged_tree(ours, theirs, preview_merge(stage, names, ours, theirs, base)) for ours, theirs in pairs
            ]
            if stage.has_unpublished:
                stage.publish()
        finally:
            stage.discard()
        return merged

    def ls_tree(self, revision: str, *, recursive: bool = False, collection: str | None = None) -> list[TreeLine]:
        """The entries of a directory; with `recursive` what is below it, through the links to versions."""
        names = self._names(collection)
        rev, path = split_path(names, revision)
        state = resolve_state(names, rev, typed(path or ""))
        if state.mode != TREE:
            last = typed(path or "").strip(b"/").rpartition(b"/")[2] or typed(rev)
            return [_line(last, state)]
        return list(_iter_lines(self.reader, state, b"", recursive=recursive))

    def cat(self, revision: str, *, collection: str | None = None) -> Iterator[bytes]:
        """The bytes of a file, in pieces: REV:PATH, a version that is a file, or a blob's id."""
        state = resolve_path(self._names(collection), revision)
        if state.mode not in BLOB_MODES:
            raise UsageError("a directory", place=revision, remedy=f"see `casvault ls-tree {revision}`")
        return self.reader.iter_blob(state.id)

    def diff(
        self, old: str = "@", new: str | None = None, *, paths: Iterable[str] = (), collection: str | None = None
    ) -> list[FileChange]:
        """The files that differ between two revisions, or between one and the collection's directory."""
        return self._diff(old, new, list(paths), collection)[1]

    def diff_text(
        self, old: str = "@", new: str | None = None, *, paths: Iterable[str] = (), collection: str | None = None
    ) -> Iterator[bytes]:
        """The same as a unified diff in git's form."""
        reader, changes = self._diff(old, new, list(paths), collection)
        for change in changes:
            yield from file_diff(reader, change)

    def resolved_in(self, revision: str, *, collection: str | None = None) -> list[ResolvedConflict]:
        """The conflicts that were resolved in a merge, by the records in its commit; none for most commits."""
        commit = read_commit(self.reader, resolve_commitish(self._names(collection), revision))
        return [_resolved(each) for each in read_records(commit)]

    def changes_of(self, revision: str, *, collection: str | None = None) -> list[FileChange]:
        """The files that a commit changed against its first parent."""
        oid = resolve_commitish(self._names(collection), revision)
        parents = read_parents(self.reader, oid)
        before = find_state(self.reader, parents[0]) if parents else None
        return _file_changes(self.reader, before, find_state(self.reader, oid))

    def patch_of(self, revision: str, *, collection: str | None = None) -> Iterator[bytes]:
        """The same as a unified diff in git's form."""
        for change in self.changes_of(revision, collection=collection):
            yield from file_diff(self.reader, change)

    def _diff(
        self, old: str, new: str | None, paths: list[str], collection: str | None
    ) -> tuple[ObjectReader, list[FileChange]]:
        names = self._names(collection)
        reader = HashOnly(self.reader, keep=MERGE_BYTES)
        before = resolve_path(names, old)
        if new is None:
            # What is on disk has no versions yet, so the other side is compared without its links too.
            before = flatten(reader, before)
            state = self._directory_state(reader, self._collection_name(collection))
            after = find_path(reader, state, typed(split_path(names, old)[1] or "").strip(b"/"))
        else:
            after = resolve_path(names, new)
        changes = _file_changes(reader, before, after)
        wanted = tuple(path.strip("/") for path in paths)
        if wanted:
            for path in wanted:
                if all(_find_below(reader, state, typed(path)) is None for state in (before, after)):
                    raise NotFoundError("no such path on either side", place=path)
            below = tuple(path + "/" for path in wanted)
            changes = [change for change in changes if change.path in wanted or change.path.startswith(below)]
        return reader, changes

    def _directory_state(self, stage: Overlay, name: str) -> Root:
        """What the collection's directory holds, as one tree."""
        directory = self._collection_directory(name)
        if directory is None:
            raise UsageError("the collection has no directory", place=name, remedy="name two revisions")
        scan = scan_collection(self._repository, stage, directory, storing=True, progress=self._progress)
        return edit_paths(stage, empty_root(), {**scan.plain, **scan.units})


def _merged_tree(ours: str, theirs: str, preview: Preview) -> MergedTree:
    conflicts = tuple(map(_conflict_info, preview.conflicts))
    return MergedTree(ours, theirs, preview.state.id, not conflicts, conflicts, show_skipped(preview.skipped))


def _conflict_info(conflict: TreeConflict) -> TreeConflictInfo:
    states = conflict[2:5]
    base, ours, theirs = (None if state is None else state.id for state in states)
    paths = conflict.renamed or [None if state is None else conflict.path for state in states]
    names = (None if path is None else show(path) for path in paths)
    return TreeConflictInfo(show(conflict.path), conflict.kind, base, ours, theirs, *names)


def _resolved(record: Resolved) -> ResolvedConflict:
    conflict, (how, state, who), _ = record
    sides = conflict.base, conflict.ours, conflict.theirs
    return ResolvedConflict(
        show(conflict.path), conflict.kind, *sides, how, state, "" if who is None else show(who.name)
    )


def _find_below(reader: ObjectReader, state: Root | None, path: bytes) -> Root | None:
    """What stands at a path of a state, through links to versions."""
    for name in path.split(b"/"):
        if state is not None and state.mode == LINK:
            state = read_commit(reader, state.id).root
        state = None if state is None or state.mode != TREE else find_path(reader, state, name)
    return state


def _file_changes(reader: ObjectReader, old: Root | None, new: Root | None) -> list[FileChange]:
    changes = iter_file_changes(reader, old, new)
    return sorted(FileChange(show(change.path), change.old, change.new) for change in changes)


def file_diff(reader: ObjectReader, change: FileChange, *, old_path: bytes | None = None) -> Iterator[bytes]:
    """One file in git's form: headers that say what happened, then hunks. `old_path` is where a renamed one was."""
    path = typed(change.path)
    before = path if old_path is None else old_path
    yield b"diff --git a/%s b/%s\n" % (before, path)
    old, new = change.old, change.new
    if old is None and new is not None:
        yield b"new file mode %06o\n" % new.mode
    elif new is None and old is not None:
        yield b"deleted file mode %06o\n" % old.mode
    elif old is not None and new is not None and old.mode != new.mode:
        yield b"old mode %06o\nnew mode %06o\n" % (old.mode, new.mode)
    if old_path is not None:
        yield b"rename from %s\nrename to %s\n" % (before, path)
    try:
        contents = [_content(reader, state) for state in (old, new)]
    except PurgedError as error:
        yield b"Purged: %s\n" % error.message.encode(errors="replace")
        return
    if contents[0] == contents[1]:
        return
    old_label = b"/dev/null" if old is None else b"a/" + before
    new_label = b"/dev/null" if new is None else b"b/" + path
    if None in contents or any(is_binary(content or b"") for content in contents):
        yield b"Binary files %s and %s differ\n" % (old_label, new_label)
        return
    yield from unified_diff(contents[0] or b"", contents[1] or b"", old_label, new_label)


def _content(reader: ObjectReader, state: Root | None) -> bytes | None:
    """A file's bytes; None for one that is too large to be shown, and nothing for what is no file."""
    if state is None or state.mode not in BLOB_MODES:
        return b""
    return None if state.size > MERGE_BYTES else read_blob(reader, state.id)


def _iter_lines(reader: ObjectReader, state: Root, prefix: bytes, *, recursive: bool) -> Iterator[TreeLine]:
    for entry in iter_entries(reader, state.id):
        path = prefix + entry.name
        below = Root(*entry[1:])
        if recursive and below.mode == LINK:
            below = read_commit(reader, below.id).root
        if recursive and below.mode == TREE and below.id != EMPTY_ID:
            yield from _iter_lines(reader, below, path + b"/", recursive=True)
        else:
            yield _line(path, below)


def _line(path: bytes, state: Root) -> TreeLine:
    return TreeLine(state.mode, _KINDS.get(state.mode, "blob"), state.id, state.size, show(path))


def _info(oid: Oid, commit: Commit) -> CommitInfo:
    author = commit.author
    return CommitInfo(
        oid,
        commit.parents,
        show(author.name),
        show(author.mail),
        author.seconds,
        author.zone.decode(),
        show(commit.message),
        _type_of(commit),
        show(commit.field(COLLECTION) or b""),
        show(commit.field(PATH) or b""),
        show(commit.field(ORIGIN) or b""),
    )


def _type_of(commit: Commit) -> str:
    if commit.field(TYPE) is not None:
        return show(commit.field(TYPE) or b"")
    return "operation" if commit.field(b"transaction") is not None else "commit"


def hash_file(path: Path | str) -> Oid:
    """The blob id of a file: plain BLAKE3 of its bytes, as `b3sum` prints it. Needs no vault."""
    hasher = BlobHasher()
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(PIECE):
                hasher.update(piece)
    except FileNotFoundError as error:
        raise NotFoundError("no such file", place=os.fspath(path)) from error
    except OSError as error:
        raise FailureError(error.strerror or "cannot be read", place=os.fspath(path)) from error
    return hasher.oid()
