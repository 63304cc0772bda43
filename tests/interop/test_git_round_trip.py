"""Through the vault and back: every ref has the id that it had."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import RefusedError
from casvault.interop.git import ImportOptions, export_repository, import_repository
from tests.interop.repositories import fill, fill_oddly
from tests.support.git import Git, needs_git

pytestmark = needs_git

PLAIN = ImportOptions()


@pytest.fixture(params=["sha1", "sha256"])
def git(request: pytest.FixtureRequest, tmp_path: Path) -> Git:
    return Git(tmp_path / "source.git", request.param)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "lib").mkdir()
    return Vault.init(tmp_path / "lib")[0]


def test_everything_that_git_has_comes_back_with_its_id(git: Git, vault: Vault, tmp_path: Path) -> None:
    fill(git)
    result = import_repository(vault, git.path, options=PLAIN)
    export_repository(vault, tmp_path / "out.git")
    out = Git(tmp_path / "out.git")
    assert (result.missing, result.left_out, result.kept) == ((), (), 0)
    assert out.refs() == git.refs()
    assert out.stored() == git.reachable()
    assert vault.fsck().problems == ()


def test_odd_trees_come_back_with_their_ids(git: Git, vault: Vault, tmp_path: Path) -> None:
    fill_oddly(git)
    result = import_repository(vault, git.path, options=ImportOptions(keep_raw=True))
    export_repository(vault, tmp_path / "out.git")
    out = Git(tmp_path / "out.git")
    assert result.kept > 0
    assert out.refs() == git.refs()
    assert out.stored() == git.stored()
    assert vault.fsck().problems == ()


@pytest.mark.parametrize("branch", ["main", "apart"])
def test_one_branch_with_odd_trees_needs_no_other(git: Git, vault: Vault, tmp_path: Path, branch: str) -> None:
    fill_oddly(git)
    import_repository(vault, git.path, options=ImportOptions(keep_raw=True))
    export_repository(vault, tmp_path / "out.git", refs=[branch])
    out = Git(tmp_path / "out.git")
    name = f"refs/heads/{branch}"
    assert out.refs() == {name: git.refs()[name]}
    assert out.stored() == git.walk(git.refs()[name])
