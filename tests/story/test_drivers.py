"""Files that are merged by what they say, and by what a collection says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import DeployStrategy, Vault
from casvault.errors import UsageError
from casvault.merge.trees import ConflictKind
from tests.story.scene import Scene, assert_clean, write

SETTINGS = "skills/pdf/settings.json"
SKILL = "skills/pdf/SKILL.md"
LOG = "skills/pdf/log.txt"
FRONT = "---\nname: pdf\n---\nWhat it does.\n"
UNION = '[[merge]]\npath = "skills/*/log.txt"\ndriver = "union"\n'
BINARY = '[[merge]]\npath = "log.txt"\ndriver = "binary"\n'


def start(scene: Scene, rules: str = "") -> tuple[Vault, Path]:
    """The skill, deployed; and where the project has it."""
    write(scene.lib, SETTINGS, '{\n  "a": 1\n}\n')
    write(scene.lib, SKILL, FRONT)
    write(scene.lib, LOG, "one\n")
    if rules:
        write(scene.lib, "casvault.toml", rules)
    vault = scene.vault()
    vault.snapshot()
    vault.deploy(["skills/pdf"], scene.app)
    (there,) = scene.app.rglob("SKILL.md")
    return vault, there.parent


def edit(directory: Path, key: str) -> None:
    write(directory, "settings.json", f'{{\n  "a": 1,\n  "{key}": 2\n}}\n')
    write(directory, "SKILL.md", FRONT.replace("pdf\n", f"pdf\n{key}: yes\n"))


def test_a_pull_unites_keys_that_both_sides_added(scene: Scene) -> None:
    vault, there = start(scene)
    edit(scene.lib / "skills/pdf", "mine")
    edit(there, "theirs")
    (row,) = vault.pull(["skills/pdf"], scene.app).artifacts
    assert row.merge is None
    assert (scene.lib / SETTINGS).read_text() == '{\n  "a": 1,\n  "mine": 2,\n  "theirs": 2\n}\n'
    assert (scene.lib / SKILL).read_text() == FRONT.replace("pdf\n", "pdf\nmine: yes\ntheirs: yes\n")
    assert_clean(vault)


def test_a_deploy_unites_them_too(scene: Scene) -> None:
    vault, there = start(scene)
    edit(scene.lib / "skills/pdf", "theirs")
    edit(there, "mine")
    vault.deploy(["skills/pdf"], scene.app, strategy=DeployStrategy.MERGE)
    assert (there / "settings.json").read_text() == '{\n  "a": 1,\n  "mine": 2,\n  "theirs": 2\n}\n'


def append(scene: Scene, there: Path) -> None:
    write(scene.lib, LOG, "one\nmine\n")
    write(there, "log.txt", "one\ntheirs\n")


@pytest.mark.parametrize(("rules", "kind"), [("", ConflictKind.CONTENT), (BINARY, ConflictKind.BINARY)])
def test_lines_appended_on_both_sides_conflict(scene: Scene, rules: str, kind: ConflictKind) -> None:
    """As lines, or as a whole, which is never marked up."""
    vault, there = start(scene, rules)
    append(scene, there)
    (row,) = vault.pull(["skills/pdf"], scene.app).artifacts
    assert row.merge is not None
    assert [(each.path, each.kind) for each in vault.merge_info(row.merge).open] == [(LOG, kind)]
    assert (vault.conflict_text(row.merge, LOG) is None) == (kind is ConflictKind.BINARY)


def test_a_collection_says_that_a_file_is_a_union(scene: Scene) -> None:
    vault, there = start(scene, UNION)
    append(scene, there)
    (row,) = vault.pull(["skills/pdf"], scene.app).artifacts
    assert row.merge is None
    assert (scene.lib / LOG).read_text() == "one\nmine\ntheirs\n"


def test_a_driver_that_nobody_knows_is_refused_where_it_is_written(scene: Scene) -> None:
    write(scene.lib, "casvault.toml", UNION.replace("union", "magic"))
    with pytest.raises(UsageError, match="no merge driver is called 'magic'") as error:
        scene.vault().snapshot()
    assert str(scene.lib / "casvault.toml") in str(error.value.place)
