"""The changelog of an artifact: which versions and files came with which tag."""

from __future__ import annotations

from tests.story.scene import PDF, Scene, change_line, text, write


def record(scene: Scene, message: str) -> str:
    vault = scene.vault()
    vault.snapshot(message)
    return vault.rev_parse("skill/pdf").hex()


def edit(scene: Scene, number: int, value: str) -> str:
    change_line(scene.lib / PDF, number, value)
    return record(scene, f"Line {number}")


def picture(scene: Scene, **options: str) -> list[tuple[object, ...]]:
    return [
        (
            " ".join(section.labels),
            [version.message or version.origin for version in section.versions],
            [(each.change.value, each.path.removeprefix("skills/pdf/")) for each in section.changes],
        )
        for section in scene.vault().changelog("skill/pdf", **options).sections
    ]


def test_versions_and_files_by_tag(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1.0.0", message="The first")
    edit(scene, 1, "one")
    edit(scene, 2, "two")
    write(scene.lib, "skills/pdf/new.txt", "new\n")
    record(scene, "A file")
    vault.tag("skill/pdf", "v1.1.0")
    vault.tag("skill/pdf", "stable")
    (scene.lib / "skills/pdf/new.txt").unlink()
    (scene.lib / PDF).rename(scene.lib / "skills/pdf/README.md")
    record(scene, "Other names")
    assert picture(scene) == [
        ("", ["Other names"], [("renamed", "README.md"), ("removed", "new.txt")]),
        ("v1.1.0 stable", ["A file", "Line 2", "Line 1"], [("modified", "SKILL.md"), ("added", "new.txt")]),
        ("v1.0.0", ["import"], [("added", "SKILL.md"), ("added", "old.txt")]),
    ]
    unreleased, second, first = vault.changelog("skill/pdf").sections
    assert [section.major for section in (unreleased, second, first)] == [True, False, False]
    assert [section.bump.value for section in (unreleased, second, first)] == ["major", "minor", "none"]
    assert (first.message, first.since, second.since) == ("The first", None, first.version)
    assert first.seconds == vault.tags("skill/pdf")[1].seconds


def test_nothing_is_unreleased_where_the_newest_version_has_a_tag(scene: Scene) -> None:
    scene.vault().tag("skill/pdf", "v1")
    assert [labels for labels, _, _ in picture(scene)] == ["v1"]


def test_without_tags_all_is_unreleased(scene: Scene) -> None:
    edit(scene, 1, "one")
    assert picture(scene) == [("", ["Line 1", "import"], [("added", "SKILL.md"), ("added", "old.txt")])]


def test_from_and_to(scene: Scene) -> None:
    vault = scene.vault()
    for number in (1, 2, 3, 4):
        vault.tag("skill/pdf", f"v{number}")
        edit(scene, number, f"number {number}")
    labels = [[labels for labels, _, _ in picture(scene, **options)] for options in (
        {"since": "v2"}, {"until": "v3"}, {"since": "v1", "until": "v3"}, {"since": "v4", "until": "v4"},
    )]  # fmt: skip
    assert labels == [["", "v4", "v3"], ["v3", "v2", "v1"], ["v3", "v2"], []]
    assert picture(scene, since="v1", until="v3~0") == [
        ("v3", ["Line 2"], [("modified", "SKILL.md")]),
        ("v2", ["Line 1"], [("modified", "SKILL.md")]),
    ]


def test_a_major_version_is_marked_by_tag_or_by_number(scene: Scene) -> None:
    vault = scene.vault()
    for number, (label, major) in enumerate([("v0.9.0", False), ("v1.0.0", False), ("v1.0.1", True), ("next", False)]):
        vault.tag("skill/pdf", label, major=major)
        edit(scene, number, f"number {number}")
    found = [(section.labels, section.major) for section in vault.changelog("skill/pdf").sections]
    assert found == [((), False), (("next",), False), (("v1.0.1",), True), (("v1.0.0",), True), (("v0.9.0",), False)]


def test_versions_of_a_merge_belong_to_the_first_tag_that_has_them(scene: Scene) -> None:
    """
    v1 ── library ──── merge = v2
     └─── project ────┘
    """
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    vault.deploy(["skill/pdf"], scene.app)
    edit(scene, 9, "of the library")
    change_line(scene.app / ".claude" / PDF, 2, "of the project")
    vault.pull(["skill/pdf"], scene.app, message="Merge")
    vault.tag("skill/pdf", "v2")
    edit(scene, 10, "later")
    assert [(labels, len(versions)) for labels, versions, _ in picture(scene)] == [("", 1), ("v2", 3), ("v1", 1)]


def test_a_changelog_goes_on_after_a_move(scene: Scene) -> None:
    vault = scene.vault()
    vault.tag("skill/pdf", "v1")
    vault.move("skill/pdf", "pdf2")
    vault.tag("skill/pdf2", "v2")
    found = vault.changelog("skill/pdf2").sections
    assert [(section.labels, len(section.versions), section.changes) for section in found[:1]] == [(("v2",), 1, ())]
    assert [section.labels for section in found] == [("v2",), ("v1",)]
    assert {each.path for each in found[1].changes} == {"skills/pdf2/SKILL.md", "skills/pdf2/old.txt"}
    assert (scene.lib / "skills/pdf2/SKILL.md").read_text() == text()
