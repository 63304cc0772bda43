"""Every command that writes is killed before each change it makes to the file system.

Afterwards the vault opens, fsck is clean, an interrupted directory says so and is finished or taken back by one call;
the files, and what is said of them, are as before the command or as after it; the lock files are true; nothing is lost;
and the command itself can be run again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from casvault import Author, DeployStrategy, How, PullStrategy, Vault
from casvault.deploy.lockfile import render_lock
from casvault.deploy.locks import lock_entries
from casvault.errors import InterruptedTargetError, NotFoundError
from casvault.oid import blob_id
from casvault.vault.updating import UpdateRequest, directory_upstream
from tests.support.dying import run_until_death

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casvault.oid import Oid

LOCK = "casvault.lock"
LINES = [f"line {number}\n" for number in range(12)]


def text(**changed: str) -> str:
    """Twelve lines, some of them changed: text(line3="three")."""
    lines = list(LINES)
    for name, value in changed.items():
        lines[int(name.removeprefix("line"))] = value + "\n"
    return "".join(lines)


class World(NamedTuple):
    """A vault with one collection and one project, and a copy to start each death from."""

    root: Path
    template: Path
    edited: set[str]
    """The projects in whose lock files somebody has written."""

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    @property
    def app(self) -> Path:
        return self.root / "app"

    def reset(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root, symlinks=True)

    def vault(self) -> Vault:
        """Opened with a clock that stands, so that what is done again has the same ids."""
        return Vault.open(self.lib, author=Author("Ada", "ada@example.org"), clock=lambda: (1_700_000_000, 0))

    def told(self) -> Told:
        """What is said of all collections and projects; nothing is recorded by asking."""
        vault = self.vault()
        return Told(
            {(info.name, change) for info in vault.collections() for change in vault.status(info.name).changes},
            {
                (
                    project.name,
                    row.root,
                    row.artifact,
                    row.moved_to,
                    row.pin,
                    row.recommendation.value,
                ): row.status.value
                for project in self.projects()
                for row in vault.drift(project, record=False).rows
            },
            {merge.handle: [conflict.path for conflict in merge.open] for merge in vault.merges()},
            {branch.name: branch.tip for branch in vault.branches()},
        )

    def projects(self) -> list[Path]:
        return sorted(path.parent for path in self.root.glob("*/.casvault-project"))

    def files(self) -> dict[str, str]:
        """What a user sees: every file of the collections and the projects but casvault's own and the lock files."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            relative = path.relative_to(self.root)
            is_own = path.name == LOCK or any(part.startswith(".casvault") for part in relative.parts)
            if path.is_file() and not is_own:
                found[str(relative)] = path.read_text()
        return found

    def check_locks(self) -> None:
        """The lock file of each project that is registered says what the vault does, or what somebody wrote into it."""
        vault = self.vault()
        for info in vault.projects():
            if info.directory is not None and info.directory.exists():
                entries = lock_entries(vault.reader, vault.find_ref(f"projects/{info.name}"))
                path = info.directory / LOCK
                text = path.read_bytes() if path.exists() else b""
                assert text == (render_lock(entries) if entries else b"") or info.directory.name in self.edited


class Told(NamedTuple):
    changes: set[tuple[str, object]]
    statuses: dict[tuple[object, ...], str]
    merges: dict[str, list[str]]
    """What is still open in each."""
    branches: dict[str, Oid]


@pytest.fixture
def world() -> Iterator[World]:
    memory = Path("/dev/shm")
    fast = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="casvault-test-", dir=fast) as name:
        yield make_world(Path(name))


def make_world(directory: Path) -> World:
    made = World(directory / "world", directory / "template", set())
    skill = made.lib / "skills" / "pdf"
    skill.mkdir(parents=True)
    made.app.mkdir()
    (skill / "SKILL.md").write_text(text())
    (skill / "old.txt").write_text("goes away\n")
    (made.lib / "hooks").mkdir()
    (made.lib / "hooks/run").write_text("run\n")
    vault, _ = Vault.init(made.lib, clock=lambda: (1_700_000_000, 0))
    vault.deploy(["skills/pdf", "hooks/run"], made.app)
    (skill / "SKILL.md").write_text(text(line2="two, in the collection"))
    (skill / "old.txt").unlink()
    (skill / "more").mkdir()
    (skill / "more" / "new.txt").write_text("new\n")
    return made


