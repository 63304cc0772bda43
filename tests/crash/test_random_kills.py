"""kill -9 at random moments of a process that works in a collection and a project without a pause.

Afterwards: the vault opens, fsck is clean, what was acknowledged is there, an interrupted directory says so and is
finished or taken back by one call, the lock file is true, and the next command works. CASVAULT_KILLS sets how many; a
large number is for a night.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casvault import DeployStrategy, Vault
from casvault.deploy.lockfile import LOCK_FILE, render_lock
from casvault.deploy.locks import lock_entries
from casvault.errors import InterruptedTargetError
from casvault.files import find_file
from tests.crash.loop import SKILLS, commands

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("CASVAULT_KILLS", "200"))
SECONDS = 25.0
"""The normal run ends after this time, however many kills there were by then; at least MINIMUM."""
MINIMUM = 30
FRESH = 10
"""Kills before the vault is made anew."""
PAIRS = 12
"""Times that two processes are started and killed."""
LONGEST = 0.06
"""From the start of a command to the kill: most commands take less."""


def make_world(root: Path) -> None:
    """A new vault, for fsck reads all that ever happened in the old one."""
    shutil.rmtree(root)
    for skill in SKILLS:
        (root / "lib" / skill).mkdir(parents=True)
        (root / "lib" / skill / "SKILL.md").write_text("line\n" * 20)
    (root / "app").mkdir()
    vault, _ = Vault.init(root / "lib")
    vault.deploy(SKILLS, root / "app")


class Victims:
    """Processes that work on the vault, one after the other."""

    def __init__(self, root: Path, *mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.loop", str(root), *mode],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_one(self, seed: int, source: random.Random) -> tuple[int, str]:
        """Start one, kill it some commands later; how many it had finished, and the one it died in, or ""."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seed}\n")
        self._process.stdin.flush()
        lines: list[str] = []
        pid = 0
        wanted = 1 + 2 * source.randrange(3)
        while not pid or len(lines) < wanted:
            what, value = self._line()
            assert what != "dead", "it failed by itself"
            if what == "pid":
                pid = int(value)
            else:
                lines.append(f"{what} {value}")
        time.sleep(source.random() * LONGEST)
        os.kill(pid, signal.SIGKILL)
        while (line := self._line())[0] != "dead":
            lines.append(" ".join(line))
        assert line[1] == "-9"
        last, _, name = lines[-1].partition(" ")
        return sum(line.startswith("end") for line in lines), name if last == "begin" else ""

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> tuple[str, str]:
        assert self._process.stdout is not None
        what, _, value = self._process.stdout.readline().strip().partition(" ")
        assert what, "it has ended"
        return what, value


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for top in (root / "lib", root / "app")
        for path in sorted(top.rglob("*"))
        if path.is_file() and not any(part.startswith(".casvault") for part in path.relative_to(root).parts)
    }


def check(root: Path, source: random.Random, before: int, finished: int) -> bool:
    """Everything that must be true after a kill; whether a directory was interrupted."""
    vault = Vault.open(root / "lib")
    assert vault.fsck().problems == ()
    operations = vault.operations()
    # Settling a merge is an operation for each conflict.
    made = sum(operation.kind != "resolve" for operation in operations) - before
    assert made <= finished + 1 or any(operation.kind == "merge continue" for operation in operations)
    interrupted = vault.interrupted()
    seen = files(root)
    if interrupted:
        with pytest.raises(InterruptedTargetError):
            commands(root)["deploy"]()
        assert files(root) == seen
        back = source.random() < 0.5
        results = vault.recover(back=back)
        assert results
        assert all(result.taken_back is back and result.kept == () for result in results)
        assert vault.interrupted() == []
    marker_is_right(vault)
    lock_is_right(vault, root / "app")
    for content in list(files(root)):
        assert not content.rpartition("/")[2].startswith(".casvault-tmp")
    vault.snapshot()
    vault.deploy(SKILLS, root / "app", strategy=DeployStrategy.OVERWRITE)
    vault = Vault.open(root / "lib")
    assert vault.status().changes == ()
    assert {row.status.value for row in vault.drift(root / "app").rows} == {"in_sync"}
    return bool(interrupted)


def marker_is_right(vault: Vault) -> None:
    """The directory is at the tip: nobody else works here."""
    status = vault.status()
    assert status.snapshot == status.tip


def lock_is_right(vault: Vault, project: Path) -> None:
    entries = lock_entries(vault.reader, vault.find_ref("projects/app"))
    text = find_file(project / LOCK_FILE) or b""
    assert text == (render_lock(entries) if entries else b"")


def test_killed_at_random_moments(root: Path, request: pytest.FixtureRequest) -> None:
    source = random.Random(20)
    deadline = time.monotonic() + SECONDS
    died: Counter[str] = Counter()
    interruptions = kills = 0
    victims = Victims(root)
    request.addfinalizer(victims.close)
    while kills < KILLS and (kills < MINIMUM or KILLS > 200 or time.monotonic() < deadline):
        if kills % FRESH == 0:
            make_world(root)
        before = sum(operation.kind != "resolve" for operation in Vault.open(root / "lib").operations())
        finished, name = victims.kill_one(kills, source)
        died[name] += 1
        kills += 1
        try:
            interruptions += check(root, source, before, finished)
        except BaseException as error:
            error.add_note(f"after kill {kills}, in the middle of {name or 'nothing'}")
            raise
    assert sum(died.values()) - died[""] > kills // 3, died
    assert len(died.keys() - {""}) > 6, died


def test_two_processes_in_one_project_killed_at_random_moments(root: Path, request: pytest.FixtureRequest) -> None:
    """Both edit, and both work on the same collection and project, until one after the other dies."""
    source = random.Random(21)
    pair = [Victims(root, "shared"), Victims(root, "shared")]
    for victims in pair:
        request.addfinalizer(victims.close)
    done = 0
    for turn in range(PAIRS):
        make_world(root)
        with ThreadPoolExecutor(2) as pool:
            found = [pool.submit(each.kill_one, 2 * turn + at, random.Random(turn)) for at, each in enumerate(pair)]
            done += sum(one.result()[0] for one in found)
        check(root, source, 0, sys.maxsize - 1)
    assert done > PAIRS // 2
