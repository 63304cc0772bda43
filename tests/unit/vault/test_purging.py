"""A secret leaks into a vault, is purged, and does not come back."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from casvault import DeployStrategy, How, PullStrategy, Vault
from casvault.errors import NotFoundError, PurgedError, RefusedError, UsageError
from casvault.objects import EXECUTABLE, Kind, Root
from casvault.oid import blob_id
from casvault.store import PackDatabase
from tests.story.scene import Scene, text, write

ANY = [sign for sign in range(1, 256) if sign != 0x2F]
SECRET = bytes(random.Random(1).choices(ANY, k=64))
"""It does not compress, so that its bytes can be looked for in the files of the packs."""
OLDER = bytes(random.Random(2).choices(ANY, k=64))
ENV = "skills/pdf/.env"


@pytest.fixture
def leaked(scene: Scene) -> Scene:
    """Two versions with a secret each, the first of which is deployed."""
    write(scene.lib, ENV, OLDER)
    scene.vault().snapshot("older")
    scene.vault().deploy(["skills/pdf"], scene.app)
    write(scene.lib, ENV, SECRET)
    scene.vault().snapshot("newer")
    return scene


def purge(scene: Scene, *targets: str) -> None:
    vault = scene.vault()
    assert vault.purge(vault.plan_purge(targets), message="it leaked").remaining == ()


def bytes_in(directory: Path) -> set[bytes]:
    """Which of the secrets are in a file below a directory."""
    files = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    return {secret for secret in (SECRET, OLDER) if any(secret in content for content in files)}


def test_secrets_are_found_in_packs_as_they_are(leaked: Scene) -> None:
    assert bytes_in(leaked.lib / ".casvault") == {SECRET, OLDER}


def test_path_alone_is_every_content_that_was_ever_there(leaked: Scene) -> None:
    plan = leaked.vault().plan_purge([ENV])
    assert {content.id for content in plan.contents} == {blob_id(SECRET), blob_id(OLDER)}
    assert {content.paths for content in plan.contents} == {(ENV,)}


def test_path_in_a_revision_is_the_one_content_there(leaked: Scene) -> None:
    ids = [{content.id for content in leaked.vault().plan_purge([f"{rev}:{ENV}"]).contents} for rev in ("@", "@~1")]
    assert ids == [{blob_id(SECRET)}, {blob_id(OLDER)}]


@pytest.mark.parametrize("target", ["skills", "skills/pdf", "skill/pdf", "pdf"])
def test_directory_is_everything_that_was_ever_below(leaked: Scene, target: str) -> None:
    found = {content.id for content in leaked.vault().plan_purge([target]).contents}
    assert found == {blob_id(content) for content in (SECRET, OLDER, text().encode(), b"old\n")}


def test_id_or_prefix_is_one_content(leaked: Scene) -> None:
    digits = blob_id(OLDER).hex()
    for target in (digits, digits[:12], digits[:12].upper()):
        assert [content.id for content in leaked.vault().plan_purge([target]).contents] == [blob_id(OLDER)]


def test_id_of_a_version_is_refused(leaked: Scene) -> None:
    version = leaked.vault().rev_parse("skills/pdf")
    with pytest.raises(UsageError, match="the id of a commit"):
        leaked.vault().plan_purge([version.hex()])


def test_empty_content_is_never_purged(scene: Scene) -> None:
    """It would take every empty file there ever was with it."""
    write(scene.lib, "skills/pdf/empty", b"")
    scene.vault().snapshot()
    with pytest.raises(NotFoundError):
        scene.vault().plan_purge(["skills/pdf/empty"])
    with pytest.raises(UsageError, match="empty"):
        scene.vault().plan_purge([blob_id(b"").hex()])


def test_nothing_at_the_path(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no content"):
        scene.vault().plan_purge(["skills/pdf/.env"])


def test_plan_names_everything_that_holds_it(leaked: Scene) -> None:
    write(leaked.app, f".claude/{ENV}", b"an edit\n" + SECRET)
    vault = leaked.vault()
    vault.drift(leaked.app)
    with vault.transaction() as tx:
        tx.set_ref("branches/b", tx.write_commit(tx.write_directory({"key": OLDER})))
    plan = vault.plan_purge([f"@~1:{ENV}"])
    assert [(each.collection, each.artifact, each.project, each.files) for each in plan.versions] == [
        ("lib", "skills/pdf", "", (".env",))
    ]
    assert [(each.collection, each.message, each.current) for each in plan.snapshots] == [("lib", "older", False)]
    assert [(each.project, each.deployments) for each in plan.projects] == [("app", (".claude/skills/pdf",))]
    assert [tuple(each) for each in plan.refs] == [("branches/b", True, 1)]
    assert [each.kind for each in plan.operations] == ["transaction", "deploy", "snapshot"]
    assert (plan.copies, plan.merges, plan.not_searched, len(plan.packs)) == ((), (), (), 1)


def test_plan_lists_versions_that_were_only_seen_in_a_project(leaked: Scene) -> None:
    write(leaked.app, f".claude/{ENV}", b"seen in the project")
    leaked.vault().drift(leaked.app)
    plan = leaked.vault().plan_purge([blob_id(b"seen in the project").hex()])
    assert [(each.artifact, each.project) for each in plan.versions] == [("skills/pdf", "app")]


def test_plan_finds_copies_on_disk_ignored_ones_and_symlinks_too(leaked: Scene) -> None:
    write(leaked.app, "elsewhere/key", OLDER)
    os.symlink(OLDER, os.fsencode(leaked.app / "link"))
    write(leaked.lib, ".git/key", OLDER)
    copies = leaked.vault().plan_purge([ENV]).copies
    assert {(each.path, each.ref) for each in copies} == {
        (leaked.lib / ENV, "collections/lib"),
        (leaked.lib / ".git/key", "collections/lib"),
        (leaked.app / ".claude" / ENV, "projects/app"),
        (leaked.app / "elsewhere/key", "projects/app"),
        (leaked.app / "link", "projects/app"),
    }


def test_plan_names_directories_that_are_not_at_hand(leaked: Scene) -> None:
    shutil.move(leaked.app, leaked.root / "away")
    assert leaked.vault().plan_purge([ENV]).not_searched == (leaked.app,)


def test_purge_takes_the_bytes_and_leaves_everything_else(leaked: Scene) -> None:
    before = leaked.vault()
    ids = set(before.reader.iter_ids())  # type: ignore[attr-defined]
    refs = before.refs()
    purge(leaked, ENV)
    vault = leaked.vault()
    assert bytes_in(leaked.lib / ".casvault") == set()
    assert set(vault.reader.iter_ids()) >= ids - {blob_id(SECRET), blob_id(OLDER)}  # type: ignore[attr-defined]
    assert vault.reader.find_infos([blob_id(SECRET), blob_id(OLDER)]) == [None, None]
    assert [ref for ref in vault.refs() if not ref[0].startswith("purged/")] == refs
    assert (vault.fsck().problems, vault.fsck().purged) == ((), 2)
    assert b"".join(vault.cat("@:skills/pdf/SKILL.md")) == text().encode()


def test_fsck_goes_on_where_a_purged_file_was_an_artifact_that_was_written(scene: Scene) -> None:
    """What an operation had written was read to see what it is, and a purged file ended the whole check."""
    write(scene.lib, "hooks/run", SECRET)
    scene.vault().deploy(["hooks/run"], scene.app)
    write(scene.lib, "hooks/run", b"clean\n")
    scene.vault().deploy(["hooks/run"], scene.app)
    purge(scene, "@~1:hooks/run")
    assert scene.vault().fsck().problems == ()


def test_purge_is_signed_and_listed(leaked: Scene) -> None:
    purge(leaked, f"@:{ENV}")
    (info,) = leaked.vault().purged()
    assert (info.id, info.size, info.author, info.reason) == (blob_id(SECRET), len(SECRET), "Ada", "it leaked")
    assert (info.allowed, info.remaining) == (False, ())
    assert leaked.vault().operations(1)[0].kind == "purge"


@pytest.mark.parametrize("revision", [f"@:{ENV}", blob_id(SECRET).hex(), blob_id(SECRET).hex()[:12]])
def test_reading_says_who_when_and_why(leaked: Scene, revision: str) -> None:
    purge(leaked, ENV)
    with pytest.raises(PurgedError, match=r"purged by Ada on 2023-11-\d\d: it leaked"):
        b"".join(leaked.vault().cat(revision))


def test_purge_of_what_was_purged_before(leaked: Scene) -> None:
    purge(leaked, ENV)
    with pytest.raises(NotFoundError, match="purged before"):
        leaked.vault().plan_purge([ENV])


def test_status_drift_log_and_diff_go_on(leaked: Scene) -> None:
    told = leaked.vault().status().changes, leaked.vault().drift(leaked.app).rows[0].status
    purge(leaked, ENV)
    vault = leaked.vault()
    assert (vault.status().changes, vault.drift(leaked.app).rows[0].status) == told
    assert [change.path for change in vault.diff("@~1", "@")] == [ENV]
    assert b"Purged: these bytes were purged by Ada" in b"".join(vault.diff_text("@~1", "@"))
    assert len(vault.log()) == 3


def test_snapshot_does_not_take_it_back(leaked: Scene) -> None:
    """The stat cache knew the file, so that it was not read, and a new version with the purged content was made."""
    purge(leaked, ENV)
    leaked.vault().status()
    assert not leaked.vault().snapshot().changes
    for path in ("skills/pdf/SKILL.md", "skills/pdf/deep/er/new.md"):
        write(leaked.lib, path, "changed " + path)
        for _ in range(2):
            with pytest.raises(PurgedError, match="does not take it back") as refused:
                leaked.vault().snapshot()
            assert refused.value.place == ENV
    (leaked.lib / ENV).unlink()
    assert leaked.vault().snapshot().changes
    assert leaked.vault().fsck().problems == ()
    assert bytes_in(leaked.lib / ".casvault") == set()


@pytest.fixture
def trusted(leaked: Scene) -> Scene:
    """What is on disk is older than the stat cache, which trusts it; only a directory below the secret's changes."""
    write(leaked.lib, "skills/pdf/deep/a.md", "a")
    time.sleep(0.05)
    leaked.vault().snapshot()
    leaked.vault().status()
    return leaked