def edit_project(world: World) -> None:
    (world.app / ".claude/skills/pdf/SKILL.md").write_text(text(line9="nine, in the project"))


def take_snapshot(world: World) -> None:
    world.vault().snapshot("a snapshot")


def deploy(world: World) -> None:
    world.vault().deploy(["skills/pdf"], world.app)


def pull(world: World) -> None:
    world.vault().pull(["skills/pdf"], world.app)


def restore(world: World) -> None:
    world.vault().restore("@~1")


def undo(world: World) -> None:
    world.vault().undo()


def move(world: World) -> None:
    world.vault().move("skills/pdf", "models/pdf", collection="lib")


def move_away(world: World) -> None:
    world.vault().move("skills/pdf", "team:skills/pdf", collection="lib")


def copy(world: World) -> None:
    world.vault().copy("skills/pdf", "pdf2", collection="lib")


def remove(world: World) -> None:
    world.vault().remove(["skills/pdf"], collection="lib")


def add_team(world: World) -> None:
    (world.root / "team").mkdir()
    (world.root / "team" / "README").write_text("the team's own\n")
    world.vault().add_collection(world.root / "team")


def moved_away(world: World) -> None:
    add_team(world)
    move_away(world)


def nothing(world: World) -> None:
    pass


def pulled(world: World) -> None:
    edit_project(world)
    pull(world)


def edit_the_same(world: World) -> None:
    """An edit that clashes with the collection's."""
    (world.app / ".claude/skills/pdf/SKILL.md").write_text(text(line2="two, in the project"))


def deploy_all(world: World, **options: object) -> None:
    world.vault().deploy([], world.app, **options)  # type: ignore[arg-type]


def deploy_merge(world: World) -> None:
    deploy_all(world, strategy=DeployStrategy.MERGE)


def deploy_overwrite(world: World) -> None:
    deploy_all(world, strategy=DeployStrategy.OVERWRITE)


def deploy_prune(world: World) -> None:
    deploy_all(world, prune=True)


def remove_hook(world: World) -> None:
    (world.lib / "hooks/run").unlink()


def deploy_to_web(world: World) -> None:
    (world.root / "web").mkdir(exist_ok=True)
    world.vault().deploy(["skills/pdf", "hooks/run"], world.root / "web")


def copy_project(world: World) -> None:
    shutil.copytree(world.app, world.root / "web")


def older_web(world: World) -> None:
    """Another project, that has the first version, too."""
    new = (world.lib / "skills/pdf/SKILL.md").read_text()
    (world.lib / "skills/pdf/SKILL.md").write_text(text())
    deploy_to_web(world)
    (world.lib / "skills/pdf/SKILL.md").write_text(new)


def deploy_everywhere(world: World) -> None:
    world.vault().deploy_everywhere()


def older_lock(world: World) -> None:
    """The lock file of the first version is at hand, and the project has the second one."""
    shutil.copy(world.app / LOCK, world.root / "older")
    deploy_all(world)


def deploy_locked(world: World) -> None:
    world.edited.add(world.app.name)
    (world.app / LOCK).write_bytes((world.root / "older").read_bytes())
    world.vault().deploy_locked(world.app)


def undeploy(world: World) -> None:
    world.vault().undeploy(["skills/pdf", "hooks/run"], world.app)


def forget(world: World) -> None:
    world.vault().undeploy(["skills/pdf"], world.app, keep_files=True)


def adopt(world: World) -> None:
    world.vault().adopt([], world.app)


def pin(world: World) -> None:
    world.vault().pin(["skills/pdf"], world.app)


def delete_in_project(world: World) -> None:
    take_snapshot(world)
    deploy_all(world)
    shutil.rmtree(world.app / ".claude/skills/pdf")


def pull_deletion(world: World) -> None:
    world.vault().pull([], world.app, delete=True)


def pull_fork(world: World) -> None:
    world.vault().pull(["skills/pdf"], world.app, strategy=PullStrategy.FORK, relink=True)


def observe(world: World) -> None:
    world.vault().drift(world.app)


def resolved_pull(world: World) -> None:
    edit_the_same(world)
    pull(world)
    resolve(world)


def resolved_deploy(world: World) -> None:
    edit_the_same(world)
    deploy_merge(world)
    resolve(world)


def resolve(world: World) -> None:
    vault = world.vault()
    (merge,) = vault.merges()
    vault.resolve(merge.handle, "SKILL.md", How.FILE, text(line2="two, of both").encode())


