"""Deploy and pull by their strategies, on one artifact in memory."""

from __future__ import annotations

import pytest

from casvault.artifacts.version import read_version
from casvault.deploy.actions import Action
from casvault.deploy.deploying import DeployStrategy, Request, check_places
from casvault.deploy.drift import Status
from casvault.deploy.projects import find_owner_refusal
from casvault.deploy.pulling import PullOptions, PullStrategy
from casvault.deploy.state import Deployment, Place, read_deployments, set_deployments
from casvault.errors import DamageError, LocalEditsError, RefusedError
from casvault.objects import read_blob, read_commit
from tests.unit.artifacts.drafting import Desk
from tests.unit.deploy.standing import LINE, PLACE, PROJECT_REF, Standing, stand

BASE = b"1\n2\n3\n4\n5\n6\n7\n8\n"
UPDATE = BASE.replace(b"1", b"update")
EDIT = BASE.replace(b"8", b"edit")
BOTH = UPDATE.replace(b"8", b"edit")
CLASH = BASE.replace(b"1", b"clash")


def settled(standing: Standing) -> Deployment:
    found = standing.deployment()
    assert found is not None
    return found


def content(standing: Standing, version: object) -> bytes:
    return read_blob(standing.desk.objects, read_version(standing.desk.objects, version).content.id)  # type: ignore[arg-type]


def test_deploy_merge_puts_update_and_edits_together_in_the_project(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, EDIT)
    tip = standing.draft.ref(LINE.ref)
    assert standing.deploy(DeployStrategy.MERGE).action is Action.MERGED
    after = settled(standing)
    version = read_version(desk.objects, after.settled)
    mine = read_version(desk.objects, version.parents[0])
    assert standing.written() == [(b".claude/skills/a", EDIT, BOTH)]
    assert (content(standing, after.settled), version.origin, version.parents[1]) == (BOTH, "merge", standing.tip)
    assert (content(standing, mine.id), mine.parents) == (EDIT, (standing.base,))
    assert (after.deployed, standing.draft.ref(LINE.ref)) == (standing.tip, tip)


def test_deploy_merge_of_a_customised_copy_through_a_second_update(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, EDIT)
    standing.deploy(DeployStrategy.MERGE)
    second = desk.record(desk.open(standing.draft.ref(LINE.ref)), {"skills/a": UPDATE.replace(b"4", b"second")})
    standing.draft.set_ref(LINE.ref, second.id)
    standing.project.states[PLACE.file_path] = desk.file(BOTH)
    standing.deploy(DeployStrategy.MERGE)
    assert standing.written() == [(b".claude/skills/a", EDIT, BOTH.replace(b"4", b"second"))]


def test_deploy_merge_that_clashes_touches_nothing_and_waits(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, CLASH)
    planned = standing.deploy(DeployStrategy.MERGE)
    assert planned.action is Action.PENDING
    assert [(conflict.path, conflict.kind.value) for conflict in planned.conflicts] == [(b"skills/a", "content")]
    after = settled(standing)
    assert (standing.written(), after.settled) == ([], standing.base)
    assert after.observed is not None
    assert content(standing, after.observed) == CLASH


def test_deploy_merge_without_an_update_leaves_the_edits(desk: Desk) -> None:
    standing = stand(desk, BASE, BASE, EDIT)
    before = standing.deployment()
    assert (standing.deploy(DeployStrategy.MERGE).action, standing.written()) == (Action.KEPT, [])
    assert standing.deployment() == before


@pytest.mark.parametrize("update", [BASE, UPDATE, CLASH])
def test_deploy_overwrite_records_the_edits_in_a_state_of_their_own(desk: Desk, update: bytes) -> None:
    standing = stand(desk, BASE, update, EDIT)
    assert standing.deploy(DeployStrategy.OVERWRITE).action is Action.REPLACED
    assert standing.written() == [(b".claude/skills/a", EDIT, update)]
    assert settled(standing) == Deployment(standing.tip or desk.version(b""), standing.tip or desk.version(b""))
    state = standing.draft.ref(PROJECT_REF)
    assert state is not None
    before = read_deployments(desk.objects, read_commit(desk.objects, state).parents[0])[PLACE]
    assert before.observed is not None
    assert content(standing, before.observed) == EDIT
    assert read_version(desk.objects, before.observed).parents == (standing.base,)


def test_deploy_never_over_files_that_were_never_deployed(desk: Desk) -> None:
    standing = stand(desk, None, BASE, EDIT)
    planned = standing.deploy()
    assert isinstance(planned.refusal, LocalEditsError)
    assert "never deployed" in planned.refusal.message
    assert (planned.action, standing.written()) == (Action.REFUSED, [])


