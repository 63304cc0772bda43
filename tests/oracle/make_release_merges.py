"""Writes what git makes of merges of neighbouring releases to release_merges.txt.

    CASVAULT_RELEASES=DIRECTORY python -m tests.oracle.make_release_merges

after `python -m tests.oracle.releases`. A line for each merge: the project, the releases that are base, ours and
theirs, and the first hex digits of the id of the tree that `git merge-tree --write-tree` prints. If it has conflicts
there are three of them, each behind an exclamation mark: for `merge.conflictStyle` merge, diff3 and zdiff3, of the tree
with markers in one form (see presentation.py).
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from casvault.text.markers import Style
from tests.oracle.git_trees import git_id, state_of
from tests.oracle.make_tree_merges import DIGITS
from tests.oracle.presentation import plain
from tests.oracle.releases import VERSIONS, find_cache, read_state
from tests.oracle.tree_changes import File, Files

ANSWERS = Path(__file__).with_name("release_merges.txt")

Answer = tuple[str, ...]
"""The word for a clean merge, or one for each style."""


class ReleaseMerge(NamedTuple):
    project: str
    base: str
    ours: str
    theirs: str


def iter_merges() -> Iterator[ReleaseMerge]:
    """Every merge of neighbours that is more than a fast-forward.

    The hunks of one step between two releases, dealt out to two branches. And, of four releases in a row, 1 2 3 4:
    2 is taken back in 3 (base 2, ours 3, theirs 1); 2 and 3 are two branches of 1; what 4 has new is taken over into 1
    (base 3, ours 1, theirs 4), and what 3 has new into 4, which has it already (base 2, ours 4, theirs 3).
    """
    for project, versions in VERSIONS.items():
        for first, second in pairwise(versions):
            yield ReleaseMerge(project, first, f"{first}-{second}-even", f"{first}-{second}-odd")
        for first, second, third in zip(versions, versions[1:], versions[2:], strict=False):
            yield ReleaseMerge(project, second, third, first)
            yield ReleaseMerge(project, first, second, third)
        for first, second, third, fourth in zip(versions, versions[1:], versions[2:], versions[3:], strict=False):
            yield ReleaseMerge(project, third, first, fourth)
            yield ReleaseMerge(project, second, fourth, third)


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> str:
    command = ["git", "-c", "user.name=c", "-c", "user.email=c@x", *arguments]
    return subprocess.run(command, cwd=directory, input=stdin, capture_output=True, check=True).stdout.decode().strip()


def write_repository(directory: Path, cache: Path, project: str) -> None:
    """A repository with a commit per release and per half of a step, and a tag for each."""
    git(directory, "init", "-q", "--bare", ".")
    names = dict.fromkeys(name for merge in iter_merges() if merge.project == project for name in merge[1:])
    stream = b"".join(_commit(name, read_state(cache, project, name)) for name in names)
    git(directory, "fast-import", "--quiet", stdin=stream)


def _commit(name: str, files: Files) -> bytes:
    lines = [b"commit refs/heads/main\ncommitter c <c@x> 0 +0000\n"]
    lines += [b"data %d\n%s\ndeleteall\n" % (len(name), name.encode())]
    for path, file in files.items():
        lines += [b"M %06o inline %s\n" % (file.mode, path.encode())]
        lines += [b"data %d\n" % len(file.content), file.content, b"\n"]
    return b"".join([*lines, b"reset refs/tags/%s\nfrom refs/heads/main\n\n" % name.encode()])


def ask(directory: Path, merge: ReleaseMerge) -> Answer:
    """Git's words for a merge. The base has to be the merge base of both sides, so that commits are made for it."""
    write_sides(directory, merge)
    clean, tree = merge_tree(directory, Style.MERGE)
    if clean:
        return (tree[:DIGITS],)
    trees = (tree, *(merge_tree(directory, style)[1] for style in Style if style is not Style.MERGE))
    return tuple("!" + git_id(state_of(plain(read_tree(directory, tree)))).hex()[:DIGITS] for tree in trees)


def write_sides(directory: Path, merge: ReleaseMerge) -> None:
    base = _write_commit(directory, merge.base)
    for side, name in (("ours", merge.ours), ("theirs", merge.theirs)):
        git(directory, "update-ref", f"refs/heads/{side}", _write_commit(directory, name, "-p", base))


def merge_tree(directory: Path, style: Style) -> tuple[bool, str]:
    """Whether the sides merge cleanly, and the tree."""
    options = ("-c", "merge.directoryRenames=true", "-c", f"merge.conflictStyle={style.value}")
    command = ["git", *options, "merge-tree", "--write-tree", "-z", "ours", "theirs"]
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0, done.stdout.partition(b"\0")[0].strip().decode()


def read_tree(directory: Path, tree: str) -> Files:
    rows = [line.split("\t") for line in git(directory, "ls-tree", "-r", "-z", tree).split("\0") if line]
    heads = [(path, *head.split()) for head, path in rows]
    wanted = "".join(f"{oid}\n" for *_, oid in heads).encode()
    command = ["git", "cat-file", "--batch", "--buffer"]
    data = subprocess.run(command, cwd=directory, input=wanted, capture_output=True, check=True).stdout
    files: Files = {}
    at = 0
    for path, mode, *_ in heads:
        start = data.index(b"\n", at) + 1
        end = start + int(data[at:start].split()[2])
        files[path] = File(data[start:end], int(mode, 8))
        at = end + 1
    return files


def _write_commit(directory: Path, version: str, *options: str) -> str:
    return git(directory, "commit-tree", *options, "-m", version, f"{version}^{{tree}}")


def ask_all(directory: Path, cache: Path, merges: Iterable[ReleaseMerge]) -> dict[ReleaseMerge, Answer]:
    """Git's words, with a repository for each project in the directory."""
    answers = {}
    for merge in merges:
        repository = directory / merge.project
        if not repository.exists():
            repository.mkdir()
            write_repository(repository, cache, merge.project)
        answers[merge] = ask(repository, merge)
    return answers


def read_answers() -> dict[ReleaseMerge, Answer]:
    rows = [line.split() for line in ANSWERS.read_text().splitlines()]
    return {ReleaseMerge(*row[:4]): tuple(row[4:]) for row in rows}


def main() -> None:
    cache = find_cache()
    assert cache is not None, "set CASVAULT_RELEASES to the directory of the releases"
    with tempfile.TemporaryDirectory() as place:
        answers = ask_all(Path(place), cache, iter_merges())
    ANSWERS.write_text("".join(" ".join((*merge, *words)) + "\n" for merge, words in answers.items()))


if __name__ == "__main__":
    main()
