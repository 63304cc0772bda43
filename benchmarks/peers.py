"""The same jobs by casvault, git, restic and borg, as whole processes, in one run.

    python -m benchmarks.peers --scale 0.1 --rounds 5 --json peers.json

In each round every tool does each job once, in an order that moves on from round to round, so that what else the
machine does meets all of them. A ratio is taken within its round; shown are medians and ranges. Every result is
checked: all files recorded, nothing found changed, the restored tree equal to the source.

All read their files through a warm page cache, and each has had one status run to fill its own caches before the one
that counts. casvault's snapshot makes its vault too; the other repositories stand before. git's automatic gc is off, so
that it does not run on beside the others. Peak memory is never below that of the process that measures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.datasets import SCALE, SmallFiles, digests, disk_bytes, forget, workplace

if TYPE_CHECKING:
    from collections.abc import Sequence

JOBS = {
    "snapshot": "everything for the first time (git: add -A, commit)",
    "status": "nothing has changed (restic, borg: another backup, for want of a status)",
    "restore": "everything into a new directory (git: worktree add)",
    "start": "processes that do little, against the import that casvault cannot do without",
}
IMPORT = "import typer"
SCRIPT = str(Path(sys.executable).with_name("casvault"))
CASVAULT = shlex.quote(SCRIPT)


@dataclass(frozen=True)
class Tool:
    """Shell commands, run in a directory `source` beside which `store` and `target` may be written."""

    name: str
    snapshot: str
    status: str
    """Prints nothing and succeeds where nothing has changed."""
    restore: str
    count: str
    """Prints how many files the newest snapshot has."""
    syncs: str
    """What is on the disk when a snapshot returns, as `strace` shows it."""
    program: str = ""
    prepare: str = ":"
    store: str = "store"
    environment: tuple[tuple[str, str], ...] = ()

    def is_installed(self) -> bool:
        return shutil.which(self.program or self.name) is not None


TOOLS = (
    Tool(
        "git",
        snapshot="git add -A && git commit -q -m first",
        status="git status --porcelain",
        restore="git worktree add --quiet --detach ../target HEAD",
        count="git ls-tree -r HEAD | wc -l",
        syncs="nothing: core.fsync leaves loose objects out by default",
        prepare="git init -q && git config gc.auto 0 && git config user.name bench && git config user.email bench",
        store="source/.git",
        environment=(("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", os.devnull)),
    ),
    Tool(
        "casvault",
        snapshot=f"{CASVAULT} init . --quiet",
        status=f"{CASVAULT} status --exit-code --quiet",
        restore=f"{CASVAULT} restore @ --to ../target --quiet",
        count=f"{CASVAULT} ls-tree -r @ | wc -l",
        syncs="pack, operation record, journal, marker, their directories",
        program=SCRIPT,
        store="source/.casvault",
    ),
    Tool(
        "restic",
        snapshot="restic backup --quiet .",
        status="restic backup --quiet .",
        restore="restic restore latest --quiet --target ../target",
        count='restic ls --json latest | grep -c \'"type":"file"\'',
        syncs="packs, index, snapshot, lock, their directories; it encrypts as well",
        prepare="rm -rf ../cache && restic init --quiet",
        environment=(("RESTIC_REPOSITORY", "../store"), ("RESTIC_PASSWORD", "x"), ("RESTIC_CACHE_DIR", "../cache")),
    ),
    Tool(
        "borg",
        snapshot="borg create --compression zstd,3 ::first .",
        status="borg create --compression zstd,3 ::{utcnow:%H%M%S%f} .",
        restore="mkdir ../target && cd ../target && borg extract ../store::first",
        count="borg list ::first --format '{type}{NL}' | grep -c -- -",
        syncs="segments, index, its own configuration; not encrypted here",
        prepare="rm -rf ../base && borg init --encryption none",
        environment=(
            ("BORG_REPO", "../store"),
            ("BORG_BASE_DIR", "../base"),
            ("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes"),
            ("BORG_RELOCATED_REPO_ACCESS_IS_OK", "yes"),
        ),
    ),
)


class Run(NamedTuple):
    job: str
    tool: str
    round: int
    seconds: float
    peak_bytes: int


class Bench:
    """A tool at work on a copy of the data of its own."""

    def __init__(self, tool: Tool, place: Path, data: SmallFiles) -> None:
        self.tool = tool
        self._place = place / tool.name
        self.source, self.target = self._place / "source", self._place / "target"
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", **dict(tool.environment)}
        self.runs: list[Run] = []
        data.generate(self.source)

    def reset(self) -> None:
        forget(self.source)
        for directory in (self._place / "store", self.target):
            shutil.rmtree(directory, ignore_errors=True)
        self.call(self.tool.prepare)

    def time(self, job: str, number: int, command: str, name: str = "") -> None:
        began = time.perf_counter()
        process = self._start(command, subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{command}: exit code {process.returncode}"
        unit = 1 if sys.platform == "darwin" else 1024
        self.runs.append(Run(job, name or self.tool.name, number, seconds, usage.ru_maxrss * unit))

    def call(self, command: str) -> bytes:
        process = self._start(command, subprocess.PIPE)
        output = process.communicate()[0]
        assert process.returncode == 0, f"{command}: exit code {process.returncode}"
        return output

    def disk_bytes(self) -> int:
        return disk_bytes(self._place / self.tool.store)

    def _start(self, command: str, output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sh", "-c", command], cwd=self.source, env=self._environment, stdout=output)


def compare(benches: Sequence[Bench], files: int, rounds: int) -> dict[str, int]:
    """The sizes of the stores after the first snapshot."""
    expected = digests(benches[0].source)
    assert len(expected) == files
    sizes = {}
    for number in range(rounds):
        first = number % len(benches)
        turn = [*benches[first:], *benches[:first]]
        for bench in turn:
            bench.reset()
            bench.time("snapshot", number, bench.tool.snapshot)
        for bench in turn:
            sizes[bench.tool.name] = bench.disk_bytes()
            assert int(bench.call(bench.tool.count)) == files, bench.tool.name
            assert bench.call(bench.tool.status) == b"", bench.tool.name
            bench.time("status", number, bench.tool.status)
        for bench in turn:
            bench.time("restore", number, bench.tool.restore)
            assert digests(bench.target) == expected, bench.tool.name
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return sizes


def start(place: Path, rounds: int) -> list[Run]:
    """The time from nothing to an answer."""
    tool = next(tool for tool in TOOLS if tool.name == "casvault")
    bench = Bench(tool, place / "start", SmallFiles(artifacts=10))
    bench.call(tool.snapshot)
    assert int(bench.call(tool.count)) == 100
    commands = {
        IMPORT: f"{shlex.quote(sys.executable)} -c 'import typer'",
        "casvault --version": f"{CASVAULT} --version",
        "casvault status, 100 files": tool.status,
    }
    assert bench.call(commands["casvault --version"]).startswith(b"casvault ")
    for number in range(rounds):
        for name, command in commands.items():
            bench.time("start", number, command, name)
    return bench.runs


def table(runs: list[Run]) -> list[str]:
    lines = []
    for job, meaning in JOBS.items():
        names = list(dict.fromkeys(run.tool for run in runs if run.job == job))
        reference = IMPORT if job == "start" else names[0]
        heads = ("", "median", "min – max", f"× {reference}", "peak")
        lines += ["", f"{job}: {meaning}", "  {:<28}{:>9}{:>18}   {:<24}{:>8}".format(*heads)]
        lines += [_row(runs, job, name, reference) for name in names]
    return lines


def _row(runs: list[Run], job: str, name: str, reference: str) -> str:
    mine = [run for run in runs if (run.job, run.tool) == (job, name)]
    seconds = [run.seconds for run in mine]
    theirs = {run.round: run.seconds for run in runs if (run.job, run.tool) == (job, reference)}
    ratios = [run.seconds / theirs[run.round] for run in mine]
    spread = f"{min(seconds):.3f} – {max(seconds):.3f}"
    relation = f"{median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f})"
    peak = f"{max(run.peak_bytes for run in mine) / 1e6:.0f} MB"
    return f"  {name:<28}{median(seconds):>7.3f} s{spread:>18}   {relation:<24}{peak:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="casvault beside other tools")
    parser.add_argument("--scale", type=float, default=SCALE, help="1.0: 100,000 files, 300 MB (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there")
    options = parser.parse_args()
    data = SmallFiles().scaled(options.scale)
    tools = [tool for tool in TOOLS if tool.is_installed()]
    for absent in set(TOOLS).difference(tools):
        print(f"{absent.name}: not installed, left out")
    loads = [os.getloadavg()[0]]
    with workplace() as place:
        benches = [Bench(tool, place, data) for tool in tools]
        sizes = compare(benches, data.files, options.rounds)
        runs = [run for bench in benches for run in bench.runs] + start(place, 4 * options.rounds)
    loads.append(os.getloadavg()[0])
    print(f"{data.files:,} files in {data.artifacts:,} artifacts in {place.parent}, {options.rounds} rounds, ", end="")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {loads[0]:.1f} → {loads[1]:.1f}")
    print("\n".join(table(runs)))
    print("\nstores after the first snapshot (git: before gc), and what is synced when it returns")
    for tool in tools:
        print(f"  {tool.name:<28}{sizes[tool.name] / 1e6:>6.1f} MB   {tool.syncs}")
    if options.json:
        document = {"scale": options.scale, "files": data.files, "load": loads, "disk_bytes": sizes}
        document["runs"] = [run._asdict() for run in runs]
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
