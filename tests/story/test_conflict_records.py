"""What is kept of conflicts, whichever way they end: in the version, or in the operation where there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casvault import DeployStrategy, How, PullStrategy, Vault
from casvault.deploy.subject import Direction
from casvault.errors import NotFoundError, UsageError
from casvault.merge.trees import ConflictKind
from casvault.pending import Strategy
from casvault.reports.patterns import Advice, Tally
from casvault.vault.results.reports import ConflictRecord
from tests.story.scene import PDF, Scene, assert_clean, change_line, text, write
from tests.story.test_branches import pending
from tests.story.test_continuing import BOTH, DEPLOYED, SKILL, clash, deletions, pulled, waiting
from tests.story.test_earlier_choices import BASE, OURS, THEIRS, begin, resolved


def only(vault: Vault, **options: bool) -> ConflictRecord:
    (record,) = vault.conflicts(**options)  # type: ignore[arg-type]
    return record


def contents(vault: Vault, record: ConflictRecord) -> list[bytes | None]:
    """Base, ours, theirs and result of the only path."""
    (path,) = record.paths
    states = (path.base, path.ours, path.theirs, path.result)
    return [None if state is None else vault.read_blob(state.id) for state in states]


def test_a_merge_that_waits_and_then_ends(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    open_one = only(vault, unresolved=True)
    assert (open_one.merge, open_one.strategy, open_one.completed) == (handle, None, None)
    assert [(path.path, path.kind, path.hunks, path.how) for path in open_one.open] == [
        (PDF, ConflictKind.CONTENT, 1, None)
    ]
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    assert only(vault, unresolved=True).open == ()
    vault.continue_merge(handle)
    assert vault.conflicts(unresolved=True) == []
    record = only(vault)
    assert (record.strategy, record.direction, record.project) == (Strategy.MANUAL, Direction.PULL, "app")
    assert (record.ours, record.theirs) == (open_one.ours, open_one.theirs)
    assert record.detected == open_one.detected
    assert record.completed is not None
    assert record.completed.seconds > record.detected.seconds
    assert (record.result, record.by, record.undone) == (vault.rev_parse(SKILL), "Ada", False)
    assert contents(vault, record) == [
        text().encode(),
        text(line3="lib").encode(),
        text(line3="app").encode(),
        BOTH,
    ]
    (path,) = record.paths
    assert (path.how, path.hunks, path.by) == (How.FILE, 1, "Ada")
    vault.undo()
    assert [each.undone for each in vault.conflicts() if each.completed] == [True]
    assert_clean(vault)


def test_a_side_that_was_chosen_is_no_manual_merge(scene: Scene) -> None:
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.THEIRS)
    vault.continue_merge(handle)
    assert only(vault).strategy is Strategy.MERGE


def test_a_record_below_a_version_that_was_joined_later_is_found(scene: Scene) -> None:
    """The merge's own version is no tip of anything: what came in between was merged with it."""
    vault = scene.vault()
    handle = pulled(scene, vault)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    change_line(scene.lib / PDF, 9, "meanwhile")
    vault.snapshot()
    vault.continue_merge(handle)
    record = only(vault)
    assert record.result != vault.rev_parse(SKILL)
    assert record.result in vault.read_commit(vault.rev_parse(SKILL)).parents


def test_a_pull_that_overwrites_says_what_gave_way(scene: Scene) -> None:
    """It left no trace of the conflict."""
    vault = scene.vault()
    clash(scene, vault)
    vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    record = only(vault)
    assert (record.strategy, record.result) == (Strategy.OVERWRITE, vault.rev_parse(SKILL))
    mine, theirs = text(line3="lib").encode(), text(line3="app").encode()
    assert contents(vault, record) == [text().encode(), mine, theirs, theirs]
    assert [(path.how, path.hunks) for path in record.paths] == [(How.THEIRS, 1)]
    assert (record.ours, record.theirs) == vault.read_commit(vault.rev_parse(SKILL)).parents
    assert_clean(vault)


