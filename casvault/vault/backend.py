"""The façade's part for embedders: objects, directories, refs and collections without a directory, in transactions.

    with vault.transaction("import") as tx:
        tx.collection("lib").put("skills/pdf", {"SKILL.md": b"..."})
        tx.set_ref("branches/main", commit)

What a transaction writes is invisible until its block ends, and then it is there whole, over all its refs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from casvault.artifacts.collection import tip_snapshot
from casvault.artifacts.names import collection_ref, show, typed
from casvault.artifacts.recording import Change, NewVersion, record_changes
from casvault.artifacts.snapshot import find_content, find_version, iter_links, open_snapshot
from casvault.deploy.run import Command, Outcome, run
from casvault.deploy.undoing import RESERVED_KINDS
from casvault.errors import NotFoundError, PurgedError, StaleError, UsageError
from casvault.objects import EXECUTABLE, FILE, TREE, Commit, Entry, Kind, Root, read_blob, read_commit, write_commit
from casvault.trees import edit_paths, empty_root, iter_entries, walk
from casvault.vault.writing import WritingVault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from casvault.artifacts.draft import Draft
    from casvault.objects import ObjectPublisher
    from casvault.oid import Oid

_OWN_REFS = frozenset({b"collections", b"projects", b"merges", b"purged", b"settings", b"version-tags", b"former-tags"})


class _Edit(NamedTuple):
    expected: Oid | None
    """The version that the path had when the transaction first touched it."""
    change: Change


class Backend(WritingVault):
    def transaction(self, message: str = "", kind: str = "transaction") -> Transaction:
        """A transaction; it commits when its `with` block ends, and leaves nothing behind if that raises.

        `kind` is what the operation is called; the words that undo goes by are not for this.
        """
        if kind in RESERVED_KINDS:
            raise UsageError("this kind of operation has a meaning of its own", place=kind)
        return Transaction(self, message, kind)

    def refs(self, prefix: str = "") -> list[tuple[str, Oid]]:
        """Names and targets of all refs below a prefix such as "branches"."""
        return [(show(name), oid) for name, oid in self._view().iter_refs(typed(prefix).strip(b"/"))]

    def find_ref(self, name: str) -> Oid | None:
        return self._view().find(typed(name))

    def read_blob(self, oid: Oid) -> bytes:
        """A blob whole; `reader.iter_blob` is for large ones."""
        return read_blob(self.reader, oid)

    def read_commit(self, oid: Oid) -> Commit:
        return read_commit(self.reader, oid)

    def iter_tree(self, tree: Oid) -> Iterator[Entry]:
        """The entries of one directory, sorted by name."""
        return iter_entries(self.reader, tree)

    def iter_artifacts(self, collection: str) -> Iterator[tuple[str, Oid]]:
        """Path and version of every artifact of a collection."""
        tip = self._view().find(collection_ref(collection))
        if tip is None:
            raise NotFoundError("no such collection", place=collection)
        for path, entry in iter_links(self.reader, open_snapshot(self.reader, tip)):
            yield show(path), entry.id

    def read_files(self, collection: str, path: str) -> dict[str, bytes]:
        """The files at a path of a collection's newest snapshot, by relative path; one file alone is under ""."""
        tip = self._view().find(collection_ref(collection))
        state = None if tip is None else find_content(self.reader, open_snapshot(self.reader, tip), typed(path))
        if state is None:
            raise NotFoundError("no such path in the collection", place=f"{collection}: {path}")
        if state.mode != TREE:
            return {"": read_blob(self.reader, state.id)}
        entries = ((found, entry) for found, entry in walk(self.reader, state.id) if entry.mode in (FILE, EXECUTABLE))
        return {show(found): read_blob(self.reader, entry.id) for found, entry in entries}


