"""Tree merges by casvault and by git: in process, and as whole processes.

    python -m benchmarks.merges --scale 1.0 --rounds 7

The same trees and changes on both sides: edits, additions, removals and renames, of which some meet an edit of the
other side. Both read through a warm page cache, and git's objects are packed, as casvault's are. In process means with
the vault open: the packs' indexes are read, but no object has been. Both store the result, anew in each round.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from benchmarks.datasets import SCALE, workplace
from casvault import Vault
from casvault.merge.trees import TreeMerge, merge_states

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.objects import Root

T = TypeVar("T")
Files = dict[str, bytes]
Roots = tuple["Root", "Root", "Root"]
SCRIPT = str(Path(sys.executable).with_name("casvault"))
GIT = ["git", "merge-tree", "--write-tree", "ours", "theirs"]
CASVAULT = [*shlex.split(SCRIPT), "merge-tree", "branches/ours", "branches/theirs"]


class Sides(NamedTuple):
    """Whole trees, as files by path."""

    base: Files
    ours: Files
    theirs: Files


@dataclass(frozen=True)
class WideMerge:
    """A tree of directories of small files, changed on both sides."""

    files: int = 100_000
    files_each: int = 10
    changes: int = 1_000
    seed: int = 6

    def scaled(self, scale: float) -> Self:
        return replace(self, files=max(1_000, round(self.files * scale)), changes=max(40, round(self.changes * scale)))

    def path(self, number: int) -> str:
        directory, rest = divmod(number, self.files_each)
        return f"group-{directory // 100:03d}/unit-{directory:05d}/part-{rest}.md"

    def generate(self) -> Sides:
        rng = random.Random(self.seed)
        base = {self.path(number): _text(number) for number in range(self.files)}
        picked = rng.sample(range(self.files), 2 * self.changes)
        ours, theirs = dict(base), dict(base)
        self._change(ours, picked[: self.changes], "ours", 0)
        self._change(theirs, picked[self.changes :], "theirs", -1)
        for number in picked[: self.changes : 20]:
            # Every twentieth file, which ours renamed or edited, was edited by theirs as well, somewhere else.
            _edit(theirs, self.path(number), -1, "theirs")
        return Sides(base, ours, theirs)

    def _change(self, files: Files, numbers: list[int], side: str, line: int) -> None:
        """Of forty files one is renamed and edited, two are removed, four are added, the others edited."""
        for turn, number in enumerate(numbers):
            path = self.path(number)
            match turn % 20:
                case 0:
                    _edit(files, path, line, side)
                    if turn % 40 == 0:
                        files[path.replace("part-", f"renamed-by-{side}-")] = files.pop(path)
                case 1:
                    del files[path]
                case 2 | 3:
                    files[path.replace("part-", f"new-{side}-")] = _text(-number)
                case _:
                    _edit(files, path, line, side)


def _text(number: int) -> bytes:
    return "".join(f"line {line} of file {number}\n" for line in range(12)).encode()


def _edit(files: Files, path: str, line: int, side: str) -> None:
    lines = files[path].splitlines(keepends=True)
    lines[line] = f"edited by {side}\n".encode()
    files[path] = b"".join(lines)


def write_git(directory: Path, sides: Sides) -> None:
    """A bare repository with a branch for each tree, packed."""
    directory.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", "."], cwd=directory, check=True)
    lines: list[bytes] = []
    for name, files in sides._asdict().items():
        before = {} if name == "base" else sides.base
        lines.append(b"commit refs/heads/%s\ncommitter b <b@example.org> 0 +0000\ndata 0\n" % name.encode())
        lines.append(b"" if name == "base" else b"from refs/heads/base\n")
        lines += [b"D %s\n" % path.encode() for path in before.keys() - files.keys()]
        changed = ((path, content) for path, content in files.items() if before.get(path) != content)
        lines += [b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text) for path, text in changed]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=directory, input=b"".join(lines), check=True)
    subprocess.run(["git", "repack", "-adq"], cwd=directory, check=True)


def write_vault(directory: Path, sides: Sides) -> Roots:
    """A vault with a ref for each tree; the trees."""
    directory.mkdir()
    Vault.init(directory)
    with Vault.open(directory).transaction() as tx:
        roots = [tx.write_directory(files) for files in sides]
        base = tx.write_commit(roots[0])
        tx.set_ref("branches/base", base)
        for name, root in zip(("ours", "theirs"), roots[1:], strict=True):
            tx.set_ref(f"branches/{name}", tx.write_commit(root, [base]))
    return roots[0], roots[1], roots[2]


def merge_in_process(vault: Vault, roots: Roots) -> TreeMerge:
    """Merge and store the result, as `git merge-tree` does."""
    stage = vault._repository.begin()
    try:
        merged = merge_states(stage, *roots)
        stage.publish()
    finally:
        stage.discard()
    return merged


class Spent(NamedTuple):
    """Seconds by the clock, and of processor time, children included."""

    wall: float
    cpu: float

    def over(self, other: Spent) -> Spent:
        return Spent(self.wall / other.wall, self.cpu / other.cpu)


def timed(action: Callable[[], T]) -> tuple[Spent, T]:
    wall, cpu = time.perf_counter(), _processor_time()
    result = action()
    return Spent(time.perf_counter() - wall, _processor_time() - cpu), result


def _processor_time() -> float:
    """What this process and the children that have ended took, to the microsecond, which os.times() does not say."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


