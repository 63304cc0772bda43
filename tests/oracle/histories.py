"""The histories on which merge bases are compared with git's, and how git is asked.

*Small* ones are all that have `size` commits, by number: of the number's bits the lowest says whether commit 1 has the
parent 0, the next two whether commit 2 has the parents 0 and 1, and so on. *Drawn* ones have up to 60 commits and
follow from their number alone, on every version of Python.
"""

from __future__ import annotations

import subprocess
from hashlib import shake_256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SMALL_SIZES = range(2, 7)
DRAWN = 2_000
MAX_DRAWN = 60

History = list[list[int]]
"""Parents by number, each smaller than its child."""


def count_small(size: int) -> int:
    return 1 << size * (size - 1) // 2


def small(size: int, number: int) -> History:
    parents: History = []
    for commit in range(size):
        parents.append([parent for parent in range(commit) if number >> parent & 1])
        number >>= commit
    return parents


class Draw:
    """Numbers that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._bytes = iter(shake_256(seed.encode()).digest(1 << 13))

    def below(self, end: int) -> int:
        return int.from_bytes(bytes(next(self._bytes) for _ in range(4)), "big") % end


def drawn(number: int) -> History:
    """Chains, forks, merges, now and then an octopus or another root; sometimes wide, sometimes narrow."""
    draw = Draw(f"history {number}")
    size = 2 + draw.below(MAX_DRAWN - 1)
    reach = (3, 6, 12, 60)[draw.below(4)]
    parents: History = []
    for commit in range(size):
        wanted = (0, *[1] * 20, *[2] * 30, 3, 3)[draw.below(53)]
        candidates = list(range(max(0, commit - reach), commit))
        own = [candidates.pop(draw.below(len(candidates))) for _ in range(min(wanted, len(candidates)))]
        parents.append(own)
    return parents


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, input=stdin, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode()


def write_repository(directory: Path, histories: Sequence[History]) -> list[list[str]]:
    """The ids of each history's commits in a new repository that holds all of them."""
    git(directory, "init", "-q", "--bare", ".")
    lines: list[str] = []
    mark = 0
    for number, parents in enumerate(histories):
        draw = Draw(f"dates {number}")
        first = mark + 1
        for own in parents:
            mark += 1
            # A branch at its beginning, so that a commit has the parents that are named and no others.
            lines += ["reset refs/heads/last", "commit refs/heads/last", f"mark :{mark}"]
            # Dates are drawn too, so that an answer that trusts them is wrong.
            lines += [f"committer c <c@x> {draw.below(10**9)} +0000", f"data <<E\n{mark}\nE\n"]
            lines += [f"{'merge' if at else 'from'} :{first + parent}" for at, parent in enumerate(own)]
            lines.append("")
    git(directory, "fast-import", "--quiet", "--force", "--export-marks=marks", stdin="\n".join(lines).encode())
    marks = dict(line.split() for line in (directory / "marks").read_text().splitlines())
    names = iter(marks[f":{each}"] for each in range(1, mark + 1))
    return [[next(names) for _ in parents] for parents in histories]


def ask_merge_bases(directory: Path, names: Sequence[str]) -> list[int]:
    """Git's merge bases of the last two commits, by number."""
    found = git(directory, "merge-base", "--all", *names[-2:]).split()
    return sorted(names.index(name) for name in found)
