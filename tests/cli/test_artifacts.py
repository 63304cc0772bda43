"""mv, cp and rm as they are typed, and what they say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import World

ID = "[0-9a-f]{12}"


def test_mv_says_where_to(world: World) -> None:
    result = world.done("mv", "skill/pdf", "pdf-tools", "-m", "a better name")
    assert re.fullmatch(rf"skills/pdf: moved to skills/pdf-tools, version {ID}\n", result.out)
    assert (world.library / "skills/pdf-tools/SKILL.md").exists()
    assert "rename" in world.done("lineage", "skill/pdf-tools").out


def test_cp_to_another_collection_says_which(world: World) -> None:
    (world.base / "team").mkdir()
    world.done("collection", "add", str(world.base / "team"))
    result = world.done("cp", "skill/pdf", "team:")
    assert re.fullmatch(rf"skills/pdf: copied to team:skills/pdf, version {ID}\n", result.out)
    assert (world.base / "team/skills/pdf/SKILL.md").exists()


def test_rm_lists_what_went(world: World) -> None:
    result = world.done("rm", "skill/pdf", "review")
    lines = [
        "lib: 2 artifacts removed; `casvault undo` brings back what went",
        "  D  skills/pdf",
        "  D  commands/review.md",
    ]
    assert result.out.splitlines() == lines
    assert not world.skill.exists()
    world.done("undo")
    assert world.skill.exists()


def test_left_behind_is_a_warning(world: World) -> None:
    (world.skill.parent / ".DS_Store").write_text("ignored")
    (world.library / "skills/other").write_text("keeps the directory")
    result = world.done("rm", "skill/pdf")
    assert result.err == "warning: skills/pdf: not removed, because something else is in it\n"


@pytest.mark.parametrize("command", ["mv", "cp"])
def test_an_odd_name_is_quoted(world: World, command: str) -> None:
    result = world.done(command, "skill/pdf", "caf\udce9")
    assert '"skills/caf\\351"' in result.out


@pytest.mark.parametrize("command", ["mv", "cp"])
def test_transfer_as_a_document(world: World, command: str) -> None:
    document = world.done(command, "skill/pdf", "pdf2", "--json").document
    version = world.done("rev-parse", "skill/pdf2").out.strip()
    assert document == {
        "collection": "lib",
        "artifact": "skills/pdf",
        "new_collection": "lib",
        "new_artifact": "skills/pdf2",
        "version": version,
        "operation": 2,
        "written": 2,
        "removed": 2 if command == "mv" else 0,
        "kept": [],
        "left": [],
        "notes": [],
    }


def test_removal_as_a_document(world: World) -> None:
    document = world.done("rm", "skill/pdf", "--json").document
    assert (document["collection"], document["artifacts"], document["operation"]) == ("lib", ["skills/pdf"], 2)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("mv nothing x", 3, "error: nothing: no such artifact in collection lib\n"),
        ("cp skill/pdf commands/review.md", 4, "error: commands/review.md: there is an artifact already\n"),
        ("mv skill/pdf nowhere:x", 3, "error: nowhere: no such collection\n"),
        ("mv skill/pdf a/b/c", 2, "error: a/b/c: by the collection's rules, no artifact can be at this path\n"),
    ],
)
def test_a_failure_says_what_and_what_to_do(world: World, command: str, code: int, message: str) -> None:
    result = world.run(*command.split())
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith(message)
    assert "\nhint: " in result.err


def test_ops_show_what_was_moved(world: World) -> None:
    world.done("mv", "skill/pdf", "pdf2")
    (operation, *_) = json.loads(world.done("ops", "--json").raw)["operations"]
    assert (operation["kind"], operation["arguments"]) == ("mv", ["lib", "skills/pdf", "skills/pdf2"])
