"""`--json`: one document on stdout, with the keys that programs rely on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import World

OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}
SNAPSHOT = {"collection", "snapshot", "created", "changes", *OUTCOME}
STATUS = {"collection", "directory", "snapshot", "tip", "changes", "ignored", "notes", "interrupted", "clean"}
DEPLOY = {"project", "directory", "dry_run", "artifacts", *OUTCOME}
COMMIT = {
    "id", "parents", "author", "mail", "seconds", "zone", "message", "type", "collection", "path", "origin",
}  # fmt: skip
DRIFT = {
    "project", "artifact", "kind", "root", "collection", "status", "drift", "recommendation",
    "base", "collection_content", "project_content", "base_version", "collection_version", "project_version",
    "deployed", "settled", "observed", "pin", "moved_to", "ahead", "behind", "forecast", "conflicts", "merge",
    "last_deployed", "first_seen", "last_checked", "deployed_tags", "collection_tags",
}  # fmt: skip
ROW = {
    "artifact", "root", "collection", "status", "action", "version", "files", "conflicts", "merge", "reason", "remedy",
}  # fmt: skip
PATTERNS = {
    "conflicts", "waiting", "hunks", "artifacts", "paths", "projects", "kinds", "strategies", "median_seconds",
    "suggestions",
}  # fmt: skip
FIGURES = {
    "packs", "pack_bytes", "packed", "operations", "total", "kinds", "encodings", "copies", "saved_by_sharing",
    "saved_by_packing", "deployed", "projects", "span", "periods", "plot",
}  # fmt: skip
TIMELINE = {
    "project", "directory", "collection", "artifact", "root", "status", "modified", "deployed_at", "first_seen",
    "last_checked", "deployed", "settled", "observed", "parent", "pin", "events", "episodes",
}  # fmt: skip
CONFLICT = {
    "collection", "artifact", "project", "root", "direction", "strategy", "detected", "completed", "by", "base", "ours",
    "theirs", "result", "operation", "undone", "merge", "paths", "open",
}  # fmt: skip
ENTRY = {
    "operation", "id", "command", "kind", "collection", "artifact", "project", "root", "name", "before", "after",
    "author", "mail", "at", "message",
}  # fmt: skip
WHERE = {"path", "project", "collection", "artifact", "kind", "root", "version", "status", "change"}
OPERATION = {"number", "id", "kind", "arguments", "author", "seconds", "zone", "message", "undone"}


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("init ../other", {"vault", *SNAPSHOT}),
        ("collection add ../app --name more", SNAPSHOT),
        ("collection list", {"collections"}),
        ("collection remove lib", {"collection", *OUTCOME}),
        ("project list", {"projects"}),
        ("merges list", {"merges"}),
        ("status", STATUS),
        ("snapshot", SNAPSHOT),
        ("restore @", {"source", "snapshot", "recorded_first", *OUTCOME}),
        ("restore @ --to ../copy", {"directory", "written"}),
        ("log", {"commits"}),
        ("lineage skill/pdf", {"versions"}),
        ("lineage skill/pdf --where --graph", {"versions"}),
        ("snapshots", {"snapshots"}),
        ("show @ --artifacts", {"snapshot"}),
        ("diff @ @ --artifacts", {"old", "new", "artifacts"}),
        ("show", {"commit", "changes", "resolved"}),
        ("show --patch", {"commit", "changes", "resolved", "patch"}),
        ("diff", {"old", "new", "changes"}),
        ("diff --stat", {"old", "new", "changes", "lines"}),
        ("deploy skill/pdf --project ../app", DEPLOY),
        ("drift", {"rows", "recorded", "operation", "notes", "skipped", "interrupted"}),
        ("which skills/pdf/SKILL.md", WHERE),
        ("ops", {"operations"}),
        ("recover", {"recovered"}),
        ("fsck", {"packs", "objects", "reachable", "operations", "purged", "problems", "ok"}),
        ("audit", {"entries"}),
        ("audit --verify", {"operations", "records", "changes", "aside", "let_go", "first_break", "ok"}),
        ("fleet", {"rows", "missing", "notes"}),
        ("conflicts", {"conflicts"}),
        ("conflicts stats", PATTERNS),
        ("stats", FIGURES),
        ("ls-tree @", {"entries"}),
        ("cat @:commands/review.md", {"revision", "size", "encoding", "content"}),
        ("hash commands/review.md", {"files"}),
        ("rev-parse @", {"revision", "id"}),
        ("merge-base @ @", {"bases"}),
        ("merge-base --independent @ @", {"independent"}),
        ("merge-base --is-ancestor @ @", {"is_ancestor"}),
        ("merge-tree @ @", {"ours", "theirs", "tree", "clean", "conflicts", "notes"}),
    ],
)
def test_each_command_prints_one_document(world: World, command: str, keys: set[str]) -> None:
    result = world.done(*command.split(), "--json")
    assert set(result.document) == keys
    assert result.err == ""


def test_undo_redo_and_pull_print_one_document(world: World) -> None:
    project = str(world.project)
    world.done("deploy", "skill/pdf", "--project", project)
    world.deployed.write_text("mine\n")
    pulled = world.done("pull", "skill/pdf", "--project", project, "--json").document
    assert set(pulled) == {"project", "preview", "artifacts", *OUTCOME}
    (row,) = pulled["artifacts"]
    assert set(row) == {*ROW, "path", "base", "parents", "fast_forward"}
    assert set(row["files"][0]) == {"path", "change", "old", "new"}
    for command in ("undo", "redo"):
        document = world.done(command, "--json").document
        assert set(document) == {"kind", "number", "undone", "arguments", *OUTCOME}


def test_rows_have_their_keys_and_full_ids(world: World) -> None:
    world.done("deploy", "skill/pdf", "--project", str(world.project))
    (commit,) = world.done("log", "--json").document["commits"]
    assert set(commit) == COMMIT
    assert len(bytes.fromhex(commit["id"])) == 32
    (row,) = world.done("drift", "--json").document["rows"]
    assert set(row) == DRIFT
    assert (row["status"], row["recommendation"]) == ("in_sync", "nothing")
    assert all(set(each) == OPERATION for each in world.done("ops", "--json").document["operations"])
    (listed,) = world.done("collection", "list", "--json").document["collections"]
    assert set(listed) == {"name", "tip", "directory", "artifacts"}
    (project,) = world.done("project", "list", "--json").document["projects"]
    assert project == {"name": "app", "directory": str(world.project), "deployments": 1}


@pytest.mark.parametrize(
    ("command", "code", "word"),
    [
        ("--json nope", 2, "usage"),
        ("log --json -n many", 2, "usage"),
        ("pull --json", 2, "usage"),
        ("cat @:nothing --json", 3, "not-found"),
        ("--json deploy nothing --project ../app", 3, "not-found"),
    ],
)
def test_an_error_is_one_document_too(world: World, command: str, code: int, word: str) -> None:
    result = world.run(*command.split())
    assert (result.code, result.err) == (code, "")
    assert set(result.document) == {"error"}
    assert set(result.document["error"]) == {"code", "message", "place", "remedy"}
    assert result.document["error"]["code"] == word


def test_a_conflict_lists_its_conflicts(conflict: World) -> None:
    result = conflict.run("pull", "skill/pdf", "--project", str(conflict.project), "--json")
    assert result.code == 4
    (row,) = result.document["artifacts"]
    assert (row["action"], len(row["merge"]), row["version"]) == ("pending", 8, None)
    (found,) = row["conflicts"]
    assert (found["path"], found["kind"]) == ("skills/pdf/SKILL.md", "content")
    assert {"base", "ours", "theirs"} < set(found)


def test_warnings_are_part_of_the_document(world: World) -> None:
    result = world.done("status", "--json")
    assert result.err == ""
    assert isinstance(result.document["notes"], list)


def test_a_name_that_is_not_utf8_is_readable_and_whole(world: World) -> None:
    name = "skills/pdf/caf\udce9"
    (world.library / name).write_text("x")
    world.done("snapshot")
    (change,) = world.done("show", "--json").document["changes"]
    assert change["path"] == "skills/pdf/caf\\xe9"
    assert bytes.fromhex(change["path_hex"]) == b"skills/pdf/caf\xe9"


def test_reports_have_their_keys_and_times_with_a_zone(conflict: World) -> None:
    conflict.run("pull", "skill/pdf", "--project", str(conflict.project))
    (timeline,) = conflict.done("timeline", "skill/pdf", "--json").document["timelines"]
    assert set(timeline) == TIMELINE
    assert set(timeline["events"][0]) == {"operation", "kind", "at", "author", "command", "before", "after"}
    assert set(timeline["episodes"][0]) == {"since", "until", "ending", "edits", "version"}
    (row,) = conflict.done("fleet", "--json").document["rows"]
    assert set(row) == {*DRIFT, "directory", "tags"}
    (met,) = conflict.done("conflicts", "--json").document["conflicts"]
    assert set(met) == CONFLICT
    assert set(met["paths"][0]) == {
        "path", "kind", "base", "ours", "theirs", "hunks", "how", "result", "by", "at",
    }  # fmt: skip
    entries = conflict.done("audit", "--json").document["entries"]
    assert all(set(entry) == ENTRY for entry in entries)
    times = [timeline["deployed_at"], timeline["first_seen"], row["first_seen"], met["detected"], entries[0]["at"]]
    assert all(datetime.fromisoformat(time).tzinfo is not None for time in times)
