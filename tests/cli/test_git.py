"""`casvault git`, as a user would type it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from casvault.cli.failures import DAMAGE
from tests.support.git import Git, needs_git

if TYPE_CHECKING:
    from .conftest import World

pytestmark = needs_git


@pytest.fixture
def source(world: World) -> Git:
    git = Git(world.base / "source.git")
    tree = git.tree(("100644", b"f", git.blob(b"text\n")))
    git.point("refs/heads/main", git.commit(tree))
    git.point("refs/tags/v1", git.tag(git.refs()["refs/heads/main"], "commit", "v1"))
    return git


def test_there_and_back(world: World, source: Git) -> None:
    out = world.done("git", "import", "../source.git", "--map", "../map").out
    commit, tag = source.refs().values()
    first, second, last = out.splitlines()
    assert first.startswith(f"{commit[:12]}  refs/heads/main  →  ")
    assert first.endswith("  branches/main")
    assert second.startswith(f"{tag[:12]}  refs/tags/v1     →  ")
    assert last == "4 objects imported"
    assert len((world.base / "map").read_text().splitlines()) == 4
    assert world.done("git", "import", "../source.git").out == "2 refs as before\n0 objects imported\n"
    assert world.done("git", "export", "../out.git").out.endswith("4 objects written\n")
    assert Git(world.base / "out.git").refs() == source.refs()
    assert "git-import  " in world.done("ops", "-n", "1").out
    assert "from source.git" in world.done("ops", "-n", "1").out
    assert world.done("cat", "branches/main:f").raw == b"text\n"


def test_documents(world: World, source: Git) -> None:
    imported = world.done("git", "import", "../source.git", "--json").document
    assert set(imported) == {"refs", "objects", "missing", "left_out", "kept", "operation"}
    assert set(imported["refs"][0]) == {"name", "git", "id", "git_id", "changed"}
    exported = world.done("git", "export", "../out.git", "--json").document
    assert set(exported) == {"refs", "objects", "missing"}


def test_damage_is_named_and_has_its_exit_code(world: World, source: Git) -> None:
    lost = source.run("rev-parse", "main:f")
    source.lose(lost)
    result = world.run("git", "import", "../source.git")
    assert result.code == DAMAGE
    assert lost in result.err
    assert "--allow-missing" in result.err
    result = world.done("git", "import", "../source.git", "--allow-missing")
    assert f"warning: {lost}: missing or unreadable in the git repository\n" in result.err
    assert f"warning: {lost}: missing, as it was" in world.done("git", "export", "../out.git").err


def test_an_odd_tree_is_refused_or_kept(world: World, source: Git) -> None:
    tree = source.tree(("100664", b"f", source.blob(b"text\n")))
    source.point("refs/heads/odd", source.commit(tree))
    result = world.run("git", "import", "../source.git")
    assert result.code == 4
    assert f"git tree {tree}: 'f' has the mode 100664" in result.err
    assert "--keep-raw" in result.err
    assert "1 tree kept" in world.done("git", "import", "../source.git", "--keep-raw").out
    world.done("git", "export", "../out.git", "--ref", "odd")
    assert Git(world.base / "out.git").refs()["refs/heads/odd"] == source.refs()["refs/heads/odd"]
