"""What people type to name an object, in a small vault in memory.

the collection lib: first ── second; skills/pdf has two versions, commands/review.md and hooks/pdf one
"""

from __future__ import annotations

import pytest

from casvault import Vault
from casvault.artifacts.revision import pick_path
from casvault.artifacts.rules import Rules
from casvault.errors import NotFoundError, UsageError
from casvault.oid import Oid, blob_id


@pytest.fixture(scope="module")
def vault() -> Vault:
    vault = Vault.in_memory()
    for number in (1, 2):
        with vault.transaction(f"number {number}") as tx:
            lib = tx.collection("lib")
            lib.put("skills/pdf", {"SKILL.md": b"text %d" % number, "deep/a b": b"x"})
            if number == 1:
                lib.put("commands/review.md", b"review")
                lib.put("hooks/hook", b"hook")
                lib.put("hooks/pdf", b"pdf hook")
    with vault.transaction() as tx:
        root = tx.write_directory({"f": b"f"})
        one, other = tx.write_commit(root, (), "one"), tx.write_commit(root, (), "other")
        tx.set_ref("branches/main", tx.write_commit(root, (one, other), "merge"))
    return vault


def tip(vault: Vault) -> Oid:
    found = vault.find_ref("collections/lib")
    assert found is not None
    return found


def parent(vault: Vault, oid: Oid, number: int = 0) -> Oid:
    return vault.read_commit(oid).parents[number]


@pytest.mark.parametrize("name", ["@", "HEAD", "lib", "collections/lib"])
def test_rev_parse_names_of_the_newest_snapshot(vault: Vault, name: str) -> None:
    assert vault.rev_parse(name) == tip(vault)


@pytest.mark.parametrize("name", ["@~1", "@~", "@^", "@^1", "lib~1", "@~1~0", "@~0^", "~1", "^", "@^0~1"])
def test_rev_parse_parent(vault: Vault, name: str) -> None:
    assert vault.rev_parse(name) == parent(vault, tip(vault))


def test_rev_parse_parents_of_a_merge(vault: Vault) -> None:
    main = vault.rev_parse("branches/main")
    found = [vault.rev_parse(f"branches/main{suffix}") for suffix in ("^0", "^1", "^2", "~1")]
    assert found == [main, parent(vault, main), parent(vault, main, 1), parent(vault, main)]


@pytest.mark.parametrize("name", ["skills/pdf", "skill/pdf", "/skills/pdf/"])
def test_rev_parse_artifact(vault: Vault, name: str) -> None:
    assert vault.rev_parse(name) == dict(vault.iter_artifacts("lib"))["skills/pdf"]


@pytest.mark.parametrize("name", ["commands/review.md", "command/review", "review"])
def test_rev_parse_artifact_with_a_suffix(vault: Vault, name: str) -> None:
    assert vault.rev_parse(name) == dict(vault.iter_artifacts("lib"))["commands/review.md"]


def test_rev_parse_id_and_its_prefixes(vault: Vault) -> None:
    oid = tip(vault)
    texts = [str(oid), str(oid).upper(), oid.short, str(oid)[:20]]
    assert [vault.rev_parse(text) for text in texts] == [oid] * 4


@pytest.mark.parametrize(
    ("revision", "content"),
    [
        ("@:skills/pdf/SKILL.md", b"text 2"),
        ("@~1:skills/pdf/SKILL.md", b"text 1"),
        ("skill/pdf:SKILL.md", b"text 2"),
        ("skill/pdf~1:SKILL.md", b"text 1"),
        ("skill/pdf:deep/a b", b"x"),
        ("@:commands/review.md", b"review"),
        ("review", b"review"),
        ("branches/main:f", b"f"),
    ],
)
def test_cat_revision_and_path(vault: Vault, revision: str, content: bytes) -> None:
    assert b"".join(vault.cat(revision)) == content


def test_rev_parse_with_a_path_is_the_id_of_what_stands_there(vault: Vault) -> None:
    assert vault.rev_parse("@:skills/pdf/SKILL.md") == blob_id(b"text 2")


def test_cat_blob_by_its_id(vault: Vault) -> None:
    assert b"".join(vault.cat(str(blob_id(b"text 1")))) == b"text 1"


def test_rev_parse_ambiguous_name_lists_the_paths(vault: Vault) -> None:
    with pytest.raises(UsageError, match="hooks/pdf, skills/pdf"):
        vault.rev_parse("pdf")


@pytest.mark.parametrize(
    "name",
    ["nothing", "@~9", "@^2", "abc", "deadbeef", "@:none", "skill/pdf:SKILL.md/x", "collections", "//", "f" * 65],
)
def test_rev_parse_what_is_not_there(vault: Vault, name: str) -> None:
    with pytest.raises(NotFoundError):
        vault.rev_parse(name)


def test_rev_parse_without_a_collection() -> None:
    empty = Vault.in_memory()
    with pytest.raises(UsageError, match="which collection"):
        empty.rev_parse("@")


def test_pick_path_exact_path_goes_before_short_names() -> None:
    paths = [b"commands/review.md", b"command/review"]
    assert pick_path(paths, Rules(), "command/review") == b"command/review"


def test_pick_path_short_name_goes_before_the_last_name() -> None:
    paths = [b"skills/skill/pdf", b"skills/pdf", b"models/pdf"]
    assert pick_path(paths, Rules(), "skill/pdf") == b"skills/pdf"


def test_pick_path_two_of_one_short_name() -> None:
    with pytest.raises(UsageError, match=r"ambiguous: command/a, commands/a\.md, commands/b/a\.md"):
        pick_path([b"commands/a.md", b"commands/b/a.md", b"command/a"], Rules(), "a")


def test_pick_path_nothing() -> None:
    assert pick_path([b"skills/pdf"], Rules(), "doc") is None


def test_rev_parse_artifact_whose_name_ends_like_a_step() -> None:
    vault = Vault.in_memory()
    with vault.transaction() as tx:
        tx.collection("lib").put("skills/v~1", b"x")
    assert vault.rev_parse("skills/v~1") == dict(vault.iter_artifacts("lib"))["skills/v~1"]
