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
    from collections.abc import Iterator

STDERR = 2


@contextmanager
def edited(text: bytes, name: str, *, aside: bool) -> Iterator[bytes]:
    """The text as the editor left it, to be used within the block.

    The file has the given name, by which editors know how to show it. It is gone afterwards; but if the block refuses
    what was written, it stays, and the error says where: nobody should have to write it twice. With `aside` the
    editor's output goes to stderr, because stdout is for something else.
    """
    command = _editor()
    directory = Path(tempfile.mkdtemp(prefix="casvault-edit-"))
    keep = False
    try:
        file = directory / (os.path.basename(name) or "conflict")
        file.write_bytes(text)
        _run([*command, str(file)], aside=aside)
        content = file.read_bytes()
        if content == text:
            raise RefusedError("nothing was changed in the editor, so nothing is settled", place=name)
        try:
            yield content
        except CasvaultError as error:
            keep = True
            error.remedy = f"{error.remedy or 'see above'}; what you wrote is in {file}, for --file"
            raise
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


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


def _run(command: list[str], *, aside: bool) -> None:
    try:
        code = subprocess.run(command, check=False, stdout=STDERR if aside else None).returncode
    except OSError as error:
        raise FailureError(
            f"the editor cannot be started: {error.strerror}", place=command[0], remedy="set VISUAL or EDITOR"
        ) from error
    if code != 0:
        raise FailureError(f"the editor ended with code {code}, so nothing is settled", place=command[0])