def test_snapshot_meets_what_the_stat_cache_trusts(trusted: Scene) -> None:
    """The file was not read, and so a new version with the purged content was made."""
    purge(trusted, ENV)
    trusted.vault().status()
    write(trusted.lib, "skills/pdf/deep/a.md", "b")
    with pytest.raises(PurgedError):
        trusted.vault().snapshot()


@pytest.mark.parametrize("look", ["status", "snapshot"])
def test_snapshot_has_the_bytes_of_what_was_allowed_again(trusted: Scene, look: str) -> None:
    """The cache said that the vault had them, since it has the tree, and a snapshot was made without them."""
    purge(trusted, ENV)
    getattr(trusted.vault(), look)()
    trusted.vault().allow_purged([blob_id(SECRET).hex()])
    getattr(trusted.vault(), look)()
    write(trusted.lib, "skills/pdf/deep/a.md", "b")
    trusted.vault().snapshot()
    assert b"".join(trusted.vault().cat(f"@:{ENV}")) == SECRET


def test_snapshot_of_a_copy_under_another_name_is_refused(leaked: Scene) -> None:
    purge(leaked, ENV)
    (leaked.lib / ENV).unlink()
    leaked.vault().snapshot()
    for path in ("skills/new/key", "README"):
        place = write(leaked.lib, path, SECRET)
        with pytest.raises(PurgedError) as refused:
            leaked.vault().snapshot()
        assert refused.value.place == path
        place.unlink()


