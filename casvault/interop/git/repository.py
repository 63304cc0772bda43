"""A git repository, seen through git's own plumbing: its refs, its format, its children processes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from casvault.errors import FailureError, NotFoundError
from casvault.interop.git.ids import GitFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casvault.interop.git.ids import GitId

HEADS, TAGS = b"refs/heads/", b"refs/tags/"

BUFFER = 1 << 18
"""Bytes on their way to and from a child."""

_GUARDS = ("-c", "protocol.allow=never", "--no-replace-objects")
"""Objects are read as they are stored, and none is fetched from elsewhere, which could run what a stranger's
configuration says.
"""


class GitRef(NamedTuple):
    name: bytes
    """In full: `refs/heads/main`."""
    id: GitId


class GitRepository:
    """The repository in a directory, with or without a worktree; NotFoundError if there is none."""

    def __init__(self, path: Path | str) -> None:
        place = Path(path)
        self.place = place
        self._directory = place / ".git" if (place / ".git").exists() else place
        try:
            found = self.run("rev-parse", "--show-object-format").strip().decode()
        except FailureError as error:
            raise NotFoundError(f"not a git repository: {error.message}", place=str(place)) from error
        self.format = GitFormat(found)

    @classmethod
    def create(cls, path: Path | str, form: GitFormat) -> GitRepository:
        """A new repository without a worktree."""
        form_option = () if form is GitFormat.SHA1 else (f"--object-format={form.value}",)
        run_git(["git", "init", "-q", "--bare", *form_option, "--", str(path)], str(path))
        return cls(path)

    def command(self, *arguments: str) -> list[str]:
        return ["git", f"--git-dir={self._directory}", *_GUARDS, *arguments]

    def run(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """What git prints; FailureError with its words if it fails, unless it may."""
        try:
            return run_git(self.command(*arguments), str(self.place), stdin)
        except FailureError:
            if check:
                raise
            return b""

    def refs(self) -> list[GitRef]:
        """All branches and tags, also those whose objects are not there."""
        listed = self.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        pairs = (line.split(b" ", 1) for line in listed.splitlines())
        return [GitRef(name, bytes.fromhex(digits.decode())) for digits, name in pairs]

    def current_branch(self) -> bytes | None:
        """The ref that HEAD stands for where there is a worktree, in which its files lie."""
        if self.run("rev-parse", "--is-bare-repository").strip() == b"true":
            return None
        done = start(self.command("symbolic-ref", "-q", "HEAD"))
        return done.communicate()[0].strip() or None

    def is_ancestor(self, ancestor: GitId, descendant: GitId) -> bool:
        """Whether a branch can go forward from the one commit to the other."""
        child = start(self.command("merge-base", "--is-ancestor", ancestor.hex(), descendant.hex()))
        child.communicate()
        return child.returncode == 0


def start(command: Sequence[str], stderr: int = subprocess.DEVNULL, *, aside: bool = False) -> subprocess.Popen[bytes]:
    """A child process with pipes to it; FailureError if there is no git. One that runs `aside` has no terminal, at
    which it could ask for a password.
    """
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=BUFFER,
            start_new_session=aside,
        )
    except FileNotFoundError as error:
        raise FailureError("git is not installed", place=command[0], remedy="install git 2.25 or later") from error


def run_git(command: Sequence[str], place: str, stdin: bytes = b"", *, aside: bool = False) -> bytes:
    """What a command of git prints; FailureError with its words and the place if it fails."""
    child = start(command, subprocess.PIPE, aside=aside)
    output, words = child.communicate(stdin)
    if child.returncode:
        raise FailureError(main_line(words) or f"git ended with {child.returncode}", place=place)
    return output


def main_line(words: bytes) -> str:
    """What git said went wrong, without its label: the first line that has one, before all advice; else the last."""
    lines = words.decode(errors="replace").strip().splitlines()
    line = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[-1] if lines else "")
    return line.removeprefix("fatal: ").removeprefix("error: ")
