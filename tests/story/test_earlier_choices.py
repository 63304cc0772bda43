"""Conflicts that were resolved before: recorded in the version that they led to, offered again, taken when asked."""

from __future__ import annotations

import pytest

from casvault import How, Vault
from casvault.errors import NotFoundError
from casvault.vault.results.merges import EarlierChoice
from tests.story.scene import PDF, Scene, assert_clean, text, write
from tests.support.merging import Content, begin_merge

SKILL = "skills/pdf"
BASE, OURS, THEIRS = (text(**each).encode() for each in ({}, {"line3": "ours"}, {"line3": "theirs"}))
BOTH = text(line3="both").encode()


def skill(content: bytes | None) -> Content:
    files = {"old.txt": b"old\n"}
    return files if content is None else {**files, "SKILL.md": content}


def begin(
    vault: Vault, base: bytes | None, ours: bytes | None, theirs: bytes | None, project: str = "app", path: str = SKILL
) -> str:
    return begin_merge(vault, path, *map(skill, (base, ours, theirs)), project=project)


def resolved(vault: Vault) -> None:
    """The pdf skill was merged, by an edited file."""
    handle = begin(vault, BASE, OURS, THEIRS)
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.continue_merge(handle)


def earlier(vault: Vault, handle: str) -> EarlierChoice | None:
    (found,) = vault.earlier_choices(handle)
    return found


def chosen(vault: Vault, handle: str) -> bytes | None:
    (conflict,) = vault.merge_info(handle).conflicts
    return None if conflict.chosen is None else vault.read_blob(conflict.chosen.id)


@pytest.mark.parametrize("sides", [(OURS, THEIRS), (THEIRS, OURS)])
@pytest.mark.parametrize("path", [SKILL, "skills/copy"])
def test_the_same_conflict_is_offered_what_settled_it(scene: Scene, sides: tuple[bytes, bytes], path: str) -> None:
    """The second time the sides may be swapped, and the artifact another one."""
    vault = scene.vault()
    resolved(vault)
    done = vault.operations()[0]
    handle = begin(vault, BASE, *sides, project="web", path=path)
    found = earlier(vault, handle)
    assert found is not None
    assert (found.operation, found.how, found.author) == (done.number, How.FILE, "Ada")
    assert chosen(vault, handle) is None
    conflict = vault.resolve(handle, "SKILL.md", How.REUSE).merge.conflicts[0]
    assert (conflict.how, conflict.chosen) == (How.REUSE, found.chosen)
    assert chosen(vault, handle) == BOTH


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (text(line1="other").encode(), OURS, THEIRS),
        (None, OURS, THEIRS),
        (BASE, text(line3="mine").encode(), THEIRS),
        (OURS, BASE, THEIRS),
        (BASE, OURS, None),
    ],
)
def test_another_conflict_is_offered_nothing(
    scene: Scene, base: bytes | None, ours: bytes | None, theirs: bytes | None
) -> None:
    vault = scene.vault()
    resolved(vault)
    handle = begin(vault, base, ours, theirs, project="web")
    assert earlier(vault, handle) is None
    with pytest.raises(NotFoundError, match="no such conflict was resolved before"):
        vault.resolve(handle, "SKILL.md", How.REUSE)
    assert vault.merge_info(handle).open


def test_what_was_settled_but_never_continued_is_no_resolution(scene: Scene) -> None:
    vault = scene.vault()
    aborted = begin(vault, BASE, OURS, THEIRS)
    vault.resolve(aborted, "SKILL.md", How.OURS)
    vault.abort_merge(aborted)
    assert earlier(vault, begin(vault, BASE, OURS, THEIRS, project="web")) is None


def test_the_latest_resolution_counts(scene: Scene) -> None:
    vault = scene.vault()
    resolved(vault)
    again = begin(vault, BASE, OURS, THEIRS)
    vault.resolve(again, "SKILL.md", How.THEIRS)
    vault.continue_merge(again)
    handle = begin(vault, BASE, OURS, THEIRS, project="web")
    vault.resolve(handle, "SKILL.md", How.REUSE)
    assert chosen(vault, handle) == THEIRS


def test_a_deletion_is_taken_again_as_one(scene: Scene) -> None:
    vault = scene.vault()
    first = begin(vault, BASE, OURS, None)
    vault.resolve(first, "SKILL.md", How.THEIRS)
    vault.continue_merge(first)
    handle = begin(vault, BASE, None, OURS, project="web")
    conflict = vault.resolve(handle, "SKILL.md", How.REUSE).merge.conflicts[0]
    assert (conflict.how, conflict.chosen) == (How.REUSE, None)
    assert_clean(vault)


def test_a_version_records_the_conflicts_that_led_to_it(scene: Scene) -> None:
    vault = scene.vault()
    vault.deploy([SKILL], scene.app)
    write(scene.lib, PDF, OURS)
    write(scene.app, f".claude/{PDF}", THEIRS)
    handle = vault.pull([SKILL], scene.app).artifacts[0].merge
    assert handle is not None
    vault.resolve(handle, "SKILL.md", How.FILE, BOTH)
    vault.continue_merge(handle)
    (record,) = vault.resolved_in(SKILL)
    assert (record.path, record.kind.value, record.how, record.author) == (
        "skills/pdf/SKILL.md",
        "content",
        How.FILE,
        "Ada",
    )
    states = (record.base, record.ours, record.theirs, record.result)
    contents = [None if state is None else vault.read_blob(state.id) for state in states]
    assert contents == [BASE, OURS, THEIRS, BOTH]
    assert vault.resolved_in("@") == []
    fields = dict(vault.read_commit(vault.rev_parse(SKILL)).fields)
    assert fields[b"strategy"] == b"manual"
    assert fields[b"detected"].endswith(b" +0000")
