"""The directories that the machine works on: one collection, three projects, and the hands that edit in them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from casvault import Vault

ARTIFACTS = ("skills/one", "skills/two", "hooks/run")
"""Two directories, and one that begins as a file."""
MOVED = ("skills/renamed", "models/deep")
PROJECTS = ("app", "web", "new")
"""The last one is not there at first: it is made as a copy of the first, or becomes a project by itself."""
ROOTS = (".claude", ".cursor")
LOCK = "casvault.lock"
IGNORED = ".DS_Store"
NAMES = ("SKILL.md", "a.txt", "sub/b.txt", "sub", "", IGNORED)
LINES = 8

State = dict[str, tuple[str, bytes]]
"""Every file by path: "-" or "x" and its content, "l" and where the symlink leads; in artifacts "d" for nothing."""


class World:
    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.root = Path(tempfile.mkdtemp(prefix="casvault-test-", dir=memory if os.access(memory, os.W_OK) else None))
        self.seconds = 1_700_000_000
        self.is_still = False
        """Whether the clock stands: then what is made twice has one id."""
        self.counter = 0
        for artifact in ARTIFACTS[:2]:
            self.put(self.lib / artifact / "SKILL.md", "".join(f"line {number}\n" for number in range(LINES)))
            self.put(self.lib / artifact / "a.txt", "a\n")
        self.put(self.lib / ARTIFACTS[2], "run\n" * LINES)
        self.put(self.lib / "README", "nobody's\n")
        for name in PROJECTS:
            (self.root / name).mkdir()
        (self.root / PROJECTS[2]).rmdir()
        self.vault = Vault.init(self.lib, clock=self.clock, here=self.lib)[0]

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    def close(self) -> None:
        shutil.rmtree(self.root)

    def clock(self) -> tuple[int, int]:
        self.seconds += not self.is_still
        return self.seconds, 0

    def project(self, name: str) -> Path:
        return self.root / name

    def projects(self) -> list[Path]:
        """The directories that are projects of the vault."""
        return [self.root / name for name in PROJECTS if (self.root / name / ".casvault-project").exists()]

    # What there is

    def state(self, directory: Path | None = None) -> State:
        """Every file of a user below a directory."""
        top = str(directory or self.root)
        found: State = {}
        for above, names, files in os.walk(top):
            names[:] = [name for name in names if name != ".casvault"]
            for name in (*files, *(name for name in names if os.path.islink(os.path.join(above, name)))):
                if not name.startswith(".casvault-"):
                    path = os.path.join(above, name)
                    found[os.path.relpath(path, top)] = _read(path)
        return found

    def content(self, place: Path) -> State | None:
        """What is at the place of an artifact, by path in it, "" for one file; None for nothing. Without what is
        ignored.
        """
        if place.is_symlink() or place.is_file():
            return {"": _read(str(place))}
        if not place.is_dir():
            return None
        found = {path: state for path, state in self.state(place).items() if os.path.basename(path) != IGNORED}
        for above, names, files in os.walk(place):
            if above != str(place) and not names and not set(files) - {IGNORED}:
                found[os.path.relpath(above, place)] = ("d", b"")
        return found

    def markers(self) -> dict[str, bytes]:
        names = (".casvault-collection", ".casvault-project")
        return {str(path): path.read_bytes() for name in names for path in self.root.glob(f"*/{name}")}

    # Hands

    def put(self, place: Path, content: str) -> None:
        """Write a file; what is in its way goes."""
        for above in reversed(place.relative_to(self.root).parents):
            if (self.root / above).is_symlink() or (self.root / above).is_file():
                (self.root / above).unlink()
        self.remove(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)

    def remove(self, place: Path) -> None:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def edit_line(self, place: Path, line: int) -> None:
        place = place / "SKILL.md" if place.is_dir() else place
        if place.is_file() and not place.is_symlink():
            lines = place.read_text().splitlines(keepends=True)
            if len(lines) > line:
                self.counter += 1
                lines[line] = f"edit {self.counter}.\n"
                place.write_text("".join(lines))

    def edit_file(self, artifact: Path, name: str, what: str) -> None:
        """Write, delete, link, or change the mode of a file in an artifact; or the artifact as such, for no name."""
        place = artifact / name if name else artifact
        is_file = place.is_file() and not place.is_symlink()
        if what == "write" and artifact.parent.is_dir():
            self.counter += 1
            self.put(place, f"new {self.counter}.\n")
        elif what == "delete" and name and is_file:
            place.unlink()
        elif what == "mode" and is_file:
            place.chmod(place.stat().st_mode ^ 0o111)
        elif what == "link" and name and artifact.is_dir():
            self.remove(place)
            if not place.parent.is_symlink() and place.parent.is_dir():
                place.symlink_to(f"target-{self.counter % 3}")

    def rename(self, old: Path, new: Path) -> None:
        if os.path.lexists(old) and not os.path.lexists(new) and len(list(self.lib.glob("*/*"))) > 1:
            new.parent.mkdir(exist_ok=True)
            old.rename(new)

    def remove_artifact(self, place: Path) -> None:
        """Somebody deletes an artifact; never the last one of the collection, which would be taken for a lost disk."""
        if not place.is_relative_to(self.lib) or len(list(self.lib.glob("*/*"))) > 1:
            self.remove(place)

    def copy_project(self) -> None:
        """The first project is copied as it stands, with its marker."""
        old, new = (self.root / name for name in (PROJECTS[0], PROJECTS[2]))
        if not new.exists():
            shutil.copytree(old, new, symlinks=True)


def _read(path: str) -> tuple[str, bytes]:
    if os.path.islink(path):
        return "l", os.fsencode(os.readlink(path))
    return "x" if os.stat(path).st_mode & 0o100 else "-", Path(path).read_bytes()
