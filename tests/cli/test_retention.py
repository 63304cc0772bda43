"""retention, as typed."""

from __future__ import annotations

import pytest

from tests.cli.conftest import World

OUTCOME = {"operation", "written", "removed", "kept", "left", "notes"}
NOTHING = {"newest": None, "days": None}


def test_show_set_and_show(world: World) -> None:
    assert world.done("retention", "show").out == "operations: all are kept\nproject states: all are kept\n"
    document = world.done("retention", "set", "--operations", "1000,180d", "--states", "30d", "--json").document
    assert set(document) == {"operations", "states", *OUTCOME}
    shown = world.done("retention", "show", "--json").document
    assert shown == {"operations": {"newest": 1000, "days": 180}, "states": {"newest": None, "days": 30}}
    assert "the newest 1,000 and those of the last 180 days" in world.done("retention", "show").out
    world.done("retention", "set", "--operations", "all")
    assert world.done("retention", "show", "--json").document["operations"] == NOTHING


def test_plan(world: World) -> None:
    document = world.done("retention", "plan", "--operations", "5", "--json").document
    assert set(document) == {"operations", "states", "bytes_going", "rows", "first_kept", "always_kept"}
    columns = {"what", "total", "beyond", "going", "bytes_going", "kept_by_refs", "kept_by_operations"}
    assert all(set(row) == columns for row in document["rows"])
    assert (document["first_kept"], document["bytes_going"]) == (1, 0)
    assert "nothing was changed" in world.done("retention", "plan").out
    assert world.done("retention", "show", "--json").document["operations"] == NOTHING


@pytest.mark.parametrize("limit", ["0", "-1", "", "d", "5,", ",5d", "5d,5", "many", "1.5"])
def test_wrong_limits(world: World, limit: str) -> None:
    assert world.run("retention", "set", f"--operations={limit}").code == 2


def test_set_without_a_limit(world: World) -> None:
    assert world.run("retention", "set").code == 2


def test_apply(world: World) -> None:
    world.done("retention", "set", "--operations", "1")
    config = world.library / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    for number in range(6):
        world.done("retention", "set", "--states", str(number + 1))
    count = len(world.done("ops", "--json").document["operations"])
    shown = world.done("retention", "apply", "--dry-run", "--json").document
    assert (shown["done"], shown["bytes_going"] > 0) == (False, True)
    refused = world.run("retention", "apply")
    assert (refused.code, "nothing was let go" in refused.err) == (4, True)
    assert len(world.done("ops", "--json").document["operations"]) == count
    document = world.done("retention", "apply", "--yes", "--json").document
    keys = {"done", "operations", "states", "objects", "bytes_before", "bytes_after", "first_kept", *OUTCOME}
    assert (set(document), document["done"]) == (keys, True)
    assert document["objects"] > 0
    assert len(world.done("ops", "--json").document["operations"]) == 5
    assert world.done("retention", "apply", "--yes").out == "there is nothing to let go\n"
    verified = world.done("audit", "--verify", "--json").document
    assert (verified["ok"], verified["let_go"]) == (True, document["first_kept"] - 1)