def test_deploy_overwrite_records_files_that_were_never_deployed(desk: Desk) -> None:
    standing = stand(desk, None, BASE, EDIT)
    assert standing.deploy(DeployStrategy.OVERWRITE).action is Action.REPLACED
    state = standing.draft.ref(PROJECT_REF)
    assert state is not None
    before = read_deployments(desk.objects, read_commit(desk.objects, state).parents[0])[PLACE]
    assert (content(standing, before.settled), standing.written()) == (EDIT, [(PLACE.file_path, EDIT, BASE)])


def test_deploy_over_an_earlier_version_that_was_copied_by_hand_is_an_update(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, BASE)
    set_deployments(standing.draft, PROJECT_REF, {PLACE: None})
    planned = standing.deploy()
    assert (planned.action, standing.written()) == (Action.UPDATED, [(PLACE.file_path, BASE, UPDATE)])
    assert settled(standing).settled == standing.tip


def test_pull_of_an_earlier_version_that_was_copied_by_hand_adopts_it(desk: Desk) -> None:
    """It was called up to date, and was no deployment afterwards: the table says that the version is adopted."""
    standing = stand(desk, BASE, UPDATE, BASE)
    set_deployments(standing.draft, PROJECT_REF, {PLACE: None})
    tip = standing.draft.ref(LINE.ref)
    planned = standing.pull()
    assert (planned.status, planned.action) == (Status.OUTDATED, Action.ADOPTED)
    assert settled(standing) == Deployment(*[standing.base or desk.version(b"")] * 2)
    assert standing.draft.ref(LINE.ref) == tip


def test_deploy_pin_stays(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, BASE)
    set_deployments(standing.draft, PROJECT_REF, {PLACE: settled(standing)._replace(pin=b"v1")})
    standing.deploy(DeployStrategy.REFUSE)
    assert settled(standing).pin == b"v1"


def test_deploy_again_writes_no_state(desk: Desk) -> None:
    standing = stand(desk, BASE, BASE, BASE)
    before = standing.draft.ref(PROJECT_REF)
    standing.deploy(DeployStrategy.REFUSE)
    assert standing.draft.ref(PROJECT_REF) == before


def test_pull_fast_forward_is_the_edit_itself(desk: Desk) -> None:
    standing = stand(desk, BASE, BASE, EDIT)
    pulled = standing.pull()
    assert pulled.version is not None
    assert (pulled.action, content(standing, pulled.version)) == (Action.TAKEN, EDIT)
    assert settled(standing).settled == pulled.version
    assert desk.find(desk.open(standing.draft.ref(LINE.ref)), "skills/a") == pulled.version


def test_pull_merge_has_both_parents(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, EDIT)
    pulled = standing.pull()
    assert pulled.version is not None
    version = read_version(desk.objects, pulled.version)
    assert (content(standing, version.id), version.origin) == (BOTH, "merge")
    assert version.parents == (standing.tip, settled(standing).settled)
    assert content(standing, settled(standing).settled) == EDIT


def test_pull_edit_pull_merges_from_what_was_pulled(desk: Desk) -> None:
    """The base of the second pull is the edit that the first one took, not what was deployed."""
    standing = stand(desk, BASE, UPDATE, EDIT)
    standing.pull()
    second_edit = EDIT.replace(b"4", b"second")
    standing.project.states[PLACE.file_path] = desk.file(second_edit)
    pulled = standing.pull()
    assert pulled.base == desk.file(EDIT)
    assert pulled.new == desk.file(BOTH.replace(b"4", b"second"))


def test_pull_then_revert_in_the_project_takes_the_revert(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, EDIT)
    standing.pull()
    standing.project.states[PLACE.file_path] = desk.file(BASE)
    assert standing.pull().new == desk.file(UPDATE)


def test_pull_twice_is_nothing_new(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, EDIT)
    standing.pull()
    tip = standing.draft.ref(LINE.ref)
    again = standing.pull()
    assert (again.status, again.version, standing.draft.ref(LINE.ref)) == (Status.OUTDATED, None, tip)


@pytest.mark.parametrize("update", [UPDATE, CLASH.replace(b"clash", b"other")])
def test_pull_overwrite_takes_the_project_and_keeps_both_parents(desk: Desk, update: bytes) -> None:
    standing = stand(desk, BASE, update, CLASH)
    pulled = standing.pull(PullStrategy.OVERWRITE)
    assert pulled.version is not None
    version = read_version(desk.objects, pulled.version)
    assert (content(standing, version.id), version.origin) == (CLASH, "overwrite")
    assert version.parents == (standing.tip, settled(standing).settled)
    standing.draft.files.clear()
    again = standing.pull()
    assert again.version is None


