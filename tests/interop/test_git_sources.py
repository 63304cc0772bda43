"""Repositories that grow, that are damaged, that change their minds; imports that are cut off."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import DamageError, FailureError, NotFoundError, RefusedError
from casvault.interop.git import ImportOptions, export_repository, import_repository
from casvault.interop.git.mapping import GitMap
from casvault.objects import Kind, object_id
from casvault.oid import Oid
from tests.interop.repositories import fill
from tests.support.dying import run_until_death
from tests.support.git import Git, needs_git

pytestmark = needs_git

PLAIN = ImportOptions()
REST = ImportOptions(allow_missing=True)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "source.git")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "lib").mkdir()
    return Vault.init(tmp_path / "lib")[0]


def line(git: Git, length: int, *parents: str, start: int = 0) -> list[str]:
    """Commits one behind the other, each with a file of its own in a directory."""
    commits = list(parents)
    for number in range(start, start + length):
        below = git.tree(("100644", b"f", git.blob(b"%d\n" % number)))
        tree = git.tree(("40000", b"d", below), ("100644", b"g", git.blob(b"g%d\n" % number)))
        commits.append(git.commit(tree, *commits[-1:]))
    return commits


def there_and_back(vault: Vault, git: Git, place: Path) -> Git:
    export_repository(vault, place)
    assert Git(place).refs() == git.refs()
    return Git(place)


def test_a_second_import_adds_nothing(git: Git, vault: Vault) -> None:
    fill(git)
    import_repository(vault, git.path, options=PLAIN)
    packs, operations = vault.fsck().objects, len(vault.operations())
    again = import_repository(vault, git.path, options=PLAIN)
    assert (again.objects, again.outcome.operation) == (0, None)
    assert not any(ref.changed for ref in again.refs)
    assert (vault.fsck().objects, len(vault.operations())) == (packs, operations)


def test_a_second_import_goes_on(git: Git, vault: Vault, tmp_path: Path) -> None:
    commits = line(git, 5)
    git.point("refs/heads/main", commits[-1])
    import_repository(vault, git.path, options=PLAIN)
    git.point("refs/heads/main", line(git, 2, commits[-1], start=5)[-1])
    again = import_repository(vault, git.path, options=PLAIN)
    assert again.objects == 2 * 5
    assert [ref.changed for ref in again.refs] == [True]
    there_and_back(vault, git, tmp_path / "out.git")


def test_an_import_is_one_operation_that_can_be_undone(git: Git, vault: Vault, tmp_path: Path) -> None:
    fill(git)
    before = len(vault.operations())
    import_repository(vault, git.path, options=PLAIN)
    assert (vault.operations(1)[0].kind, len(vault.operations())) == ("git-import", before + 1)
    vault.undo()
    assert vault.refs("branches") == vault.refs("tags") == []
    # What was undone is read again: nothing keeps its objects any more.
    again = import_repository(vault, git.path, options=PLAIN)
    assert again.objects > 0
    there_and_back(vault, git, tmp_path / "out.git")


def test_the_map_has_a_line_for_every_object_of_every_kind(git: Git, vault: Vault, tmp_path: Path) -> None:
    fill(git)
    import_repository(vault, git.path, map_file=tmp_path / "map", options=PLAIN)
    pairs = [text.split(" ") for text in (tmp_path / "map").read_text().splitlines()]
    assert {git_id for git_id, _ in pairs} == git.reachable()
    assert pairs == sorted(pairs)
    kinds = dict(text.split()[:2] for text in git.run("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    for git_id, text in pairs:
        kind, data = next(vault.reader.read_many([Oid.from_hex(text)]))
        assert (str(kind), object_id(kind, data).hex()) == (kinds[git_id], text)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".casvault-tmp")]


def test_the_map_grows_with_the_source(git: Git, vault: Vault, tmp_path: Path) -> None:
    commits = line(git, 2)
    git.point("refs/heads/main", commits[-1])
    import_repository(vault, git.path, map_file=tmp_path / "map", options=PLAIN)
    first = (tmp_path / "map").read_text().splitlines()
    git.point("refs/heads/main", line(git, 1, commits[-1], start=2)[-1])
    import_repository(vault, git.path, map_file=tmp_path / "map", options=PLAIN)
    assert set(first) < set((tmp_path / "map").read_text().splitlines())


def test_a_map_that_cannot_be_read_is_made_again(git: Git, vault: Vault) -> None:
    git.point("refs/heads/main", line(git, 2)[-1])
    import_repository(vault, git.path, options=PLAIN)
    assert vault.path is not None
    (vault.path / "cache" / "git-map").write_bytes(b"garbage" * 1000)
    again = import_repository(vault, git.path, options=PLAIN)
    assert (again.objects, again.outcome.operation) == (10, None)
    assert import_repository(vault, git.path, options=PLAIN).objects == 0


def lose_blob(git: Git, tree: str) -> str:
    return git.run("rev-parse", f"{tree}:d/f")


def lose_tree(git: Git, tree: str) -> str:
    return git.run("rev-parse", f"{tree}:d")


def lose_root_tree(git: Git, tree: str) -> str:
    return git.run("rev-parse", f"{tree}^{{tree}}")


def lose_commit(git: Git, tree: str) -> str:
    return tree


@pytest.mark.parametrize("damage", ["lost", b"garbage", b"", "other"], ids=repr)
@pytest.mark.parametrize("find", [lose_blob, lose_tree, lose_root_tree, lose_commit])
def test_a_missing_object_is_named_and_the_rest_imported(
    git: Git, vault: Vault, tmp_path: Path, find: Callable[[Git, str], str], damage: str | bytes
) -> None:
    commits = line(git, 5)
    git.point("refs/heads/main", commits[-1])
    git.point("refs/tags/v1", git.tag(commits[1], "commit", "v1"))
    lost = find(git, commits[2])
    expected = set[str]().union(*(git.walk(start, lost) for start in git.refs().values()))
    if damage == "lost":
        git.lose(lost)
    else:
        git.spoil(lost, zlib.compress(b"blob 1\0x") if isinstance(damage, str) else damage)
    with pytest.raises(DamageError, match=lost):
        import_repository(vault, git.path, options=PLAIN)
    assert vault.refs("branches") == []
    result = import_repository(vault, git.path, options=REST)
    assert (result.missing, result.left_out) == ((lost,), ())
    out = there_and_back(vault, git, tmp_path / "out.git")
    assert out.stored() == expected
    assert vault.fsck().problems == ()


def test_a_source_that_is_mended_replaces_what_was_incomplete(git: Git, vault: Vault, tmp_path: Path) -> None:
    commits = line(git, 3)
    git.point("refs/heads/main", commits[-1])
    lost = lose_blob(git, commits[1])
    content = git.run("cat-file", "blob", lost).encode() + b"\n"
    git.lose(lost)
    import_repository(vault, git.path, options=REST)
    incomplete = vault.find_ref("branches/main")
    git.blob(content)
    with pytest.raises(RefusedError, match="holds something else"):
        import_repository(vault, git.path, options=PLAIN)
    import_repository(vault, git.path, options=ImportOptions(force=True))
    assert vault.find_ref("branches/main") != incomplete
    assert there_and_back(vault, git, tmp_path / "out.git").stored() == git.stored()


def test_refs_to_what_is_missing_are_left_out_and_named(git: Git, vault: Vault) -> None:
    commits = line(git, 2)
    git.point("refs/heads/main", commits[0])
    git.point("refs/heads/broken", "12" * 20)
    git.point("refs/tags/broken", git.tag("34" * 20, "commit", "broken"))
    result = import_repository(vault, git.path, options=REST)
    assert set(result.missing) == {"12" * 20, "34" * 20}
    assert result.left_out == ("branches/broken", "tags/broken")
    assert [ref.name for ref in result.refs] == ["branches/main"]


def test_a_branch_that_was_rewritten_is_refused_unless_forced(git: Git, vault: Vault) -> None:
    commits = line(git, 3)
    git.point("refs/heads/main", commits[2])
    import_repository(vault, git.path, options=PLAIN)
    git.point("refs/heads/main", commits[1])
    with pytest.raises(RefusedError) as refused:
        import_repository(vault, git.path, options=PLAIN)
    assert refused.value.place == "branches/main"
    assert import_repository(vault, git.path, options=ImportOptions(force=True)).refs[0].changed
    assert import_repository(vault, git.path, options=PLAIN).refs[0].changed is False


def test_only_chosen_refs_are_imported(git: Git, vault: Vault) -> None:
    fill(git)
    import_repository(vault, git.path, refs=["main", "refs/tags/of-*"], options=PLAIN)
    assert [name for name, _ in vault.refs("branches") + vault.refs("tags")] == [
        "branches/main",
        "tags/of-blob",
        "tags/of-tree",
    ]
    with pytest.raises(NotFoundError, match="nowhere"):
        import_repository(vault, git.path, refs=["nowhere"], options=PLAIN)


def test_what_is_no_repository_is_not_found(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a git repository"):
        import_repository(vault, tmp_path, options=PLAIN)


def test_two_repositories_in_one_vault(git: Git, vault: Vault, tmp_path: Path) -> None:
    other = Git(tmp_path / "other.git")
    commits = line(git, 3)
    git.point("refs/heads/main", commits[-1])
    other.point("refs/heads/other", line(other, 4)[-1])
    import_repository(vault, git.path, options=PLAIN)
    result = import_repository(vault, other.path, options=PLAIN)
    assert result.objects == 5, "the first three commits are those of the first repository"
    export_repository(vault, tmp_path / "out.git")
    assert Git(tmp_path / "out.git").refs() == {**git.refs(), **other.refs()}


def test_in_memory(git: Git, tmp_path: Path) -> None:
    vault = Vault.in_memory()
    fill(git)
    import_repository(vault, git.path, options=PLAIN)
    there_and_back(vault, git, tmp_path / "out.git")


@pytest.mark.parametrize("change", range(0, 30, 3))
def test_an_import_that_is_killed_goes_on(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    """Whatever write it dies before: the vault is as it was, or the import is done; the next one finishes it."""
    monkeypatch.setattr("casvault.interop.git.importing.TOGETHER", 5)
    git.point("refs/heads/main", line(git, 30)[-1])
    (tmp_path / "lib").mkdir()
    Vault.init(tmp_path / "lib")
    options = ImportOptions(checkpoint=10)

    def work() -> None:
        import_repository(Vault.open(tmp_path / "lib"), git.path, map_file=tmp_path / "map", options=options)

    assert not run_until_death(work, change)
    vault = Vault.open(tmp_path / "lib")
    assert vault.fsck().problems == ()
    import_repository(vault, git.path, map_file=tmp_path / "map", options=options)
    assert len((tmp_path / "map").read_text().splitlines()) == 150
    there_and_back(vault, git, tmp_path / "out.git")
    assert vault.fsck().problems == ()


def test_an_import_that_is_cut_off_does_not_begin_again(
    git: Git, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casvault.interop.git.importing.TOGETHER", 10)
    git.point("refs/heads/main", line(git, 30)[-1])
    options = ImportOptions(checkpoint=50)
    save = GitMap.save

    def fail_after(known: GitMap) -> None:
        save(known)
        raise FailureError("cut off")

    monkeypatch.setattr(GitMap, "save", fail_after)
    with pytest.raises(FailureError, match="cut off"):
        import_repository(vault, git.path, options=options)
    monkeypatch.setattr(GitMap, "save", save)
    assert import_repository(vault, git.path, options=options).objects == 100


def test_what_was_cut_off_is_not_trusted_when_the_vault_went_on(
    git: Git, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something may have removed objects that no ref kept."""
    git.point("refs/heads/main", line(git, 10)[-1])
    save = GitMap.save

    def fail_after(known: GitMap) -> None:
        save(known)
        raise FailureError("cut off")

    monkeypatch.setattr(GitMap, "save", fail_after)
    with pytest.raises(FailureError, match="cut off"):
        import_repository(vault, git.path, options=PLAIN)
    monkeypatch.setattr(GitMap, "save", save)
    with vault.transaction() as tx:
        tx.set_ref("kept/x", tx.write_commit(tx.write_directory({"f": b"x"})))
    assert import_repository(vault, git.path, options=PLAIN).objects == 50


