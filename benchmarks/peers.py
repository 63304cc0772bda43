"""The same jobs by casvault, git, restic and borg, as whole processes, in one run.

    python -m benchmarks.peers --scale 0.1 --rounds 5 --json peers.json

In each round every tool does each job once, in an order that moves on by one from round to round, so that what else
the machine does meets all of them. A ratio is taken within its round; shown are the median and the range. Every result
is checked: all files recorded, nothing reported as changed, the restored tree equal to the source.

Caches: files are read through a warm page cache by all; before `status` each tool has had one status run to fill its
own. `casvault snapshot` is `casvault init`, which makes the vault too; the others' repositories are made before.
git's automatic gc is off, so that it does not run on beside the others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.datasets import SCALE, SmallFiles, digests, disk_bytes, workplace

Command = list[str]

JOBS = {
    "snapshot": "a first snapshot of everything (git: add -A, commit)",
    "status": "what has changed: nothing (restic, borg: another backup, for want of a status)",
    "restore": "everything into a new directory (git: worktree add)",
    "start": "a process that does little",
}


class Run(NamedTuple):
    job: str
    tool: str
    round: int
    seconds: float
    peak_bytes: int
    """The largest of its processes, or this one if that is larger."""


class Tool(ABC):
    """A tool with a copy of the data of its own, and a place for its store and what it restores."""

    name: str
    syncs: str
    """What is durable when a snapshot returns."""

    def __init__(self, place: Path) -> None:
        self.place = place / self.name
        self.source, self.store, self.target = (self.place / part for part in ("source", "store", "target"))
        self.environment = {**os.environ, "HOME": str(self.place), "LC_ALL": "C.UTF-8"}

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(cls.name) is not None

    def prepare(self) -> None:
        """Make an empty repository; what was there is gone."""
        for directory in (self.store, self.target):
            shutil.rmtree(directory, ignore_errors=True)

    @abstractmethod
    def snapshot(self) -> list[Command]: ...

    @abstractmethod
    def status(self) -> list[Command]:
        """Prints nothing, or fails, if it finds no change."""

    @abstractmethod
    def restore(self) -> list[Command]: ...

    @abstractmethod
    def count(self) -> int:
        """The files in the newest snapshot."""

    def run(self, command: Command) -> tuple[float, int, bytes]:
        """Seconds, peak memory and output of a process; CalledProcessError if it fails."""
        output = self.place / "output"
        with output.open("w+b") as stream:
            began = time.perf_counter()
            process = subprocess.Popen(command, cwd=self.where(), env=self.environment, stdout=stream)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        unit = 1 if sys.platform == "darwin" else 1024
        return seconds, usage.ru_maxrss * unit, output.read_bytes()

    def where(self) -> Path:
        return self.source

    def lines(self, *command: str) -> list[bytes]:
        return self.run(list(command))[2].splitlines()


class Casvault(Tool):
    name = "casvault"
    syncs = "the pack, the operation record, their directories"
    # The script beside this interpreter: what is installed, as users start it.
    script = str(Path(sys.executable).with_name("casvault"))

    @classmethod
    def is_installed(cls) -> bool:
        return Path(cls.script).exists()

    def prepare(self) -> None:
        super().prepare()
        self.store = self.source / ".casvault"
        shutil.rmtree(self.store, ignore_errors=True)
        (self.source / ".casvault-collection").unlink(missing_ok=True)

    def snapshot(self) -> list[Command]:
        return [[self.script, "init", ".", "--quiet"]]

    def status(self) -> list[Command]:
        return [[self.script, "status", "--exit-code", "--quiet"]]

    def restore(self) -> list[Command]:
        return [[self.script, "restore", "@", "--to", str(self.target), "--quiet"]]

    def count(self) -> int:
        return len(self.lines(self.script, "ls-tree", "-r", "@"))


class Git(Tool):
    name = "git"
    syncs = "refs and index, not the loose objects (core.fsync is at its default)"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        who = {"NAME": "Bench", "EMAIL": "bench@example.org"}
        people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        self.environment |= {**people, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}

    def prepare(self) -> None:
        super().prepare()
        self.store = self.source / ".git"
        shutil.rmtree(self.store, ignore_errors=True)
        self.run(["git", "init", "-q"])
        self.run(["git", "config", "gc.auto", "0"])

    def snapshot(self) -> list[Command]:
        return [["git", "add", "-A"], ["git", "commit", "-q", "-m", "first"]]

    def status(self) -> list[Command]:
        return [["git", "status", "--porcelain"]]

    def restore(self) -> list[Command]:
        return [["git", "worktree", "add", "--quiet", "--detach", str(self.target), "HEAD"]]

    def count(self) -> int:
        return len(self.lines("git", "ls-tree", "-r", "HEAD"))


class Restic(Tool):
    name = "restic"
    syncs = "every pack, index and snapshot file; it encrypts as well"

    def prepare(self) -> None:
        super().prepare()
        shutil.rmtree(self.place / "cache", ignore_errors=True)
        self.environment |= {"RESTIC_REPOSITORY": str(self.store), "RESTIC_PASSWORD": "bench"}
        self.environment["RESTIC_CACHE_DIR"] = str(self.place / "cache")
        self.run(["restic", "init", "--quiet"])

    def snapshot(self) -> list[Command]:
        return [["restic", "backup", "--quiet", "."]]

    def status(self) -> list[Command]:
        return self.snapshot()

    def restore(self) -> list[Command]:
        return [["restic", "restore", "latest", "--quiet", "--target", str(self.target)]]

    def count(self) -> int:
        return sum(b'"type":"file"' in line for line in self.lines("restic", "ls", "--json", "latest"))


class Borg(Tool):
    name = "borg"
    syncs = "every segment of its repository; without encryption here"

    def prepare(self) -> None:
        super().prepare()
        self.target.mkdir()
        base = self.place / "base"
        shutil.rmtree(base, ignore_errors=True)
        self.environment |= {"BORG_REPO": str(self.store), "BORG_BASE_DIR": str(base)}
        self.environment["BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK"] = "yes"
        self.run(["borg", "init", "--encryption", "none"])

    def where(self) -> Path:
        return self.source

    def snapshot(self) -> list[Command]:
        return [["borg", "create", "--compression", "zstd,3", "::{utcnow:%H%M%S%f}", "."]]

    def status(self) -> list[Command]:
        return self.snapshot()

    def restore(self) -> list[Command]:
        extract = f"cd '{self.target}' && exec borg extract ::$(borg list --last 1 --short)"
        return [["sh", "-c", extract]]

    def count(self) -> int:
        newest = self.lines("borg", "list", "--last", "1", "--short")[0].decode()
        return sum(line == b"-" for line in self.lines("borg", "list", f"::{newest}", "--format", "{type}{NL}"))


def compare(place: Path, tools: list[Tool], data: SmallFiles, rounds: int) -> tuple[list[Run], dict[str, int]]:
    """All runs, and the sizes of the stores after the first snapshot."""
    for tool in tools:
        data.generate(tool.source)
    expected = digests(tools[0].source)
    assert len(expected) == data.files
    runs: list[Run] = []
    sizes: dict[str, int] = {}
    for number in range(rounds):
        turn = tools[number % len(tools) :] + tools[: number % len(tools)]
        for tool in turn:
            tool.prepare()
            runs.append(_timed("snapshot", tool, number, tool.snapshot()))
        for tool in turn:
            sizes[tool.name] = disk_bytes(tool.store)
            assert tool.count() == data.files, tool.name
            _check_clean(tool)
            runs.append(_timed("status", tool, number, tool.status()))
        for tool in turn:
            runs.append(_timed("restore", tool, number, tool.restore()))
            assert digests(tool.target) == expected, tool.name
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return runs, sizes


def _check_clean(tool: Tool) -> None:
    for command in tool.status():
        assert tool.run(command)[2] == b"", f"{tool.name} finds changes where none are"


def _timed(job: str, tool: Tool, number: int, commands: list[Command], name: str = "") -> Run:
    done = [tool.run(command) for command in commands]
    return Run(job, name or tool.name, number, sum(each[0] for each in done), max(each[1] for each in done))


def start(place: Path, rounds: int) -> list[Run]:
    """Processes that do little, against the import that none of them can do without."""
    tool = Casvault(place / "start")
    SmallFiles(artifacts=10).generate(tool.source)
    tool.prepare()
    tool.run(tool.snapshot()[0])
    commands = {
        "import typer": [sys.executable, "-c", "import typer"],
        "casvault --version": [tool.script, "--version"],
        "casvault status, 100 files": tool.status()[0],
    }
    assert tool.count() == 100
    assert tool.lines(*commands["casvault --version"])[0].startswith(b"casvault ")
    return [
        _timed("start", tool, number, [command], name) for number in range(rounds) for name, command in commands.items()
    ]


def ratios(runs: list[Run], job: str, tool: str, reference: str) -> list[float]:
    seconds = {(run.tool, run.round): run.seconds for run in runs if run.job == job}
    return [seconds[tool, run.round] / run.seconds for run in runs if (run.job, run.tool) == (job, reference)]


def table(runs: list[Run], sizes: dict[str, int]) -> list[str]:
    lines = []
    for job, meaning in JOBS.items():
        names = list(dict.fromkeys(run.tool for run in runs if run.job == job))
        reference = "git" if "git" in names else sorted(names, key="import typer".__ne__)[0]
        lines += [
            "",
            f"{job}: {meaning}",
            f"  {'':<28}{'median':>9}{'min – max':>18}   {'× ' + reference:<24}{'peak':>8}",
        ]
        for name in sorted(names, key=reference.__ne__):
            mine = [run for run in runs if (run.job, run.tool) == (job, name)]
            seconds = [run.seconds for run in mine]
            ratio = ratios(runs, job, name, reference)
            spread = f"{min(seconds):.3f} – {max(seconds):.3f}"
            relation = f"{median(ratio):.2f} ({min(ratio):.2f} – {max(ratio):.2f})"
            peak = f"{max(run.peak_bytes for run in mine) / 1e6:.0f} MB"
            lines.append(f"  {name:<28}{median(seconds):>7.3f} s{spread:>18}   {relation:<24}{peak:>8}")
    lines += ["", "on disk after the snapshot"]
    return lines + [f"  {name:<28}{size / 1e6:>7.1f} MB" for name, size in sorted(sizes.items())]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="casvault beside other tools")
    parser.add_argument("--scale", type=float, default=SCALE, help="1.0: 100,000 files, 300 MB (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there")
    options = parser.parse_args()
    data = SmallFiles().scaled(options.scale)
    kinds = [kind for kind in (Git, Casvault, Restic, Borg) if kind.is_installed()]
    for absent in {Git, Casvault, Restic, Borg}.difference(kinds):
        print(f"{absent.name}: not installed, left out")
    loads = [os.getloadavg()[0]]
    with workplace() as place:
        tools = [kind(place) for kind in kinds]
        runs, sizes = compare(place, tools, data, options.rounds)
        runs += start(place, 4 * options.rounds)
        where = str(place.parent)
    loads.append(os.getloadavg()[0])
    print(f"{data.files:,} files in {data.artifacts:,} artifacts in {where}; {options.rounds} rounds;", end=" ")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {loads[0]:.1f} before, {loads[1]:.1f} after"
    )
    print("\n".join(table(runs, sizes)))
    print("\nsynced when a snapshot returns")
    for tool in tools:
        print(f"  {tool.name:<28}{tool.syncs}")
    if options.json:
        document = {"scale": options.scale, "files": data.files, "load": loads, "disk_bytes": sizes}
        document["runs"] = [run._asdict() for run in runs]
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
