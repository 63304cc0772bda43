"""Writes the merges of releases that casvault and git show differently to release_differences.txt, with the reason.

    CASVAULT_RELEASES=DIRECTORY python -m tests.oracle.make_release_differences

after `python -m tests.oracle.make_release_merges`. A line for each merge: the project, the releases that are base, ours
and theirs, the reason, and the files. All have in common that git's merge is casvault's as soon as casvault takes the
pairs of equal lines that git takes (see pairs.py); the reasons say more of the two choices, see `Reason`.
"""

from __future__ import annotations

import subprocess
import tempfile
from enum import Enum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from casvault.merge.conflict import TreeMerge
from casvault.merge.content import mark_up
from casvault.merge.markup import mark_up_tree
from casvault.merge.trees import merge_states
from casvault.objects import FILE_MODES, Root, read_blob
from casvault.text.change import line_changes
from casvault.text.lines import split_lines
from casvault.text.markers import Labels, Style
from casvault.trees import empty_root
from tests.oracle.git_trees import STORE, files_of, git_id, state_of
from tests.oracle.make_release_merges import Answer, ReleaseMerge, read_answers
from tests.oracle.make_tree_merges import DIGITS
from tests.oracle.pairs import Compare, histogram, pairs_of_git
from tests.oracle.presentation import plain, plain_text
from tests.oracle.releases import find_cache, read_state

DIFFERENCES = Path(__file__).with_name("release_differences.txt")
LABELS = Labels(b"base", b"ours", b"theirs")


class Reason(Enum):
    MERGE_FILE = "as-merge-file"
    """`git merge-file`, which compares by Myers' diff and not by the histogram, shows these files as casvault does."""
    MORE = "more-pairs"
    """casvault finds more equal lines between base and sides than the histogram does in a file, and fewer in none."""
    AS_MANY = "as-many-pairs"
    """Of equally many equal lines casvault takes other ones."""
    FEWER = "fewer-pairs"
    """casvault finds fewer equal lines in a file: a large one, which it has cut at lines that occur once."""


class Texts(NamedTuple):
    base: bytes
    ours: bytes
    theirs: bytes


@cache
def release(project: str, name: str) -> Root:
    place = find_cache()
    assert place is not None
    return state_of(read_state(place, project, name))


def merge(asked: ReleaseMerge) -> TreeMerge:
    return merge_states(STORE, *(release(asked.project, name) for name in asked[1:]))


def answer(asked: ReleaseMerge) -> Answer:
    """What casvault makes of a merge, in the form of git's answers."""
    merged = merge(asked)
    if merged.is_clean:
        return (git_id(merged.state or empty_root()).hex()[:DIGITS],)
    shown = (mark_up_tree(STORE, merged, LABELS, style) or empty_root() for style in Style)
    return tuple("!" + git_id(state_of(plain(files_of(tree)))).hex()[:DIGITS] for tree in shown)


def find_reason(asked: ReleaseMerge) -> tuple[Reason, list[str]]:
    """Of a merge that is not git's, but is with git's pairs: the reason, and the files that are concerned."""
    texts = contested(merge(asked))
    own = {path: mark_up(*each, LABELS) for path, each in texts.items()}
    with pairs_of_git():
        texts |= contested(merge(asked))
        other = {path: mark_up(*each, LABELS) for path, each in texts.items()}
    files = sorted(path for path in texts if own.get(path, mark_up(*texts[path], LABELS)) != other[path])
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if all(merge_file(place, texts[path]) == plain_text(mark_up(*texts[path], LABELS) or b"") for path in files):
            return Reason.MERGE_FILE, files
        more = [count_pairs(texts[path], line_changes) - count_pairs(texts[path], histogram(place)) for path in files]
    if min(more) < 0:
        return Reason.FEWER, files
    return Reason.MORE if max(more) > 0 else Reason.AS_MANY, files


def contested(merged: TreeMerge) -> dict[str, Texts]:
    """The texts of which merges are shown."""
    found = {}
    for conflict in merged.conflicts:
        base, ours, theirs = conflict[2:5]
        if base is None or ours is None or theirs is None:
            continue
        if all(state.mode in FILE_MODES for state in (base, ours, theirs)):
            found[conflict.path.decode()] = Texts(*(read_blob(STORE, state.id) for state in (base, ours, theirs)))
    return found


def merge_file(place: Path, texts: Texts) -> bytes:
    for name, content in zip(Texts._fields, texts, strict=True):
        (place / name).write_bytes(content)
    command = [
        "git",
        "merge-file",
        "-p",
        "--diff3",
        "-L",
        "ours",
        "-L",
        "base",
        "-L",
        "theirs",
        "ours",
        "base",
        "theirs",
    ]
    done = subprocess.run(command, cwd=place, capture_output=True, check=False)
    assert 0 <= done.returncode < 128, done.stderr
    return plain_text(done.stdout)


def count_pairs(texts: Texts, compare: Compare) -> int:
    """How many lines of the base both sides still have, side by side."""
    base, ours, theirs = map(split_lines, texts)
    changes = [*compare(base, ours), *compare(base, theirs)]
    return 2 * len(base) - sum(change.old_end - change.old_start for change in changes)


def read_differences() -> dict[ReleaseMerge, tuple[Reason, list[str]]]:
    rows = [line.split() for line in DIFFERENCES.read_text().splitlines()]
    return {ReleaseMerge(*row[:4]): (Reason(row[4]), row[5:]) for row in rows}


def main() -> None:
    rows = []
    for asked, words in read_answers().items():
        if answer(asked) != words:
            reason, files = find_reason(asked)
            rows.append(" ".join((*asked, reason.value, *files)) + "\n")
    DIFFERENCES.write_text("".join(rows))


if __name__ == "__main__":
    main()
