"""An artifact held: the same answers as from the vault, without its name."""

from __future__ import annotations

import pytest

from casvault import Artifact
from casvault.errors import NotFoundError
from tests.story.scene import PDF, Scene, assert_clean, change_line


def test_an_artifact_tells_of_its_versions(scene: Scene) -> None:
    vault = scene.vault()
    pdf = vault.artifact("pdf")
    assert isinstance(pdf, Artifact)
    assert (pdf.collection, pdf.path) == ("lib", "skills/pdf")
    first = pdf.tag("v1.0.0", message="First").version
    change_line(scene.lib / PDF, 3, "new")
    vault.snapshot("A new line")
    assert pdf.bump().next == "v1.0.1"
    assert [version.tags for version in pdf.lineage()] == [(), ("v1.0.0",)]
    assert pdf.lineage(limit=1)[0].message == "A new line"
    assert [tag.label for tag in pdf.tags()] == ["v1.0.0"]
    assert [change.path for change in pdf.compare("v1.0.0").changes] == [PDF]
    assert [section.labels for section in pdf.changelog().sections] == [(), ("v1.0.0",)]
    pdf.revert("~0")
    assert pdf.lineage()[0].content == vault.lineage("skill/pdf")[-1].content
    assert pdf.lineage()[-1].id == first
    vault.deploy(["skill/pdf"], scene.app)
    assert [row.modified for row in pdf.timeline(scene.app)] == [False]
    assert pdf.conflicts() == []
    assert_clean(vault)


def test_an_artifact_that_is_not_there(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no such artifact"):
        scene.vault().artifact("skill/none")