def continue_merge(world: World) -> None:
    world.vault().continue_merge("skills/pdf")


def vendor(world: World, line: str = "line 0") -> None:
    """What upstream has now."""
    place = world.root / "vendor"
    place.mkdir(exist_ok=True)
    (place / "SKILL.md").write_text(text(line0=line))


def update(world: World) -> None:
    world.vault().update([UpdateRequest("skills/tool", directory_upstream(world.root / "vendor"))], collection="lib")


def updated(world: World) -> None:
    """It came from upstream, was changed in another place, and upstream has something new."""
    vendor(world)
    update(world)
    (world.lib / "skills/tool/SKILL.md").write_text(text(line9="nine, here"))
    vendor(world, "zero, upstream")


def resolved_update(world: World) -> None:
    updated(world)
    (world.lib / "skills/tool/SKILL.md").write_text(text(line0="zero, here"))
    update(world)
    (merge,) = world.vault().merges()
    world.vault().resolve(merge.handle, "SKILL.md", How.THEIRS)


def continue_update(world: World) -> None:
    world.vault().continue_update("skills/tool")


def moved(world: World) -> None:
    edit_project(world)
    move(world)


def tagged(world: World) -> None:
    """Two versions, each with a tag, and one of another artifact that was removed."""
    vault = world.vault()
    vault.copy("skills/pdf", "pdf2", collection="lib")
    vault.tag("skills/pdf2", "v1", collection="lib")
    vault.remove(["skills/pdf2"], collection="lib")
    vault.tag("skills/pdf", "v1", collection="lib")
    (world.lib / "skills/pdf/SKILL.md").write_text(text(line3="three"))
    vault.snapshot(collection="lib")
    vault.tag("skills/pdf", "v2", collection="lib")


def move_onto_tags(world: World) -> None:
    world.vault().move("skills/pdf", "pdf2", collection="lib")


def moved_onto_tags(world: World) -> None:
    tagged(world)
    move_onto_tags(world)


def revert(world: World) -> None:
    world.vault().revert("skills/pdf", "v2", collection="lib")


def restore_version(world: World) -> None:
    world.vault().restore_version("skills/pdf", "v1", collection="lib")


def move_tag(world: World) -> None:
    world.vault().tag("skills/pdf", "v1", "v2", force=True, collection="lib")


def undeployed(world: World) -> None:
    edit_project(world)
    undeploy(world)


def record_notes(world: World, branch: str = "notes", content: str = "") -> None:
    """Record a plain directory on a branch."""
    directory = world.root / "notes"
    directory.mkdir(exist_ok=True)
    (directory / "a.md").write_text(content or text())
    world.vault().snapshot_branch(branch, directory, "edit")


def record_edited_notes(world: World) -> None:
    record_notes(world, content=text(line3="three"))


def create_branch(world: World) -> None:
    world.vault().create_branch("try", "notes")


def delete_branch(world: World) -> None:
    world.vault().delete_branch("notes")


def forked_branches(world: World, ours: str = "line3", theirs: str = "line9") -> None:
    """Two branches, each with a change of its own; alike, they clash."""
    record_notes(world)
    create_branch(world)
    record_notes(world, "notes", text(**{ours: "ours"}))
    record_notes(world, "try", text(**{theirs: "theirs"}))


def clashing_branches(world: World) -> None:
    forked_branches(world, "line3", "line3")


def merge_branch(world: World) -> None:
    world.vault().merge_branch("try", "notes")


def pending_branches(world: World) -> None:
    clashing_branches(world)
    merge_branch(world)


def resolve_branches(world: World) -> None:
    world.vault().resolve("notes", "a.md", How.FILE, text(line3="both").encode())


def resolved_branches(world: World) -> None:
    pending_branches(world)
    resolve_branches(world)


def continue_branches(world: World) -> None:
    world.vault().continue_branch("notes")


def abort_branches(world: World) -> None:
    world.vault().abort_merge("notes")


def merged_branches(world: World) -> None:
    forked_branches(world)
    merge_branch(world)


