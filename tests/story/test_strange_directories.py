"""A directory that is where a project was is not that project; and what is refused leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Author, DeployStrategy, How, Vault
from casvault.artifacts.draft import Draft
from casvault.deploy.comparison import Comparison, Project
from casvault.deploy.pinning import plan_pin
from casvault.deploy.state import Place
from casvault.errors import NotFoundError, RefusedError, StaleError
from casvault.repository.places import LocalPlaces, MemoryPlaces, Places
from tests.story.scene import PDF, Scene, change_line, clock, command, picture, text, write

DEPLOYED = f".claude/{PDF}"


def settled_merge(scene: Scene) -> str:
    """A merge into the project whose conflicts are all settled."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.lib / PDF, 2, "theirs")
    change_line(scene.app / DEPLOYED, 2, "ours")
    vault.deploy(["skill/pdf"], scene.app, strategy=DeployStrategy.MERGE)
    (merge,) = vault.merges()
    vault.resolve(merge.handle, "SKILL.md", How.THEIRS)
    return merge.handle


def replace_by_a_stranger(scene: Scene) -> Path:
    """Move the project away, and put something else where it was."""
    moved = scene.app.rename(scene.root / "moved")
    scene.app.mkdir()
    write(scene.app, DEPLOYED, "somebody else's\n")
    return moved


def test_continue_writes_into_no_directory_that_took_the_projects_place(scene: Scene) -> None:
    """It wrote a lock file into it, and would have written the result."""
    merge = settled_merge(scene)
    moved = replace_by_a_stranger(scene)
    before = picture(scene.app, own=True)
    with pytest.raises(NotFoundError, match="not where it was"):
        scene.vault().continue_merge(merge)
    assert picture(scene.app, own=True) == before
    Vault.discover(moved, author=Author("Ada", "ada@example.org"), clock=clock).continue_merge(merge)
    assert (moved / DEPLOYED).read_text() == text(line2="theirs")
    assert picture(scene.app, own=True) == before


def test_undo_writes_into_no_directory_that_took_the_projects_place(scene: Scene) -> None:
    """It put the files of the project into it."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    vault.undeploy(["skill/pdf"], scene.app)
    moved = replace_by_a_stranger(scene)
    before = picture(scene.app, own=True)
    with pytest.raises(NotFoundError, match="not where it was"):
        vault.undo()
    assert picture(scene.app, own=True) == before
    Vault.discover(moved, author=Author("Ada", "ada@example.org"), clock=clock).undo()
    assert (moved / DEPLOYED).read_text() == text()
    assert picture(scene.app, own=True) == before


def test_what_cannot_be_written_is_refused_by_a_dry_run_too_and_registers_nothing(scene: Scene) -> None:
    """A dry run promised the files, and the refused deploy made the directory a project."""
    vault = scene.vault()
    (scene.root / "elsewhere").mkdir()
    (scene.app / ".claude").symlink_to(scene.root / "elsewhere")
    before = picture(scene.app, own=True)
    for dry_run in (True, False):
        with pytest.raises(RefusedError, match="symlink is on the way"):
            vault.deploy(["skill/pdf"], scene.app, dry_run=dry_run)
        assert picture(scene.app, own=True) == before
    assert "projects/app" not in vault._repository.places.all()


@pytest.mark.parametrize("remedy", ["deploy", "undeploy", "pull"])
def test_each_remedy_for_a_deletion_that_clashes_does_what_it_says(scene: Scene, remedy: str) -> None:
    """The message named `casvault deploy NAME`, which was refused in its turn."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    for file in (scene.app / ".claude/skills/pdf").iterdir():
        file.unlink()
    (scene.app / ".claude/skills/pdf").rmdir()
    change_line(scene.lib / PDF, 2, "changed")
    refused = command(scene.app, "pull", "skill/pdf")
    assert refused.returncode == 4
    named = [part.split() for part in refused.stderr.split("`")[1::2]]
    (arguments,) = [words[1:] for words in named if words[1] == remedy]
    assert command(scene.app, *arguments).returncode == 0
    assert (scene.app / DEPLOYED).exists() == (remedy == "deploy")
    assert (scene.lib / PDF).exists() == (remedy != "pull")


def test_pin_of_what_somebody_else_has_just_undeployed_is_stale(scene: Scene) -> None:
    """It was a bug report: the deployment was there when the name was looked up, and gone under the lock."""
    vault = scene.vault()
    vault.deploy(["skill/pdf"], scene.app)
    with vault._work([vault._subject(scene.app, writing=False)], [b"lib"]) as work:
        draft = Draft(work.stage, vault._view(), work.session.draftsman)
        comparison = Comparison(draft, Project(b"app", b"projects/app", {}), work.snapshots(draft), deployments={})
        with pytest.raises(StaleError, match="just undeployed"):
            plan_pin(comparison, [Place(b".claude", b"lib", b"skills/pdf")], pinned=True)


@pytest.mark.parametrize("kind", ["memory", "local"])
def test_of_two_directories_that_claim_one_name_one_is_told_so(kind: str, tmp_path: Path) -> None:
    """Both were registered, and the one that had won its deploy was taken for a copy of the other."""
    places: Places = MemoryPlaces() if kind == "memory" else LocalPlaces(tmp_path / "places.json")
    assert places.claim("projects/app", "/one")
    assert places.claim("projects/app", "/one")
    assert not places.claim("projects/app", "/two")
    assert places.all() == {"projects/app": "/one"}


def test_a_pin_says_the_version_and_not_how_it_was_counted(scene: Scene) -> None:
    """`--version ~1 --pin` was shown as "pinned to ~1", which is another version after the next snapshot."""
    vault = scene.vault()
    first = vault.rev_parse("skill/pdf")
    vault.deploy(["skill/pdf"], scene.app)
    change_line(scene.lib / PDF, 2, "changed")
    vault.snapshot()
    vault.deploy(["skill/pdf"], scene.app, version="~1", pin=True)
    (row,) = vault.drift(scene.app).rows
    assert (row.pin, row.deployed) == (first.hex()[:12], first)
    assert f'pin = "{first.hex()[:12]}"' in (scene.app / "casvault.lock").read_text()
    with vault.transaction() as tx:
        tx.set_ref("tags/stable", vault.rev_parse("skill/pdf"))
    vault.deploy(["skill/pdf"], scene.app, version="tags/stable", pin=True)
    (row,) = vault.drift(scene.app).rows
    assert row.pin == "tags/stable"