class Trees:
    """The same trees for git and for casvault; every merge has to store its own result."""

    def __init__(self, place: Path, data: WideMerge) -> None:
        place.mkdir(exist_ok=True)
        self._place = place
        sides = data.generate()
        write_git(place / "git", sides)
        self._roots = write_vault(place / "vault", sides)
        self._stored = self._objects()

    def merge_with_git(self) -> Spent:
        return self._process(GIT, "git")[0]

    def merge_in_process(self) -> tuple[Spent, Root]:
        """With the merged tree."""
        vault = Vault.open(self._place / "vault")
        assert vault.find_ref("branches/base") is not None
        spent, merged = timed(partial(merge_in_process, vault, self._roots))
        assert merged.is_clean
        assert merged.state is not None
        self._forget()
        return spent, merged.state

    def merge_in_a_process(self) -> tuple[Spent, str]:
        """With what it prints."""
        return self._process(CASVAULT, "vault")

    def _process(self, command: list[str], name: str) -> tuple[Spent, str]:
        run = partial(subprocess.run, command, cwd=self._place / name, check=True, capture_output=True, text=True)
        spent, done = timed(run)
        self._forget()
        return spent, done.stdout

    def _objects(self) -> set[Path]:
        """The packs and loose objects that there are."""
        return {path for each in ("git/objects", "vault/.casvault/packs") for path in (self._place / each).rglob("*")}

    def _forget(self) -> None:
        """Remove the result of the last merge, which nothing refers to."""
        for path in self._objects() - self._stored:
            if path.is_file():
                path.unlink()


def compare(place: Path, data: WideMerge, rounds: int) -> dict[str, list[Spent]]:
    trees = Trees(place, data)
    times: dict[str, list[Spent]] = {"git merge-tree": [], "casvault, in process": [], "casvault merge-tree": []}
    for _ in range(rounds):
        times["git merge-tree"].append(trees.merge_with_git())
        spent, merged = trees.merge_in_process()
        times["casvault, in process"].append(spent)
        spent, printed = trees.merge_in_a_process()
        times["casvault merge-tree"].append(spent)
        assert printed.split() == ["clean", merged.id.hex()]
    return times


def ratio(mine: list[Spent], others: list[Spent]) -> Spent:
    """The medians of the ratios of each round."""
    ratios = [one.over(other) for one, other in zip(mine, others, strict=True)]
    return Spent(median(each.wall for each in ratios), median(each.cpu for each in ratios))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merges", description="tree merges beside git")
    parser.add_argument("--scale", type=float, default=SCALE, help="1.0: 100,000 files, 1,000 changes a side")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    data = WideMerge().scaled(options.scale)
    with workplace() as place:
        times = compare(place, data, options.rounds)
    git = times["git merge-tree"]
    print(f"{data.files:,} files, {data.changes:,} changes a side, {options.rounds} rounds, ", end="")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"  {'':<24}{'by the clock':>14}{'spread':>20}{'processor time':>18}    × git: clock, processor")
    for name, spent in times.items():
        walls = [each.wall * 1000 for each in spent]
        cpu = median(each.cpu * 1000 for each in spent)
        over = ratio(spent, git)
        spread = f"{min(walls):.0f} – {max(walls):.0f} ms"
        print(f"  {name:<24}{median(walls):>11.0f} ms{spread:>20}{cpu:>15.0f} ms{over.wall:>14.2f}{over.cpu:>12.2f}")


if __name__ == "__main__":
    main()
