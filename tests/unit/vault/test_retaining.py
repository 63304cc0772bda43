"""What a policy of retention would let go, and what keeps the rest."""

from __future__ import annotations

import pytest

from casvault import Vault
from casvault.errors import UsageError
from casvault.objects import TREE, Commit
from casvault.refs import Limit, Policy
from casvault.trees import find_path
from casvault.vault.holding import iter_commits
from casvault.vault.results.retention import Kept, RetentionPlan, RetentionRow
from tests.story.scene import Scene, write

DAY = 86_400


class Days:
    """A clock of which each look is a day later."""

    def __init__(self) -> None:
        self.now = 1_700_000_000

    def __call__(self) -> tuple[int, int]:
        self.now += DAY
        return self.now, 0


@pytest.fixture
def vault(scene: Scene) -> Vault:
    """Three deploys with an edit seen after each, and a snapshot that was taken back; few records stand."""
    config = scene.lib / ".casvault/vault.toml"
    config.write_text(config.read_text() + "keep_records = 4\n")
    vault = scene.vault(clock=Days())
    for number in range(3):
        write(scene.lib, "skills/pdf/SKILL.md", f"version {number}\n")
        vault.deploy(["skills/pdf"], scene.app)
        write(scene.app, ".claude/skills/pdf/SKILL.md", f"edit {number}\n")
        vault.drift(scene.app)
        write(scene.app, ".claude/skills/pdf/SKILL.md", f"version {number}\n")
        vault.drift(scene.app)
    write(scene.lib, "skills/pdf/SKILL.md", "taken back\n")
    vault.snapshot()
    vault.undo()
    for number in range(5):
        write(scene.lib, "hooks/run", f"{number}\n")
        vault.snapshot()
    return vault


def row(plan: RetentionPlan, what: Kept) -> RetentionRow:
    return next(row for row in plan.rows if row.what is what)


def test_without_limits_nothing_goes(vault: Vault) -> None:
    plan = vault.plan_retention()
    assert (plan.policy, plan.bytes_going, plan.first_kept, plan.always_kept) == (Policy(), 0, 1, 4)
    assert {row.going for row in plan.rows} == {0}


def test_rows_add_up(vault: Vault) -> None:
    plan = vault.plan_retention(Policy(Limit(6), Limit(2)))
    for found in plan.rows:
        assert found.total == found.going + found.kept_by_refs + found.kept_by_operations
        assert (found.bytes_going > 0) == (found.going > 0)


def test_operations_go_with_what_only_they_lead_to(vault: Vault) -> None:
    """One more stays than is asked for: the view on which the oldest was made."""
    total = len(vault.operations())
    plan = vault.plan_retention(Policy(Limit(5)))
    operations = row(plan, Kept.OPERATION)
    assert (operations.total, operations.beyond, operations.going) == (total, total - 5, total - 6)
    assert plan.first_kept == total - 4
    assert (row(plan, Kept.SNAPSHOT).going, row(plan, Kept.VERSION).going) == (1, 1)
    assert row(plan, Kept.STATE).going == 0


def test_the_newest_records_always_stay(vault: Vault) -> None:
    plan = vault.plan_retention(Policy(Limit(1)))
    total = len(vault.operations())
    assert (row(plan, Kept.OPERATION).beyond, row(plan, Kept.OPERATION).going) == (total - 1, total - 5)


def test_states_stay_as_long_as_an_operation_leads_to_them(vault: Vault) -> None:
    states = row(vault.plan_retention(Policy(states=Limit(1))), Kept.STATE)
    assert (states.beyond, states.going, states.kept_by_refs) == (states.total - 1, 0, 1)
    plan = vault.plan_retention(Policy(Limit(5), Limit(1)))
    assert (row(plan, Kept.STATE).going, row(plan, Kept.OBSERVATION).going) == (states.total - 1, 3)


def test_days(vault: Vault) -> None:
    plans = [vault.plan_retention(Policy(Limit(days=days))) for days in (10, 20, 400)]
    going = [row(plan, Kept.OPERATION).going for plan in plans]
    assert going[0] > going[1] > going[2] == 0


def test_what_a_collection_or_a_tag_leads_to_never_goes(vault: Vault) -> None:
    limits = Policy(Limit(4), Limit(1))
    snapshots = row(vault.plan_retention(limits), Kept.SNAPSHOT)
    assert (snapshots.kept_by_refs, snapshots.going) == (len(vault.log("lib")), 1)
    taken_back = [oid for oid, commit in iter_commits(vault._repository) if b"taken" in content(vault, commit)]
    with vault.transaction() as tx:
        for number, oid in enumerate(taken_back):
            tx.set_ref(f"tags/keep{number}", oid)
    assert row(vault.plan_retention(limits), Kept.VERSION).going == 0


def content(vault: Vault, commit: Commit) -> bytes:
    """The skill's text in a version of it; nothing for other commits."""
    state = find_path(vault.reader, commit.root, b"SKILL.md") if commit.root.mode == TREE else None
    return b"" if state is None else vault.read_blob(state.id)


def test_purged_content_takes_nothing(vault: Vault, scene: Scene) -> None:
    vault.purge(vault.plan_purge(["skills/pdf/SKILL.md"]))
    plan = vault.plan_retention(Policy(Limit(4), Limit(1)))
    assert row(plan, Kept.BLOB).total > 0


def test_policy_is_recorded_and_undone(vault: Vault) -> None:
    policy = Policy(Limit(100, 30), Limit(None, 7))
    vault.set_retention(policy, message="as agreed")
    assert (vault.retention(), vault.operations(1)[0].kind) == (policy, "retention")
    assert vault.set_retention(policy).operation is None
    vault.undo()
    assert vault.retention() == Policy()
    assert vault.fsck().problems == ()


def test_policy_cannot_be_set_as_a_ref(vault: Vault) -> None:
    with pytest.raises(UsageError), vault.transaction() as tx:
        tx.set_ref("settings/retention", None)


def test_in_memory() -> None:
    vault = Vault.in_memory()
    assert vault.plan_retention().rows == ()
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/a", b"a")
    assert vault.plan_retention(Policy(Limit(1))).bytes_going == 0