def test_large_secret_is_withheld_too(scene: Scene) -> None:
    """Files of more than a few megabytes are streamed, by another way into the store."""
    large = os.urandom(9 << 20)
    write(scene.lib, "skills/pdf/model.bin", large)
    scene.vault().snapshot()
    purge(scene, "skills/pdf/model.bin")
    write(scene.lib, "skills/pdf/SKILL.md", "changed")
    with pytest.raises(PurgedError):
        scene.vault().snapshot()
    with pytest.raises(PurgedError), scene.vault().transaction() as tx:
        tx.write_stream([large[:1000], large[1000:]])
    assert blob_id(large) not in scene.vault().reader.iter_ids()  # type: ignore[attr-defined]


def test_embedders_cannot_write_it(leaked: Scene) -> None:
    purge(leaked, ENV)
    with pytest.raises(PurgedError), leaked.vault().transaction() as tx:
        tx.write_blob(SECRET)
    with pytest.raises(UsageError), leaked.vault().transaction() as tx:
        tx.set_ref(f"purged/{blob_id(SECRET)}", None)


def test_restore_of_a_version_with_it_is_refused_by_name(leaked: Scene) -> None:
    purge(leaked, f"@~1:{ENV}")
    with pytest.raises(PurgedError) as refused:
        leaked.vault().restore("@~1")
    assert refused.value.place == ENV
    assert (leaked.lib / ENV).read_bytes() == SECRET