def test_the_map_of_another_version_is_made_again(git: Git, vault: Vault) -> None:
    git.point("refs/heads/main", line(git, 1)[-1])
    import_repository(vault, git.path, options=PLAIN)
    assert vault.path is not None
    database = sqlite3.connect(vault.path / "cache" / "git-map")
    database.execute("PRAGMA user_version = 99")
    database.close()
    assert import_repository(vault, git.path, options=PLAIN).objects == 5


def test_a_tree_that_a_tag_keeps_alone_is_there(git: Git, vault: Vault) -> None:
    tree = git.tree(("100644", b"f", git.blob(b"x")))
    git.point("refs/tags/t", tree)
    import_repository(vault, git.path, options=PLAIN)
    ref = vault.find_ref("tags/t")
    assert ref is not None
    kind, _ = next(vault.reader.read_many([ref]))
    assert kind is Kind.TAG
    assert [entry.path for entry in vault.ls_tree("tags/t")] == ["f"]


@pytest.mark.parametrize("is_known", [False, True])
def test_a_commit_in_the_place_of_a_file_is_of_no_use(git: Git, vault: Vault, tmp_path: Path, is_known: bool) -> None:
    """It was taken for a blob: the vault got a file whose content is a commit."""
    first = line(git, 1)[0]
    git.point("refs/heads/first", first)
    if is_known:
        import_repository(vault, git.path, options=PLAIN)
    git.point("refs/heads/main", git.commit(git.tree(("100644", b"f", first))))
    with pytest.raises(DamageError, match=first):
        import_repository(vault, git.path, options=PLAIN)
    assert import_repository(vault, git.path, options=REST).missing == (first,)
    assert vault.fsck().problems == ()
    there_and_back(vault, git, tmp_path / "out.git")


def test_a_shallow_clone_comes_back(git: Git, vault: Vault, tmp_path: Path) -> None:
    """What it does not have is named, and the ids of what it has stay."""
    commits = line(git, 5)
    git.point("refs/heads/main", commits[-1])
    git.run("symbolic-ref", "HEAD", "refs/heads/main")
    url = f"file://{git.path}"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", url, str(tmp_path / "shallow.git")], check=True)
    shallow = Git(tmp_path / "shallow.git")
    result = import_repository(vault, shallow.path, options=REST)
    assert result.missing == (commits[2],)
    assert there_and_back(vault, shallow, tmp_path / "out.git").stored() == shallow.stored()
