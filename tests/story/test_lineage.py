"""What is read off the history: versions, who holds them, what changed a path, what snapshots are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Origin, PullStrategy, Purpose, Role, Vault
from casvault.errors import NotFoundError, UsageError
from casvault.oid import Oid
from casvault.vault.results.changes import ChangeKind
from casvault.vault.results.lineage import VersionInfo
from tests.story.scene import PDF, REVIEW, Scene, change_line, text, write

SKILL = "skills/pdf"
DEPLOYED = f".claude/{PDF}"


def snapshot(vault: Vault, message: str = "") -> Oid:
    result = vault.snapshot(message)
    assert result.created
    assert result.snapshot is not None
    return result.snapshot


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """The story: deployed, edited on both sides, pulled as a merge, deployed again."""
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.lib / PDF, 1, "the library's")
    snapshot(vault, "the library moves")
    change_line(scene.app / DEPLOYED, 10, "the project's")
    vault.pull([SKILL], scene.app)
    vault.deploy([SKILL], scene.app)
    return vault


def lineage(vault: Vault, artifact: str = SKILL) -> list[VersionInfo]:
    return vault.lineage(artifact, every_snapshot=True)


def test_the_lineage_tells_of_every_version(scene: Scene, vault: Vault) -> None:
    h4, *both, h1 = lineage(vault)
    assert [info.origin for info in (h4, h1)] == [Origin.MERGE, Origin.IMPORT]
    assert sorted(info.id for info in both) == sorted(h4.parents)
    assert {info.parents for info in both} == {(h1.id,)}
    assert {(info.author, info.mail, info.zone, info.path) for info in (h4, *both, h1)} == {
        ("Ada", "ada@example.org", "+0000", SKILL)
    }
    assert [info.content for info in (h4, h1)] == [vault.rev_parse(f"{info.id}:") for info in (h4, h1)]
    assert [info.message for info in both if info.id == h4.parents[0]] == ["the library moves"]
    assert {info.where for info in vault.lineage(SKILL)} == {None}


def test_the_deployed_sequence_is_read_off_the_project(scene: Scene, vault: Vault) -> None:
    h4, *_, h1 = lineage(vault)
    assert [info.id for info in vault.deployed_versions(scene.app, SKILL)] == [h4.id, h1.id]
    vault.undo()
    assert [info.id for info in vault.deployed_versions(scene.app, SKILL)] == [h1.id]


def test_the_deployed_sequence_goes_on_through_a_rename(scene: Scene, vault: Vault) -> None:
    """A deployment follows its artifact; what was deployed under the old name was left out."""
    before = [info.id for info in vault.deployed_versions(scene.app, SKILL)]
    vault.move(SKILL, "skills/tools")
    vault.deploy([], scene.app)
    change_line(scene.lib / "skills/tools/SKILL.md", 3, "new")
    vault.deploy([], scene.app)
    newest, renamed, *older = [info.id for info in vault.deployed_versions(scene.app, "skills/tools")]
    assert [newest, renamed] == [info.id for info in vault.lineage("skills/tools")[:2]]
    assert older == before


def test_where_a_version_is(scene: Scene, vault: Vault) -> None:
    log = [info.id for info in vault.log()]
    h4, *both, h1 = lineage(vault)
    first, moved = h1.where, next(info.where for info in both if info.id == h4.parents[0])
    observed = next(info.where for info in both if info.id == h4.parents[1])
    assert h4.where is not None
    assert first is not None
    assert moved is not None
    assert observed is not None
    (newest,) = h4.where.snapshots
    assert (newest.collection, newest.path, newest.number, newest.current) == ("lib", SKILL, 1, True)
    assert newest.snapshots == newest.brought == (log[0],)
    (project,) = h4.where.projects
    assert (project.project, project.root, project.path) == ("app", ".claude", SKILL)
    assert project.roles == (Role.DEPLOYED, Role.SETTLED)
    assert [holding.snapshots for holding in (*moved.snapshots, *first.snapshots)] == [(log[1],), (log[2],)]
    assert first.projects == ()
    assert observed == ((), ())


def test_a_version_is_held_for_as_long_as_nothing_replaces_it(scene: Scene, vault: Vault) -> None:
    for number in range(3):
        write(scene.lib, "commands/other.md", f"{number}")
        snapshot(vault)
    h4, *_ = lineage(vault)
    assert h4.where is not None
    (holding,) = h4.where.snapshots
    log = [info.id for info in vault.log()]
    assert (holding.snapshots, holding.brought, holding.number) == (tuple(log[:4]), (log[3],), 4)


def test_an_edit_that_was_only_seen_is_held_by_its_project(scene: Scene, vault: Vault) -> None:
    change_line(scene.app / DEPLOYED, 6, "seen")
    vault.drift(scene.app)
    (content,) = [row.project_content for row in vault.drift(scene.app).rows]
    assert content is not None
    (found,) = vault.versions_with(content, where=True)
    assert found.where is not None
    assert found.where.snapshots == ()
    assert [holding.roles for holding in found.where.projects] == [(Role.OBSERVED,)]


def test_what_was_undone_is_held_by_nobody(scene: Scene, vault: Vault) -> None:
    """The index of changes keeps the snapshots that an undo took away; they must not be answered with."""
    change_line(scene.lib / PDF, 5, "a mistake")
    gone = snapshot(vault)
    (found,) = vault.versions_with(vault.rev_parse(f"@:{SKILL}"))
    content = found.content
    kept = lineage(vault)[1:]
    vault.undo()
    assert vault.versions_with(content) == []
    assert lineage(vault)[1:] == [info for info in kept if info.id != kept[0].id]
    assert gone not in [info.id for info in vault.log(paths=[SKILL])]
    vault.redo()
    assert [info.id for info in vault.versions_with(content)] == [found.id]
    assert vault.log(paths=[SKILL])[0].id == gone


def test_a_content_that_came_again_is_two_versions(scene: Scene, vault: Vault) -> None:
    vault.restore("@~2", [SKILL])
    (old, new) = vault.versions_with(lineage(vault)[-1].content)
    assert (old.origin, new.origin, new.parents) == (Origin.IMPORT, Origin.RESTORE, (lineage(vault)[1].id,))


def test_a_removed_artifact_still_has_its_lineage(scene: Scene, vault: Vault) -> None:
    before = [info.id for info in lineage(vault)]
    vault.remove([SKILL])
    after = lineage(vault)
    assert [info.id for info in after] == before
    assert after[0].where is not None
    assert [holding.current for holding in after[0].where.snapshots] == [False]
    with pytest.raises(NotFoundError):
        vault.lineage("skills/never")


def test_tags_show_in_the_lineage(scene: Scene, vault: Vault) -> None:
    vault.tag(SKILL, "v1.0")
    assert [info.tags for info in lineage(vault)] == [("v1.0",), (), (), ()]
    assert [each.tags for each in vault.snapshot_info().artifacts or () if each.path == SKILL] == [("v1.0",)]


def changed(vault: Vault, *paths: str, revision: str = "@") -> list[int]:
    """Which snapshots changed one of the paths, counted back from the newest one."""
    log = [info.id for info in vault.log()]
    return [log.index(info.id) for info in vault.log(revision, paths=paths)]


def test_the_log_of_a_path(scene: Scene, vault: Vault) -> None:
    write(scene.lib, "README", "plain\n")
    snapshot(vault)
    write(scene.lib, REVIEW, text(line1="new"))
    snapshot(vault)
    (scene.lib / "skills/pdf/old.txt").unlink()
    snapshot(vault)
    assert changed(vault, PDF) == [3, 4, 5]
    assert changed(vault, "skills/pdf/old.txt") == [0, 5]
    assert changed(vault, SKILL) == changed(vault, "skills") == [0, 3, 4, 5]
    assert changed(vault, "README") == [2]
    assert changed(vault, REVIEW) == changed(vault, "commands/") == [1, 5]
    assert changed(vault, "README", REVIEW) == [1, 2, 5]
    assert changed(vault, "nothing") == changed(vault, "README/below") == []
    assert changed(vault, PDF, revision="@~4") == [4, 5]
    assert changed(vault, "") == [0, 1, 2, 3, 4, 5]
    assert vault.has_path("skills/pdf/old.txt")
    assert not vault.has_path("skills/pdf/new.txt")


def test_the_log_of_a_file_follows_its_artifact_and_nothing_else(scene: Scene, vault: Vault) -> None:
    vault.move(SKILL, "skills/tools")
    (scene.lib / "skills/tools/SKILL.md").rename(scene.lib / "skills/tools/MAIN.md")
    snapshot(vault)
    assert changed(vault, "skills/tools/SKILL.md") == [0, 1, 2, 3, 4]
    assert changed(vault, "skills/tools/MAIN.md") == [0]
    assert changed(vault, "skills/tools") == [0, 1, 2, 3, 4]
    # The old path has the rename as its end, and what was there before.
    assert changed(vault, SKILL) == [1, 2, 3, 4]


def test_the_log_of_a_path_that_another_artifact_took(scene: Scene, vault: Vault) -> None:
    """The lineage of what stands at a path now leads elsewhere; what stood there before is no part of it."""
    vault.move(SKILL, "skills/tools")
    vault.copy(REVIEW, "commands/again.md")
    write(scene.lib, PDF, "another one\n")
    snapshot(vault)
    assert changed(vault, PDF) == [0, 2, 3, 4, 5]
    assert changed(vault, "skills/tools/SKILL.md") == [2, 3, 4, 5]
    assert changed(vault, "commands/again.md") == [1]


def test_a_file_that_became_part_of_an_artifact_unchanged_was_not_changed(scene: Scene, vault: Vault) -> None:
    write(scene.lib, "commands/sub/data.txt", "the same\n")
    snapshot(vault)
    assert [each.path for each in vault.snapshot_info().artifacts or ()] == [REVIEW, SKILL]
    write(scene.lib, "casvault.toml", '[[rules]]\npath = "commands/sub"\nkind = "bundle"\n')
    snapshot(vault)
    assert [each.path for each in vault.snapshot_info().artifacts or ()] == [REVIEW, "commands/sub", SKILL]
    assert changed(vault, "commands/sub/data.txt") == [1]
    assert changed(vault, "commands/sub") == [0, 1]


def test_what_snapshots_are_for(scene: Scene, vault: Vault) -> None:
    write(scene.lib, REVIEW, "found by the deploy\n")
    vault.deploy([REVIEW], scene.app)
    write(scene.lib, REVIEW, "found by the restore\n")
    vault.restore("@", [SKILL])
    vault.restore("@~1", [REVIEW])
    told = [(info.command, info.purposes) for info in vault.snapshots()]
    assert told == [
        ("restore", (Purpose.MANUAL,)),
        ("restore", (Purpose.MANUAL,)),
        ("deploy", (Purpose.DEPLOY, Purpose.MERGE_BASE)),
        ("pull", (Purpose.PULL, Purpose.MERGE_BASE)),
        ("snapshot", (Purpose.MANUAL,)),
        ("init", (Purpose.IMPORT,)),
    ]
    assert [info.command for info in vault.snapshots(purpose=Purpose.MERGE_BASE)] == ["deploy", "pull"]
    assert [info.id for info in vault.snapshots(limit=2)] == [info.id for info in vault.log(limit=2)]


def test_what_a_command_found_and_recorded_first_is_a_rollback_point(scene: Scene, vault: Vault) -> None:
    write(scene.lib, REVIEW, "not in a snapshot yet\n")
    vault.restore("@~2", [SKILL])
    after, before, *_ = vault.snapshots()
    assert (after.purposes, before.purposes) == ((Purpose.MANUAL,), (Purpose.ROLLBACK_POINT,))
    assert (after.operation, after.command) == (before.operation, before.command)
    assert after.command == "restore"


def test_what_a_snapshot_holds(scene: Scene, vault: Vault) -> None:
    info = vault.snapshot_info("@")
    review, pdf = info.artifacts or ()
    assert (review.path, review.name, review.kind, review.projects) == (REVIEW, "command/review", "command", ())
    assert (pdf.path, pdf.name, pdf.kind, pdf.source) == (SKILL, "skill/pdf", "skill", "lib")
    assert (pdf.version, pdf.origin) == (vault.rev_parse(SKILL), Origin.MERGE)
    assert pdf.content == vault.rev_parse(f"@:{SKILL}")
    assert [(each.project, each.roles) for each in pdf.projects] == [("app", (Role.DEPLOYED, Role.SETTLED))]
    assert vault.snapshots(limit=1, artifacts=True) == [info]
    assert vault.snapshots(limit=1)[0].artifacts is None
    with pytest.raises(UsageError):
        vault.snapshot_info(SKILL)


def test_two_snapshots_by_artifact(scene: Scene, vault: Vault) -> None:
    old, start = vault.rev_parse(SKILL), vault.rev_parse("@").hex()
    vault.move(SKILL, "skills/tools")
    write(scene.lib, "skills/tools/new.txt", "new\n")
    vault.remove([REVIEW])
    write(scene.lib, "agents/new.md", "new\n")
    snapshot(vault)
    added, removed, moved = vault.diff_artifacts(start, "@")
    assert (added.path, added.change, added.old_version, added.added) == ("agents/new.md", ChangeKind.ADDED, None, 1)
    assert (removed.path, removed.change, removed.new_version) == (REVIEW, ChangeKind.REMOVED, None)
    assert (moved.path, moved.moved_from, moved.old_version) == ("skills/tools", SKILL, old)
    assert (moved.added, moved.modified, moved.removed) == (1, 0, 0)
    assert vault.diff_artifacts("@", "@") == []
    back = {each.path: each.change for each in vault.diff_artifacts("@", start)}
    assert back == {
        "agents/new.md": ChangeKind.REMOVED,
        "skills/tools": ChangeKind.REMOVED,
        REVIEW: ChangeKind.ADDED,
        SKILL: ChangeKind.ADDED,
    }


def test_a_snapshot_and_the_directory_by_artifact(scene: Scene, vault: Vault) -> None:
    assert vault.diff_artifacts() == []
    write(scene.lib, REVIEW, "changed\n")
    write(scene.lib, "skills/new/SKILL.md", "new\n")
    changed_one, new = vault.diff_artifacts()
    assert (changed_one.path, changed_one.change, changed_one.modified) == (REVIEW, ChangeKind.MODIFIED, 1)
    assert (new.path, new.change, new.old_content, new.new_version) == ("skills/new", ChangeKind.ADDED, None, None)


def test_one_artifact_comes_back_out_of_any_snapshot(scene: Scene, vault: Vault) -> None:
    first = vault.log()[-1].id
    wanted = {each.path: each.content for each in vault.snapshot_info(first.hex()).artifacts or ()}
    vault.remove([REVIEW])
    vault.move(SKILL, "skills/tools")
    for path in (SKILL, REVIEW):
        vault.restore(first.hex(), [path])
        assert vault.rev_parse(f"@:{path}") == wanted[path]
    assert (scene.lib / PDF).read_text() == text()
    paths = [each.path for each in vault.snapshot_info().artifacts or ()]
    assert paths == [REVIEW, SKILL, "skills/tools"]


def test_a_second_copy_that_was_united_is_in_the_log_of_its_paths(scene: Scene, vault: Vault) -> None:
    there, other = scene.copy()
    write(there, REVIEW, text(line2="the copy's"))
    copied = other.snapshot("in the copy").snapshot
    write(scene.lib, PDF, (scene.lib / PDF).read_text() + "more\n")
    united = vault.snapshot("in the library").snapshot
    assert united is not None
    assert len(vault.read_commit(united).parents) == 2
    mine = vault.lineage(SKILL, every_snapshot=True)[0].where
    assert [info.id for info in vault.log(paths=[REVIEW])] == [copied, vault.log()[-1].id]
    assert mine is not None
    (holding,) = mine.snapshots
    # The snapshot of the library's own change, and the one that unites both.
    assert (holding.number, holding.newest, len(holding.brought)) == (2, united, 1)


def test_the_cache_may_go_at_any_time(scene: Scene, vault: Vault, place: Path) -> None:
    for number in range(70):
        write(scene.lib, REVIEW, f"{number}\n")
        snapshot(vault)
    before = (scene.vault().lineage(REVIEW, every_snapshot=True), scene.vault().log(paths=[REVIEW]))
    file = scene.lib / ".casvault/cache/changes.index"
    size = file.stat().st_size
    for damage in (None, b"", b"x" * size):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage)
        again = scene.vault()
        assert (again.lineage(REVIEW, every_snapshot=True), again.log(paths=[REVIEW])) == before
        assert file.stat().st_size == size


def test_a_fork_is_in_the_lineage_of_what_it_came_from(scene: Scene, vault: Vault) -> None:
    change_line(scene.app / DEPLOYED, 4, "forked")
    vault.pull([SKILL], scene.app, strategy=PullStrategy.FORK, fork_as="skills/mine")
    origins = [info.origin for info in vault.lineage("skills/mine")]
    assert origins[0] is Origin.FORK
    assert Origin.MERGE in origins
