"""Data sets as data: what they hold follows from their fields, byte for byte, on every machine.

The defaults are the full figures; `scaled` makes the same in small. `CASVAULT_BENCH_SCALE` says how small, and
`CASVAULT_BENCH_DIR` where: by default in memory if there is a place for it, so that no disk is measured.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Self

from blake3 import blake3

from casvault.objects import Commit, Signature, write_commit
from casvault.trees import empty_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casvault.objects import ObjectStage
    from casvault.oid import Oid

SCALE = float(os.environ.get("CASVAULT_BENCH_SCALE", "0.1"))
MEMORY = Path("/dev/shm")
CONTROL = (".git", ".casvault")
"""What tools leave in a directory beside its content begins like this."""
WHO = Signature(b"Bench", b"bench@example.org", 1_700_000_000, b"+0000")


@dataclass(frozen=True)
class SmallFiles:
    """Artifacts of a few text files each, one of them executable, as skills are."""

    artifacts: int = 10_000
    files_each: int = 10
    words: int = 465
    """In the mean file, which makes it 3 KB."""
    seed: int = 1

    @property
    def files(self) -> int:
        return self.artifacts * self.files_each

    def scaled(self, scale: float) -> Self:
        return replace(self, artifacts=max(10, round(self.artifacts * scale)))

    def generate(self, directory: Path) -> None:
        rng = random.Random(self.seed)
        text = Text(rng)
        for number in range(self.artifacts):
            artifact = directory / "skills" / f"skill-{number:05d}"
            (artifact / "reference").mkdir(parents=True)
            paths = [artifact / "SKILL.md", artifact / "run.sh"]
            paths += [artifact / "reference" / f"part-{part}.md" for part in range(self.files_each - len(paths))]
            for path in paths:
                path.write_bytes(text.words(rng.randrange(1, 2 * self.words)))
            paths[1].chmod(0o755)


@dataclass(frozen=True)
class Fleet:
    """A collection of small skills, and projects to deploy all of them to."""

    projects: int = 100
    artifacts: int = 100
    seed: int = 7

    @property
    def names(self) -> list[str]:
        return [f"skills/skill-{number:03d}" for number in range(self.artifacts)]

    def projects_in(self, directory: Path) -> Iterator[Path]:
        for number in range(self.projects):
            yield directory / f"project-{number:03d}"

    def generate(self, directory: Path) -> None:
        rng = random.Random(self.seed)
        text = Text(rng)
        for name in self.names:
            artifact = directory / "lib" / name
            artifact.mkdir(parents=True)
            for file in ("SKILL.md", "notes.md"):
                (artifact / file).write_bytes(text.words(rng.randrange(20, 400)))
        for project in self.projects_in(directory):
            project.mkdir()


@dataclass(frozen=True)
class LargeFiles:
    """A few artifacts that are one file each; every other one cannot be compressed."""

    files: int = 8
    size: int = 64_000_000
    seed: int = 2

    def scaled(self, scale: float) -> Self:
        return replace(self, size=max(100_000, round(self.size * scale)))

    def generate(self, directory: Path) -> None:
        rng = random.Random(self.seed)
        text = Text(rng)
        models = directory / "models"
        models.mkdir(parents=True)
        for number in range(self.files):
            left = self.size
            with (models / f"model-{number}.bin").open("xb") as out:
                while left:
                    piece = (text.words(10_000) if number % 2 else rng.randbytes(65_536))[:left]
                    left -= out.write(piece)


@dataclass(frozen=True)
class WideCollection:
    """Many artifacts of one small file each, for writing them through the API, and how often one of them changes."""

    artifacts: int = 10_000
    changes: int = 10_000
    words: int = 50
    seed: int = 3

    def scaled(self, scale: float) -> Self:
        return replace(
            self, artifacts=max(10, round(self.artifacts * scale)), changes=max(20, round(self.changes * scale))
        )

    def path(self, number: int) -> str:
        return f"prompts/prompt-{number:05d}.md"

    def iter_artifacts(self) -> Iterator[tuple[str, bytes]]:
        text = Text(random.Random(self.seed))
        return ((self.path(number), text.words(self.words)) for number in range(self.artifacts))

    def iter_changes(self) -> Iterator[tuple[str, bytes]]:
        rng = random.Random(self.seed + 1)
        text = Text(rng)
        for number in range(self.changes):
            yield self.path(rng.randrange(self.artifacts)), b"%d\n%s" % (number, text.words(self.words))


@dataclass(frozen=True)
class DeepHistory:
    """Two branches of one history, which they share up to its middle; both have a side branch at every tenth commit.

    o──o──…──fork──o──o──…──left
              └────o──o──…──right
    """

    commits: int = 200_000
    merge_every: int = 10

    def scaled(self, scale: float) -> Self:
        return replace(self, commits=max(100, round(self.commits * scale)))

    def write(self, stage: ObjectStage) -> tuple[Oid, Oid, Oid]:
        """The fork and the tips of both branches."""
        fork = self._line(stage, b"shared", _commit(stage, b"first"), self.commits // 2)
        left, right = (self._line(stage, name, fork, self.commits // 4) for name in (b"left", b"right"))
        return fork, left, right

    def _line(self, stage: ObjectStage, name: bytes, tip: Oid, length: int) -> Oid:
        for number in range(1, length):
            parents = [tip]
            if number % self.merge_every == 0:
                parents.append(_commit(stage, b"%s side %d" % (name, number), tip))
            tip = _commit(stage, b"%s %d" % (name, number), *parents)
        return tip


def _commit(stage: ObjectStage, message: bytes, *parents: Oid) -> Oid:
    return write_commit(stage, Commit(empty_root(), parents, WHO, WHO, message))


@dataclass(frozen=True)
class GitHistory:
    """A git repository, packed as git packs: directories of many files in one directory, a few files changed by each
    commit, every tenth one a merge.
    """

    commits: int = 10_000
    directories: int = 50
    files_each: int = 50
    changes: int = 3
    words: int = 150
    merge_every: int = 10
    seed: int = 6

    def scaled(self, scale: float) -> Self:
        return replace(self, commits=max(50, round(self.commits * scale)))

    def generate(self, directory: Path) -> int:
        """Make the repository; how many objects it has."""
        git = ["git", f"--git-dir={directory}"]
        subprocess.run(["git", "init", "-q", "--bare", str(directory)], check=True)
        subprocess.run([*git, "fast-import", "--quiet"], input=b"".join(self._stream()), check=True)
        subprocess.run([*git, "repack", "-adfq"], check=True)
        listed = subprocess.run([*git, "rev-list", "--objects", "--all"], check=True, capture_output=True).stdout
        return len(listed.splitlines())

    def _stream(self) -> Iterator[bytes]:
        rng = random.Random(self.seed)
        text = Text(rng)
        places = [(place, name) for place in range(self.directories) for name in range(self.files_each)]
        for number in range(1, self.commits + 1):
            yield b"commit refs/heads/main\nmark :%d\ncommitter c <c@x> %d +0100\n" % (number, number)
            yield b"data <<E\n%s\nE\n" % text.words(12)
            if number % self.merge_every == 0:
                yield b"from :%d\nmerge :%d\n" % (number - 1, number - self.merge_every // 2)
            for place, name in places if number == 1 else rng.sample(places, self.changes):
                content = text.words(rng.randrange(1, 2 * self.words))
                yield b"M 644 inline d%02d/file-%02d\ndata %d\n%s\n" % (place, name, len(content), content)


@dataclass(frozen=True)
class Texts:
    """A text and two edits of it, in which every n-th line differs, on each side another one."""

    lines: int = 3_000
    edit_every: int = 30
    seed: int = 4

    def generate(self) -> tuple[bytes, bytes, bytes]:
        text = Text(random.Random(self.seed))
        base = [text.words(8).replace(b"\n", b" ") + b"\n" for _ in range(self.lines)]
        ours, theirs = (self._edited(base, start, text) for start in (0, self.edit_every // 2))
        return b"".join(base), b"".join(ours), b"".join(theirs)

    def _edited(self, base: list[bytes], start: int, text: Text) -> list[bytes]:
        lines = list(base)
        for number in range(start, self.lines, self.edit_every):
            lines[number] = text.words(8).replace(b"\n", b" ") + b"\n"
        return lines


class Text:
    """Text of invented words, a few of them frequent and most of them rare, as in any language."""

    def __init__(self, rng: random.Random, vocabulary: int = 4_000) -> None:
        self._rng = rng
        letters = "etaoinshrdlucmfwypvbgk"
        words = ["".join(rng.choices(letters, k=rng.randrange(2, 10))) for _ in range(vocabulary)]
        self._words = [word + (".\n" if rank % 12 == 11 else " ") for rank, word in enumerate(words)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(vocabulary)))

    def words(self, number: int) -> bytes:
        return "".join(self._rng.choices(self._words, cum_weights=self._weights, k=number)).encode()


@contextmanager
def workplace() -> Iterator[Path]:
    """A new directory for everything that a run writes; gone afterwards."""
    wanted = os.environ.get("CASVAULT_BENCH_DIR")
    place = wanted or (MEMORY if os.access(MEMORY, os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="casvault-bench-", dir=place) as directory:
        yield Path(directory)


def digests(directory: Path) -> dict[str, tuple[bytes, bool]]:
    """What a directory holds, for comparing two: by path, the digest of each file and whether it is executable."""
    found = {}
    for place, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if not name.startswith(CONTROL)]
        for name in names:
            if not name.startswith(CONTROL):
                path = Path(place, name)
                content = blake3(path.read_bytes()).digest()
                found[os.path.relpath(path, directory)] = (content, bool(path.stat().st_mode & stat.S_IXUSR))
    return found


def forget(directory: Path) -> None:
    """Remove what git and casvault keep in a directory, and leave its content."""
    for path in directory.iterdir():
        if path.name.startswith(CONTROL):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def disk_bytes(directory: Path) -> int:
    """What a directory occupies on disk, as `du` counts it."""
    return sum(entry.stat().st_blocks * 512 for entry in [directory, *directory.rglob("*")])
