"""A preview is what happens then: 500 generated merges of small skills, row by row and byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from casvault import Action, Author, DeployStrategy, Vault
from casvault.objects import EXECUTABLE, SYMLINK
from casvault.vault.results.changes import FileChange
from tests.story.rows import Files, held, put
from tests.story.scene import Scene, assert_clean, clock, write

MERGES = 500
VAULTS = 10
"""Many artifacts share one vault and one command."""
SEED = 20260301

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


def some_text(chance: random.Random) -> bytes:
    lines = [f"{chance.choice(WORDS)} {number}" for number in range(chance.randrange(1, 14))]
    return ("\n".join(lines) + chance.choice(("\n", "\n", "\n", ""))).encode()


def some_state(chance: random.Random) -> tuple[str, bytes]:
    what = chance.choice(("text", "text", "text", "text", "binary", "link"))
    if what == "link":
        return "link", chance.choice(WORDS).encode()
    data = some_text(chance) if what == "text" else b"\0" + chance.randbytes(12)
    return chance.choice(("file", "file", "exec")), data


def some_path(chance: random.Random) -> str:
    return chance.choice(("", "", "docs/", "docs/deep/")) + chance.choice("abcdef") + ".md"


def some_skill(chance: random.Random) -> Files:
    files: Files = {"SKILL.md": ("file", some_text(chance))}
    for _ in range(chance.randrange(5)):
        files[some_path(chance)] = some_state(chance)
    return files


def edited(chance: random.Random, data: bytes) -> bytes:
    """A text with a few lines changed, added or removed; a binary with other bytes."""
    if data.startswith(b"\0"):
        return b"\0" + chance.randbytes(12)
    lines = data.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 3)):
        at = chance.randrange(len(lines) + 1)
        new = f"{chance.choice(WORDS)} {chance.randrange(3)} changed\n".encode()
        lines[at : at + chance.randrange(3)] = [new] * chance.randrange(3)
    return b"".join(lines)


def changed(chance: random.Random, files: Files) -> Files:
    """What one side makes of a skill: edits, additions, deletions, modes, types; perhaps nothing."""
    result = dict(files)
    for _ in range(chance.randrange(4)):
        path = chance.choice(sorted(result))
        what, data = result[path]
        how = chance.randrange(8)
        if how <= 3 and what != "link":
            result[path] = (what, edited(chance, data))
        elif how == 4 and what != "link":
            result[path] = ("exec" if what == "file" else "file", data)
        elif how == 5 and len(result) > 1:
            del result[path]
        elif how == 6:
            result[path] = some_state(chance)
        else:
            result[some_path(chance)] = some_state(chance)
    return result


class Pair:
    """One skill with what both sides make of it."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.name = f"skills/s{number:03}"
        self.base = some_skill(chance)
        self.collection = changed(chance, self.base)
        self.project = changed(chance, self.base)


def make_vault(root: Path, pairs: list[Pair]) -> tuple[Scene, Vault]:
    scene = Scene(root)
    for pair in pairs:
        put(scene.lib, pair.name, pair.base)
    write(scene.app, "README.md", "the app\n")
    vault, _ = Vault.init(scene.lib, author=Author("Ada", "ada@example.org"), clock=clock)
    vault.deploy([pair.name for pair in pairs], scene.app)
    for pair in pairs:
        put(scene.lib, pair.name, pair.collection)
        put(scene.app, f".claude/{pair.name}", pair.project)
    return scene, vault


def applied(vault: Vault, files: Files, prefix: str, changes: tuple[FileChange, ...]) -> Files:
    """A skill with the changes that a row tells of."""
    result = dict(files)
    for change in changes:
        path = change.path.removeprefix(prefix + "/")
        if change.new is None:
            del result[path]
            continue
        what = {SYMLINK: "link", EXECUTABLE: "exec"}.get(change.new.mode, "file")
        result[path] = (what, vault.read_blob(change.new.id))
    return result


@pytest.mark.parametrize("batch", range(VAULTS))
@pytest.mark.parametrize("direction", ["pull", "deploy"])
def test_preview_equals_result(place: Path, batch: int, direction: str) -> None:
    count = MERGES // VAULTS
    chance = random.Random(SEED + batch)
    pairs = [Pair(chance, number) for number in range(count)]
    scene, vault = make_vault(place, pairs)
    if direction == "pull":
        preview, result = vault.pull([], scene.app, preview=True), vault.pull([], scene.app)
    else:
        names = [pair.name for pair in pairs if pair.collection != pair.base]
        options = {"strategy": DeployStrategy.MERGE}
        preview = vault.deploy(names, scene.app, dry_run=True, **options)  # type: ignore[arg-type]
        result = vault.deploy(names, scene.app, **options)  # type: ignore[arg-type,assignment]
    assert len(result.artifacts) >= count // 2
    by_name = {pair.name: pair for pair in pairs}
    for shown, done in zip(preview.artifacts, result.artifacts, strict=True):
        assert (shown.artifact, shown.status, shown.action) == (done.artifact, done.status, done.action)
        assert (shown.files, shown.conflicts, shown.reason) == (done.files, done.conflicts, done.reason)
        pair = by_name.pop(done.artifact)
        sides = {"pull": pair.collection, "deploy": pair.project}
        sides[direction] = applied(vault, sides[direction], pair.name, shown.files)
        if direction == "pull":
            sides["deploy"] = pair.project
        else:
            sides["pull"] = pair.collection
        assert held(scene.lib, pair.name) == sides["pull"], pair.name
        assert held(scene.app, f".claude/{pair.name}") == sides["deploy"], pair.name
        assert (done.action is Action.PENDING) == bool(done.conflicts)
        assert done.files == () or done.action is not Action.PENDING
    assert_clean(vault)


def test_the_generated_merges_are_of_every_kind() -> None:
    """Otherwise the test above could pass on nothing but fast-forwards."""
    pairs = [Pair(random.Random(SEED + number), number) for number in range(MERGES)]
    both = [pair for pair in pairs if pair.base not in (pair.collection, pair.project)]
    paths = [
        {path for path in pair.base if pair.base[path] != pair.collection.get(path)}
        & {path for path in pair.base if pair.base[path] != pair.project.get(path)}
        for pair in both
    ]
    assert len(both) > MERGES // 3
    assert sum(map(bool, paths)) > MERGES // 10
    states = [state for pair in pairs for state in pair.base.values()]
    assert {what for what, _ in states} == {"file", "exec", "link"}
    assert any(data.startswith(b"\0") for _, data in states)
