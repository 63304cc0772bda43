"""Processes that are going to be killed: each does one thing after another in a collection and a project, for ever.

`python -m tests.crash.loop ROOT [shared]` reads a seed a line and forks a process for it, which spares the time to
start Python; it never touches the vault itself. Prints "pid NUMBER" of the new process, "begin NAME" and "end NAME"
around each of its commands, and "dead STATUS" when it is.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

from casvault import DeployStrategy, How, PullStrategy, Vault
from casvault.errors import ConflictError, LocalEditsError, NotFoundError, RefusedError, UsageError

ALONE = (ConflictError, LocalEditsError, NotFoundError, UsageError)
"""What may well be refused."""
SHARED = (RefusedError, NotFoundError, UsageError, FileNotFoundError)
"""The same where another process works in the same directories."""
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
        temporary = directory.parent / f"editor-{os.getpid()}"
        temporary.write_text("\n".join(lines) + "\n")
        temporary.replace(path)


def commands(root: Path) -> dict[str, Callable[[], object]]:
    vault = Vault.open(root / "lib")
    return {
        "snapshot": lambda: vault.snapshot(),
        "deploy": lambda: vault.deploy(SKILLS, root / "app", strategy=DeployStrategy.OVERWRITE),
        "pull": lambda: vault.pull(SKILLS, root / "app", strategy=PullStrategy.OVERWRITE),
        "merge": lambda: vault.deploy([], root / "app", strategy=DeployStrategy.MERGE),
        "pull and merge": lambda: vault.pull([], root / "app"),
        "continue": lambda: continue_all(vault),
        "observe": lambda: vault.drift(root / "app"),
        "locked": lambda: vault.deploy_locked(root / "app", strategy=DeployStrategy.OVERWRITE),
        "undeploy": lambda: vault.undeploy(SKILLS[:1], root / "app"),
        "adopt": lambda: vault.adopt([], root / "app"),
        "undo": lambda: vault.undo(),
    }


def continue_all(vault: Vault) -> None:
    """Settle the merges that wait, by the project's side, and bring them to their end."""
    for merge in vault.merges():
        for conflict in merge.open:
            vault.resolve(merge.handle, conflict.path, How.THEIRS)
        vault.continue_merge(merge.handle)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def work(root: Path, seed: int, *, shared: bool) -> None:
    source = random.Random(seed)
    todo = commands(root)
    while True:
        edit(root / "lib", source)
        edit(root / "app/.claude", source)
        name = source.choice(list(todo))
        say(f"begin {name}")
        with contextlib.suppress(*(SHARED if shared else ALONE)):
            todo[name]()
        if shared:
            # An edit of the other process may have come between the look and the write.
            with contextlib.suppress(*SHARED):
                Vault.open(root / "lib").recover(back=source.random() < 0.5)
        say(f"end {name}")


def main(root: Path, *, shared: bool) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(root, int(line), shared=shared)
            finally:
                sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                os._exit(1)
        say(f"pid {child}")
        say(f"dead {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), shared="shared" in sys.argv[2:])
