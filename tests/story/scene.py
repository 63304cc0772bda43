"""A vault with one collection, and what the stories need: edits by line, pictures of directories, the command."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from casvault import Author, Vault

ROOT = Path(__file__).parents[2]
PDF = "skills/pdf/SKILL.md"
REVIEW = "commands/review.md"
LINES = 12

_seconds = itertools.count(1_700_000_000)


def clock() -> tuple[int, int]:
    """Each moment is another second, so that no two commits are equal by accident."""
    return next(_seconds), 0


def text(**changed: str) -> str:
    """Twelve lines, some of them changed: text(line3="three")."""
    lines = [f"line {number}" for number in range(LINES)]
    for name, value in changed.items():
        lines[int(name.removeprefix("line"))] = value
    return "\n".join(lines) + "\n"


def write(directory: Path, path: str, content: str | bytes) -> Path:
    place = directory / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def change_line(file: Path, number: int, value: str) -> None:
    lines = file.read_text().splitlines(keepends=True)
    lines[number] = value + "\n"
    file.write_text("".join(lines))


def picture(directory: Path, *, own: bool = False) -> dict[str, tuple[str, bytes]]:
    """Every path below a directory with its kind, permissions and content; casvault's markers only with `own`,
    and what is in a vault never."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if ".casvault" in relative.parts or (not own and relative.name.startswith(".casvault-")):
            continue
        mode = oct(path.lstat().st_mode)
        if path.is_symlink():
            found[str(relative)] = (mode, os.fsencode(os.readlink(path)))
        else:
            found[str(relative)] = (mode, path.read_bytes() if path.is_file() else b"")
    return found


class Scene(NamedTuple):
    root: Path

    @property
    def lib(self) -> Path:
        """The collection's directory, in which the vault is too."""
        return self.root / "lib"

    @property
    def app(self) -> Path:
        """A project's directory."""
        return self.root / "app"

    def vault(self, **options: Any) -> Vault:
        return Vault.open(self.lib, **{"author": Author("Ada", "ada@example.org"), "clock": clock, **options})

    def copy(self, name: str = "copy") -> tuple[Path, Vault]:
        """A second copy of the collection's directory, and the vault as it is found from there."""
        there = self.root / name
        shutil.copytree(self.lib, there, symlinks=True, ignore=shutil.ignore_patterns(".casvault"))
        return there, Vault.discover(there, author=Author("Bob", "bob@example.org"), clock=clock)

    def tip_text(self, path: str = PDF) -> str:
        """What the newest snapshot of the collection holds at a path of an artifact that is a directory or a file."""
        vault = self.vault()
        artifact = "/".join(path.split("/")[:2])
        files = vault.read_files("lib", artifact)
        return files[path[len(artifact) :].strip("/")].decode()


def make_scene(root: Path) -> Scene:
    scene = Scene(root)
    write(scene.lib, PDF, text())
    write(scene.lib, "skills/pdf/old.txt", "old\n")
    write(scene.lib, REVIEW, text())
    scene.app.mkdir()
    Vault.init(scene.lib, author=Author("Ada", "ada@example.org"), clock=clock)
    return scene


def command(directory: Path, *arguments: str | Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """The casvault command, as somebody runs it in a directory."""
    hidden = ("CASVAULT_VAULT", "CASVAULT_DEBUG")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "casvault", *map(str, arguments)],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def assert_clean(vault: Vault) -> None:
    assert vault.fsck().problems == ()
    broken = vault.verify_operations().first_break
    assert broken is None, broken
    assert vault.interrupted() == []
