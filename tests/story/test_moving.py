"""mv, cp and rm: what becomes of files, versions and lineages, what is refused, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casvault import Vault
from casvault.artifacts.moves import find_moved
from casvault.artifacts.snapshot import open_snapshot
from casvault.errors import ConflictError, NotFoundError, RefusedError, UsageError
from tests.story.scene import PDF, Scene, assert_clean, change_line, clock, picture, text, write


@pytest.fixture
def team(scene: Scene) -> Path:
    """Another collection of the same vault, with a directory of its own."""
    directory = scene.root / "team"
    write(directory, "skills/doc/SKILL.md", "doc\n")
    scene.vault().add_collection(directory)
    return directory


def artifacts(vault: Vault, collection: str = "lib") -> list[str]:
    return [path for path, _ in vault.iter_artifacts(collection)]


def origins(vault: Vault, artifact: str, collection: str = "lib") -> list[tuple[str, str]]:
    return [(info.origin.value, info.path) for info in vault.lineage(artifact, collection=collection)]


def where(vault: Vault, path: str, collection: str = "lib") -> tuple[bytes, bytes] | None:
    def tip(name: bytes) -> object:
        found = vault.find_ref(f"collections/{name.decode()}")
        return None if found is None else open_snapshot(vault.reader, found)

    return find_moved(vault.reader, tip, collection.encode(), path.encode())  # type: ignore[arg-type]


def both(scene: Scene, team: Path) -> object:
    """Everything that a command may not touch when it fails."""
    vault = scene.vault()
    return picture(scene.lib, own=True), picture(team, own=True), vault.refs(), len(vault.operations())


def test_move_takes_the_files_and_the_lineage_along(scene: Scene) -> None:
    vault = scene.vault()
    before = picture(scene.lib / "skills/pdf")
    version = vault.rev_parse("skill/pdf")
    result = vault.move("skill/pdf", "skill/pdf2", message="a better name")
    assert (result.artifact, result.new_artifact) == ("skills/pdf", "skills/pdf2")
    assert picture(scene.lib / "skills/pdf2") == before
    assert not (scene.lib / "skills/pdf").exists()
    assert artifacts(vault) == ["commands/review.md", "skills/pdf2"]
    assert vault.show("skill/pdf2").parents == (version,)
    assert origins(vault, "skill/pdf2") == [("rename", "skills/pdf2"), ("import", "skills/pdf")]
    assert vault.status().changes == ()
    (operation, *_) = vault.operations()
    assert (operation.kind, operation.arguments) == ("mv", ("lib", "skills/pdf", "skills/pdf2"))
    assert where(vault, "skills/pdf") == (b"lib", b"skills/pdf2")
    assert_clean(vault)


@pytest.mark.parametrize(
    ("artifact", "new", "path"),
    [
        ("skill/pdf", "skills/x", "skills/x"),
        ("skill/pdf", "skill/x", "skills/x"),
        ("skill/pdf", "x", "skills/x"),
        ("skill/pdf", "models/x", "models/x"),
        ("skill/pdf", "lib:x", "skills/x"),
        ("review", "check", "commands/check.md"),
        ("review", "check.md", "commands/check.md"),
        ("review", "command/code/check", "commands/code/check.md"),
        ("review", "commands/code/check.md", "commands/code/check.md"),
        ("review", "agent/check", "agents/check.md"),
        ("review", "skills/a:b", "skills/a:b"),
    ],
)
def test_move_to_a_name_given_in_one_of_its_forms(scene: Scene, artifact: str, new: str, path: str) -> None:
    vault = scene.vault()
    assert vault.move(artifact, new).new_artifact == path
    assert (scene.lib / path).exists()
    assert vault.status().changes == ()


def test_move_of_a_kind_that_no_rule_names(scene: Scene) -> None:
    write(scene.lib, "models/tiny", "weights")
    vault = scene.vault()
    assert vault.move("model/tiny", "model/small").new_artifact == "models/small"


def test_move_records_first_what_the_directory_holds(scene: Scene) -> None:
    change_line(scene.lib / PDF, 3, "three, edited")
    write(scene.lib, "skills/new/SKILL.md", "new\n")
    vault = scene.vault()
    vault.move("skill/pdf", "pdf2")
    assert [origin for origin, _ in origins(vault, "skill/pdf2")] == ["rename", "edit", "import"]
    assert (scene.lib / "skills/pdf2/SKILL.md").read_text() == text(line3="three, edited")
    assert artifacts(vault) == ["commands/review.md", "skills/new", "skills/pdf2"]
    assert len(vault.operations()) == 2


def test_move_there_and_back(scene: Scene) -> None:
    vault = scene.vault()
    before = picture(scene.lib)
    vault.move("skill/pdf", "pdf2")
    vault.move("skill/pdf2", "pdf")
    assert picture(scene.lib) == before
    assert [origin for origin, _ in origins(vault, "skill/pdf")] == ["rename", "rename", "import"]
    assert where(vault, "skills/pdf2") == (b"lib", b"skills/pdf")


def test_copy_is_a_fork(scene: Scene) -> None:
    vault = scene.vault()
    source = vault.rev_parse("skill/pdf")
    result = vault.copy("skill/pdf", "pdf2")
    assert picture(scene.lib / "skills/pdf2") == picture(scene.lib / "skills/pdf")
    assert (vault.show("skill/pdf2").parents, vault.show("skill/pdf2").origin) == ((source,), "fork")
    assert vault.rev_parse("skill/pdf") == source
    assert vault.operations(1)[0].arguments == ("lib", "skills/pdf", "skills/pdf2")
    assert (result.outcome.written, result.outcome.removed, vault.status().changes) == (3, 0, ())
    assert_clean(vault)


def test_remove_several_at_once(scene: Scene) -> None:
    vault = scene.vault()
    change_line(scene.lib / PDF, 3, "three, edited")
    result = vault.remove(["skill/pdf", "review", "skills/pdf"])
    assert result.artifacts == ("skills/pdf", "commands/review.md")
    assert (picture(scene.lib), artifacts(vault), vault.status().changes) == ({}, [], ())
    assert vault.operations(1)[0].kind == "rm"
    write(scene.lib, PDF, "again\n")
    vault.snapshot()
    assert [origin for origin, _ in origins(vault, "skill/pdf")] == ["recreate", "edit", "import"]
    assert where(vault, "commands/review.md") is None
    assert_clean(vault)


@pytest.mark.parametrize("what", ["mv", "cp", "rm"])
def test_undo_and_redo(scene: Scene, what: str) -> None:
    vault = scene.vault()
    before, refs = picture(scene.lib), vault.refs()
    commands: dict[str, Callable[[], object]] = {
        "mv": lambda: vault.move("skill/pdf", "models/pdf"),
        "cp": lambda: vault.copy("skill/pdf", "models/pdf"),
        "rm": lambda: vault.remove(["skill/pdf"]),
    }
    commands[what]()
    after, refs_after = picture(scene.lib), vault.refs()
    assert after != before
    vault.undo()
    assert (picture(scene.lib), vault.refs(), vault.status().changes) == (before, refs, ())
    vault.redo()
    assert (picture(scene.lib), vault.refs(), vault.status().changes) == (after, refs_after, ())
    assert_clean(vault)


def test_undo_of_a_move_keeps_an_edit_made_since(scene: Scene) -> None:
    vault = scene.vault()
    vault.move("skill/pdf", "pdf2")
    change_line(scene.lib / "skills/pdf2/SKILL.md", 3, "three, edited")
    with pytest.raises(ConflictError, match="changed since"):
        vault.undo()
    assert (scene.lib / "skills/pdf2/SKILL.md").read_text() == text(line3="three, edited")


def test_ignored_files_stay_and_are_named(scene: Scene) -> None:
    """What was left of a removed artifact was found by the next scan as a new artifact without content."""
    write(scene.lib, "skills/pdf/.DS_Store", "ignored")
    vault = scene.vault()
    outcome = vault.move("skill/pdf", "models/pdf").outcome
    assert outcome.left == ("skills", "skills/pdf")
    assert (scene.lib / "skills/pdf/.DS_Store").read_text() == "ignored"
    assert not (scene.lib / "models/pdf/.DS_Store").exists()
    assert vault.status().changes == ()
    assert not vault.snapshot().created
    vault.undo()
    assert vault.status().changes == ()
    assert (scene.lib / PDF).read_text() == text()


def test_a_directory_that_is_left_empty_goes_too(scene: Scene) -> None:
    """After a restore that removed the only skill, the status said that `skills` had been added."""
    vault = scene.vault()
    vault.remove(["skill/pdf"])
    vault.restore("@~1")
    assert (scene.lib / PDF).exists()
    vault.restore("@~1")
    assert not (scene.lib / "skills").exists()
    assert vault.status().changes == ()


@pytest.mark.parametrize(
    ("new", "error", "message"),
    [
        ("commands/review.md", RefusedError, "an artifact already"),
        ("commands/review.md/x.md", UsageError, "no artifact can be"),
        ("skills/doc/part", UsageError, "no artifact can be"),
        ("commands/notes", UsageError, "no artifact can be"),
        ("skills/tmp", RefusedError, "files are in the way: skills/tmp/"),
        ("hooks/plain", RefusedError, "files are in the way: hooks/plain/.DS_Store"),
        ("skills/pdf", UsageError, "are the same"),
        ("skill/pdf", UsageError, "are the same"),
        ("models/.git", RefusedError, "control directory"),
        ("..", RefusedError, "cannot be written"),
        ("nowhere:x", NotFoundError, "no such collection"),
        ("commands/sub/x.md", RefusedError, "not a directory"),
    ],
)
@pytest.mark.parametrize("kind", ["mv", "cp"])
def test_what_is_refused_changes_nothing(
    scene: Scene, team: Path, kind: str, new: str, error: type[Exception], message: str
) -> None:
    write(scene.lib, "hooks/plain/.DS_Store", "ignored")
    write(scene.lib, "commands/sub", "a plain file")
    write(scene.lib, ".casvaultignore", "skills/tmp\n")
    write(scene.lib, "skills/tmp/one/file", "ignored")
    vault = scene.vault()
    before = both(scene, team)
    with pytest.raises(error, match=message):
        (vault.move if kind == "mv" else vault.copy)("skill/pdf", new, collection="lib")
    assert both(scene, team) == before
    assert_clean(vault)


@pytest.mark.parametrize("what", ["mv", "cp", "rm"])
def test_an_artifact_that_is_not_there(scene: Scene, what: str) -> None:
    vault = scene.vault()
    with pytest.raises(NotFoundError, match="no such artifact"):
        vault.remove(["nothing"]) if what == "rm" else (vault.move if what == "mv" else vault.copy)("nothing", "x")


def test_remove_wants_a_list(scene: Scene) -> None:
    with pytest.raises(UsageError, match="a list"):
        scene.vault().remove("skill/pdf")
    with pytest.raises(UsageError, match="at least one"):
        scene.vault().remove([])


def test_move_to_another_collection(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    change_line(scene.lib / PDF, 3, "three, edited")
    write(team, "skills/doc/SKILL.md", "doc, edited\n")
    result = vault.move("skill/pdf", "team:skill/pdf", collection="lib")
    assert (result.new_collection, result.new_artifact) == ("team", "skills/pdf")
    assert (team / PDF).read_text() == text(line3="three, edited")
    assert not (scene.lib / "skills").exists()
    assert (artifacts(vault), artifacts(vault, "team")) == (["commands/review.md"], ["skills/doc", "skills/pdf"])
    assert [origin for origin, _ in origins(vault, "skill/pdf", "team")] == ["rename", "edit", "import"]
    assert [origin for origin, _ in origins(vault, "skill/doc", "team")] == ["edit", "import"]
    assert where(vault, "skills/pdf") == (b"team", b"skills/pdf")
    assert vault.operations(1)[0].arguments == ("lib", "skills/pdf", "team:skills/pdf")
    assert (vault.status("lib").changes, vault.status("team").changes) == ((), ())
    assert_clean(vault)


@pytest.mark.parametrize("what", ["mv", "cp"])
def test_undo_across_collections(scene: Scene, team: Path, what: str) -> None:
    vault = scene.vault()
    before, refs = (picture(scene.lib), picture(team)), vault.refs()
    (vault.move if what == "mv" else vault.copy)("skill/pdf", "team:models/pdf", collection="lib")
    after, refs_after = (picture(scene.lib), picture(team)), vault.refs()
    vault.undo()
    assert ((picture(scene.lib), picture(team)), vault.refs()) == (before, refs)
    assert (vault.status("lib").changes, vault.status("team").changes) == ((), ())
    vault.redo()
    assert ((picture(scene.lib), picture(team)), vault.refs()) == (after, refs_after)
    assert (vault.status("lib").changes, vault.status("team").changes) == ((), ())
    assert_clean(vault)


def test_move_to_a_collection_without_a_directory_and_back(scene: Scene) -> None:
    vault = scene.vault()
    with vault.transaction() as tx:
        tx.collection("store").put("skills/doc", b"doc")
    before = picture(scene.lib)
    vault.move("skill/pdf", "store:", collection="lib")
    assert vault.read_files("store", "skills/pdf")["SKILL.md"].decode() == text()
    vault.move("skill/pdf", "lib:skill/pdf", collection="store")
    assert picture(scene.lib) == before
    assert [origin for origin, _ in origins(vault, "skill/pdf")] == ["rename", "rename", "import"]
    assert where(vault, "skills/pdf", "store") == (b"lib", b"skills/pdf")
    vault.undo()
    vault.undo()
    assert picture(scene.lib) == before
    assert_clean(vault)


def test_copy_to_the_same_path_of_another_collection(scene: Scene, team: Path) -> None:
    vault = scene.vault()
    assert vault.copy("skill/pdf", "team:", collection="lib").new_artifact == "skills/pdf"
    assert picture(team / "skills/pdf") == picture(scene.lib / "skills/pdf")
    assert where(vault, "skills/pdf") == (b"lib", b"skills/pdf")


def test_move_in_memory() -> None:
    vault = Vault.in_memory(clock=clock)
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/pdf", {"SKILL.md": b"pdf"})
    vault.move("skill/pdf", "pdf2")
    vault.copy("pdf2", "pdf3")
    vault.remove(["pdf2"])
    assert artifacts(vault) == ["skills/pdf3"]
    vault.undo()
    assert artifacts(vault) == ["skills/pdf2", "skills/pdf3"]


def test_move_in_a_stale_copy_takes_in_what_the_other_did(scene: Scene) -> None:
    there, vault = scene.copy()
    change_line(scene.lib / PDF, 3, "three, by the first")
    scene.vault().snapshot()
    vault.move("skill/pdf", "pdf2")
    assert (there / "skills/pdf2/SKILL.md").read_text() == text(line3="three, by the first")
    assert not (there / "skills/pdf").exists()
    assert vault.status().changes == ()
    scene.vault().snapshot()
    assert picture(scene.lib) == picture(there)
    assert_clean(vault)
