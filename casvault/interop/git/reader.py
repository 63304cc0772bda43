"""Reading objects of a git repository, through one `git cat-file` child that is asked ahead."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, NamedTuple, Self

from casvault.errors import DamageError, FailureError
from casvault.interop.git.ids import KINDS, NAMES
from casvault.interop.git.repository import main_line, start
from casvault.limits import PIECE, STREAM_THRESHOLD

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import IO, Any, NoReturn

    from casvault.interop.git.ids import GitId
    from casvault.interop.git.repository import GitRepository
    from casvault.objects import Kind

AHEAD = 512
"""Objects asked for and not read yet. The questions fit into a pipe, so the child never blocks us while it answers."""


class GitObject(NamedTuple):
    id: GitId
    kind: Kind
    size: int
    content: bytes | None
    """None if it is so large that it comes in pieces."""


class GitReader:
    """The objects of a repository by id, each compared with its id."""

    def __init__(self, repository: GitRepository) -> None:
        self._repository = repository
        self._form = repository.format
        self._child: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._unread = 0
        """Bytes of a large object that nobody has taken yet, the line feed behind it included."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read_many(self, ids: Sequence[GitId]) -> Iterator[tuple[GitId, GitObject | None]]:
        """Each object in the order asked for; None for one that is missing or cannot be read.

        A large blob has no content: `iter_pieces` gives it, before the next object is asked for.
        """
        asked = done = 0
        try:
            for at, git_id in enumerate(ids):
                if self._child is None:
                    asked = at
                if asked - at < AHEAD // 2 and asked < len(ids):
                    until = min(at + AHEAD, len(ids))
                    self._ask(ids[asked:until])
                    asked = until
                try:
                    found = self._read(git_id)
                except _ChildDiedError:
                    found = None  # It died of this object: another child answers for the others.
                yield git_id, found
                done = at + 1
        finally:
            if done < asked:
                self._stop()  # Answers are on their way that nobody wants any more.

    def iter_pieces(self, found: GitObject) -> Iterator[bytes]:
        """The content of a large object; DamageError if it is cut off or does not have its id."""
        assert self._unread == found.size + 1
        hasher = self._form.new_hash(b"%s %d\0" % (NAMES[found.kind], found.size))
        while self._unread > 1:
            piece = self._output.read(min(PIECE, self._unread - 1))
            if not piece:
                try:
                    self._fail()
                except _ChildDiedError:
                    raise DamageError("the git object cannot be read", place=found.id.hex()) from None
            self._unread -= len(piece)
            hasher.update(piece)
            yield piece
        self._skip()
        if hasher.digest() != found.id:
            raise DamageError("the git object does not have its id", place=found.id.hex())

    def _ask(self, ids: Sequence[GitId]) -> None:
        if self._child is None:
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
            self._child = start(self._repository.command("cat-file", "--batch"), self._words.fileno())
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(b"".join([b"%s\n" % git_id.hex().encode() for git_id in ids]))
            self._child.stdin.flush()
        except BrokenPipeError:
            # It died of an object before these; reading says so.
            return

    def _read(self, git_id: GitId) -> GitObject | None:
        self._skip()
        line = self._output.readline()
        parts = line.split()
        if len(parts) == 2 and parts[1] == b"missing":
            return None
        if len(parts) != 3 or not line.endswith(b"\n"):
            self._fail()
        kind, size = KINDS[parts[1]], int(parts[2])
        if size > STREAM_THRESHOLD:
            self._unread = size + 1
            return GitObject(git_id, kind, size, None)
        content = self._output.read(size + 1)
        if len(content) != size + 1:
            self._fail()
        content = content[:-1]
        return GitObject(git_id, kind, size, content) if self._form.id_of(kind, content) == git_id else None

    def _skip(self) -> None:
        """Pass over what nobody took of a large object."""
        while self._unread:
            piece = self._output.read(min(PIECE, self._unread))
            if not piece:
                self._fail()
            self._unread -= len(piece)

    @property
    def _output(self) -> Any:
        if self._child is None or self._child.stdout is None:
            raise _ChildDiedError
        return self._child.stdout

    def _fail(self) -> NoReturn:
        """The child has ended. If it was not of its own accord, it is not the object that is to blame."""
        child, words = self._child, self._words
        assert child is not None
        assert words is not None
        child.wait()
        words.seek(0)
        said = main_line(words.read())
        self._stop()
        if child.returncode <= 0:
            raise FailureError(
                f"git cat-file ended while it was read: {said or child.returncode}", place=str(self._repository.place)
            )
        raise _ChildDiedError

    def _stop(self) -> None:
        child, self._child = self._child, None
        self._unread = 0
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    _close(pipe)
            child.wait()
        if self._words is not None:
            self._words.close()
            self._words = None


class _ChildDiedError(Exception):
    pass


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # Questions that it will not answer any more were still in the buffer.
        return
