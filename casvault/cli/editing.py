"""A text in the user's editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from casvault.cli.environment import read_editor
from casvault.errors import CasvaultError, FailureError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

STDERR = 2


def edited(text: bytes, name: str, *, aside: bool) -> AbstractContextManager[bytes]:
    """The text as the editor left it, to be used within the block; see `written`."""
    command = _editor()

    def run(file: Path) -> None:
        run_program([*command, str(file)], "the editor", aside=aside, remedy="set VISUAL or EDITOR")

    return written(text, name, "in the editor", run)


@contextmanager
def written(text: bytes, name: str, where: str, work: Callable[[Path], None]) -> Iterator[bytes]:
    """What became of a text in a file that somebody worked on, to be used within the block.

    The file has the given name, by which editors know how to show it. It is gone afterwards; but if the block refuses
    what was written, it stays, and the error says where: nobody should have to write it twice.
    """
    directory = Path(tempfile.mkdtemp(prefix="casvault-edit-"))
    keep = False
    try:
        file = directory / (os.path.basename(name) or "conflict")
        file.write_bytes(text)
        work(file)
        content = _read(file)
        if content == text:
            raise RefusedError(f"nothing was changed {where}, so nothing is settled", place=name)
        try:
            yield content
        except CasvaultError as error:
            keep = True
            error.remedy = f"{error.remedy or 'see above'}; what you wrote is in {file}, for --file"
            raise
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


def run_program(
    command: list[str],
    what: str,
    *,
    aside: bool,
    variables: Mapping[str, str] | None = None,
    remedy: str | None = None,
) -> None:
    """Run a program to its end; with `aside` its output goes to stderr, because stdout is for something else."""
    environment = None if variables is None else {**os.environ, **variables}
    try:
        code = subprocess.run(command, check=False, stdout=STDERR if aside else None, env=environment).returncode
    except OSError as error:
        raise FailureError(f"{what} cannot be started: {error.strerror}", place=command[0], remedy=remedy) from error
    if code != 0:
        raise FailureError(f"{what} ended with code {code}, so nothing is settled", place=command[0])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FailureError(f"the result cannot be read: {error.strerror}", place=str(file)) from error


def _editor() -> list[str]:
    line = read_editor()
    if line is None:
        raise UsageError("no editor is known", remedy="set VISUAL or EDITOR, or give the result with --file")
    try:
        command = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the editor is no command line: {error}", place=line) from error
    if not command:
        raise UsageError("the editor is no command line", place=repr(line))
    return command
