"""What an export refuses, and what it leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from casvault import How, Vault
from casvault.errors import NotFoundError, RefusedError
from casvault.interop.git import ImportOptions, export_repository, import_repository
from casvault.objects import FILE, Root
from tests.support.git import Git, needs_git

pytestmark = needs_git

PLAIN = ImportOptions()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """With two commits of its own on a branch."""
    (tmp_path / "lib").mkdir()
    vault = Vault.init(tmp_path / "lib")[0]
    with vault.transaction() as tx:
        first = tx.write_commit(tx.write_directory({"f": b"one\n"}), (), "first\n")
        tx.set_ref("branches/main", tx.write_commit(tx.write_directory({"f": b"two\n"}), (first,), "second\n"))
    return vault


def move(vault: Vault, ref: str, message: str, *, after: str | None = None) -> None:
    parent = None if after is None else vault.find_ref(after)
    with vault.transaction() as tx:
        parents = () if parent is None else (parent,)
        tx.set_ref(ref, tx.write_commit(tx.write_directory({"f": message.encode()}), parents, message))


def test_commits_of_casvault_are_commits_of_git(vault: Vault, tmp_path: Path) -> None:
    export_repository(vault, tmp_path / "out.git")
    out = Git(tmp_path / "out.git")
    assert out.run("log", "--format=%s", "main") == "second\nfirst"
    assert out.run("show", "main:f") == "two"
    assert out.run("symbolic-ref", "HEAD") == "refs/heads/main"
    assert out.run("fsck", "--strict") == ""
    again = import_repository(Vault.in_memory(), out.path, options=PLAIN)
    assert again.refs[0].id == vault.find_ref("branches/main")


def test_a_second_export_writes_nothing(vault: Vault, tmp_path: Path) -> None:
    first = export_repository(vault, tmp_path / "out.git")
    packs = sorted((tmp_path / "out.git/objects/pack").iterdir())
    again = export_repository(vault, tmp_path / "out.git")
    assert (first.objects, again.objects) == (6, 0)
    assert [ref.changed for ref in again.refs] == [False]
    assert sorted((tmp_path / "out.git/objects/pack").iterdir()) == packs


def test_a_branch_goes_forward_and_no_other_way(vault: Vault, tmp_path: Path) -> None:
    export_repository(vault, tmp_path / "out.git")
    move(vault, "branches/main", "third\n", after="branches/main")
    assert export_repository(vault, tmp_path / "out.git").objects == 3
    move(vault, "branches/main", "another\n")
    before = Git(tmp_path / "out.git").refs()
    with pytest.raises(RefusedError) as refused:
        export_repository(vault, tmp_path / "out.git")
    assert refused.value.place == "refs/heads/main"
    assert Git(tmp_path / "out.git").refs() == before
    export_repository(vault, tmp_path / "out.git", force=True)
    assert Git(tmp_path / "out.git").refs() != before


def test_a_tag_is_moved_by_force_only(vault: Vault, tmp_path: Path) -> None:
    move(vault, "tags/v1", "one\n")
    export_repository(vault, tmp_path / "out.git")
    move(vault, "tags/v1", "two\n", after="tags/v1")
    with pytest.raises(RefusedError, match="holds something else"):
        export_repository(vault, tmp_path / "out.git")
    assert export_repository(vault, tmp_path / "out.git", force=True).refs[1].changed


def test_the_branch_of_a_worktree_is_left_alone(vault: Vault, tmp_path: Path) -> None:
    work = tmp_path / "work"
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    with pytest.raises(RefusedError, match="checked out"):
        export_repository(vault, work, force=True)
    subprocess.run(["git", "-C", str(work), "symbolic-ref", "HEAD", "refs/heads/other"], check=True)
    export_repository(vault, work)
    assert list(Git(work / ".git").refs()) == ["refs/heads/main"]


def test_a_file_as_a_root_is_refused(vault: Vault, tmp_path: Path) -> None:
    with vault.transaction() as tx:
        oid = tx.write_commit(Root(FILE, 1, tx.write_blob(b"x")))
        tx.set_ref("branches/file", oid)
    with pytest.raises(RefusedError, match="a file, which git cannot have") as refused:
        export_repository(vault, tmp_path / "out.git")
    assert str(oid) in (refused.value.place or "")


def test_links_and_fields_of_casvault_are_refused(vault: Vault, tmp_path: Path) -> None:
    with vault.transaction() as tx:
        tx.collection("api").put("skills/pdf", b"x")
    snapshot = dict(vault.refs("collections"))["collections/api"]
    with vault.transaction() as tx:
        tx.set_ref("tags/snapshot", snapshot)
    with pytest.raises(RefusedError, match="is a link to a commit of the vault"):
        export_repository(vault, tmp_path / "out.git", refs=["snapshot"])
    version = next(oid for _, oid in vault.iter_artifacts("api"))
    with vault.transaction() as tx:
        tx.set_ref("tags/version", tx.write_commit(tx.write_directory({}), (version,)))
    with pytest.raises(RefusedError, match="a file, which git cannot have"):
        export_repository(vault, tmp_path / "out.git", refs=["version"])


def test_names_that_git_cannot_have_are_refused(vault: Vault, tmp_path: Path) -> None:
    for name in ("branches/a b", "branches/c.lock", "tags/d..e"):
        move(vault, name, "x")
    with pytest.raises(RefusedError) as refused:
        export_repository(vault, tmp_path / "out.git")
    assert refused.value.place == "branches/a b, branches/c.lock, tags/d..e"
    assert not (tmp_path / "out.git").exists()
    assert len(export_repository(vault, tmp_path / "out.git", refs=["main"]).refs) == 1


def test_refs_that_are_not_there_are_not_found(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'nowhere'"):
        export_repository(vault, tmp_path / "out.git", refs=["nowhere"])


def test_ids_of_one_kind_are_not_mixed_with_the_other(tmp_path: Path) -> None:
    source, vault = Git(tmp_path / "source.git", "sha256"), Vault.in_memory()
    source.point("refs/heads/main", source.commit(source.tree(("160000", b"m", "ab" * 32))))
    import_repository(vault, source.path, options=PLAIN)
    Git(tmp_path / "out.git", "sha1")
    with pytest.raises(RefusedError, match="sha256 ids"):
        export_repository(vault, tmp_path / "out.git")


def test_a_merge_that_was_resolved_goes_to_git_and_comes_back_the_same(vault: Vault, tmp_path: Path) -> None:
    """A record of the conflict in the commit would have had no place in git, and the branch could not leave."""
    move(vault, "branches/try", "theirs\n", after="branches/main")
    move(vault, "branches/main", "ours\n", after="branches/main")
    merge = vault.merge_branch("try", "main").merge
    assert merge is not None
    vault.resolve(merge, "f", How.FILE, b"both\n")
    tip = vault.continue_branch(merge).tip
    export_repository(vault, tmp_path / "out.git")
    out = Git(tmp_path / "out.git")
    assert out.run("show", "main:f") == "both"
    assert len(out.run("log", "-1", "--format=%P", "main").split()) == 2
    again = Vault.in_memory()
    import_repository(again, out.path, options=PLAIN)
    assert again.find_ref("branches/main") == tip
