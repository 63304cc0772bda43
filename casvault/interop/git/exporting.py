"""Exporting branches and tags to a git repository; what came from git gets the ids that it had there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from casvault.artifacts.names import show
from casvault.errors import RefusedError
from casvault.interop.git.fields import FORMAT
from casvault.interop.git.ids import GitFormat
from casvault.interop.git.names import choose, git_name
from casvault.interop.git.outgoing import Outgoing
from casvault.interop.git.packing import PackSender
from casvault.interop.git.repository import HEADS, GitRepository
from casvault.interop.git.results import ExportResult, RefResult
from casvault.objects import Kind, read_commit, read_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault import Vault
    from casvault.interop.git.ids import GitId
    from casvault.objects import ObjectReader
    from casvault.oid import Oid

_MAIN = (b"refs/heads/main", b"refs/heads/master")


def export_repository(vault: Vault, path: Path | str, *, refs: Sequence[str] = (), force: bool = False) -> ExportResult:
    """Write branches and tags, those that fit one of the patterns `refs`, into a repository with all below them.

    A directory that is not there becomes a repository without a worktree. RefusedError, with no ref moved, where one
    there would lose what it holds, unless `force` is given.
    """
    listed = {name.encode(errors="surrogateescape"): oid for name, oid in vault.refs() if _is_exported(name)}
    chosen = {name: listed[name] for name in choose(listed, refs, str(vault.path))}
    names = _git_names(chosen)
    is_new = not Path(path).exists()
    repository = GitRepository.create(path, _format_of(vault.reader, chosen)) if is_new else GitRepository(path)
    sender = PackSender(repository)
    outgoing = Outgoing(vault.reader, repository.format, sender, vault.progress)
    ids = outgoing.export_many(list(chosen.values()))
    sender.flush()
    wanted = {names[name]: ids[oid] for name, oid in chosen.items()}
    there = {ref.name: ref.id for ref in repository.refs()}
    _check_moves(repository, there, wanted, force=force)
    _move_refs(repository, there, wanted)
    if is_new:
        _choose_head(repository, [name for name in wanted if name.startswith(HEADS)])
    results = (
        RefResult(show(name), show(git), chosen[name], wanted[git].hex(), there.get(git) != wanted[git])
        for name, git in names.items()
    )
    return ExportResult(tuple(results), sender.count, tuple(git_id.hex() for git_id in outgoing.missing))


def _is_exported(name: str) -> bool:
    return name.startswith(("branches/", "tags/"))


def _git_names(chosen: dict[bytes, Oid]) -> dict[bytes, bytes]:
    """The names in git; RefusedError that lists those that git cannot have."""
    names = {name: git_name(name) for name in chosen}
    wrong = [show(name) for name, git in names.items() if git is None]
    if wrong:
        raise RefusedError(
            "git can have no ref of this name", place=", ".join(wrong), remedy="choose others with --ref"
        )
    return {name: git for name, git in names.items() if git is not None}


def _format_of(reader: ObjectReader, chosen: dict[bytes, Oid]) -> GitFormat:
    """The format that the objects had where they come from; SHA-1 where they do not say."""
    for oid in chosen.values():
        info = reader.find_infos([oid])[0]
        found = read_tag(reader, oid) if info is not None and info.kind is Kind.TAG else read_commit(reader, oid)
        for key, value in found.fields:
            if key == FORMAT and value == GitFormat.SHA256.value.encode():
                return GitFormat.SHA256
    return GitFormat.SHA1


def _check_moves(
    repository: GitRepository, there: dict[bytes, GitId], wanted: dict[bytes, GitId], *, force: bool
) -> None:
    """RefusedError for refs that would lose what they hold, and for a branch whose files lie in a worktree."""
    moved = [name for name, git_id in wanted.items() if there.get(name) != git_id]
    current = repository.current_branch()
    if current in moved:
        raise RefusedError(
            "this branch is checked out there, and its files would not follow",
            place=f"{repository.place}: {show(current)}",
            remedy="export to a repository without a worktree, or check out another branch there",
        )
    wrong = [name for name in moved if name in there and not _is_forward(repository, name, there[name], wanted[name])]
    if wrong and not force:
        raise RefusedError(
            "holds something else in git that would be lost there",
            place=", ".join(map(show, wrong)),
            remedy="--force moves it all the same",
        )


def _is_forward(repository: GitRepository, name: bytes, old: GitId, new: GitId) -> bool:
    return name.startswith(HEADS) and repository.is_ancestor(old, new)


def _move_refs(repository: GitRepository, there: dict[bytes, GitId], wanted: dict[bytes, GitId]) -> None:
    """All refs or none, each only if it still holds what it held."""
    nothing = bytes(repository.format.size)
    edits = [
        b"update %s\0%s\0%s\0" % (name, git_id.hex().encode(), there.get(name, nothing).hex().encode())
        for name, git_id in wanted.items()
        if there.get(name) != git_id
    ]
    if edits:
        repository.run("update-ref", "-m", "casvault git export", "-z", "--stdin", stdin=b"".join(edits))


def _choose_head(repository: GitRepository, branches: list[bytes]) -> None:
    """Let a new repository begin with a branch that it has."""
    found = [name for name in _MAIN if name in branches] or branches
    if found:
        repository.run("symbolic-ref", "HEAD", show(found[0]))
