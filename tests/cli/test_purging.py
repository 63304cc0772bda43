"""purge, as typed."""

from __future__ import annotations

import pytest

from casvault.oid import blob_id
from tests.cli.conftest import World

OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}
PLAN = {
    "done", "contents", "versions", "snapshots", "projects", "refs", "merges", "operations", "packs", "copies",
    "not_searched", "elsewhere",
}  # fmt: skip
ENV = "skills/pdf/.env"
SECRET = blob_id(b"a secret\n")


@pytest.fixture
def leaked(world: World) -> World:
    (world.library / ENV).write_text("a secret\n")
    world.done("snapshot", "-m", "leaked")
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    return world


def test_without_a_terminal_it_is_only_shown(leaked: World) -> None:
    result = leaked.run("purge", ENV)
    assert result.code == 4
    assert "nothing was purged" in result.err
    for shown in (SECRET.short, "lib: skills/pdf", "app  .claude/skills/pdf", str(leaked.library / ENV), "backups"):
        assert shown in result.out
    assert leaked.done("cat", f"@:{ENV}").out == "a secret\n"


def test_document_of_a_plan(leaked: World) -> None:
    result = leaked.run("purge", ENV, "--json")
    document = result.document
    assert (result.code, result.err, set(document), document["done"]) == (4, "", PLAN, False)
    assert document["contents"] == [{"id": SECRET.hex(), "size": 9, "paths": [ENV]}]
    (version,) = document["versions"]
    assert set(version) == {"version", "collection", "artifact", "project", "seconds", "zone", "files"}
    (snapshot,) = document["snapshots"]
    assert set(snapshot) == {"snapshot", "collection", "seconds", "zone", "message", "current"}
    assert document["projects"] == [{"project": "app", "deployments": [".claude/skills/pdf"]}]
    assert [each["kind"] for each in document["operations"]] == ["deploy", "snapshot"]
    assert set(document["operations"][0]) == {"number", "kind", "author", "seconds", "zone"}
    assert {each["ref"] for each in document["copies"]} == {"collections/lib", "projects/app"}
    assert document["elsewhere"][0] == "backups"


def test_purge_and_what_is_said_of_it_later(leaked: World) -> None:
    done = leaked.done("purge", ENV, "--yes", "-m", "a token", "--json").document
    assert (set(done), done["done"], done["remaining"]) == ({*PLAN, "remaining", *OUTCOME}, True, [])
    assert done["operation"] == 4
    result = leaked.run("cat", f"@:{ENV}")
    assert (result.code, result.out) == (3, "")
    assert "purged by Ann on " in result.err
    assert ": a token" in result.err
    assert leaked.run("cat", f"@:{ENV}", "--json").document["error"]["code"] == "purged"
    assert "1 tombstone: no problems" in leaked.done("fsck").out
    assert "a token" in leaked.done("purge").out
    (entry,) = leaked.done("audit", "--kind", "purge", "--json").document["entries"]
    assert (entry["operation"], entry["kind"], entry["name"]) == (4, "purge", SECRET.hex())
    leaked.done("audit", "--verify")
    leaked.done("stats")
    listed = leaked.done("purge", "--json").document
    (row,) = listed["purged"]
    assert (listed["remaining"], row["id"], row["size"], row["reason"]) == ([], SECRET.hex(), 9, "a token")
    assert set(row) == {"id", "size", "author", "seconds", "zone", "reason", "allowed", "remaining"}


def test_commands_beside_a_purged_file(leaked: World) -> None:
    leaked.done("purge", ENV, "--yes")
    for command in ("status", "drift", "log", "lineage skill/pdf", "ls-tree -r @", "ops"):
        leaked.done(*command.split())
    assert "Purged: these bytes were purged" in leaked.done("diff", "@~1", "@").out
    leaked.skill.write_text("changed")
    refused = leaked.run("snapshot")
    assert (refused.code, f"{ENV}: this content was purged" in refused.err) == (3, True)
    undone = leaked.run("undo")
    assert (undone.code, "operation 4 is a purge" in undone.err) == (4, True)
    (leaked.library / ENV).unlink()
    leaked.done("snapshot")
    restored = leaked.run("restore", "@~1")
    assert (restored.code, f"{ENV}: these bytes were purged" in restored.err) == (3, True)


def test_allow(leaked: World) -> None:
    leaked.done("purge", ENV, "--yes")
    document = leaked.done("purge", "--allow", SECRET.hex()[:12], "--json").document
    assert set(document) == {"allowed", *OUTCOME}
    leaked.skill.write_text("changed")
    leaked.done("snapshot")
    assert leaked.done("cat", f"@:{ENV}").out == "a secret\n"
    assert leaked.run("purge", "--allow", SECRET.hex(), ENV).code == 2
    assert leaked.run("purge", "--allow", "0123456789ab").code == 3


@pytest.mark.parametrize(("target", "code"), [("skills/pdf/nothing", 3), ("@:nothing", 3), ("/", 2), ("@~9:x", 3)])
def test_targets_that_cannot_be(leaked: World, target: str, code: int) -> None:
    assert leaked.run("purge", target).code == code


def test_nothing_was_ever_purged(world: World) -> None:
    assert world.done("purge").out == "nothing was ever purged\n"
    assert world.done("purge", "--json").document == {"purged": [], "remaining": []}
