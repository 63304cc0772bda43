"""Upstreams as people name them: a directory, or a git repository, by its path or address, with `#subdir`."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from casvault.artifacts.names import typed
from casvault.deploy.updating import Fetched
from casvault.errors import DamageError, NotFoundError, RefusedError, UsageError
from casvault.interop.git.ids import GitFormat
from casvault.interop.git.reader import GitReader
from casvault.interop.git.repository import GitRepository, run_git
from casvault.interop.git.trees import MODES
from casvault.objects import FOREIGN, SYMLINK, Root, write_blob
from casvault.trees import edit_paths, empty_root
from casvault.vault.updating import Upstream, directory_upstream
from casvault.worktree.names import is_control_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectStage

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCP = re.compile(r"[^/\s:]+@[^/\s:]+:")


def open_upstream(text: str, wanted: str = "") -> Upstream:
    """What `--from` names. `wanted` is a branch, tag or commit of a git repository; its newest state without.

    A directory that is a git repository counts as one: what is committed there, and not what lies about in it.
    """
    place, _, subdir = text.partition("#")
    if not place or place.startswith("-"):
        raise UsageError("not a directory or repository", place=text)
    inside = subdir.strip("/")
    if any(part in ("", ".", "..") for part in inside.split("/")) and inside:
        raise UsageError("not a path inside the repository", place=text)
    if _is_address(place):
        return _git_upstream(place, inside, wanted, is_remote=True)
    if not os.path.lexists(text) and _is_repository(Path(place)):
        return _git_upstream(os.path.realpath(place), inside, wanted, is_remote=False)
    if _is_repository(Path(text)):
        return _git_upstream(os.path.realpath(text), "", wanted, is_remote=False)
    if wanted:
        raise UsageError("a directory has no branches and tags", place=text, remedy="leave --ref out")
    directory = Path(text) if not subdir or os.path.lexists(text) else Path(place, inside)
    if not directory.exists():
        raise NotFoundError("upstream is not there", place=text, remedy="name a directory or a git repository")
    return directory_upstream(directory)


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text)) or (bool(_SCP.match(text)) and not os.path.lexists(text))


def _is_repository(path: Path) -> bool:
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _git_upstream(place: str, subdir: str, wanted: str, *, is_remote: bool) -> Upstream:
    if wanted.startswith("-"):
        raise UsageError("not a branch, tag or commit", place=wanted)
    suffix = f"#{subdir}" if subdir else ""

    def fetch(stage: ObjectStage) -> Fetched:
        label = typed((_without_secrets(place) if is_remote else Path(place).name) + suffix)
        with _repository(place, wanted, is_remote=is_remote) as (repository, commit):
            state, notes = _read_state(repository, commit, typed(subdir), stage)
        return Fetched(state, label, commit.encode(), typed(wanted), notes)

    return Upstream(place + suffix, fetch)


def _without_secrets(address: str) -> str:
    """The address as it may stand in objects, which others will have."""
    if not _ADDRESS.match(address):
        return address
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextmanager
def _repository(place: str, wanted: str, *, is_remote: bool) -> Iterator[tuple[GitRepository, str]]:
    """A repository on this machine that has the commit, and its id."""
    if not is_remote:
        repository = GitRepository(place)
        yield repository, _commit(repository, wanted or "HEAD")
        return
    with tempfile.TemporaryDirectory(prefix="casvault-") as scratch:
        repository = GitRepository.create(Path(scratch, "upstream.git"), GitFormat.SHA1)
        command = ["git", f"--git-dir={repository.place}", "-c", "protocol.ext.allow=never"]
        options = ["--depth=1", "--no-tags", "--no-recurse-submodules", "--quiet"]
        run_git([*command, "fetch", *options, "--", place, wanted or "HEAD"], _without_secrets(place), aside=True)
        yield repository, _commit(repository, "FETCH_HEAD")


def _commit(repository: GitRepository, name: str) -> str:
    found = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}", check=False)
    if not found:
        raise NotFoundError("no such branch, tag or commit", place=f"{repository.place}: {name}")
    return found.split()[-1].decode()


def _read_state(
    repository: GitRepository, commit: str, subdir: bytes, stage: ObjectStage
) -> tuple[Root, tuple[str, ...]]:
    """What a commit has at a path, written to the stage: a directory or a single file."""
    paths = [os.fsdecode(subdir)] * bool(subdir)
    listed = repository.run("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
    modes: dict[bytes, tuple[int, bytes]] = {}
    notes = []
    for line in listed.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        text, _, digits = facts.split(b" ")
        mode = MODES.get(text)
        inner = path[len(subdir) :].lstrip(b"/")
        if mode is None:
            raise RefusedError(f"the mode {text.decode()} is unknown", place=os.fsdecode(path))
        if any(map(is_control_name, path.split(b"/"))):
            raise RefusedError("no artifact may hold a control directory", place=os.fsdecode(path))
        if mode == SYMLINK and not inner:
            raise RefusedError(
                "upstream has a symlink there, which no artifact can be",
                place=f"{repository.place}: {os.fsdecode(path)}",
                remedy="name what it leads to",
            )
        if mode == FOREIGN:
            notes.append(f"{os.fsdecode(inner)}: a submodule, left out")
        else:
            modes[inner] = (mode, bytes.fromhex(digits.decode()))
    if not modes:
        raise NotFoundError("upstream has nothing at this path", place=os.fsdecode(subdir) or str(repository.place))
    states = _write_blobs(repository, modes, stage)
    return states.get(b"") or edit_paths(stage, empty_root(), dict(states)), tuple(notes)


def _write_blobs(
    repository: GitRepository, modes: dict[bytes, tuple[int, bytes]], stage: ObjectStage
) -> dict[bytes, Root]:
    states = {}
    with GitReader(repository) as reader:
        found = reader.read_many([git_id for _, git_id in modes.values()])
        for (path, (mode, _)), (git_id, each) in zip(modes.items(), found, strict=True):
            if each is None:
                raise DamageError("the git object is missing or damaged", place=f"{git_id.hex()}: {os.fsdecode(path)}")
            if each.content is None:
                oid, size = stage.write_blob_pieces(reader.iter_pieces(each))
            else:
                oid, size = write_blob(stage, each.content), each.size
            states[path] = Root(mode, size, oid)
    return states
