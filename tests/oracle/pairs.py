"""The merge of casvault with the pairs of lines that git takes for equal.

`git merge-tree` compares by the histogram of lines, `git merge-file` by Myers' diff, casvault by longest common
subsequences. Of three texts without much in common each may pair other lines, and so see other conflicts. If a merge
is git's as soon as the pairs are git's, then there is no other difference.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from casvault.merge import content
from casvault.text import markers, merge3
from casvault.text.change import Change

HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
DIFF = ("git", "diff", "--no-index", "--text", "--unified=0", "--no-color", "--no-indent-heuristic")

Compare = Callable[[Sequence[bytes], Sequence[bytes]], list[Change]]


@contextmanager
def pairs_of_git() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        compare = histogram(Path(place))
        patch.setattr(merge3, "line_changes", compare)
        patch.setattr(markers, "line_changes", compare)
        patch.setattr(content, "merge_apart", lambda *texts: None)
        yield


def histogram(place: Path) -> Compare:
    """The changes between two lists of lines that `git diff --histogram` names."""

    @cache
    def ask(old: bytes, new: bytes) -> list[Change]:
        (place / "old").write_bytes(old)
        (place / "new").write_bytes(new)
        command = [*DIFF, "--diff-algorithm=histogram", "old", "new"]
        done = subprocess.run(command, cwd=place, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return [_change(*found.groups()) for found in HUNK.finditer(done.stdout)]

    return lambda old, new: ask(b"".join(old), b"".join(new))


def _change(old: bytes, old_size: bytes | None, new: bytes, new_size: bytes | None) -> Change:
    """From line numbers, where a side without lines names the line before."""
    (old_start, old_end), (new_start, new_end) = _span(old, old_size), _span(new, new_size)
    return Change(old_start, old_end, new_start, new_end)


def _span(line: bytes, size: bytes | None) -> tuple[int, int]:
    length = 1 if size is None else int(size)
    start = int(line) - (length > 0)
    return start, start + length
