"""Through the vault and back: every ref has the id that it had."""

from __future__ import annotations

from pathlib import Path

import pytest

from casvault import Vault
from casvault.errors import RefusedError
from casvault.interop.git import ImportOptions, export_repository, import_repository
from casvault.objects import FOREIGN, SYMLINK, Signature, is_boundary
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


def test_the_vault_has_what_git_says(vault: Vault, tmp_path: Path) -> None:
    """Fields, modes and names of the newest commit of a small history, as the API shows them."""
    git = Git(tmp_path / "source.git")
    text = git.blob(b"text\n")
    below = git.tree(("120000", b"caf\xe9", text), ("160000", b"module", "ab" * 20))
    root = git.commit(git.tree(("100755", b"run", text)))
    extra = b"encoding ISO-8859-1\ngpgsig one\n two\n"
    git.point(
        "refs/heads/main", git.commit(git.tree(("40000", b"d", below)), root, extra=extra, message=b"Gr\xfc\xdfe")
    )
    import_repository(vault, git.path, options=PLAIN)
    tip = vault.find_ref("branches/main")
    assert tip is not None
    commit = vault.read_commit(tip)
    (directory,) = vault.iter_tree(commit.root.id)
    assert commit.message == b"Gr\xfc\xdfe"
    assert commit.encoding == b"ISO-8859-1"
    assert commit.author == Signature(b"Ann", b"ann@example.org", 1_700_000_000, b"+0100")
    assert commit.fields == ((b"git:gpgsig", b"one\ntwo"),)
    assert [(entry.name, entry.mode, entry.size) for entry in vault.iter_tree(directory.id)] == [
        (b"caf\xe9", SYMLINK, 5),
        (b"module", FOREIGN, 0),
    ]
    assert vault.read_commit(commit.parents[0]).message == b"message\n"


def test_headers_of_git_do_not_pose_as_fields_of_casvault(vault: Vault, tmp_path: Path) -> None:
    """A commit from elsewhere that says `type snapshot` would be taken for a collection's own."""
    git = Git(tmp_path / "source.git")
    git.point("refs/heads/main", git.commit(git.tree(), extra=b"type snapshot\ncollection lib\n"))
    import_repository(vault, git.path, options=PLAIN)
    tip = vault.find_ref("branches/main")
    assert tip is not None
    assert vault.read_commit(tip).fields == ((b"git:type", b"snapshot"), (b"git:collection", b"lib"))
    assert vault.log(tip.hex())[0].type == "commit"


def test_blobs_that_are_streamed_come_back(
    git: Git, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a low threshold, so that pieces, pipes and packs are used as for files of gigabytes."""
    for module in ("reader", "outgoing"):
        monkeypatch.setattr(f"casvault.interop.git.{module}.STREAM_THRESHOLD", 10_000)
    monkeypatch.setattr("casvault.interop.git.reader.PIECE", 4_096)
    large = [bytes([number]) * 50_000 + b"%d" % number for number in range(5)]
    tree = git.tree(*(("100644", b"f%d" % number, git.blob(content)) for number, content in enumerate(large)))
    git.point("refs/heads/main", git.commit(tree))
    git.point("refs/tags/large", git.blob(large[0] + b"another"))
    import_repository(vault, git.path, options=PLAIN)
    export_repository(vault, tmp_path / "out.git")
    assert Git(tmp_path / "out.git").refs() == git.refs()
    assert Git(tmp_path / "out.git").stored() == git.stored()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((("100664", b"f"),), "'f' has the mode 100664"),
        ((("100644", b"b"), ("100644", b"a")), "'a' is out of order"),
        ((("100644", b"a"), ("100644", b"a")), "'a' stands twice"),
        ((("100644", b"a/b"),), "a slash in the name"),
        ((("100644", b".."),), "the name '..' is not possible"),
    ],
    ids=["mode", "order", "twice", "slash", "dots"],
)
def test_what_the_canonical_form_cannot_say_is_refused_by_name(
    vault: Vault, tmp_path: Path, entries: tuple[tuple[str, bytes], ...], words: str
) -> None:
    git = Git(tmp_path / "source.git")
    tree = git.tree(*((mode, name, git.blob(b"x")) for mode, name in entries))
    git.point("refs/heads/main", git.commit(git.tree(("40000", b"d", tree))))
    with pytest.raises(RefusedError) as refused:
        import_repository(vault, git.path, options=PLAIN)
    assert refused.value.place == f"git tree {tree}"
    assert words in refused.value.message
    assert vault.refs("branches") == []


def test_a_duplicate_far_behind_a_cut_is_found(vault: Vault, tmp_path: Path) -> None:
    """A tree of many entries is written in nodes, and two equal names at the border of two nodes went by unseen."""
    git = Git(tmp_path / "source.git")
    boundary = next(b"n%05d" % number for number in range(100_000) if is_boundary(b"n%05d" % number, 0))
    names = sorted({boundary, *(b"n%05d" % number for number in range(200))})
    names.insert(names.index(boundary), boundary)
    git.point("refs/heads/main", git.commit(git.tree(*(("100644", name, git.blob(b"x")) for name in names))))
    with pytest.raises(RefusedError, match="stands twice"):
        import_repository(vault, git.path, options=PLAIN)


def test_directories_of_equal_names_come_back_with_their_ids(git: Git, vault: Vault, tmp_path: Path) -> None:
    """They have one shape, and each tree is understood as a change of the other directory's, or of its own."""
    blobs = [git.blob(b"%d\n" % number) for number in range(12)]
    commit: str | None = None
    for turn in range(8):
        pair = [
            git.tree(
                ("100644", b"first", blobs[0]),
                ("100644", b"middle", blobs[turn + side]),
                ("100644", b"z", blobs[turn // 3 + side]),
            )
            for side in (0, 3)
        ]
        root = git.tree(*(("40000", name, tree) for name, tree in zip((b"a", b"b"), pair, strict=True)))
        commit = git.commit(root, *(() if commit is None else (commit,)), message=b"%d\n" % turn)
    assert commit is not None
    git.point("refs/heads/main", commit)
    import_repository(vault, git.path, options=PLAIN)
    export_repository(vault, tmp_path / "out.git")
    assert Git(tmp_path / "out.git").stored() == git.reachable()
    assert vault.fsck().problems == ()
