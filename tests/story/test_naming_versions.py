"""How versions are named: by id, tag, steps, date and project, in every command that takes one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from casvault import Author, Vault
from casvault.errors import NotFoundError, UsageError
from casvault.oid import Oid
from tests.story.scene import PDF, Scene, change_line, write

DAY = 86_400
START = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp())


class Days(NamedTuple):
    """A vault with a version of the skill on each of three days, and where each is tagged."""

    scene: Scene
    vault: Vault
    versions: list[Oid]
    """v1 of the first day, v2 of the second, and the newest."""


@pytest.fixture
def days(scene: Scene) -> Days:
    (scene.root / "other").mkdir()
    write(scene.root / "other", PDF, "first\n")
    now = [START]
    vault = scene.vault(clock=lambda: (now[0], 0))
    vault.add_collection(scene.root / "other")
    versions = []
    for number in (1, 2, 3):
        change_line(scene.root / "other" / PDF, 0, f"day {number}")
        vault.snapshot(collection="other")
        versions.append(vault.rev_parse("skill/pdf", collection="other"))
        now[0] += DAY
    vault.tag("skill/pdf", "v1", versions[0].hex(), collection="other")
    vault.tag("skill/pdf", "v2", versions[1].hex(), collection="other")
    return Days(scene, vault, versions)


def resolved(days: Days, text: str) -> int:
    """The number of the version, from 1."""
    return days.versions.index(days.vault.rev_parse(text, collection="other")) + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("skill/pdf", 3),
        ("pdf", 3),
        ("skill/pdf@v1", 1),
        ("pdf@v2", 2),
        ("skills/pdf@v2~1", 1),
        ("skill/pdf@v2^", 1),
        ("skill/pdf~1", 2),
        ("skill/pdf^1~1", 1),
        ("skill/pdf@{2026-01-01}", 1),
        ("skill/pdf@{2026-01-02}", 2),
        ("skill/pdf@{2026-01-02}~1", 1),
        ("skill/pdf@{2026-01-02T11:59}", 1),
        ("skill/pdf@{2026-01-02 12:00}", 2),
        ("skill/pdf@{2026-01-02T13:00+01:00}", 2),
        ("skill/pdf@{2027-01-01}", 3),
        ("skill/pdf@{1 day ago}", 3),
        ("skill/pdf@{2 days ago}", 2),
        ("skill/pdf@{now}", 3),
    ],
)
def test_a_version_by_its_artifact(days: Days, text: str, expected: int) -> None:
    assert resolved(days, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1", 1),
        ("v2~1", 1),
        ("~1", 2),
        ("^", 2),
        ("@{2026-01-02}", 2),
        ("@{2026-01-02}~1", 1),
        ("skill/pdf@v1", 1),
        ("version-tags/other/skills%2Fpdf/v1", 1),
    ],
)
def test_a_version_where_the_artifact_is_given(days: Days, text: str, expected: int) -> None:
    found = days.vault.compare("skill/pdf", text, collection="other")
    assert (found.old, found.new) == (days.versions[expected - 1], days.versions[2])


@pytest.mark.parametrize("prefix", [64, 20, 12])
def test_a_version_by_its_id(days: Days, prefix: int) -> None:
    text = days.versions[1].hex()[:prefix]
    assert resolved(days, text) == 2
    assert days.vault.compare("skill/pdf", text.upper(), collection="other").old == days.versions[1]


def test_snapshots_by_date(days: Days) -> None:
    vault = days.vault
    tip = vault.rev_parse("@", collection="other")
    assert vault.rev_parse("@{2026-01-02}", collection="other") == vault.rev_parse("@~1", collection="other")
    assert vault.rev_parse("other@{2026-01-02}", collection="lib") == vault.rev_parse("other~1")
    assert vault.rev_parse("@{now}", collection="other") == tip
    content = b"".join(vault.cat("@{2026-01-02 12:00}:skills/pdf/SKILL.md", collection="other"))
    assert content == b"day 2\n"
    vault.restore("@{2026-01-02}", collection="other")
    assert (days.scene.root / "other" / PDF).read_text() == "day 2\n"


def test_a_date_before_everything(days: Days) -> None:
    with pytest.raises(NotFoundError, match="it begins later"):
        days.vault.rev_parse("skill/pdf@{2025-12-31}", collection="other")
    with pytest.raises(UsageError, match="neither a date nor a time"):
        days.vault.rev_parse("skill/pdf@{whenever}", collection="other")


def test_what_a_project_has(days: Days) -> None:
    vault, app = days.vault, days.scene.app
    vault.deploy(["skill/pdf"], app, version="v1", collection="other")
    assert resolved(days, "skill/pdf@{in:app}") == 1
    assert vault.compare("skill/pdf", "@{in:app}", collection="other").old == days.versions[0]
    vault.tag("skill/pdf", "as-in-app", "@{in:app}", collection="other")
    assert resolved(days, "skill/pdf@as-in-app") == 1
    vault.move("skill/pdf", "pdf2", collection="other")
    assert resolved(days, "skill/pdf2@{in:app}") == 1
    for text, message in (("skill/pdf2@{in:nothing}", "no such project"), ("skill/none@{in:app}", "no such artifact")):
        with pytest.raises(NotFoundError, match=message):
            vault.rev_parse(text, collection="other")


def test_a_project_with_two_versions_is_ambiguous(days: Days) -> None:
    vault, app = days.vault, days.scene.app
    vault.deploy(["skill/pdf"], app, version="v1", collection="other")
    vault.deploy(["skill/pdf"], app, version="v2", collection="other", root=".agents")
    with pytest.raises(UsageError, match=r"several roots, in several versions: \.agents \(.*, \.claude \("):
        vault.rev_parse("skill/pdf@{in:app}", collection="other")


def test_deploy_restore_and_revert_take_labels(days: Days) -> None:
    vault, app, library = days.vault, days.scene.app, days.scene.root / "other"
    vault.deploy(["skill/pdf"], app, version="v2~1", collection="other")
    assert (app / ".claude" / PDF).read_text() == "day 1\n"
    vault.restore_version("skill/pdf", "v2", collection="other")
    assert (library / PDF).read_text() == "day 2\n"
    assert b"".join(vault.diff_text("skill/pdf@v1", "skill/pdf@v2", collection="other")).endswith(b"-day 1\n+day 2\n")
    assert next(info.id for info in vault.lineage("skill/pdf@v2", collection="other")) == days.versions[1]


def test_the_whole_name_goes_before_its_parts(days: Days) -> None:
    """A tag whose label looks like steps, a date or a path is meant as it stands."""
    vault = days.vault
    for label in ("v2~1", "{2026-01-01}", "v2:SKILL.md"):
        vault.tag("skill/pdf", label, collection="other")
        assert resolved(days, f"skill/pdf@{label}") == 3
        assert vault.compare("skill/pdf", label, collection="other").old == days.versions[2]
    assert resolved(days, "skill/pdf@v2^") == 1
    assert resolved(days, "skill/pdf@v2~1~1") == 2
    assert b"".join(vault.cat("skill/pdf@v1:SKILL.md", collection="other")) == b"day 1\n"
    assert b"".join(vault.cat("skill/pdf@{2026-01-01T23:00}:SKILL.md", collection="other")) == b"day 1\n"


def test_an_artifact_with_an_at_in_its_name(days: Days) -> None:
    write(days.scene.root / "other", "skills/pdf@v9/SKILL.md", "odd\n")
    days.vault.snapshot(collection="other")
    odd = days.vault.rev_parse("skills/pdf@v9", collection="other")
    days.vault.tag("skills/pdf@v9", "v1", collection="other")
    assert days.vault.rev_parse("skills/pdf@v9@v1", collection="other") == odd
    days.vault.tag("skill/pdf", "v9", collection="other")
    with pytest.raises(UsageError, match=r"ambiguous: artifact skills/pdf@v9 \(.*, tag v9 of skills/pdf \("):
        days.vault.rev_parse("skills/pdf@v9", collection="other")


def test_a_name_of_two_things_is_an_error_that_lists_them(days: Days) -> None:
    """An artifact that is called as a collection was taken for the collection without a word."""
    write(days.scene.root / "other", "skills/lib/SKILL.md", "odd\n")
    days.vault.snapshot(collection="other")
    with pytest.raises(UsageError, match=r"collections/lib \(.*, artifact skills/lib \("):
        days.vault.rev_parse("lib", collection="other")
    assert days.vault.rev_parse("skills/lib", collection="other") != days.vault.rev_parse("collections/lib")


def test_a_label_goes_before_an_abbreviated_id(days: Days) -> None:
    vault, label = days.vault, days.versions[0].hex()[:8]
    vault.tag("skill/pdf", label, collection="other")
    assert vault.compare("skill/pdf", label, collection="other").old == days.versions[2]


def test_what_names_nothing(days: Days) -> None:
    for text in ("v3", "skill/pdf@v3", "skill/pdf@", "@v1", "v1@v2"):
        with pytest.raises(NotFoundError):
            days.vault.compare("skill/pdf", text, collection="other")
    with pytest.raises(UsageError, match="no version of skills/pdf"):
        days.vault.compare("skill/pdf", "@", collection="other")


def test_steps_begin_at_what_a_tag_of_git_names(scene: Scene) -> None:
    vault = Vault.open(scene.lib, author=Author("Ada"))
    tag = vault.tag("skill/pdf", "v1").outcome.operation
    assert tag is not None
    assert vault.rev_parse("version-tags/lib/skills%2Fpdf/v1") == vault.tags("skill/pdf")[0].id
    assert vault.rev_parse("version-tags/lib/skills%2Fpdf/v1~0") == vault.rev_parse("skill/pdf")