def test_deploy_of_a_version_with_it_is_refused_by_name(leaked: Scene) -> None:
    purge(leaked, f"@:{ENV}")
    with pytest.raises(PurgedError) as refused:
        leaked.vault().deploy(["skills/pdf"], leaked.app)
    assert refused.value.place == f".claude/{ENV}"
    assert (leaked.app / ".claude" / ENV).read_bytes() == OLDER


def test_deploy_of_a_clean_version_removes_it_from_the_project(leaked: Scene) -> None:
    purge(leaked, ENV)
    (leaked.lib / ENV).unlink()
    leaked.vault().deploy(["skills/pdf"], leaked.app)
    assert bytes_in(leaked.app) == set()
    assert leaked.vault().drift(leaked.app).rows[0].status.value == "in_sync"


def test_drift_goes_on_beside_a_file_in_a_project_that_has_it(leaked: Scene) -> None:
    """Edits are recorded by looking; those with purged content are not, and that is said."""
    purge(leaked, ENV)
    write(leaked.app, f".claude/{ENV}", SECRET)
    write(leaked.app, ".claude/skills/pdf/SKILL.md", "an edit")
    result = leaked.vault().drift(leaked.app)
    assert any("content was purged" in note and ENV in note for note in result.notes)
    assert bytes_in(leaked.lib / ".casvault") == set()


@pytest.mark.parametrize("strategy", PullStrategy)
def test_pull_of_an_edit_beside_it_is_refused(leaked: Scene, strategy: PullStrategy) -> None:
    purge(leaked, ENV)
    write(leaked.app, ".claude/skills/pdf/SKILL.md", "an edit")
    with pytest.raises(PurgedError):
        leaked.vault().pull(["skills/pdf"], leaked.app, strategy=strategy)
    assert bytes_in(leaked.lib / ".casvault") == set()


def test_deploy_over_an_edit_beside_it_is_refused(leaked: Scene) -> None:
    """The edit would have to be recorded first, and what it holds besides was purged."""
    purge(leaked, f"@~1:{ENV}")
    write(leaked.app, ".claude/skills/pdf/SKILL.md", "an edit")
    with pytest.raises(PurgedError):
        leaked.vault().deploy(["skills/pdf"], leaked.app, strategy=DeployStrategy.OVERWRITE)
    assert (leaked.app / ".claude/skills/pdf/SKILL.md").read_text() == "an edit"


def test_undo_does_not_go_behind_a_purge(leaked: Scene) -> None:
    purge(leaked, ENV)
    with pytest.raises(RefusedError, match="purge"):
        leaked.vault().undo()


def test_undo_of_a_later_step(leaked: Scene) -> None:
    purge(leaked, ENV)
    (leaked.lib / ENV).unlink()
    leaked.vault().snapshot()
    leaked.vault().move("skills/pdf", "skills/doc")
    leaked.vault().undo()
    assert [path for path, _ in leaked.vault().iter_artifacts("lib")] == ["commands/review.md", "skills/pdf"]


def test_purge_while_a_merge_in_progress_holds_it_is_refused(leaked: Scene) -> None:
    write(leaked.lib, "skills/pdf/SKILL.md", text(line2="in the collection"))
    write(leaked.app, ".claude/skills/pdf/SKILL.md", text(line2="in the project"))
    vault = leaked.vault()
    vault.pull(["skills/pdf"], leaked.app)
    (merge,) = vault.merges()
    plan = vault.plan_purge([ENV])
    assert plan.merges == (merge.handle,)
    with pytest.raises(RefusedError, match=merge.handle):
        vault.purge(plan)
    assert vault.purged() == []
    vault.resolve(merge.handle, "SKILL.md", How.OURS)
    vault.abort_merge(merge.handle)
    purge(leaked, ENV)


@pytest.mark.parametrize("how", [How.OURS, How.THEIRS])
def test_edit_of_what_was_purged_is_a_conflict_like_one_of_a_binary_file(scene: Scene, how: How) -> None:
    """A merge over a base that was purged failed with no path named, and drift of all projects with it."""
    place, files = ".claude/hooks/run", {How.OURS: b"a\nclean\nb\n", How.THEIRS: b"a\nhere\nb\n"}
    write(scene.lib, "hooks/run", b"a\nsecret\nb\n")
    scene.vault().deploy(["hooks/run"], scene.app)
    write(scene.lib, "hooks/run", files[How.OURS])
    scene.vault().snapshot()
    purge(scene, "@~1:hooks/run")
    write(scene.app, place, files[How.THEIRS])
    vault = scene.vault()
    assert [row.status.value for row in vault.drift(scene.app).rows] == ["conflict"]
    (row,) = vault.pull(["hooks/run"], scene.app).artifacts
    assert [conflict.kind.value for conflict in row.conflicts] == ["binary"]
    (merge,) = vault.merges()
    vault.resolve(merge.handle, "hooks/run", how)
    vault.continue_merge(merge.handle)
    assert (scene.lib / "hooks/run").read_bytes() == files[how]


