"""Writes what git makes of the last two commits of each criss-cross history to criss_crosses.txt.

    python -m tests.oracle.make_criss_crosses

A line for each history: how many merge bases the two commits have, and the first hex digits of the id of the tree that
`git merge-tree --write-tree` prints, with markers in one form (see presentation.py) and behind an exclamation mark if
it has conflicts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from casvault.text.markers import Style
from tests.oracle.criss_cross import HISTORIES, State, history
from tests.oracle.git_trees import git_id, state_of
from tests.oracle.make_release_merges import git, merge_tree, read_tree
from tests.oracle.make_tree_merges import DIGITS
from tests.oracle.presentation import plain

ANSWERS = Path(__file__).with_name("criss_crosses.txt")


class Answer(NamedTuple):
    bases: int
    tree: str


def write_repository(directory: Path, histories: Mapping[int, list[State]]) -> None:
    """All histories in one repository; the last two commits of each are `N/ours` and `N/theirs`."""
    git(directory, "init", "-q", "--bare", ".")
    stream = b"".join(_commits(number, commits) for number, commits in histories.items())
    git(directory, "fast-import", "--quiet", stdin=stream)


def _commits(number: int, commits: list[State]) -> bytes:
    lines = []
    for at, (files, parents) in enumerate(commits):
        side = {len(commits) - 2: b"ours", len(commits) - 1: b"theirs"}.get(at, b"%d" % at)
        lines += [b"reset refs/heads/%d/%s\n" % (number, side), b"commit refs/heads/%d/%s\n" % (number, side)]
        lines += [b"mark :%d\n" % (1000 * number + at + 1), b"committer c <c@x> %d +0000\ndata 0\n" % (at + 1)]
        marks = [b":%d\n" % (1000 * number + parent + 1) for parent in parents]
        lines += [key + mark for key, mark in zip((b"from ", b"merge ", b"merge "), marks, strict=False)]
        lines += [b"deleteall\n"]
        for path, file in files.items():
            lines += [b"M %06o inline %s\n" % (file.mode, path.encode())]
            lines += [b"data %d\n" % len(file.content), file.content, b"\n"]
    return b"".join(lines)


def ask(directory: Path, number: int) -> Answer:
    for side in ("ours", "theirs"):
        git(directory, "update-ref", f"refs/heads/{side}", f"refs/heads/{number}/{side}")
    bases = git(directory, "merge-base", "--all", "ours", "theirs").split()
    clean, tree = merge_tree(directory, Style.MERGE)
    shown = git_id(state_of(plain(read_tree(directory, tree)))).hex()[:DIGITS]
    return Answer(len(bases), "!" * (not clean) + shown)


def ask_all(directory: Path, histories: Mapping[int, list[State]]) -> list[Answer]:
    write_repository(directory, histories)
    return [ask(directory, number) for number in histories]


def read_answers() -> list[Answer]:
    rows = [line.split() for line in ANSWERS.read_text().splitlines()]
    return [Answer(int(bases), tree) for bases, tree in rows]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        answers = ask_all(Path(place), {number: history(number) for number in range(HISTORIES)})
    ANSWERS.write_text("".join(f"{bases} {tree}\n" for bases, tree in answers))


if __name__ == "__main__":
    main()
