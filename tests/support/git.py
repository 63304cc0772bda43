"""Git as the oracle: repositories with everything that git can hold, made with git's own plumbing."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle and is not installed")

WHO = b"Ann <ann@example.org> 1700000000 +0100"


class Git:
    """A repository without a worktree."""

    def __init__(self, path: Path, form: str = "sha1") -> None:
        self.path = path
        if not path.exists():
            subprocess.run(["git", "init", "-q", "--bare", f"--object-format={form}", str(path)], check=True)

    def run(self, *arguments: str, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> str:
        names = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        command = ["git", f"--git-dir={self.path}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        assert done.returncode in ok, done.stderr
        return done.stdout.decode(errors="surrogateescape").strip()

    def hash(self, kind: str, content: bytes) -> str:
        """Write an object, whatever git thinks of it."""
        return self.run("hash-object", "-t", kind, "-w", "--literally", "--stdin", stdin=content)

    def blob(self, content: bytes) -> str:
        return self.hash("blob", content)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """A tree of these modes, names and ids, as they are and in this order."""
        parts = [mode.encode() + b" " + name + b"\0" + bytes.fromhex(git_id) for mode, name, git_id in entries]
        return self.hash("tree", b"".join(parts))

    def commit(
        self, tree: str, *parents: str, extra: bytes = b"", message: bytes = b"message\n", who: bytes = WHO
    ) -> str:
        lines = [b"tree %s\n" % tree.encode(), *(b"parent %s\n" % parent.encode() for parent in parents)]
        lines += [b"author %s\n" % who, b"committer %s\n" % WHO, extra, b"\n", message]
        return self.hash("commit", b"".join(lines))

    def tag(
        self, target: str, kind: str, name: str, *, tagger: bytes | None = WHO, message: bytes = b"tagged\n"
    ) -> str:
        tail = b"" if tagger is None else b"tagger %s\n" % tagger
        head = f"object {target}\ntype {kind}\ntag {name}\n".encode()
        return self.hash("tag", head + tail + b"\n" + message)

    def point(self, ref: str, git_id: str) -> None:
        """Set a ref, also to something that is not there."""
        place = self.path / ref
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(git_id + "\n")

    def refs(self) -> dict[str, str]:
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {name: git_id for name, _, git_id in (line.rpartition(" ") for line in lines)}

    def reachable(self) -> set[str]:
        """Every object below every ref."""
        return {line.split()[0] for line in self.run("rev-list", "--objects", "--all").splitlines()}

    def walk(self, start: str, without: str = "") -> set[str]:
        """The same for one object, in a walk of our own: git refuses to walk over some of what it stores.

        One object, and what is reached through it alone, can be left out.
        """
        found = {without}
        pending = [start]
        while pending:
            git_id = pending.pop()
            if git_id not in found:
                found.add(git_id)
                pending += self._below(git_id)
        return found - {without}

    def _below(self, git_id: str) -> list[str]:
        kind, content = self.run("cat-file", "-t", git_id), self._content(git_id)
        if kind == "tag":
            return [content.split(b"\n")[0].split()[1].decode()]
        if kind == "commit":
            heads = content.split(b"\n\n")[0].split(b"\n")
            return [line.split()[1].decode() for line in heads if line.startswith((b"tree ", b"parent "))]
        children = []
        while kind == "tree" and b"\0" in content:
            head, _, content = content.partition(b"\0")
            size = len(git_id) // 2
            if not head.startswith(b"160000"):
                children.append(content[:size].hex())
            content = content[size:]
        return children

    def _content(self, git_id: str) -> bytes:
        asked = ["git", f"--git-dir={self.path}", "cat-file", "--batch"]
        answer = subprocess.run(asked, input=git_id.encode(), capture_output=True, check=True).stdout
        return answer.partition(b"\n")[2][:-1]

    def stored(self) -> set[str]:
        """Every object that is there."""
        listed = self.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
        return set(listed.splitlines())

    def lose(self, git_id: str) -> None:
        """Remove a loose object."""
        (self.path / "objects" / git_id[:2] / git_id[2:]).unlink()

    def spoil(self, git_id: str, content: bytes = b"garbage") -> None:
        """Replace the bytes of a loose object."""
        place = self.path / "objects" / git_id[:2] / git_id[2:]
        place.chmod(0o644)
        place.write_bytes(content)