def test_moving_what_holds_it_in_its_history_only(leaked: Scene) -> None:
    purge(leaked, f"@~1:{ENV}")
    leaked.vault().move("skills/pdf", "skills/doc")
    assert leaked.vault().fsck().problems == ()


def test_allowed_again_it_may_come_back(leaked: Scene) -> None:
    purge(leaked, ENV)
    write(leaked.lib, "skills/pdf/SKILL.md", "changed")
    vault = leaked.vault()
    vault.allow_purged([blob_id(SECRET).hex()[:12]], message="it is a test key")
    assert [(info.id == blob_id(SECRET), info.allowed) for info in vault.purged()] == [(True, True), (False, False)]
    assert vault.fsck().problems == ()
    vault.snapshot()
    assert b"".join(leaked.vault().cat(f"@:{ENV}")) == SECRET
    assert bytes_in(leaked.lib / ".casvault") == {SECRET}
    assert leaked.vault().fsck().problems == ()


def test_purge_again_of_what_was_allowed(leaked: Scene) -> None:
    purge(leaked, ENV)
    leaked.vault().allow_purged([blob_id(SECRET).hex()])
    write(leaked.lib, "skills/pdf/SKILL.md", "changed")
    leaked.vault().snapshot()
    purge(leaked, blob_id(SECRET).hex())
    assert bytes_in(leaked.lib / ".casvault") == set()
    assert [info.allowed for info in leaked.vault().purged()] == [False, False]


def test_allowing_what_was_not_purged(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        scene.vault().allow_purged([blob_id(text().encode()).hex()])


def test_purge_that_was_cut_off_is_told_and_ended_by_the_next_command(leaked: Scene) -> None:
    """The bytes were in a pack again, as a crash or a writer on its way leaves them."""
    purge(leaked, ENV)
    stray = PackDatabase(leaked.root / "lib/.casvault/packs").begin()
    stray.write_many([(Kind.BLOB, SECRET)])
    stray.publish()
    vault = leaked.vault()
    (problem,) = vault.fsck().problems
    assert "still in this pack" in problem[1]
    assert [len(info.remaining) for info in vault.purged() if info.id == blob_id(SECRET)] == [1]
    write(leaked.lib, "hooks/new", "new")
    leaked.vault().snapshot()
    assert leaked.vault().fsck().problems == ()
    assert bytes_in(leaked.lib / ".casvault") == set()


def test_in_memory() -> None:
    vault = Vault.in_memory()
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/a", {"key": SECRET, "b": b"b"})
    vault.purge(vault.plan_purge(["skills/a/key"]), message="why")
    with pytest.raises(PurgedError, match="why"):
        vault.read_files("lib", "skills/a")
    with pytest.raises(PurgedError), vault.transaction() as tx:
        tx.collection("lib").put("skills/b", {"key": SECRET})
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/a", {"b": b"b"})
    assert vault.read_files("lib", "skills/a") == {"b": b"b"}
    assert (vault.fsck().problems, vault.fsck().purged) == ((), 1)


def test_a_hundred_contents_at_once(scene: Scene) -> None:
    for number in range(100):
        write(scene.lib, f"skills/many/{number}", f"secret {number}")
    scene.vault().snapshot()
    purge(scene, "skills/many")
    assert len(scene.vault().purged()) == 100
    assert scene.vault().fsck().problems == ()


def test_executable_of_the_same_bytes_goes_too(scene: Scene) -> None:
    vault = scene.vault()
    with vault.transaction() as tx:
        blob = tx.write_blob(SECRET)
        tx.set_ref("branches/b", tx.write_commit(tx.write_directory({"x": Root(EXECUTABLE, len(SECRET), blob)})))
    purge(scene, "branches/b:x")
    with pytest.raises(PurgedError):
        b"".join(vault.cat("branches/b:x"))