class Transaction:
    """Writes of one thread. Refs and artifacts that someone else changed meanwhile are a StaleError at the end; those
    that nobody else touched are applied on top of what others did.
    """

    def __init__(self, vault: Backend, message: str, kind: str) -> None:
        self._vault = vault
        self._message = message
        self._kind = kind
        self._stage: ObjectPublisher = vault._repository.begin()
        self._view = vault._view()
        self._refs: dict[bytes, tuple[Oid | None, Oid | None]] = {}
        self._collections: dict[str, CollectionEdit] = {}
        self.outcome: Outcome | None = None
        """What it did, once it is over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        except PurgedError:
            self._stage.discard()
            self._vault._repository.finish_purges(wait=True)
            raise
        finally:
            self._stage.discard()

    @property
    def stage(self) -> ObjectPublisher:
        """The objects of the vault and of this transaction, for functions that take a stage."""
        return self._stage

    def write_blob(self, content: bytes) -> Oid:
        return self._stage.write_many([(Kind.BLOB, content)])[0]

    def write_blobs(self, contents: Iterable[bytes]) -> list[Oid]:
        """Many at once, which is faster than one by one."""
        return self._stage.write_many((Kind.BLOB, content) for content in contents)

    def write_stream(self, pieces: Iterable[bytes]) -> Root:
        """A blob of any size, as the state of a plain file."""
        oid, size = self._stage.write_blob_pieces(pieces)
        return Root(FILE, size, oid)

    def write_directory(self, files: Mapping[str, bytes | Root]) -> Root:
        """A directory from files by relative path: bytes, or a state for executables, symlinks and what was written."""
        if not files:
            return empty_root()
        contents = [content for content in files.values() if isinstance(content, bytes)]
        ids = iter(self.write_blobs(contents))
        states: dict[bytes, Root | None] = {
            typed(path): Root(FILE, len(content), next(ids)) if isinstance(content, bytes) else content
            for path, content in files.items()
        }
        return edit_paths(self._stage, empty_root(), states)

    def write_commit(self, root: Root, parents: Iterable[Oid] = (), message: str = "") -> Oid:
        """A commit of any history, signed by the vault's author."""
        who = self._vault._signature()
        return write_commit(self._stage, Commit(root, tuple(parents), who, who, typed(message)))

    def set_ref(self, name: str, new: Oid | None) -> None:
        """Let a ref point to a commit or tag, or remove it; those of collections, projects, merges and of artifacts'
        tags are not for this.
        """
        raw = typed(name)
        if raw.partition(b"/")[0] in _OWN_REFS:
            raise UsageError(
                "collections, projects, merges, tombstones and tags of artifacts are not changed by hand", place=name
            )
        expected = self._refs[raw][0] if raw in self._refs else self._view.find(raw)
        self._refs[raw] = (expected, new)

    def collection(self, name: str) -> CollectionEdit:
        """The edit of a collection in this transaction; a collection of a new name is created."""
        if name not in self._collections:
            ref = collection_ref(name)
            if self._vault._repository.places.all().get(show(ref)) is not None:
                raise UsageError(
                    "this collection lives in a directory", place=name, remedy="edit its files, then take a snapshot"
                )
            self._collections[name] = CollectionEdit(self, name, self._view.find(ref))
        return self._collections[name]

    def _commit(self) -> None:
        session = self._vault._session(self._message, {})
        self.outcome = run(session, self._stage, Command(self._kind), self._plan)

    def _plan(self, draft: Draft) -> None:
        for name, (expected, new) in self._refs.items():
            found = draft.view.find(name)
            if found not in (expected, new):
                raise StaleError("somebody else has changed this ref meanwhile", place=show(name))
            draft.set_ref(name, new)
        for edit in self._collections.values():
            edit._plan(draft)


class CollectionEdit:
    """Changes of artifacts of one collection, to be made as one snapshot."""

    def __init__(self, transaction: Transaction, name: str, tip: Oid | None) -> None:
        self._transaction = transaction
        self._name = name
        self._snapshot = open_snapshot(transaction.stage, tip)
        self._edits: dict[bytes, _Edit] = {}

    def put(self, path: str, content: bytes | Mapping[str, bytes | Root] | Root) -> None:
        """The artifact at a path becomes a file (bytes), a directory (files by relative path) or any state."""
        transaction = self._transaction
        if isinstance(content, bytes):
            state = Root(FILE, len(content), transaction.write_blob(content))
        elif isinstance(content, Root):
            state = content
        else:
            state = transaction.write_directory(content)
        self._set(typed(path), NewVersion(state))

    def remove(self, path: str) -> None:
        """Remove the artifact at a path; NotFoundError if there is none."""
        raw = typed(path)
        pending = self._edits.get(raw)
        stored = find_version(self._transaction.stage, self._snapshot, raw) is not None
        if not (stored if pending is None else pending.change is not None):
            raise NotFoundError("no such artifact", place=f"{self._name}: {path}")
        self._set(raw, None)

    def _set(self, path: bytes, change: Change) -> None:
        old = self._edits.get(path)
        expected = find_version(self._transaction.stage, self._snapshot, path) if old is None else old.expected
        self._edits[path] = _Edit(expected, change)

    def _plan(self, draft: Draft) -> None:
        ref = collection_ref(self._name)
        tip = tip_snapshot(draft, ref)
        changes: dict[bytes, Change] = {}
        for path, (expected, change) in self._edits.items():
            found = find_version(draft.stage, tip, path)
            held = None if found is None else draft.graph.commit(found).root
            if held == (change.content if isinstance(change, NewVersion) else None):
                continue
            if found != expected:
                raise StaleError(
                    "somebody else has changed this artifact meanwhile", place=f"{self._name}: {show(path)}"
                )
            changes[path] = change
        draft.set_ref(ref, record_changes(draft, typed(self._name), tip, changes).id)