def test_an_overwrite_of_what_would_have_merged_cleanly_is_no_conflict(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    change_line(scene.lib / PDF, 1, "lib")
    change_line(scene.app / DEPLOYED, 9, "app")
    vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    assert vault.conflicts() == []


def test_a_fork_over_a_conflict(scene: Scene) -> None:
    vault = scene.vault()
    clash(scene, vault)
    vault.pull([SKILL], scene.app, strategy=PullStrategy.FORK)
    record = only(vault)
    assert (record.strategy, record.artifact) == (Strategy.FORK, "skills/pdf-app")
    assert record.result == vault.rev_parse("skills/pdf-app")
    assert_clean(vault)


def test_an_overwrite_keeps_the_time_at_which_the_conflict_was_met(scene: Scene) -> None:
    vault = scene.vault()
    pulled(scene, vault)
    met = only(vault).detected
    vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    record = only(vault)
    assert (record.detected, record.strategy, record.merge) == (met, Strategy.OVERWRITE, None)


def test_a_deploy_over_local_edits_says_so_in_the_operation(scene: Scene) -> None:
    """No version comes of it."""
    vault = scene.vault()
    clash(scene, vault)
    outcome = vault.deploy([SKILL], scene.app, strategy=DeployStrategy.OVERWRITE).outcome
    record = only(vault)
    assert (record.strategy, record.direction, record.result) == (Strategy.OVERWRITE, Direction.DEPLOY, None)
    assert outcome.operation is not None
    assert record.operation == outcome.operation.number
    assert contents(vault, record)[1:] == [text(line3=side).encode() for side in ("app", "lib", "lib")]
    assert record.theirs == vault.rev_parse(SKILL)
    assert_clean(vault)


def test_a_merge_that_ended_in_a_deletion(scene: Scene) -> None:
    vault = scene.vault()
    deletions(scene, vault)
    handle = waiting(vault.pull(["skill/two"], scene.app))
    vault.resolve(handle, "a.md", How.OURS)
    vault.resolve(handle, "b.md", How.THEIRS)
    vault.continue_merge(handle)
    record = only(vault)
    assert (record.artifact, record.result, record.strategy) == ("skills/two", None, Strategy.MERGE)
    assert sorted((path.kind.value, path.result) for path in record.paths) == [
        ("ours deleted", None),
        ("theirs deleted", None),
    ]


def test_a_deletion_that_was_taken_home_over_a_change(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy(["commands/review.md"], scene.app)
    change_line(scene.lib / "commands/review.md", 3, "lib")
    (scene.app / ".claude/commands/review.md").unlink()
    vault.pull(["commands/review.md"], scene.app, strategy=PullStrategy.OVERWRITE, delete=True)
    record = only(vault)
    assert (record.theirs, [path.kind for path in record.paths]) == (None, [ConflictKind.THEIRS_DELETED])


def test_a_merge_of_branches(scene: Scene) -> None:
    vault = scene.vault()
    handle = pending(scene, vault).merge
    assert handle is not None
    assert only(vault).merge == handle
    vault.resolve(handle, "a.md", How.OURS)
    vault.continue_branch(handle)
    record = only(vault)
    assert (record.direction, record.artifact, record.project) == (Direction.BRANCH, "main", "try")
    assert (record.collection, record.strategy) == ("", Strategy.MERGE)
    assert_clean(vault)


def test_conflicts_since_a_time_and_of_one_artifact(scene: Scene) -> None:
    vault = scene.vault()
    clash(scene, vault)
    vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
    completed = only(vault).completed
    assert completed is not None
    at = datetime.fromtimestamp(completed.seconds, UTC)
    assert len(vault.conflicts(since=at)) == 1
    assert vault.conflicts(since=at.replace(year=at.year + 1)) == []
    assert len(vault.conflicts("pdf")) == 1
    assert vault.conflicts("review") == []
    with pytest.raises(NotFoundError):
        vault.conflicts("nothing")


def test_patterns_and_what_would_help(scene: Scene) -> None:
    """Three times the same way: a fork. The same conflict again: what settled it before."""
    vault = scene.vault()
    write(scene.lib, "casvault.toml", '[[merge]]\npath = "*.md"\ndriver = "text"\n')
    clash(scene, vault)
    for number in range(3):
        vault.pull([SKILL], scene.app, strategy=PullStrategy.OVERWRITE)
        change_line(scene.lib / PDF, 3, f"lib {number}")
        change_line(scene.app / DEPLOYED, 3, f"app {number}")
    found = vault.conflict_patterns()
    assert (found.conflicts, found.waiting, found.hunks) == (3, 0, 3)
    assert found.artifacts == (Tally("skills/pdf", 3),)
    assert found.projects == (Tally("app", 3),)
    assert found.strategies == (Tally("overwrite", 3),)
    assert found.median_seconds is None
    advice = {each.advice: each for each in found.suggestions}
    assert advice.keys() == {Advice.FORK, Advice.DRIVER}
    assert (advice[Advice.DRIVER].path, advice[Advice.DRIVER].detail) == ("*.md", "frontmatter")
    assert (advice[Advice.FORK].artifact, advice[Advice.FORK].project) == ("skills/pdf", "app")


def test_a_resolution_that_fits_an_open_conflict_is_suggested(scene: Scene) -> None:
    vault = scene.vault()
    resolved(vault)
    seconds = vault.conflict_patterns().median_seconds
    assert seconds is not None
    assert seconds > 0
    assert vault.conflict_patterns().suggestions == ()
    handle = begin(vault, BASE, THEIRS, OURS, project="web")
    (found,) = vault.conflict_patterns().suggestions
    assert (found.advice, found.path, found.detail, found.project) == (Advice.REUSE, PDF, handle, "web")


def test_an_artifact_of_two_collections_is_ambiguous(scene: Scene) -> None:
    vault = scene.vault()
    write(scene.root / "more", PDF, "x\n")
    vault.add_collection(scene.root / "more")
    with pytest.raises(UsageError, match="ambiguous"):
        vault.conflicts("pdf")
