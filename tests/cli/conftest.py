"""The command, run in this process as a user would type it, on a small library and a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from casvault.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SKILL = "# pdf\n\none\ntwo\nthree\nfour\nfive\n"


class Result(NamedTuple):
    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; json refuses a second one."""
        return json.loads(self.raw)


class World(NamedTuple):
    """A library, which is a collection and has the vault, and a project beside it."""

    base: Path
    run: Callable[..., Result]

    @property
    def library(self) -> Path:
        return self.base / "lib"

    @property
    def project(self) -> Path:
        return self.base / "app"

    @property
    def skill(self) -> Path:
        return self.library / "skills/pdf/SKILL.md"

    @property
    def deployed(self) -> Path:
        return self.project / ".claude/skills/pdf/SKILL.md"

    def done(self, *arguments: str, at: Path | None = None) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments, at=at)
        assert result.code == 0, result
        return result

    def process(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "casvault"),
        **options: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """The real thing: a process of its own."""
        return subprocess.run(
            [sys.executable, *program, *arguments],
            cwd=self.library if self.library.is_dir() else self.base,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            check=False,
            **options,
        )


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CASVAULT_VAULT", "CASVAULT_DEBUG", "NO_COLOR", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASVAULT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("CASVAULT_AUTHOR_MAIL", "ann@example.org")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> World:
    """No vault yet."""
    monkeypatch.chdir(tmp_path)  # puts back the directory that `-C` changes

    def run(*arguments: str, at: Path | None = None) -> Result:
        library = tmp_path / "lib"
        os.chdir(at or (library if library.is_dir() else tmp_path))
        capsysbinary.readouterr()
        code = main(arguments)
        captured = capsysbinary.readouterr()
        return Result(code, captured.out, captured.err.decode())

    return World(tmp_path, run)


@pytest.fixture
def world(empty: World) -> World:
    """A library of a skill and a command in its first snapshot, and an empty project."""
    empty.skill.parent.mkdir(parents=True)
    empty.skill.write_text(SKILL)
    (empty.library / "commands").mkdir()
    (empty.library / "commands/review.md").write_text("Review this.\n")
    empty.project.mkdir()
    empty.done("init")
    return empty


@pytest.fixture
def conflict(world: World) -> World:
    """The skill is deployed, and both sides have changed the same line."""
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    world.skill.write_text(SKILL.replace("two", "two of the library"))
    world.deployed.write_text(SKILL.replace("two", "two of the project"))
    return world