CASES = {
    "snapshot": (nothing, take_snapshot),
    "update from upstream, imported": (vendor, update),
    "update from upstream, merged": (updated, update),
    "continue an update": (resolved_update, continue_update),
    "deploy": (nothing, deploy),
    "pull": (edit_project, pull),
    "restore": (take_snapshot, restore),
    "undo": (pulled, undo),
    "mv": (nothing, move),
    "mv with tags onto tags": (tagged, move_onto_tags),
    "undo of mv with tags onto tags": (moved_onto_tags, undo),
    "revert": (tagged, revert),
    "restore of a version": (tagged, restore_version),
    "tag by force": (tagged, move_tag),
    "cp": (nothing, copy),
    "rm": (nothing, remove),
    "mv to another collection": (add_team, move_away),
    "undo of mv to another collection": (moved_away, undo),
    "deploy with merge": (edit_project, deploy_merge),
    "deploy with conflict": (edit_the_same, deploy_merge),
    "deploy with overwrite": (edit_project, deploy_overwrite),
    "deploy with prune": (remove_hook, deploy_prune),
    "deploy after mv": (moved, deploy_overwrite),
    "deploy to a new project": (nothing, deploy_to_web),
    "deploy to a copy": (copy_project, deploy_to_web),
    "deploy everywhere": (older_web, deploy_everywhere),
    "deploy locked": (older_lock, deploy_locked),
    "undeploy": (edit_project, undeploy),
    "undeploy, keep files": (edit_project, forget),
    "undo of undeploy": (undeployed, undo),
    "adopt": (forget, adopt),
    "pin": (nothing, pin),
    "pull of a deletion": (delete_in_project, pull_deletion),
    "pull with fork and relink": (edit_project, pull_fork),
    "pull with conflict": (edit_the_same, pull),
    "continue of a pull": (resolved_pull, continue_merge),
    "continue of a deploy": (resolved_deploy, continue_merge),
    "observation": (edit_project, observe),
    "first snapshot of a branch": (nothing, record_notes),
    "snapshot of a branch": (record_notes, record_edited_notes),
    "branch": (record_notes, create_branch),
    "deletion of a branch": (record_notes, delete_branch),
    "merge of branches": (forked_branches, merge_branch),
    "merge of branches with conflict": (clashing_branches, merge_branch),
    "resolution between branches": (pending_branches, resolve_branches),
    "continue of a merge of branches": (resolved_branches, continue_branches),
    "abort of a merge of branches": (resolved_branches, abort_branches),
    "undo of a merge of branches": (merged_branches, undo),
}


@pytest.mark.parametrize("name", CASES)
def test_command_killed_before_each_change(name: str, world: World) -> None:
    prepare, command = CASES[name]
    prepare(world)
    shutil.copytree(world.root, world.template, symlinks=True)
    start = Moment(world.files(), world.told())
    command(world)
    end = Moment(world.files(), world.told())
    deaths = 0
    while True:
        world.reset()
        survived = run_until_death(lambda: command(world), deaths)
        if survived:
            break
        check_after_death(world, command, start, end, back=deaths % 2 == 1, place=f"{name}, change {deaths}")
        world.check_locks()
        deaths += 1
    assert world.files() == end.files
    assert deaths > 7, "the sweep has found hardly any change to die before"


class Moment(NamedTuple):
    """What the files are, and what is said of them."""

    files: dict[str, str]
    told: Told


def check_after_death(
    world: World, command: Callable[[World], None], start: Moment, end: Moment, *, back: bool, place: str
) -> None:
    vault = world.vault()
    interrupted = vault.interrupted()
    if interrupted:
        # A merge that was continued is none any more, and so there is nothing to be held up.
        with pytest.raises((InterruptedTargetError, NotFoundError)):
            command(world)
        # What is taken back is taken back in all directories at once.
        assert len(vault.recover(back=back)) == (1 if back else len(interrupted)), place
        assert vault.interrupted() == [], place
    seen = Moment(world.files(), world.told())
    assert seen.files in (start.files, end.files), place
    assert seen.told in (start.told, end.told), place
    if interrupted:
        assert seen == (start if back else end), place
    check_nothing_is_lost(vault, start.files, seen.files, place)
    assert vault.fsck().problems == (), place
    if seen != end:
        command(world)
        assert Moment(world.files(), world.told()) == end, place


def check_nothing_is_lost(vault: Vault, before: dict[str, str], now: dict[str, str], place: str) -> None:
    """What is not on the disk any more is in the vault."""
    wanted = {blob_id(content.encode()): path for path, content in before.items() if now.get(path) != content}
    infos = vault.reader.find_infos(list(wanted))
    assert [path for path, info in zip(wanted.values(), infos, strict=True) if info is None] == [], place
