"""Writes what git makes of every pair of changes to tree_merges.txt.

    python -m tests.oracle.make_tree_merges

A line for each change of ours, a word for each of theirs in the same order: the first hex digits of the id of the tree
that `git merge-tree --write-tree` prints, behind an exclamation mark if it has conflicts.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.oracle.tree_changes import BASE, CHANGES, Files, changed

ANSWERS = Path(__file__).with_name("tree_merges.txt")
DIGITS = 10
OPTIONS = ("merge.directoryRenames=true", "merge.conflictStyle=merge")


def write_repository(directory: Path) -> None:
    """A bare repository with a branch for each change."""
    subprocess.run(["git", "init", "-q", "--bare", "."], cwd=directory, check=True)
    stream = b"".join([_commit("base", BASE), *(_commit(name, changed(name)) for name in CHANGES)])
    subprocess.run(["git", "fast-import", "--quiet"], cwd=directory, input=stream, check=True)


def _commit(name: str, files: Files) -> bytes:
    lines = [b"commit refs/heads/%s\n" % name.encode()]
    lines += [b"mark :1\n"] if name == "base" else []
    lines += [b"committer c <c@x> 0 +0000\ndata 0\n"]
    lines += [] if name == "base" else [b"from :1\n"]
    lines += [b"deleteall\n"]
    for path, file in files.items():
        lines += [b"M %06o inline %s\n" % (file.mode, path.encode())]
        lines += [b"data %d\n" % len(file.content), file.content, b"\n"]
    return b"".join(lines)


def ask(directory: Path, ours: str, theirs: str) -> str:
    """The word for a merge."""
    command = ["git", *(part for option in OPTIONS for part in ("-c", option)), "merge-tree", "--write-tree", "-z"]
    done = subprocess.run([*command, ours, theirs], cwd=directory, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    tree = done.stdout.partition(b"\0")[0].strip().decode()
    return "!" * done.returncode + tree[:DIGITS]


def ask_all(directory: Path, pairs: Iterable[tuple[str, str]]) -> list[str]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda pair: ask(directory, *pair), pairs))


def read_answers() -> dict[tuple[str, str], str]:
    rows = [line.split() for line in ANSWERS.read_text().splitlines()]
    assert [row[0] for row in rows] == list(CHANGES), "the changes are not those that git was asked about"
    return {(row[0], theirs): word for row in rows for theirs, word in zip(CHANGES, row[1:], strict=True)}


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        write_repository(Path(place))
        rows = ([ours, *ask_all(Path(place), [(ours, theirs) for theirs in CHANGES])] for ours in CHANGES)
        ANSWERS.write_text("".join(" ".join(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
