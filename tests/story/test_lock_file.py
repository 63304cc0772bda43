"""casvault.lock: who writes it and who does not, what it says, and bringing a checkout to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casvault import Action, DeployStrategy, Status, Vault
from casvault.deploy.locks import find_lock
from casvault.deploy.run import REPLACED
from casvault.deploy.state import read_deployments
from casvault.errors import CasvaultError, ConflictError, LocalEditsError, NotFoundError
from casvault.objects import read_commit
from casvault.objects.canonical import decode
from tests.story.scene import PDF, REVIEW, Scene, assert_clean, change_line, command, picture, text, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"
LOCK = "casvault.lock"


def check_true(vault: Vault, project: Path) -> None:
    """The lock file says what the state of the project says, in order, or is not there where nothing is deployed."""
    state = vault.find_ref(f"projects/{project.name}")
    deployments = read_deployments(vault.reader, state)
    found = find_lock(project)
    if not deployments:
        assert found is None
        return
    assert found is not None
    assert [(each.root, each.collection, each.path) for each in found] == sorted(map(tuple, deployments))
    for each in found:
        deployment = deployments[(each.root, each.collection, each.path)]  # type: ignore[index]
        root = read_commit(vault.reader, deployment.settled).root
        assert (each.version, each.mode, each.content) == (deployment.settled, root.mode, root.id)
        assert each.pin == (None if deployment.pin is None else deployment.pin.decode())


def test_every_command_that_changes_deployments_keeps_it_true(scene: Scene) -> None:
    vault = scene.vault()
    seen = set()

    def check() -> None:
        check_true(vault, scene.app)
        seen.add((scene.app / LOCK).read_bytes() if (scene.app / LOCK).exists() else b"")

    vault.deploy([SKILL], scene.app)
    check()
    vault.deploy(["command/review"], scene.app)
    check()
    vault.pin([SKILL], scene.app)
    check()
    vault.unpin([SKILL], scene.app)
    change_line(scene.app / DEPLOYED, 3, "app")
    vault.pull([SKILL], scene.app)
    check()
    change_line(scene.lib / PDF, 9, "lib")
    change_line(scene.app / DEPLOYED, 5, "app")
    vault.deploy([SKILL], scene.app, strategy=DeployStrategy.MERGE)
    check()
    vault.move(SKILL, "pdf2")
    vault.deploy([], scene.app)
    check()
    vault.undeploy(["skill/pdf2"], scene.app)
    check()
    vault.undo()
    check()
    vault.redo()
    check()
    vault.undeploy(["command/review"], scene.app)
    check()
    assert len(seen) == 8
    assert_clean(vault)


def test_what_only_looks_never_touches_it(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL, "command/review"], scene.app)
    change_line(scene.app / DEPLOYED, 3, "app")
    change_line(scene.lib / PDF, 9, "lib")
    for content in ((scene.app / LOCK).read_bytes(), b"somebody's own\n", None):
        (scene.app / LOCK).unlink(missing_ok=True)
        if content is not None:
            (scene.app / LOCK).write_bytes(content)
        vault.drift(scene.app)
        vault.which(scene.app / DEPLOYED)
        vault.deploy([], scene.app, dry_run=True, strategy=DeployStrategy.MERGE)
        vault.pull([], scene.app, preview=True)
        vault.undeploy([SKILL], scene.app, dry_run=True)
        vault.adopt([], scene.app, dry_run=True)
        found = (scene.app / LOCK).read_bytes() if (scene.app / LOCK).exists() else None
        assert found == content


def test_what_somebody_wrote_into_it_is_kept_in_the_operation(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    (scene.app / LOCK).write_bytes(b"# my notes\n")
    vault.deploy(["command/review"], scene.app)
    check_true(vault, scene.app)
    tip = vault._repository.log.tip()
    assert tip is not None
    value = tip.operation.field(REPLACED)
    assert value is not None
    assert decode(value, "replaced") == [b"projects/app", LOCK.encode(), b"# my notes\n"]


def checkout(scene: Scene, name: str, *, files: bool) -> Path:
    """What git brings to another machine: the lock file, and the artifacts if they are committed too."""
    place = scene.root / name
    place.mkdir()
    shutil.copy(scene.app / LOCK, place)
    if files:
        shutil.copytree(scene.app / ".claude", place / ".claude")
    return place


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """Two artifacts are deployed, one of them pinned, and the collection has moved on since."""
    vault = scene.vault()
    vault.deploy([SKILL, "command/review"], scene.app)
    vault.pin(["command/review"], scene.app)
    change_line(scene.lib / PDF, 9, "newer")
    vault.snapshot()
    return vault


@pytest.mark.parametrize(("files", "action"), [(False, Action.DEPLOYED), (True, Action.ADOPTED)])
def test_a_fresh_checkout_is_brought_to_it(scene: Scene, vault: Vault, files: bool, action: Action) -> None:
    place = checkout(scene, "fresh", files=files)
    lock = (place / LOCK).read_bytes()
    shown = vault.deploy_locked(place, dry_run=True)
    assert not (place / ".casvault-project").exists()
    result = vault.deploy_locked(place)
    assert [row.action for row in result.artifacts] == [row.action for row in shown.artifacts] == [action] * 2
    assert picture(place) == picture(scene.app)
    assert (place / LOCK).read_bytes() == lock
    rows = {row.artifact: row for row in vault.drift(place).rows}
    assert (rows[SKILL].status, rows[SKILL].behind, rows[REVIEW].pin is not None) == (Status.OUTDATED, 1, True)
    again = vault.deploy_locked(place).artifacts
    assert [row.action for row in again] == [Action.PINNED, Action.NOTHING]
    check_true(vault, place)
    assert_clean(vault)


def test_a_fresh_checkout_with_edits(scene: Scene, vault: Vault) -> None:
    place = checkout(scene, "fresh", files=True)
    change_line(place / DEPLOYED, 3, "edited")
    before = picture(place, own=True), vault.refs()
    with pytest.raises(LocalEditsError):
        vault.deploy_locked(place)
    assert (picture(place, own=True), vault.refs()) == before
    result = vault.deploy_locked(place, strategy=DeployStrategy.MERGE)
    assert [row.action for row in result.artifacts] == [Action.ADOPTED, Action.KEPT]
    row = next(row for row in vault.drift(place).rows if row.artifact == SKILL)
    assert (row.status, row.ahead, row.behind) == (Status.CONFLICT, 1, 1)
    vault.deploy_locked(place, strategy=DeployStrategy.OVERWRITE)
    assert (place / DEPLOYED).read_text() == text()


def test_it_brings_a_project_back_and_forth(scene: Scene, vault: Vault) -> None:
    """`git checkout` of another branch changes the lock file, and nothing else."""
    old = (scene.app / LOCK).read_bytes()
    vault.deploy([], scene.app)
    (scene.app / LOCK).write_bytes(old)
    rows = vault.deploy_locked(scene.app).artifacts
    assert [row.action for row in rows] == [Action.PINNED, Action.UPDATED]
    assert (scene.app / DEPLOYED).read_text() == text()
    check_true(vault, scene.app)


def test_prune_removes_what_it_does_not_name(scene: Scene, vault: Vault) -> None:
    old = (scene.app / LOCK).read_bytes()
    write(scene.lib, "skills/more/SKILL.md", "more\n")
    vault.deploy(["skill/more"], scene.app)
    (scene.app / LOCK).write_bytes(old)
    assert vault.deploy_locked(scene.app).outcome.operation is None
    assert (scene.app / ".claude/skills/more").exists()
    vault.deploy_locked(scene.app, prune=True)
    assert not (scene.app / ".claude/skills/more").exists()
    check_true(vault, scene.app)


def test_a_version_that_is_not_here_is_met_by_its_content(scene: Scene, vault: Vault) -> None:
    """Another vault of the same files has other versions."""
    place = checkout(scene, "fresh", files=False)
    version = find_lock(place)[1].version  # type: ignore[index]
    lock = place / LOCK
    lock.write_text(lock.read_text().replace(str(version), "ab" * 32))
    result = vault.deploy_locked(place)
    assert len(result.notes) == 1
    assert "version abababababab is not in this vault" in result.notes[0]
    assert f"{version.short} has the same content" in result.notes[0]
    assert (place / DEPLOYED).read_text() == text()
    assert str(version) in lock.read_text()


def test_what_the_vault_has_in_neither_form_is_named(scene: Scene, vault: Vault) -> None:
    place = checkout(scene, "fresh", files=False)
    entry = find_lock(place)[1]  # type: ignore[index]
    lock = place / LOCK
    lock.write_text(lock.read_text().replace(str(entry.version), "ab" * 32).replace(str(entry.content), "cd" * 32))
    before = picture(place, own=True), vault.refs()
    with pytest.raises(NotFoundError, match="neither the version nor the content") as caught:
        vault.deploy_locked(place)
    assert caught.value.place == "lib: skills/pdf"
    assert (picture(place, own=True), vault.refs()) == before


CONFLICT = b"""<<<<<<< HEAD
version = "1"
=======
version = "2"
>>>>>>> feature
"""


def test_markers_that_git_left_stop_everything_that_would_write_it(scene: Scene, vault: Vault) -> None:
    text_now = (scene.app / LOCK).read_bytes()
    (scene.app / LOCK).write_bytes(text_now + CONFLICT)
    change_line(scene.app / DEPLOYED, 3, "edited")
    vault.drift(scene.app)
    before = picture(scene.app, own=True), picture(scene.lib, own=True), vault.refs()
    first = text_now.count(b"\n") + 1
    for run in (
        lambda: vault.deploy_locked(scene.app),
        lambda: vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE),
        lambda: vault.undeploy([SKILL], scene.app),
        lambda: vault.pull([SKILL], scene.app),
        lambda: vault.unpin(["command/review"], scene.app),
    ):
        with pytest.raises(ConflictError, match=f"lines {first}, {first + 2}, {first + 4}") as caught:
            run()
        assert len(caught.value.conflicts) == 3
        assert (picture(scene.app, own=True), picture(scene.lib, own=True), vault.refs()) == before
    done = command(scene.lib, "deploy", "--locked", "--project", scene.app)
    assert (done.returncode, f"line {first}: <<<<<<< HEAD" in done.stderr + done.stdout) == (4, True)


def test_there_is_none(scene: Scene, vault: Vault) -> None:
    place = scene.root / "empty"
    place.mkdir()
    with pytest.raises(NotFoundError, match="no lock file"):
        vault.deploy_locked(place)
    assert list(place.iterdir()) == []


def test_one_that_is_no_lock_file(scene: Scene, vault: Vault) -> None:
    (scene.app / LOCK).write_bytes(b"[[deployment]]\nnot toml")
    with pytest.raises(CasvaultError, match="not TOML"):
        vault.deploy_locked(scene.app)
