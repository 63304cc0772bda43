"""Upstreams that are git repositories: on this machine, or behind an address."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from casvault import Author, Vault
from casvault.errors import FailureError, NotFoundError, RefusedError, UsageError
from casvault.interop.upstream import open_upstream
from casvault.vault.results.updates import UpdateResult
from casvault.vault.updating import UpdateRequest
from tests.support.git import Git, needs_git

pytestmark = needs_git


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "lib/skills/other").mkdir(parents=True)
    (tmp_path / "lib/skills/other/SKILL.md").write_text("other\n")
    return Vault.init(tmp_path / "lib", author=Author("Ada", "ada@example.org"))[0]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """skills/pdf with a file, an executable and a symlink, on main; something else beside it."""
    git = Git(tmp_path / "up.git")
    commit(git, b"one\ntwo\n")
    return git


def commit(git: Git, content: bytes, *parents: str, extra: tuple[tuple[str, bytes, str], ...] = ()) -> str:
    pdf = git.tree(
        ("100644", b"SKILL.md", git.blob(content)),
        ("120000", b"link", git.blob(b"SKILL.md")),
        ("100755", b"run", git.blob(b"#!/bin/sh\n")),
        *extra,
    )
    skills = git.tree(("40000", b"pdf", pdf))
    root = git.tree(("100644", b"README", git.blob(b"not wanted\n")), ("40000", b"skills", skills))
    made = git.commit(root, *parents)
    git.point("refs/heads/main", made)
    git.run("symbolic-ref", "HEAD", "refs/heads/main")
    return made


def update(vault: Vault, source: str, wanted: str = "", artifact: str = "skill/pdf") -> UpdateResult:
    return vault.update([UpdateRequest(artifact, open_upstream(source, wanted))])


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("form", ["{path}#skills/pdf", "file://{path}#skills/pdf"], ids=["path", "address"])
def test_a_directory_of_a_repository(vault: Vault, git: Git, form: str) -> None:
    source = form.format(path=git.path)
    result = update(vault, source)
    place = git.path.parent / "lib/skills/pdf"
    assert files(place) == {"SKILL.md": b"one\ntwo\n", "link": b"one\ntwo\n", "run": b"#!/bin/sh\n"}
    assert (place / "link").is_symlink()
    assert (place / "run").stat().st_mode & 0o111
    assert result.artifacts[0].revision == git.refs()["refs/heads/main"]
    (known,) = vault.upstreams()
    assert known.location == source
    new = commit(git, b"one\nTWO\n", result.artifacts[0].revision)
    checked = vault.check_upstream(known, open_upstream(known.location, known.wanted).fetch)
    assert (checked.is_behind, checked.revision) == (True, new)
    assert update(vault, known.location).artifacts[0].revision == new
    assert (place / "SKILL.md").read_bytes() == b"one\nTWO\n"
    assert vault.fsck().problems == ()


def test_one_file_of_a_repository(vault: Vault, git: Git) -> None:
    update(vault, f"{git.path}#skills/pdf/SKILL.md", artifact="command/read")
    assert (git.path.parent / "lib/commands/read.md").read_bytes() == b"one\ntwo\n"


def test_a_branch_or_tag_is_followed(vault: Vault, git: Git) -> None:
    first = git.refs()["refs/heads/main"]
    git.point("refs/tags/v1", git.tag(first, "commit", "v1"))
    commit(git, b"newer\n", first)
    update(vault, f"file://{git.path}#skills/pdf", "v1")
    (known,) = vault.upstreams()
    assert (known.wanted, known.revision) == ("v1", first)
    assert not vault.check_upstream(known, open_upstream(known.location or "", known.wanted).fetch).is_behind
    with pytest.raises(FailureError, match="v7"):
        update(vault, f"file://{git.path}#skills/pdf", "v7")
    with pytest.raises(NotFoundError, match="no such branch"):
        update(vault, f"{git.path}#skills/pdf", "v7")


def test_a_worktree_counts_as_what_is_committed(vault: Vault, tmp_path: Path) -> None:
    place = tmp_path / "work"
    (place / "pdf").mkdir(parents=True)
    (place / "pdf/SKILL.md").write_text("committed\n")
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(place), *arguments], check=True)
    (place / "pdf/SKILL.md").write_text("lies about\n")
    update(vault, f"{place}#pdf")
    assert (tmp_path / "lib/skills/pdf/SKILL.md").read_text() == "committed\n"
    update(vault, f"{place}/pdf")
    assert (tmp_path / "lib/skills/pdf/SKILL.md").read_text() == "lies about\n"


def test_submodules_are_left_out_and_named(vault: Vault, git: Git) -> None:
    commit(git, b"one\n", extra=(("160000", b"zsub", "1" * 40),))
    assert update(vault, f"{git.path}#skills/pdf").notes == ("zsub: a submodule, left out",)
    assert not (git.path.parent / "lib/skills/pdf/zsub").exists()


def test_no_control_directory_comes_in(vault: Vault, git: Git) -> None:
    commit(git, b"one\n", extra=(("100644", b"z.casvault", git.blob(b"fine\n")),))
    update(vault, f"{git.path}#skills/pdf")
    hidden = git.tree(("100644", b"config", git.blob(b"evil\n")))
    tree = git.tree(("40000", b".GIT", hidden), ("100644", b"SKILL.md", git.blob(b"x\n")))
    git.point("refs/heads/main", git.commit(tree))
    with pytest.raises(RefusedError, match="control directory"):
        update(vault, str(git.path))


def test_an_address_keeps_its_secrets_out_of_the_vault(vault: Vault) -> None:
    upstream = open_upstream("https://user:secret@127.0.0.1:9/skills.git#pdf")
    assert upstream.location == "https://user:secret@127.0.0.1:9/skills.git#pdf"
    with pytest.raises(FailureError) as caught:
        vault.update([UpdateRequest("skill/pdf", upstream)])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("source", ["", "-x", "#pdf", "up.git#../lib", "up.git#a//b"])
def test_what_is_no_source(vault: Vault, git: Git, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(git.path.parent)
    with pytest.raises(UsageError):
        open_upstream(source)


def test_what_is_not_there(vault: Vault, git: Git) -> None:
    with pytest.raises(NotFoundError, match="upstream has nothing"):
        update(vault, f"{git.path}#skills/none")
    with pytest.raises(NotFoundError, match="upstream is not there"):
        open_upstream(str(git.path) + "x#skills")
    with pytest.raises(UsageError, match="no branches"):
        open_upstream(str(git.path.parent / "lib/skills"), "main")


def test_a_symlink_is_no_artifact(vault: Vault, git: Git, tmp_path: Path) -> None:
    """It was written as one, and the next snapshot took in what it led to: any file of this machine."""
    (tmp_path / "secret").write_text("a secret\n")
    git.point("refs/heads/main", git.commit(git.tree(("120000", b"pdf", git.blob(b"../../secret")))))
    with pytest.raises(RefusedError, match="a symlink there, which no artifact can be"):
        update(vault, f"{git.path}#pdf")
    assert not (tmp_path / "lib/skills/pdf").is_symlink()


def test_a_path_is_no_pattern(vault: Vault, git: Git) -> None:
    """Git took a path that begins with a colon for one of its patterns."""
    tree = git.tree(("100644", b"SKILL.md", git.blob(b"one\n")))
    git.point("refs/heads/main", git.commit(git.tree(("40000", b":(top)", tree))))
    update(vault, f"{git.path}#:(top)")
    assert files(vault.collections()[0].directory / "skills/pdf") == {"SKILL.md": b"one\n"}  # type: ignore[operator]


def test_why_a_repository_cannot_be_read(vault: Vault, tmp_path: Path) -> None:
    """Of what git said, the end of its advice was shown: "and the repository exists."."""
    with pytest.raises(FailureError, match="does not appear to be a git repository"):
        update(vault, f"file://{tmp_path}/nowhere")
