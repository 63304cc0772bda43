"""Importing a git repository: its objects into packs, its branches and tags into refs, in one operation."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.artifacts.names import show
from casvault.deploy.run import Outcome
from casvault.errors import MalformedError, RefusedError
from casvault.files import lock_file, make_directory, publish_file
from casvault.files.durable import explained, on_failure, temporary_path
from casvault.history import CommitGraph
from casvault.interop.git.commits import commit_links, to_commit
from casvault.interop.git.content import ContentImport
from casvault.interop.git.fields import DIRECT, FORMAT, MISSING
from casvault.interop.git.ids import GitFormat
from casvault.interop.git.intake import Intake
from casvault.interop.git.kept import KeptTrees
from casvault.interop.git.mapping import GitMap
from casvault.interop.git.names import choose, short_name, vault_name
from casvault.interop.git.reader import GitReader
from casvault.interop.git.repository import HEADS, GitRepository
from casvault.interop.git.results import ImportResult, RefResult
from casvault.interop.git.tags import tag_target, to_tag
from casvault.interop.git.walk import find_unknown
from casvault.limits import MAX_OBJECT
from casvault.objects import Kind, Root, Tag, encode_commit, encode_tag
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from casvault import Vault
    from casvault.interop.git.ids import GitId
    from casvault.interop.git.intake import ImportOptions
    from casvault.interop.git.mapping import Known
    from casvault.interop.git.reader import GitObject
    from casvault.interop.git.repository import GitRef
    from casvault.objects import Field, ObjectStage
    from casvault.oid import Oid
    from casvault.vault.backend import Transaction

KIND = "git-import"
TOGETHER = 500
"""Commits and tags whose trees are read together."""


class _Move(NamedTuple):
    """A ref as it will be."""

    ref: GitRef
    name: str
    old: Oid | None
    new: Oid
    is_forward: bool
    """Whether what it held is part of what it will hold."""


def import_repository(
    vault: Vault,
    path: Path | str,
    *,
    refs: Sequence[str] = (),
    map_file: Path | str | None = None,
    options: ImportOptions,
) -> ImportResult:
    """Bring branches and tags, those that fit one of the patterns `refs`, with all objects below them into the vault.

    A second import adds what has come since. `map_file` gets a line for each object of git that the vault has: its
    id there, a space, its id here; sorted.
    """
    repository = GitRepository(path)
    found = {ref.name: ref for ref in repository.refs()}
    chosen = [found[name] for name in choose(found, refs, str(path))]
    with ExitStack() as stack:
        known = stack.enter_context(_open_map(vault, stack))
        reader = stack.enter_context(GitReader(repository))
        known.begin(_newest_operation(vault), {oid for _, oid in vault.refs()})
        name = Path(os.path.realpath(path)).name
        with vault.transaction(f"from {name}", kind=KIND) as transaction:
            intake = Intake(transaction.stage, known, reader, repository.format, options, vault.progress)
            moves, left_out = _bring(vault, transaction, intake, chosen)
            intake.publish()
        known.finish((move.new for move in moves), (move.old for move in moves if move.old not in (None, move.new)))
        if map_file is not None:
            _write_map(Path(map_file), intake)
        if not all(move.is_forward for move in moves):
            # What a ref has left behind may go one day, and the map must not say that it is there.
            known.forget()
    return ImportResult(
        tuple(_result(move) for move in moves),
        intake.count,
        tuple(git_id.hex() for git_id in intake.missing),
        left_out,
        intake.kept,
        transaction.outcome or Outcome(None),
    )


def _open_map(vault: Vault, stack: ExitStack) -> GitMap:
    """The map of the vault, which one import at a time has to itself."""
    if vault.path is None:
        return GitMap(None)
    cache = vault.path / "cache"
    make_directory(cache)
    stack.enter_context(lock_file(cache / "git-map.lock"))
    return GitMap(cache / "git-map")


def _newest_operation(vault: Vault) -> bytes:
    newest = vault.operations(1)
    return newest[0].id if newest else b""


def _bring(
    vault: Vault, transaction: Transaction, intake: Intake, chosen: list[GitRef]
) -> tuple[list[_Move], tuple[str, ...]]:
    """Bring in all objects, and set the refs of the transaction."""
    unknown = find_unknown(intake, (ref.id for ref in chosen))
    intake.check_missing()
    content = ContentImport(intake)
    content.bring(unknown.content)
    history = _History(intake, content)
    for start in range(0, len(unknown.history), TOGETHER):
        history.bring(unknown.history[start : start + TOGETHER])
        intake.publish_sometimes()
    moves: list[_Move] = []
    left_out: list[str] = []
    for ref in chosen:
        known = intake.find(ref.id)
        if known is None:
            left_out.append(show(vault_name(ref.name)))
        else:
            moves.append(_plan_move(vault, intake, history, ref, known))
    _check_moves(moves, force=intake.options.force)
    for move in moves:
        transaction.set_ref(move.name, move.new)
    return moves, tuple(left_out)


class _History:
    """Brings commits and tags in, a batch at a time, each behind what it refers to."""

    def __init__(self, intake: Intake, content: ContentImport) -> None:
        self._intake = intake
        self._content = content
        self._kept = KeptTrees(intake)
        self._marks: tuple[Field, ...] = ()
        if intake.form is not GitFormat.SHA1:
            self._marks = ((FORMAT, intake.form.value.encode()),)

    def bring(self, ids: list[GitId]) -> None:
        objects = [found for found in self._intake.read_many(ids) if found.content is not None]
        self._intake.check_missing()
        self._content.bring(self._trees_of_commits(objects))
        for found in objects:
            try:
                if found.kind is Kind.TAG:
                    self._write_tag(found)
                else:
                    self._write_commit(found)
            except MalformedError as error:
                place = f"git {found.kind} {found.id.hex()}"
                raise RefusedError(f"it cannot be said in casvault: {error.message}", place=place) from error

    def _trees_of_commits(self, objects: Iterable[GitObject]) -> Iterator[GitId]:
        """What tags point to is there already."""
        for found in objects:
            if found.kind is Kind.COMMIT:
                yield commit_links(found.content or b"", self._intake.form).tree

    def _write_commit(self, found: GitObject) -> None:
        intake, content = self._intake, found.content or b""
        links = commit_links(content, intake.form)
        known = intake.find_many((links.tree, *links.parents))
        tree = known.get(links.tree)
        if tree is not None and tree.kind is not Kind.TREE:
            raise RefusedError("the tree of a git commit is none", place=f"git commit {found.id.hex()}")
        root = empty_root() if tree is None else Root(empty_root().mode, tree.size, tree.id)
        absent = [git_id for git_id in (links.tree, *links.parents) if git_id not in known]
        is_incomplete = bool(absent) or any(git_id in intake.incomplete for git_id in known)
        further = (*self._marks, *((MISSING, git_id) for git_id in absent))
        if tree is not None and tree.is_kept:
            further += self._kept.fields(links.tree, self._trees_of(links.parents))
        parents = tuple(known[parent].id for parent in links.parents if parent in known)
        keep = bool(absent) or (tree is not None and tree.is_kept)
        encoded = encode_commit(to_commit(content, links, root, parents, further, keep=keep))
        _check_size(encoded)
        intake.write(found.id, Kind.COMMIT, encoded, root.size, is_incomplete=is_incomplete)

    def _trees_of(self, commits: Sequence[GitId]) -> list[GitId]:
        """The trees of those commits that are in the vault."""
        there = self._intake.find_many(commits)
        found = [each for _, each in self._intake.reader.read_many(list(there)) if each is not None]
        return [commit_links(each.content or b"", self._intake.form).tree for each in found]

    def _write_tag(self, found: GitObject) -> None:
        intake, content = self._intake, found.content or b""
        target = tag_target(content, intake.form)
        known = intake.find(target.id)
        if known is None:
            intake.missing[target.id] = None
            return
        further = (*self._marks, *(self._kept.fields(target.id, ()) if known.is_kept else ()))
        encoded = encode_tag(to_tag(content, target, known.id, known.kind, further, keep=known.is_kept))
        _check_size(encoded)
        intake.write(found.id, Kind.TAG, encoded, 0, is_incomplete=target.id in intake.incomplete)

    def stand_in(self, ref: GitRef, known: Known) -> Oid:
        """A tag for a ref that points to a tree or blob itself."""
        further = ((DIRECT, ref.id), *self._marks, *(self._kept.fields(ref.id, ()) if known.is_kept else ()))
        tag = Tag(known.kind, known.id, short_name(ref.name), None, b"", b"", further)
        return self._intake.stage.write_many(((Kind.TAG, encode_tag(tag)),))[0]


def _check_size(encoded: bytes) -> None:
    if len(encoded) > MAX_OBJECT:
        raise MalformedError(f"it would have {len(encoded):,} bytes, more than {MAX_OBJECT:,}")


def _plan_move(vault: Vault, intake: Intake, history: _History, ref: GitRef, known: Known) -> _Move:
    name = show(vault_name(ref.name))
    is_history = known.kind in (Kind.COMMIT, Kind.TAG)
    if ref.name.startswith(HEADS) and known.kind is not Kind.COMMIT:
        raise RefusedError(f"a branch that points to a {known.kind}", place=show(ref.name))
    old, new = vault.find_ref(name), known.id if is_history else history.stand_in(ref, known)
    is_forward = old in (None, new)
    if not is_forward and old is not None and ref.name.startswith(HEADS):
        is_forward = _is_commit(intake.stage, old) and CommitGraph(intake.stage).is_ancestor(old, new)
    return _Move(ref, name, old, new, is_forward)


def _is_commit(stage: ObjectStage, oid: Oid) -> bool:
    info = stage.find_infos([oid])[0]
    return info is not None and info.kind is Kind.COMMIT


def _check_moves(moves: Iterable[_Move], *, force: bool) -> None:
    """RefusedError for a ref that would lose what it holds."""
    wrong = [move.name for move in moves if not move.is_forward]
    if wrong and not force:
        raise RefusedError(
            "holds something else that is not part of what git has there",
            place=", ".join(wrong),
            remedy="--force moves it all the same; `casvault undo` moves it back",
        )


def _write_map(path: Path, intake: Intake) -> None:
    """Write the map as text, whole or not at all."""
    with explained(path):
        temporary = temporary_path(path.parent)
        with on_failure(lambda: temporary.unlink(missing_ok=True)):
            with temporary.open("xb") as out:
                for git_id, oid in intake.iter_mapped():
                    out.write(b"%s %s\n" % (git_id.hex().encode(), oid.hex().encode()))
                out.flush()
                os.fsync(out.fileno())
            publish_file(temporary, path)


def _result(move: _Move) -> RefResult:
    return RefResult(move.name, show(move.ref.name), move.new, move.ref.id.hex(), move.old != move.new)
