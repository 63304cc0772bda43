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
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from benchmarks.datasets import SCALE, workplace
from casvault import Vault
from casvault.merge.trees import TreeMerge, merge_states

if TYPE_CHECKING:
    from collections.abc import Callable

    from casvault.objects import Root

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


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def _timed_process(command: list[str], directory: Path) -> tuple[float, str]:
    seconds, done = _timed(lambda: subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True))
    return seconds, done.stdout


def compare(place: Path, data: WideMerge, rounds: int) -> dict[str, list[float]]:
    sides = data.generate()
    write_git(place / "git", sides)
    roots = write_vault(place / "vault", sides)
    stored = _stored(place)
    times: dict[str, list[float]] = {"git merge-tree": [], "casvault, in process": [], "casvault merge-tree": []}
    for _ in range(rounds):
        times["git merge-tree"].append(_timed_process(GIT, place / "git")[0])
        vault = Vault.open(place / "vault")
        assert vault.find_ref("branches/base") is not None
        seconds, merged = _timed(partial(merge_in_process, vault, roots))
        times["casvault, in process"].append(seconds)
        assert merged.is_clean
        _forget(place, stored)
        seconds, printed = _timed_process(CASVAULT, place / "vault")
        times["casvault merge-tree"].append(seconds)
        assert printed.split() == ["clean", merged.state.id.hex()]
        _forget(place, stored)
    return times


def _stored(place: Path) -> set[Path]:
    """The packs and loose objects that there are."""
    return {path for each in ("git/objects", "vault/.casvault/packs") for path in (place / each).rglob("*")}


def _forget(place: Path, stored: set[Path]) -> None:
    """Remove the results of the last merge, which nothing refers to, so that the next one has to store its own."""
    for path in _stored(place) - stored:
        if path.is_file():
            path.unlink()


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
    for name, seconds in times.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds, git, strict=True)]
        spread = f"{min(seconds) * 1000:.0f} – {max(seconds) * 1000:.0f} ms"
        print(f"  {name:<24}{median(seconds) * 1000:>7.0f} ms{spread:>20}   {median(ratios):.2f} × git")


if __name__ == "__main__":
    main()