def test_pull_takes_the_clean_artifacts_and_lets_the_others_wait(desk: Desk) -> None:
    standing = stand(desk, BASE, UPDATE, CLASH)
    other = Place(PLACE.root, PLACE.collection, b"skills/other")
    first = desk.find(desk.open(standing.draft.ref(LINE.ref)), "skills/other")
    assert first is not None
    deployments = {PLACE: settled(standing), other: Deployment(first, first)}
    set_deployments(standing.draft, PROJECT_REF, deployments)  # type: ignore[arg-type]
    standing.project.states[other.file_path] = desk.file(b"edited")  # type: ignore[index]
    rows = standing.pull_many([PLACE, other], PullOptions())
    assert [row.action for row in rows] == [Action.PENDING, Action.TAKEN]
    snapshot = desk.open(standing.draft.ref(LINE.ref))
    assert (desk.find(snapshot, "skills/a"), desk.find(snapshot, "skills/other")) == (standing.tip, rows[1].version)


def test_pull_planned_anew_on_a_newer_collection_merges_with_it(desk: Desk) -> None:
    """What a writer does that has lost its race: the same scan of the project, another view."""
    standing = stand(desk, BASE, BASE, EDIT)
    old_tip, state = standing.draft.ref(LINE.ref), standing.draft.ref(PROJECT_REF)
    assert standing.pull().action is Action.TAKEN
    faster = desk.record(desk.open(old_tip), {"skills/a": UPDATE})
    again = standing._replace(draft=desk.draft({LINE.ref: faster.id, PROJECT_REF: state}))
    pulled = again.pull()
    assert (pulled.action, pulled.new) == (Action.MERGED, desk.file(BOTH))


def test_drift_ahead_after_the_collection_went_back(desk: Desk) -> None:
    standing = stand(desk, BASE, BASE, EDIT)
    tip = standing.draft.ref(LINE.ref)
    standing.pull()
    standing.draft.set_ref(LINE.ref, tip)
    drift = standing.drift()
    assert drift is not None
    assert (drift.status, drift.project_version) == (Status.AHEAD, settled(standing).settled)


def test_pull_in_sync_settles_the_newer_version_of_the_same_content(desk: Desk) -> None:
    """A → B → A in the collection: equal content is in sync whatever the versions, and the settled one advances."""
    standing = stand(desk, BASE, UPDATE, BASE)
    back = desk.record(desk.open(standing.draft.ref(LINE.ref)), {"skills/a": BASE})
    standing.draft.set_ref(LINE.ref, back.id)
    assert standing.pull().status is Status.IN_SYNC
    assert settled(standing).settled == desk.find(back, "skills/a")


def test_state_round_trip(desk: Desk) -> None:
    draft = desk.draft()
    deployments = {
        Place(b".claude", b"my lib", b"skills/a b"): Deployment(desk.version(b"1"), desk.version(b"2")),
        Place(b".codex/x", b"lib", b"skills/\xff%"): Deployment(
            desk.version(b"1"), desk.version(b"2"), desk.version(b"3"), b"v1.0"
        ),
        Place(b".claude", b"lib", b"commands/a.md"): Deployment(desk.version(b"1"), desk.version(b"1"), None, b""),
    }
    set_deployments(draft, PROJECT_REF, deployments)
    assert read_deployments(desk.objects, draft.ref(PROJECT_REF)) == deployments


def test_state_without_a_deployment_loses_only_that(desk: Desk) -> None:
    draft, version = desk.draft(), desk.version(b"1")
    other = PLACE._replace(root=b".codex")
    set_deployments(draft, PROJECT_REF, {PLACE: Deployment(version, version), other: Deployment(version, version)})
    set_deployments(draft, PROJECT_REF, {PLACE: None})
    assert read_deployments(desk.objects, draft.ref(PROJECT_REF)) == {other: Deployment(version, version)}


def test_state_of_a_commit_that_is_none(desk: Desk) -> None:
    with pytest.raises(DamageError, match="not the state of a project"):
        read_deployments(desk.objects, desk.version(b"1"))


@pytest.mark.parametrize(
    ("root", "path"),
    [(b".claude", b"skills/a"), (b".claude", b"skills/a/b"), (b".claude", b"skills")],
)
def test_find_owner_refusal_path_of_another_deployment(desk: Desk, root: bytes, path: bytes) -> None:
    version = desk.version(b"1")
    refusal = find_owner_refusal({PLACE: Deployment(version, version)}, Place(root, b"other", path))
    assert refusal is not None
    assert refusal.message == "this path belongs to skills/a of collection lib"


@pytest.mark.parametrize(
    "place", [PLACE, Place(b".codex", b"lib", b"skills/a"), Place(b".claude", b"lib", b"skills/ab")]
)
def test_find_owner_refusal_path_of_its_own(desk: Desk, place: Place) -> None:
    version = desk.version(b"1")
    assert find_owner_refusal({PLACE: Deployment(version, version)}, place) is None


def test_check_places_two_artifacts_on_one_path() -> None:
    with pytest.raises(RefusedError, match="one path"):
        check_places(map(Request, [Place(b"x", b"lib", b"a/b"), Place(b"x/a", b"lib", b"b")]))
