"""Processes that are going to be killed: each snapshots, deploys and pulls for ever.

`python -m tests.crash.loop ROOT` reads a seed a line and forks a process for it, which spares the time to start Python;
it never touches the vault itself. Prints "pid NUMBER" of the new process, "begin NAME" and "end NAME" around each of
its commands, and "dead STATUS" when it is.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

from casvault import DeployStrategy, PullStrategy, Vault
from casvault.errors import ConflictError

SKILLS = ("skills/one", "skills/two")


def edit(directory: Path, source: random.Random) -> None:
    """A few changes, each of them whole: a killed editor is not what is tested here."""
    for _ in range(source.randrange(1, 4)):
        skill = directory / source.choice(SKILLS)
        path = skill / source.choice(("SKILL.md", "a.txt", "sub/b.txt", "sub/c.txt", "d.bin"))
        if path.exists() and source.random() < 0.2:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else ["line"] * 20
        lines[source.randrange(len(lines))] = f"edit {source.random()}"
        temporary = directory.parent / "editor"
        temporary.write_text("\n".join(lines) + "\n")
        temporary.replace(path)


def commands(root: Path) -> dict[str, Callable[[], object]]:
    vault = Vault.open(root / "lib")
    return {
        "snapshot": lambda: vault.snapshot(),
        "deploy": lambda: vault.deploy(SKILLS, root / "app", strategy=DeployStrategy.OVERWRITE),
        "pull": lambda: vault.pull(SKILLS, root / "app", strategy=PullStrategy.OVERWRITE),
    }


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def work(root: Path, seed: int) -> None:
    source = random.Random(seed)
    todo = commands(root)
    while True:
        edit(root / "lib", source)
        edit(root / "app/.claude", source)
        name = source.choice(list(todo))
        say(f"begin {name}")
        with contextlib.suppress(ConflictError):
            todo[name]()
        say(f"end {name}")


def main(root: Path) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(root, int(line))
            finally:
                sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                os._exit(1)
        say(f"pid {child}")
        say(f"dead {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
